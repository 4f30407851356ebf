"""MNIST's files: read, or refused in one line that names the file and the fix."""

import errno
import gzip
import http.client
import io
import json
import logging
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bair_sets import png, write

from whatmoves.commands.prefetch import prefetch
from whatmoves.data import mnist
from whatmoves.data.tfrecords import record_places
from whatmoves.errors import DataError
from whatmoves.loading import validate_study

IMAGES, LABELS = mnist.FILES[0], mnist.FILES[1]


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in mnist.FILES:
        count = 24 if name.startswith("train") else 6
        shape = (count, 28, 28) if "images" in name else (count,)
        (tmp_path / name).write_bytes(idx(rng.integers(0, 10, shape, dtype=np.uint8)))
    return tmp_path


def test_plain_gzipped_and_nested_files_read_alike(folder: Path, tmp_path: Path) -> None:
    plain = mnist.load(folder, download=False)
    assert plain.train_images.shape == (24, 28, 28)
    assert plain.test_labels.shape == (6,)
    nested = tmp_path / "other" / "MNIST" / "raw"
    nested.mkdir(parents=True)
    for name in mnist.FILES:
        (nested / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    for root in (tmp_path / "other", tmp_path / "other" / "MNIST", nested):
        for ours, theirs in zip(plain, mnist.load(root, download=False), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_names_with_a_dot_are_read_too(end: str, folder: Path) -> None:
    plain = mnist.load(folder, download=False)
    for name in mnist.FILES:
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        dotted = name.replace("-idx", ".idx") + end  # train-images.idx3-ubyte
        (folder / dotted).write_bytes(gzip.compress(content) if end else content)
    for ours, theirs in zip(plain, mnist.load(folder, download=False), strict=True):
        np.testing.assert_array_equal(ours, theirs)


BAD = {
    "truncated": (IMAGES, lambda b: b[:1000], "truncated, 1000 bytes, expected 18832; fetch it again"),
    "too long": (LABELS, lambda b: b + b"x", "too long, 33 bytes, expected 32; fetch it again"),
    "header": (LABELS, lambda b: b[:6], "truncated, 6 bytes of a header of 8; fetch it again"),
    "empty": (LABELS, lambda b: b"", "truncated, 0 bytes of a header of 8; fetch it again"),
    "magic": (
        IMAGES,
        lambda b: b"\x00\x00\x08\x01" + b[4:],
        "starts with 00000801, expected 00000803; not this MNIST file, fetch it again",
    ),
    "size": (
        IMAGES,
        lambda b: idx(np.zeros((24, 8, 8), np.uint8)),
        "images of 8×8 pixels, expected 28×28; get MNIST's own",
    ),
    "no pictures": (IMAGES, lambda b: idx(np.zeros((0, 28, 28), np.uint8)), "holds no pictures; get MNIST's own"),
    "nothing of a size beyond memory": (
        IMAGES,
        lambda b: b[:4] + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1),
        "holds no pictures; get MNIST's own",
    ),
    "no labels": (LABELS, lambda b: idx(np.zeros(0, np.uint8)), "holds no labels; get MNIST's own"),
    "letters": (
        LABELS,
        lambda b: b[:13] + b"\x1a" + b[14:],
        "label 5 is 26, expected 0…9; these are not MNIST's digits (EMNIST's letters?): get MNIST's own",
    ),
    "sizes whose product leaves 64 bits": (
        IMAGES,
        lambda b: b[:4] + struct.pack(">3I", 2**31, 2**31, 4) + b[16:],
        f"truncated, 18832 bytes, expected {2**64 + 16}; fetch it again",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_named_with_its_fault(case: str, folder: Path) -> None:
    name, damage, message = BAD[case]
    path = folder / name
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == f"{path}: {message}"
    path.write_bytes(sound)
    mnist.load(folder, download=False)


def test_truncated_gzip_missing_file_and_unequal_counts(folder: Path) -> None:
    path = folder / LABELS
    whole = path.read_bytes()
    path.unlink()
    packed = folder / f"{LABELS}.gz"
    packed.write_bytes(gzip.compress(whole)[:-9])
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == f"{packed}: truncated or damaged gzip file; fetch it again"
    packed.unlink()
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == (
        f"{folder}: no {LABELS}[.gz] here, in raw/ or in MNIST/raw/; "
        "set mnist_folder to the folder of the four MNIST files, or set download: true"
    )
    path.write_bytes(idx(np.zeros(23, np.uint8)))
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == f"{folder}: train files hold 24 images but 23 labels; fetch both again"


def test_no_folder_and_no_download_is_one_line() -> None:
    with pytest.raises(DataError) as caught:
        mnist.load(None, download=False)
    assert str(caught.value) == (
        "mnist_folder: not set; set it to the folder of the four MNIST files, or set download: true"
    )


def test_download_is_whole_or_absent(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "cache"

    def broken(root: str, download: bool) -> None:
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / f"{IMAGES}.gz").write_bytes(b"half")
        raise RuntimeError("Error downloading\n train-images")

    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: broken)
    with pytest.raises(DataError) as caught:
        mnist.load(target, download=True)
    assert str(caught.value) == (
        f"{target}: MNIST could not be downloaded (Error downloading train-images); run again, or "
        "set mnist_folder to where its files are"
    )
    assert not [path for path in target.rglob("*") if path.is_file()]

    def sound(root: str, download: bool) -> None:
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for name in mnist.FILES:
            (raw / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))

    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: sound)
    assert len(mnist.load(target, download=True).train_images) == 24
    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: broken)
    assert len(mnist.load(target, download=True).train_images) == 24, "files that are there are not fetched again"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            TimeoutError("The read operation timed out"),
            "could not be downloaded (The read operation timed out); run again",
        ),
        (
            http.client.IncompleteRead(b"x", 9),
            "could not be downloaded (IncompleteRead(1 bytes read, 9 more expected)); ",
        ),
        (
            ConnectionResetError(errno.ECONNRESET, "reset by peer"),
            "could not be downloaded ([Errno 104] reset by peer); ",
        ),
        (EOFError(), "could not be downloaded (EOFError); run again, or set mnist_folder to where its files are"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "could not be put here (No space left on device); make room",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "could not be put here (Permission denied); make room there",
        ),
        (KeyboardInterrupt(), None),
    ],
)
def test_a_broken_download_is_one_line_and_leaves_nothing(
    error: BaseException, message: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(root: str, download: bool) -> None:
        assert socket.getdefaulttimeout() == mnist.PATIENCE_S  # torchvision itself waits for ever
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / f"{IMAGES}.gz").write_bytes(b"half")
        raise error

    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: broken)
    with pytest.raises(DataError if message else KeyboardInterrupt) as caught:
        mnist.load(tmp_path, download=True)
    assert message is None or str(caught.value).startswith(f"{tmp_path}: MNIST {message}")
    assert "\n" not in str(caught.value)
    assert socket.getdefaulttimeout() is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_are_for_terminals(
    terminal: bool, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def sound(root: str, download: bool) -> None:
        sys.stderr.write("100%|####| 9.91M/9.91M")
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for name in mnist.FILES:
            (raw / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))

    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: sound)
    with caplog.at_level(logging.INFO):
        mnist.find_files(tmp_path / "new", download=True)
    assert ("100%" in screen.getvalue()) == terminal
    assert "fetching MNIST, 12 MB, into" in caplog.text


# The rows that tensorflow-datasets 4.9.10 puts first, second, … of 24 and of 6 (`make test-tfds` asks it).
ORDER = {
    "train": [6, 16, 19, 12, 14, 18, 5, 13, 15, 21, 4, 10, 22, 17, 0, 8, 23, 3, 1, 20, 9, 7, 11, 2],
    "test": [1, 4, 3, 2, 5, 0],
}


def write_prepared(folder: Path, data: mnist.Mnist, shards: int = 2) -> Path:
    """The set that tensorflow-datasets prepares of MNIST, where it puts it below its `data_dir`."""
    place = folder / "mnist/3.0.1"
    info = []
    for part, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("test", data.test_images, data.test_labels),
    ):
        runs = np.array_split(ORDER[part], shards)
        info.append({"name": part, "shardLengths": [str(len(rows)) for rows in runs]})
        for shard, rows in enumerate(runs):
            records: list[Any] = [
                {"image": [png(images[row])], "label": labels[row : row + 1].astype(int)} for row in rows
            ]
            write(place / f"mnist-{part}.tfrecord-{shard:05d}-of-{shards:05d}", records)
    (place / "dataset_info.json").write_text(json.dumps({"splits": info}))
    return folder


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_a_prepared_set_gives_the_very_arrays_of_the_idx_files(folder: Path, tmp_path: Path, shards: int) -> None:
    plain = mnist.load(folder, download=False)
    data_dir = write_prepared(tmp_path / "tfds", plain, shards)
    for root in (data_dir, data_dir / "mnist", data_dir / "mnist/3.0.1"):
        assert len(mnist.find_files(root, download=True)) == 2 * shards  # nothing is fetched
        for ours, theirs in zip(plain, mnist.load(root, download=False), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)


def test_a_study_takes_a_prepared_set_and_makes_the_same_clips(folder: Path, tmp_path: Path) -> None:
    from whatmoves.commands.data import _raw_files
    from whatmoves.data.moving_digits import Config, make, outside_files
    from whatmoves.study import DataSet

    data_dir = write_prepared(tmp_path / "tfds", mnist.load(folder, download=False))
    made = []
    for root in (folder, data_dir):
        config = Config(digit_bank="mnist", mnist_folder=root, frames=3, validation_clips=4, test_clips=4)
        entry = DataSet(kind="moving_digits", options={"digit_bank": "mnist", "mnist_folder": str(root)})
        assert outside_files(config) == _raw_files(entry) == mnist.find_files(root, download=False)
        out = tmp_path / f"out-{len(made)}"
        make(config, out)
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert made[0] == made[1]


def record(**features: Any) -> Callable[[Path], None]:
    """Puts a record in the place of all those of a file."""
    sound = {"image": [png(np.zeros((28, 28), np.uint8))], "label": np.array([3])}
    return lambda path: write(
        path, [{key: value for key, value in (sound | features).items() if value is not None}] * 12
    )


def cut(path: Path, by: int) -> None:
    path.write_bytes(path.read_bytes()[:-by])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)


NO_MNIST = "has no picture with its label; this is not MNIST as prepared"
BAD_PREPARED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "truncated": (
        lambda path: cut(path, 1),
        r"00001-of-00002: record 11 is truncated, the file lacks 1 bytes; fetch the",
    ),
    "wrong CRC": (flip, "00001-of-00002: record 11 has a wrong checksum, its bytes are damaged; fetch the file again"),
    "empty": (
        lambda path: path.write_bytes(b""),
        r"00001-of-00002: holds 0 records, and dataset_info\.json tells 12; p",
    ),
    "cut between two records": (
        lambda path: cut(path, path.stat().st_size - record_places(path)[-1]),
        r"00001-of-00002: holds 11 records, and dataset_info\.json tells 12; prepare the set again",
    ),
    "packed": (lambda path: path.write_bytes(gzip.compress(path.read_bytes())), "is no TFRecord file"),
    "lost": (
        lambda path: path.unlink(),
        r"3\.0\.1: 1 of 2 files mnist-train\.tfrecord-\*-of-\* are there; prepare the set",
    ),
    "another's": (
        lambda path: path.rename(path.with_name("mnist-train.tfrecord-00001-of-00003")),
        "00001-of-00003: is of another set than mnist-train.tfrecord-00000-of-00002; prepare the set again",
    ),
    "no image": (record(image=None), f"record 0 {NO_MNIST}"),
    "numbers for an image": (record(image=np.ones(784)), f"record 0 {NO_MNIST}"),
    "no label": (record(label=None), f"record 0 {NO_MNIST}"),
    "a float label": (record(label=np.ones(1)), f"record 0 {NO_MNIST}"),
    "two labels": (record(label=np.array([1, 2])), f"record 0 {NO_MNIST}"),
    "a letter": (record(label=np.array([11])), r"3\.0\.1: label \d+ is 11, expected 0…9; these are not MNIST's digits"),
    "another size": (
        record(image=[png(np.zeros((32, 28), np.uint8))]),
        "record 0: a picture is L of 28×32 pixels; must be L of 28×28",
    ),
    "colours": (record(image=[png(np.zeros((28, 28, 3), np.uint8))]), "a picture is RGB of 28×28 pixels; must be L of"),
    "no PNG": (record(image=[b"GIF89a"]), r"record 0: a picture is damaged \(.+\); fetch the file again"),
}


@pytest.mark.parametrize("case", BAD_PREPARED)
def test_a_damaged_prepared_set_is_one_line(case: str, folder: Path, tmp_path: Path) -> None:
    root = write_prepared(tmp_path / "tfds", mnist.load(folder, download=False))
    damage, message = BAD_PREPARED[case]
    damage(root / "mnist/3.0.1/mnist-train.tfrecord-00001-of-00002")
    with pytest.raises(DataError, match=message) as caught:
        mnist.load(root, download=False)
    assert "\n" not in str(caught.value)


def test_prepared_sets_that_are_half_there_or_two(folder: Path, tmp_path: Path) -> None:
    root = write_prepared(tmp_path / "tfds", mnist.load(folder, download=False))
    (root / "mnist/3.0.1").rename(root / "mnist/3.0.0")
    write_prepared(root, mnist.load(folder, download=False))
    with pytest.raises(DataError, match=r"tfds: holds .*3\.0\.0 and .*3\.0\.1; set mnist_folder to one of them$"):
        mnist.find_files(root, download=False)
    for path in (root / "mnist/3.0.1").glob("mnist-test*"):
        path.unlink()
    with pytest.raises(
        DataError, match=r"3\.0\.1: has no mnist-test\.tfrecord-\*-of-\* beside its others; prepare the"
    ):
        mnist.find_files(root / "mnist/3.0.1", download=False)


@pytest.mark.parametrize("packed", [False, True])
def test_an_idx_file_that_may_not_be_read(folder: Path, packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / IMAGES
    if packed:
        path = path.rename(folder / f"{IMAGES}.gz")
    denied = PermissionError(errno.EACCES, "Permission denied")  # as root may read everything, chmod would not do
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(denied))
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == f"{path}: not readable (Permission denied); check its permissions"


@pytest.mark.skipif("WHATMOVES_MNIST" not in os.environ, reason="no MNIST")
def test_the_real_files() -> None:
    data = mnist.load(Path(os.environ["WHATMOVES_MNIST"]), download=False)
    assert data.train_images.shape == (60000, 28, 28)
    assert data.train_images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_prefetch_gets_what_a_study_is_told_to_download_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(folder: Path) -> None:
        asked.append(folder)
        folder.mkdir(exist_ok=True)
        for name in mnist.FILES:
            (folder / name).touch()

    monkeypatch.setattr(mnist, "_download", download)
    digits = {"kind": "moving_digits", "options": {"digit_bank": "mnist", "mnist_folder": str(tmp_path / "m")}}
    told = {"kind": "moving_digits", "options": digits["options"] | {"download": True}}
    raw = {"study": "s", "data": {"here": digits, "fetched": told, "small": {"kind": "moving_digits"}}}
    study = validate_study({**raw, "models": {"mean_frame": {}}}, "study.yaml")
    prefetch(study)
    assert asked == [tmp_path / "m"]
    prefetch(study)  # it is there
    assert len(asked) == 1
