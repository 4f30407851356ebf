"""The public Moving MNIST file: every clip in one part, pixel for pixel the file's; a bad file is one clear line.

The fixture is in the public form, with 40 clips for 10,000.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from bair_sets import png, write
from numpy.typing import NDArray
from pydantic import ValidationError
from tools import ROOT, snakemake

from whatmoves.cli import main
from whatmoves.commands import data as data_command
from whatmoves.commands.studies import _check
from whatmoves.data import moving_mnist
from whatmoves.data.large_arrays import Blocks, map_array, read_some_arrays, write_large_arrays
from whatmoves.data.moving_mnist import BLOCK_CLIPS, Config, make, open_source, outside_files, split_rows
from whatmoves.data.moving_mnist_file import MAGIC, open_clips
from whatmoves.data.tfrecords import record_places
from whatmoves.errors import ConfigError, DataError
from whatmoves.files import sha256, write_arrays
from whatmoves.layout import Layout
from whatmoves.loading import load_study
from whatmoves.provenance.jobs import fingerprint
from whatmoves.provenance.verify import verify

CPU = torch.device("cpu")
CLIPS = 40
FIX = "set file to the public mnist_test_seq.npy (docs/data.md)"
AGAIN = "delete it and make the data set again"
SAVED_BY_ANY_PYTHON = "38a5a02c2175e726d4a90503d62bbd112be3d64557aa910295fbb1d9f6d558e2"  # 3.11.2, 3.11.7, 3.12, 3.13


@pytest.fixture(scope="session")
def pixels() -> NDArray[np.uint8]:
    """Frames before clips, as the file has them; no two frames are alike."""
    return np.random.default_rng(0).integers(0, 256, (20, CLIPS, 64, 64), np.uint8)


@pytest.fixture
def file(tmp_path: Path, pixels: NDArray[np.uint8]) -> Path:
    np.save(tmp_path / "seq.npy", pixels)
    return tmp_path / "seq.npy"


def of(file: Path, **options: Any) -> Config:
    return Config(**{"file": file, "validation_clips": 5, "test_clips": 7} | options)


def places(table: Any) -> set[tuple[int, int]]:
    return set(zip(table["clip"], table["first_frame"], strict=True))


def test_every_clip_is_in_one_part_and_pixel_for_pixel_the_files(file: Path, pixels: NDArray[np.uint8]) -> None:
    config = of(file)
    make(config, file.parent)
    file.unlink()  # from here on it is not needed
    source = open_source(config, file.parent)
    parts = {name: source.split(name) for name in ("validation", "test")} | {"train": source.train_split(28)}
    for name, rows in {"train": range(28), "validation": range(28, 33), "test": range(33, 40)}.items():
        assert places(parts[name].factors) == {(row, 0) for row in rows}
        clips = parts[name].factors["clip"].to_numpy()
        assert (parts[name].video[:, :, 0] == pixels[:, clips].swapaxes(0, 1)).all()
    batch = source.train_batch(0, 0, 28, CPU)
    assert batch.video.dtype == torch.float32
    assert batch.actions is batch.states is batch.centres_px is None
    assert source.shape[:4] == batch.video.shape[1:] == (20, 1, 64, 64)
    drawn = (batch.video * 255).round().numpy().astype(np.uint8)[:, :, 0]
    assert sorted(clip.tobytes() for clip in drawn) == sorted(pixels[:, row].tobytes() for row in range(28))


def test_the_jepas_split_is_the_originals(file: Path, pixels: NDArray[np.uint8]) -> None:
    """Its own order of steps on the whole array: swap axes, permute, cut off the first, halve."""
    permuted = np.random.RandomState(2025).permutation(np.swapaxes(pixels, 0, 1))
    held, rest = (part.reshape(-1, 10, 64, 64) for part in (permuted[:5], permuted[5:]))
    config = of(file, split="jepa", test_clips=5)
    make(config, file.parent)
    source = open_source(config, file.parent)
    assert source.shape[:4] == (10, 1, 64, 64)
    found = {name: source.split(name) for name in ("validation", "test")} | {"train": source.train_split(70)}
    for name, expected in {"validation": held, "test": held, "train": rest}.items():
        halves = found[name].video[:, :, 0]
        assert sorted(clip.tobytes() for clip in halves) == sorted(clip.tobytes() for clip in expected), name
    for place, video in zip(found["train"].factors.itertuples(), found["train"].video, strict=True):
        assert (video[:, 0] == pixels[place.first_frame :, place.clip][:10]).all()


def test_the_public_files_parts() -> None:
    rows = split_rows(Config(file=Path("x")), 10_000)
    assert [(part[0], part[-1], len(part)) for part in rows.values()] == [
        (0, 7_999, 8_000),
        (8_000, 8_999, 1_000),
        (9_000, 9_999, 1_000),
    ]
    halved = split_rows(Config(file=Path("x"), split="jepa"), 10_000)
    assert [len(part) for part in halved.values()] == [9_000, 1_000, 1_000]
    assert sorted([*halved["train"], *halved["validation"]]) == list(range(10_000))
    assert set(halved["validation"]) == set(np.random.RandomState(2025).permutation(10_000)[:1_000])


def test_an_epoch_shows_every_training_clip_once_in_an_order_of_seed_and_epoch(file: Path) -> None:
    make(of(file), file.parent)

    def seen(seed: int, *counts: int) -> list[bytes]:
        source, first, found = open_source(of(file), file.parent), 0, []
        for count in counts:
            found += [clip.numpy().tobytes() for clip in source.train_batch(seed, first, count, CPU).video]
            first += count
        return found

    whole = seen(0, 84)
    assert whole == seen(0, 3, 30, 50, 1)
    epochs = [whole[:28], whole[28:56], whole[56:]]
    assert all(len(set(epoch)) == 28 for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, seen(1, 28)]}) == 4


@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_what_numpy_reads_right_is_read(
    tmp_path: Path, pixels: NDArray[np.uint8], order: Any, version: tuple[int, int]
) -> None:
    with (tmp_path / "seq.npy").open("wb") as stream:
        np.lib.format.write_array(stream, np.asarray(pixels[:, :9], order=order), version=version)
    rows = np.array([8, 0, 3])
    clips = open_clips(tmp_path / "seq.npy")
    assert clips.clips == 9
    assert (clips.read(rows) == pixels[:, rows].swapaxes(0, 1)).all()


def as_bytes(array: NDArray[Any]) -> Callable[[bytes], bytes]:
    def content(_: bytes) -> bytes:
        header = np.lib.format.magic(1, 0)
        described = repr({"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}).ljust(117) + "\n"
        return header + len(described).to_bytes(2, "little") + described.encode() + array.tobytes()

    return content


def zeros(*shape: int, dtype: str = "u1") -> Callable[[bytes], bytes]:
    return as_bytes(np.zeros(shape, dtype))


BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda whole: b"", f"starts with nothing, expected 934e554d5059 of a .npy file; {FIX}"),
    "packed": (
        lambda whole: b"\x1f\x8b\x08\x00" + whole,
        f"starts with 1f8b0800934e, expected {MAGIC.hex()} of a .npy",
    ),
    "npz": (lambda whole: b"PK\x03\x04\x14\x00" + whole, "starts with 504b03041400, expected"),
    "truncated": (lambda whole: whole[:-1], "truncated, 3276927 bytes, expected 3276928; fetch it again"),
    "cut in its header": (lambda whole: whole[:50], "header not readable ("),
    "only its magic": (lambda whole: whole[:7], "header not readable ("),
    "too long": (lambda whole: whole + b"\0", "too long, 3276929 bytes, expected 3276928; fetch it again"),
    "torn header": (lambda whole: whole[:10] + b"{(descr" + whole[17:], "header not readable ("),
    "no header": (lambda whole: whole[:10] + b"((((((((" * 14 + whole[122:], "header not readable ("),
    "version 9": (lambda whole: whole[:6] + b"\x09" + whole[7:], "header not readable (version 9.0 of the format)"),
    "float": (zeros(20, 2, 64, 64, dtype="<f4"), f"values are float32, expected uint8 from 0 to 255; {FIX}"),
    "big-endian": (zeros(20, 2, 64, 64, dtype=">u2"), "values are >u2, expected uint8"),
    "signed": (zeros(20, 2, 64, 64, dtype="i1"), "values are int8, expected uint8"),
    "objects": (
        lambda whole: whole.replace(b"'|u1'", b"'|O' "),
        f"values are object, expected uint8 from 0 to 255; {FIX}",
    ),
    "clips first": (
        zeros(3, 20, 64, 64),
        "is [3, 20, 64, 64], clips first; expected [20, clips, 64, 64]: save np.swapaxes(array, 0, 1)",
    ),
    "channels": (zeros(20, 2, 64, 64, 1), f"is [20, 2, 64, 64, 1]; expected [20, clips, 64, 64]; {FIX}"),
    "small": (zeros(20, 2, 32, 32), "is [20, 2, 32, 32]; expected [20, clips, 64, 64]"),
    "short": (zeros(10, 2, 64, 64), "is [10, 2, 64, 64]; expected"),
    "a number": (as_bytes(np.array(3, np.uint8)), "is []; expected"),
    "no clips": (zeros(20, 0, 64, 64), "holds no clips"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_and_leaves_nothing(file: Path, name: str) -> None:
    spoil, message = BAD[name]
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(DataError) as caught:
        make(of(file), file.parent / "out")
    assert str(caught.value).startswith(f"{file}: {message}")
    assert "\n" not in str(caught.value)
    assert not (file.parent / "out").exists()


@pytest.mark.filterwarnings("ignore:invalid escape")
def test_a_damaged_header_is_never_a_traceback(file: Path) -> None:
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        content = bytearray(whole[:256])
        content[rng.integers(6, 128)] = rng.integers(256)
        file.write_bytes(content)
        with pytest.raises(DataError):  # it is truncated in any case
            open_clips(file)


def test_a_file_that_is_not_there_or_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"/no\.npy: no such file; set file to the public mnist_test_seq\.npy \("):
        outside_files(of(file.parent / "no.npy"))
    denied = PermissionError(13, "Permission denied")  # as root may read everything, chmod would not do
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(denied))
    with pytest.raises(DataError, match=r"seq\.npy: not readable \(Permission denied\); mend the path or its perm"):
        outside_files(of(file))


def test_settings_that_leave_nothing_or_contradict_each_other(file: Path) -> None:
    with pytest.raises(
        DataError, match=r"seq\.npy: 40 clips, of which validation and test take 40; must leave one for"
    ):
        make(of(file, validation_clips=33), file.parent)
    make(of(file, validation_clips=32), file.parent)
    assert open_source(of(file, validation_clips=32), file.parent).train_batch(0, 0, 5, CPU).video.shape[0] == 5
    with pytest.raises(ValidationError, match="test_clips is 7 and validation_clips 5; must be equal with split: jepa"):
        of(file, split="jepa")


def test_values_of_another_scale_are_told(file: Path, pixels: NDArray[np.uint8]) -> None:
    np.save(file, pixels // 128)
    with pytest.raises(DataError, match="values run from 0 to 1, expected 255; multiply them by 255 and save"):
        make(of(file), file.parent)


def test_an_interrupted_conversion_leaves_no_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = file.parent / "out"
    make(of(file), out)
    (out / ".validation-killed.npz").write_bytes(b"half of it")  # of an attempt that could not clean up
    whole: Callable[..., Iterator[NDArray[np.uint8]]] = moving_mnist._blocks

    def broken(config: Config, file: Any, rows: Any) -> Iterator[NDArray[np.uint8]]:
        yield from whole(config, file, rows[:4])
        if len(rows) == 28:  # those of training, the last to be written
            raise OSError(28, "No space left on device", "out")
        yield from whole(config, file, rows[4:])

    monkeypatch.setattr(moving_mnist, "_blocks", broken)
    with pytest.raises(OSError, match="No space left"):
        make(of(file), out)
    assert sorted(path.name for path in out.iterdir()) == ["test.csv", "test.npz"]
    with pytest.raises(DataError, match=r"validation\.npz: no such file; run the step that makes it"):
        open_source(of(file), out).train_batch(0, 0, 1, CPU)


def test_clips_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Blank:
        clips = 600

        def read(self, rows: Any) -> NDArray[np.uint8]:
            read.append(len(rows))
            return np.full((len(rows), 20, 64, 64), 255, np.uint8)

    monkeypatch.setattr(moving_mnist, "open_clips", lambda file: Blank())
    make(of(tmp_path / "x"), tmp_path)
    assert max(read) == BLOCK_CLIPS
    assert sum(read) == 600


# As tensorflow-datasets 4.9.10 wrote a file of 40 clips: the place in the file of the clip in each record.
PREPARED = [16, 37, 36, 13, 27, 30, 19, 15, 6, 22, 31, 39, 1, 8, 12, 21, 25, 9, 32, 4]
PREPARED += [3, 35, 29, 33, 38, 2, 7, 20, 23, 24, 14, 10, 34, 26, 18, 5, 28, 11, 0, 17]


def write_prepared(folder: Path, pixels: NDArray[np.uint8], shards: int = 2) -> Path:
    """The set that tensorflow-datasets prepares of the file."""
    folder.mkdir()
    for shard, clips in enumerate(np.array_split(PREPARED, shards)):
        records: list[Any] = [{"image_sequence": [png(picture) for picture in pixels[:, clip]]} for clip in clips]
        write(folder / f"moving_mnist-test.tfrecord-{shard:05d}-of-{shards:05d}", records)
    return folder


def test_a_prepared_set_gives_the_files_own_splits(file: Path, pixels: NDArray[np.uint8]) -> None:
    folder = write_prepared(file.parent / "prepared", pixels)
    assert [path.name[-5:] for path in outside_files(of(folder))] == ["00002", "00002"]
    for name, config in {"a": of(file), "b": of(folder)}.items():
        make(config, file.parent / name)
    for made in sorted((file.parent / "a").iterdir()):
        assert made.read_bytes() == (file.parent / "b" / made.name).read_bytes(), made.name


def test_a_damaged_prepared_set_is_one_line(tmp_path: Path, pixels: NDArray[np.uint8]) -> None:
    folder = write_prepared(tmp_path / "prepared", pixels)
    first, second = sorted(folder.iterdir())
    whole = second.read_bytes()

    def refused(message: str) -> None:
        with pytest.raises(DataError, match=message) as caught:
            make(of(folder), tmp_path)
        assert "\n" not in str(caught.value)

    info = {"splits": [{"name": "test", "shardLengths": ["20", "20"]}]}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    second.write_bytes(whole[: record_places(second)[-1]])  # between two records
    refused(r"00001-of-00002: holds 19 records, and dataset_info\.json tells 20; prepare the set again$")
    (folder / "dataset_info.json").unlink()
    second.write_bytes(whole[:-1])
    refused(r"00001-of-00002: record 19 is truncated, the file lacks 1 bytes; fetch the file again$")
    damaged = bytearray(whole)
    damaged[-10] ^= 1  # in the last record, that of clip 17
    second.write_bytes(damaged)
    refused(r"00001-of-00002: record 19 has a wrong checksum, its bytes are damaged; fetch the file again$")
    second.unlink()
    refused(r"prepared: 1 of 2 files moving_mnist-test\.tfrecord-\*-of-\* are there; prepare the set again$")
    first.unlink()
    refused(
        r"prepared: is a folder without moving_mnist-test\.tfrecord-\*-of-\*; set file to the public mnist_test_seq"
    )
    one = folder / "moving_mnist-test.tfrecord-00000-of-00001"
    picture, coloured = png(pixels[0, 0]), png(pixels[0, 0, :, :, None].repeat(3, 2))
    for pictures, message in {
        (picture,) * 19: r"record \d+ has 19 pictures, expected 20; this is not moving_mnist as prepared$",
        (coloured,) * 20: r"record \d+: a picture is RGB of 64×64 pixels; must be L of 64×64$",
        (picture[:500],) * 20: r"record \d+: a picture is damaged \(.+\); fetch the file again$",
        (b"GIF89a",) * 20: r"record \d+: a picture is damaged \(.+\); fetch the file again$",
    }.items():
        write(one, [{"image_sequence": list(pictures)}] * 20)
        refused(message)
    one.write_bytes(b"")
    refused("prepared: holds no clips; ")


def test_stored_splits_are_checked(file: Path) -> None:
    out = file.parent
    make(of(file), out)
    with pytest.raises(DataError, match=rf"test\.npz: made with other settings; {AGAIN}"):
        open_source(of(file, validation_clips=6), out).split("test")
    with pytest.raises(DataError, match=rf"validation\.npz: made with other settings; {AGAIN}"):
        open_source(of(file, validation_clips=6), out).train_batch(0, 0, 1, CPU)
    elsewhere = of(Path("elsewhere.npy"))
    assert open_source(elsewhere, out).split("test").video.shape == (7, 20, 1, 64, 64)
    table = (out / "test.csv").read_text()
    (out / "test.csv").write_text("\n".join(table.splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match=rf"test\.csv: 6 rows for the 7 clips of test\.npz; {AGAIN}"):
        open_source(of(file), out).split("test")
    content = (out / "validation.npz").read_bytes()
    (out / "validation.npz").write_bytes(content[: len(content) // 2])
    for read in (lambda s: s.split("validation"), lambda s: s.train_batch(0, 0, 1, CPU)):
        with pytest.raises(DataError, match=r"validation\.npz: not readable as NumPy arrays \("):
            read(open_source(of(file), out))


def test_large_arrays_are_written_as_all_others_and_mapped(tmp_path: Path) -> None:
    whole = np.arange(7 * 3 * 5, dtype=np.uint8).reshape(7, 3, 5)
    other = np.linspace(0, 1, 4)
    write_arrays(tmp_path / "a.npz", {"whole": whole, "other": other})
    blocks = Blocks(whole.shape, np.uint8, (whole[n : n + 2] for n in range(0, 7, 2)))
    write_large_arrays(tmp_path / "b.npz", {"whole": blocks, "other": other})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sha256(tmp_path / "a.npz") == SAVED_BY_ANY_PYTHON
    mapped = map_array(tmp_path / "b.npz", "whole")
    assert isinstance(mapped, np.memmap)
    assert (mapped == whole).all()
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 0
    assert list(read_some_arrays(tmp_path / "b.npz", ("other", "absent"))) == ["other"]
    with pytest.raises(DataError, match=r"b\.npz: no array 'absent' in it"):
        map_array(tmp_path / "b.npz", "absent")
    with pytest.raises(AssertionError, match="105 promised"):
        write_large_arrays(tmp_path / "c.npz", {"whole": blocks._replace(blocks=[whole[:3]])})
    np.savez_compressed(tmp_path / "d.npz", whole=whole)
    with pytest.raises(DataError, match="compressed"):
        map_array(tmp_path / "d.npz", "whole")


TINY: dict[str, Any] = yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8"))
MODELS = {
    "jepa": {"options": TINY["models"]["jepa"]["options"] | {"targets": "contours"}},
    "tinydreams": {
        "options": TINY["models"]["tinydreams"]["options"] | {"patch_px": 8, "tokenizer_channels": [4, 4]}
        | {"decoder_channels": [4, 4, 4]}
    },
}  # fmt: skip


def write_study(file: Path, **models: Any) -> None:
    """`study.yaml` in the current folder."""
    options = {"file": str(file), "validation_clips": 5, "test_clips": 7}
    raw = {
        "study": "s", "seeds": [0], "models": {**models, "mean_frame": {}},
        "data": {"moving_mnist": {"options": options, "past_frames": 10}},
        "training": TINY["training"] | {"clips": 16, "batch_size": 4, "validate_every": 16},
        "evaluation": TINY["evaluation"] | {"best_of": 1, "bootstrap": 100},
    }  # fmt: skip
    Path("study.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")


def whatmoves(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--configfile", "study.yaml"])
    assert ended.value.code == 0


def test_an_equal_file_elsewhere_is_no_change_and_another_one_is(
    file: Path, pixels: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    write_study(file)
    whatmoves("data", "--dataset", "moving_mnist")

    def depends() -> tuple[str, ...]:
        study = load_study(Path("study.yaml"))
        jobs = [fingerprint(study, "data", dataset="moving_mnist")]
        jobs += [fingerprint(study, "train", dataset="moving_mnist", model="mean_frame", seed=0)]
        raw = data_command.raw_files(study, "study.yaml")["moving_mnist"]
        return (
            *(job.digest for job in jobs),
            *raw,
            data_command.contents_digest(study, "moving_mnist", Path("results/s")),
        )

    def reasons() -> list[str]:
        findings = verify(load_study(Path("study.yaml")), Path("results/s")).findings
        [found] = [finding for finding in findings if finding.name == "data/moving_mnist"]
        return [found.status, *map(str, found.reasons)]

    before = depends()
    (file.parent / "elsewhere").mkdir()
    moved = Path(shutil.move(file, file.parent / "elsewhere/mine.npy"))
    write_study(moved)
    assert depends() == before
    assert reasons() == ["fresh"]
    np.save(moved, pixels[:, ::-1])
    assert depends() != before
    assert reasons() == ["stale", "input ../../elsewhere/mine.npy changed"]
    moved.unlink()
    assert reasons() == ["stale", "input ../../elsewhere/mine.npy is missing"]
    write_prepared(Path("elsewhere/prepared"), pixels)
    write_study(Path("elsewhere/prepared"))
    whatmoves("data", "--dataset", "moving_mnist")
    before_prepared = depends()
    shutil.move("elsewhere/prepared", "prepared")
    write_study(Path("prepared"))
    assert depends() == before_prepared
    assert reasons() == ["fresh"]
    write_study(moved)
    with pytest.raises(DataError, match=r"^study\.yaml: data\.moving_mnist: /.*/mine\.npy: no such file; set file to"):
        depends()


def test_the_shipped_study_says_what_file_it_lacks() -> None:
    study = load_study(ROOT / "config/moving_mnist.yaml")
    assert study.data["moving_mnist"].past_frames == 10
    from whatmoves.data import needs
    from whatmoves.data.clips import ClipShape

    with pytest.raises(ConfigError) as caught:
        needs.check(study, {"moving_mnist": ClipShape(20, 1, 64, 64)}, "c.yaml")
    assert str(caught.value) == f"c.yaml: data.moving_mnist: mnist_test_seq.npy: no such file; {FIX}"


@pytest.mark.slow
def test_the_shipped_study_can_be_made(file: Path) -> None:
    """To the last option, on a copy that names the fixture."""
    text = (ROOT / "config/moving_mnist.yaml").read_text(encoding="utf-8")
    shipped = "{file: mnist_test_seq.npy}"
    assert shipped in text
    copy = file.parent / "moving_mnist.yaml"
    copy.write_text(text.replace(shipped, f"{{file: {file}, validation_clips: 5, test_clips: 7}}"))
    _check(copy)


@pytest.mark.slow
def test_two_models_reach_the_paper(file: Path, pixels: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    write_study(file, **MODELS)
    snakemake("paper/main.pdf", "--cores", "2", folder=file.parent, study=str(file.parent / "study.yaml"))
    assert (file.parent / "paper/main.pdf").read_bytes().startswith(b"%PDF")
    from whatmoves.files import read_json

    values = {name: entry["value"] for name, entry in read_json(Layout(Path("results/s")).values)["values"].items()}
    blank = (pixels[10:, 33:] / 255.0) ** 2
    assert values["moving_mnist.blank.predict_mse_frame"] == pytest.approx(blank.sum((2, 3)).mean(), rel=1e-5)
    mae = (pixels[10:, 33:] / 255.0).sum((2, 3)).mean()
    assert values["moving_mnist.blank.predict_mae_frame"] == pytest.approx(mae, rel=1e-5)
    for model in MODELS:
        named = {name.rpartition(".")[2] for name in values if name.startswith(f"moving_mnist.{model}.predict_")}
        assert {"predict_mse_frame", "predict_mae_frame", "predict_ssim_u7_dr2", "predict_mse_pixel"} <= named
        pixel = values[f"moving_mnist.{model}.predict_mse_pixel"]
        assert values[f"moving_mnist.{model}.predict_mse_frame"] == pytest.approx(64 * 64 * pixel, rel=1e-6)
