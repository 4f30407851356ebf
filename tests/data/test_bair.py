"""BAIR: three forms give the same clips; damage is told in one line, and nothing half-made passes for a set."""

import errno
import hashlib
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bair_sets
import numpy as np
import pytest
import torch
from bair_sets import FRAMES, example, frame, png, prepared, raw, truth

from whatmoves.data import bair
from whatmoves.data.bair import FACTOR_ROLES, TRAIN, Config, make, more_files, open_source, outside_files
from whatmoves.data.bair_files import Trajectory, find_set, read_trajectories, sources_of
from whatmoves.data.clips import Split
from whatmoves.data.growing_arrays import GrowingArrays
from whatmoves.data.tfrecords import record_places
from whatmoves.errors import DataError
from whatmoves.files import read_arrays, sha256

CPU = torch.device("cpu")
TRAINING, TESTS = 11, 4
WRITERS: dict[str, Callable[[Path], Path]] = {
    "records": bair_sets.write_records,
    "prepared": bair_sets.write_prepared,
    "pictures": bair_sets.write_pictures,
}


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A set in each form; not to be changed."""
    return {form: write(tmp_path_factory.mktemp(form)) for form, write in WRITERS.items()}


@pytest.fixture
def records(sets: dict[str, Path], tmp_path: Path) -> Path:
    """A set of records to spoil."""
    return Path(shutil.copytree(sets["records"], tmp_path / "set"))


@pytest.fixture
def pictures(sets: dict[str, Path], tmp_path: Path) -> Path:
    """A set of pictures to spoil."""
    return Path(shutil.copytree(sets["pictures"], tmp_path / "set"))


def of(folder: Path, **options: Any) -> Config:
    return Config(**{"folder": folder, "frames": FRAMES, "validation_clips": 3} | options)


def assert_true(split: Split, part: str, frames: int = FRAMES, camera: str = "aux1") -> None:
    """Every clip is the trajectory that its factors name: pixels, actions and places."""
    assert split.actions is not None
    assert split.states is not None
    for clip, number in enumerate(split.factors["trajectory"]):
        expected = truth(part, number)
        np.testing.assert_array_equal(split.video[clip].transpose(0, 2, 3, 1), expected.pictures[camera][:frames])
        np.testing.assert_array_equal(split.actions[clip], expected.actions[:frames])
        np.testing.assert_array_equal(split.states[clip], expected.states[:frames])


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("frames", [2, FRAMES])
def test_every_form_gives_the_exact_clips(sets: dict[str, Path], tmp_path: Path, form: str, frames: int) -> None:
    config = of(sets[form], frames=frames)
    make(config, tmp_path)
    source = open_source(config, tmp_path)
    splits = {"train": source.train_split(60), "validation": source.split("validation"), "test": source.split("test")}
    for name, split in splits.items():
        assert split.video.shape[1:] == (frames, 3, 64, 64)
        assert_true(split, "test" if name == "test" else "train", frames)
    assert splits["test"].factors["trajectory"].tolist() == list(range(TESTS))
    trained, kept = (set(splits[name].factors["trajectory"]) for name in ("train", "validation"))
    assert len(kept) == 3
    assert trained == set(range(TRAINING)) - kept
    way = np.linalg.norm(np.diff(truth("test", 0).states[:frames].astype(float), axis=0), axis=1).sum()
    assert splits["test"].factors["way_effector"][0] == pytest.approx(way)
    assert list(splits["test"].factors) == list(FACTOR_ROLES)
    assert {*more_files(config), "test.npz", "test.csv", "validation.npz", "validation.csv"} == {
        path.name for path in tmp_path.iterdir()
    }


def test_a_training_batch_is_a_pure_function_of_seed_and_index(sets: dict[str, Path], tmp_path: Path) -> None:
    make(of(sets["records"]), tmp_path)
    whole = open_source(of(sets["records"]), tmp_path).train_batch(7, 0, 12, CPU)
    part = open_source(of(sets["records"]), tmp_path).train_batch(7, 4, 3, CPU)
    other = open_source(of(sets["records"]), tmp_path).train_batch(8, 0, 12, CPU)
    for all_of_it, piece, another in zip(whole[:3], part[:3], other[:3], strict=True):
        assert all_of_it is not None
        assert piece is not None
        assert torch.equal(all_of_it[4:7], piece)
        assert not torch.equal(all_of_it, another)
    assert whole.actions is not None
    for clip, actions in zip(whole.video, whole.actions, strict=True):
        [number] = [n for n in range(TRAINING) if np.array_equal(truth("train", n).actions, actions)]
        shown = (clip * 255).round().numpy().astype(np.uint8).transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(shown, truth("train", number).pictures["aux1"])


@pytest.mark.parametrize("form", ["records", "prepared"])
def test_the_other_camera(sets: dict[str, Path], tmp_path: Path, form: str) -> None:
    config = of(sets[form], camera="main")
    make(config, tmp_path)
    assert_true(open_source(config, tmp_path).split("test"), "test", camera="main")


def test_a_set_with_a_part_for_validation_keeps_all_its_training(tmp_path: Path) -> None:
    config = of(bair_sets.write_pictures(tmp_path / "set", validate=True))
    make(config, tmp_path / "out")
    source = open_source(config, tmp_path / "out")
    assert_true(source.split("validation"), "validate")
    assert source.split("validation").factors["trajectory"].tolist() == [0, 1]
    assert set(source.train_split(200).factors["trajectory"]) == set(range(TRAINING))


def test_the_training_file_is_what_validation_says(sets: dict[str, Path], tmp_path: Path) -> None:
    make(of(sets["records"]), tmp_path)
    video = np.load(tmp_path / TRAIN, mmap_mode="r")
    assert isinstance(video, np.memmap)
    assert video.dtype == np.uint8
    assert video.shape == (TRAINING - 3, FRAMES, 3, 64, 64)
    first = {path.name: sha256(path) for path in tmp_path.iterdir()}
    make(of(sets["records"]), tmp_path)
    assert {path.name: sha256(path) for path in tmp_path.iterdir()} == first
    told = read_arrays(tmp_path / "validation.npz")["train_sha256"].tobytes()
    assert told == hashlib.sha256(np.asarray(video).tobytes()).digest()  # so another pixel is another validation.npz


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "no such file, and validation.npz beside it speaks of it"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "not readable as an array"),
        (lambda path: np.save(path, np.load(path)[:-1]), "validation.npz speaks of uint8 (8, 5, 3, 64, 64)"),
        (lambda path: np.save(path, np.load(path) ^ 1), "not the clips that validation.npz was made with"),
    ],
)
def test_a_foreign_training_file_is_refused(
    sets: dict[str, Path], tmp_path: Path, spoil: Callable[[Path], Any], message: str
) -> None:
    make(of(sets["records"]), tmp_path)
    spoil(tmp_path / TRAIN)
    with pytest.raises(DataError) as told:
        open_source(of(sets["records"]), tmp_path).train_batch(0, 0, 2, CPU)
    assert message in str(told.value)
    assert "delete it and make the data set again" in str(told.value)


def test_splits_of_other_settings_are_refused(sets: dict[str, Path], tmp_path: Path) -> None:
    make(of(sets["records"]), tmp_path)
    with pytest.raises(DataError, match="made with other settings"):
        open_source(of(sets["records"], camera="main"), tmp_path).split("test")
    with pytest.raises(DataError, match=r"video is \(4, 5, 3, 64, 64\), these settings make \(4, 4, 3, 64, 64\)"):
        open_source(of(sets["records"], frames=4), tmp_path).split("test")
    (tmp_path / "test.csv").write_text("trajectory,way_effector\n0,1.0\n")
    with pytest.raises(DataError, match=r"1 rows for the 4 clips of test\.npz"):
        open_source(of(sets["records"]), tmp_path).split("test")


def test_what_is_read_is_what_receipts_hold(sets: dict[str, Path]) -> None:
    assert [path.name for path in outside_files(of(sets["records"]))] == [
        "traj_0_to_3.tfrecords", "traj_4_to_7.tfrecords", "traj_10_to_12.tfrecords", "traj_0_to_3.tfrecords",
    ]  # fmt: skip
    assert [path.name for path in outside_files(of(sets["pictures"]))] == ["train", "test"]
    assert len(outside_files(of(sets["prepared"]))) == 3


def test_pictures_are_taken_with_zeros_before_their_numbers(pictures: Path) -> None:
    folder = pictures / "test/traj_0_to_3/0"
    for path in list(folder.glob("*.png")):
        path.rename(folder / f"{int(path.stem):03d}.png")
    sources = sources_of("pictures", [pictures / "test"])
    first = next(read_trajectories("pictures", sources, "aux1", FRAMES))
    np.testing.assert_array_equal(first.video.transpose(0, 2, 3, 1), truth("test", 0).pictures["aux1"])


BEGUN = {".train.journal", *(f".train-{prefix}{key}.npy" for prefix in ("", "kept_") for key in Trajectory._fields)}


def refused(config: Config, out: Path) -> str:
    """What `make` says, which leaves nothing that could pass for a set."""
    with pytest.raises(DataError) as told:
        make(config, out)
    assert "\n" not in str(told.value)
    assert not list(out.glob("validation.npz"))
    assert not list(out.glob(TRAIN))
    assert {path.name for path in out.glob(".*")} <= BEGUN  # what an attempt after this one goes on with
    return str(told.value)


TRAIN_FILE, TEST_FILE = (f"softmotion30_44k/{part}.tfrecords" for part in ("train/traj_4_to_7", "test/traj_0_to_3"))


def without(name: str) -> bytes:
    return frame(example({key: value for key, value in raw(truth("train", 0)).items() if key != name}))


def having(name: str, value: Any) -> bytes:
    return frame(example(raw(truth("train", 0)) | {name: value}))


NAN = np.array([0, np.nan, 0], np.float32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (without("3/image_aux1/encoded"), "record 0: has no pictures of the camera aux1; set camera to main"),
        (without("2/action"), "record 0: has no 2/action; this is not BAIR's raw form, or fetch the file again"),
        (
            having("1/image_aux1/encoded", [bytes(100)]),
            "1/image_aux1/encoded is 100 bytes; must be 12288 bytes, 64×64×3",
        ),
        (having("1/image_aux1/encoded", []), "1/image_aux1/encoded is 0 values; must be 12288 bytes"),
        (having("1/image_aux1/encoded", NAN), "1/image_aux1/encoded is 3 values; must be 12288 bytes"),
        (having("0/action", np.zeros(5)), "record 0: 0/action is 5 numbers; must be 4 numbers"),
        (having("0/action", [b"text"]), "record 0: 0/action is no list of floats; must be 4 numbers"),
        (having("4/endeffector_pos", NAN), "record 0: a place has a number that is not finite; fetch the file again"),
        (frame(example(raw(truth("train", 0, 3)))), "has 3 frames, and frames is 5; set frames to at most 3, or fetch"),
        (frame(b"\x0a\x05ab"), "record 0: is no tf.train.Example (a field is longer than the message it stands in)"),
        (having("x", [])[:-2], "record 0 is truncated, the file lacks 2 bytes; fetch the file again"),
        (having("x", [])[:-9] + bytes(9), "record 0 has a wrong checksum, its bytes are damaged"),
    ],
)
def test_a_bad_record_is_one_line_and_no_set(records: Path, tmp_path: Path, content: bytes, message: str) -> None:
    out = tmp_path / "out"
    make(of(records), out)  # an earlier set, which must not pass for the one asked for now
    (records / TRAIN_FILE).write_bytes(content)
    said = refused(of(records), out)
    assert message in said
    assert str(records / TRAIN_FILE) in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_aux1": None}, "record 0: has no image_aux1; set camera to main"),
        ({"image_aux1": None, "image_main": None}, "record 0: has no image_aux1; this is not BAIR as prepared"),
        ({"action": None}, "record 0: has no action; this is not BAIR as prepared"),
        ({"action": np.zeros(19)}, "record 0: action is 19 numbers; must be 20 numbers"),
        ({"image_aux1": np.zeros(3)}, "record 0: image_aux1 holds numbers; must hold a PNG a frame"),
        ({"image_aux1": [b""] * 4}, "has 4 frames, and frames is 5; set frames to at most 4"),
        ({"image_aux1": [b"?"] * 5}, "record 0: image_aux1 of frame 0 is no PNG; fetch the file again"),
        ({"image_aux1": [png(np.zeros((64, 64, 3), np.uint8))[:-30]] * 5}, "image_aux1 of frame 0 is damaged ("),
        ({"image_aux1": [png(np.zeros((32, 64, 3), np.uint8))] * 5}, "is RGB of 64×32 pixels; must be RGB of 64×64"),
        ({"image_aux1": [png(np.zeros((64, 64), np.uint8))] * 5}, "is L of 64×64 pixels; must be RGB of 64×64"),
    ],
)
def test_a_bad_prepared_record_is_one_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    features = {key: value for key, value in (prepared(truth("train", 0)) | change).items() if value is not None}
    bair_sets.write(tmp_path / "a.tfrecord", [features])
    with pytest.raises(DataError) as told:
        list(read_trajectories("prepared", [tmp_path / "a.tfrecord"], "aux1", FRAMES))
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda at: (at / "4.png").unlink(), "has 4 frames, and frames is 5; set frames to at most 4"),
        (
            lambda at: (at / "2.png").unlink(),
            "has no 2.png; a trajectory begins at 0.png and lacks none: copy it again",
        ),
        (lambda at: (at / "1.png").write_bytes(b""), "1.png is no PNG"),
        (lambda at: (at / "actions.csv").unlink(), "actions.csv: no such file; every trajectory needs its pictures"),
        (lambda at: (at / "actions.csv").write_text("1,2,3\n" * 5), "line 1 is '1,2,3'; must be 4 numbers with commas"),
        (lambda at: (at / "actions.csv").write_text("a,b,c,d\n" * 5), "line 1 is 'a,b,c,d'; must be 4 numbers"),
        (lambda at: (at / "actions.csv").write_text("1,2,3,4\n" * 3), "has 3 frames, and frames is 5"),
        (lambda at: (at / "actions.csv").write_text("1,2,3,nan\n" * 5), "has a number that is not finite"),
        (lambda at: relink(at / "3.png"), "3.png: is a link that leaves the folder"),
        (lambda at: relink(at / "actions.csv"), "actions.csv: is a link that leaves the folder"),
        (lambda at: relink(at), "is a link that leaves the folder; set folder to where the files are, or copy them"),
    ],
)
def test_a_bad_folder_is_one_line_and_no_set(
    pictures: Path, tmp_path: Path, spoil: Callable[[Path], Any], message: str
) -> None:
    spoil(pictures / "train/traj_4_to_7/2")
    assert message in refused(of(pictures), tmp_path / "out")


def relink(path: Path) -> None:
    """Put the file elsewhere and a link in its place."""
    elsewhere = path.parents[4] / f"elsewhere-{path.name}"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"validation_clips": 11},
            "validation_clips is 11, and there are 11 training trajectories; must be at most 10",
        ),
        ({"frames": 6}, "record 0: has 5 frames, and frames is 6; set frames to at most 5"),
        ({"form": "pictures"}, "no BAIR set here, neither train/<file>/<trajectory>/0.png; set folder to the one"),
    ],
)
def test_settings_that_the_set_cannot_give(
    sets: dict[str, Path], tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    assert message in refused(of(sets["records"], **options), tmp_path / "out")


def test_a_set_that_is_not_there_or_not_whole(records: Path, sets: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "nowhere: no such folder; set folder to that of BAIR's files" in refused(of(tmp_path / "nowhere"), out)
    (tmp_path / "empty").mkdir()
    assert "no BAIR set here, neither train/*.tfrecords nor" in refused(of(tmp_path / "empty"), out)
    (records / TEST_FILE).write_bytes(b"")
    assert "no trajectory in its test part; fetch the whole set" in refused(of(records), out)
    (records / TEST_FILE).unlink()
    assert "has no test files beside its others; fetch the whole set" in refused(of(records), out)
    for path in records.rglob("*.tfrecords"):
        path.write_bytes(b"")
    (records / TEST_FILE).write_bytes(b"")
    assert "0 trajectories in its training part; fetch the whole set" in refused(of(records), out)
    assert "camera is main, but folders of pictures hold one" in refused(of(sets["pictures"], camera="main"), out)


def test_shards_that_are_missing_or_of_another_set(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sets["prepared"], tmp_path / "set"))
    second = next(folder.rglob("*train.tfrecord-00001-of-00002"))
    second.rename(tmp_path / "kept")
    with pytest.raises(DataError, match=r"1 files of train for the 00002 .* without .*-00001-of-00002; fetch them all"):
        find_set(folder)
    (tmp_path / "kept").rename(second.with_name(second.name.replace("-of-00002", "-of-00003")))
    with pytest.raises(DataError, match="2 files of train for the"):
        find_set(folder)


def test_a_prepared_file_that_was_cut_between_two_records(sets: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sets["prepared"], tmp_path / "set"))
    second = next(folder.rglob("*train.tfrecord-00001-of-00002"))
    info = {"splits": [{"name": "test", "shardLengths": ["4"]}, {"name": "train", "shardLengths": ["6", "5"]}]}
    second.with_name("dataset_info.json").write_text(json.dumps(info))
    make(of(folder), tmp_path / "whole")
    second.write_bytes(second.read_bytes()[: record_places(second)[-1]])
    said = refused(of(folder), tmp_path / "out")
    assert said == f"{second}: holds 4 records, and dataset_info.json tells 5; prepare the set again"


def test_two_sets_in_one_folder_ask_which(records: Path) -> None:
    bair_sets.write_prepared(records)
    with pytest.raises(DataError, match=r"more than one set \(records in .*, prepared in .*\); set form"):
        find_set(records)
    assert find_set(records, "prepared").form == "prepared"


def test_a_file_that_may_not_be_read(records: Path, tmp_path: Path) -> None:
    path = records / TRAIN_FILE
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads all: a folder in its place cannot be read by anyone
        path.unlink()
        path.mkdir()
    assert f"{path}: not readable (" in refused(of(records), tmp_path / "out")


def test_a_link_out_of_the_folder_is_refused(records: Path, tmp_path: Path) -> None:
    (records / TRAIN_FILE).rename(tmp_path / "elsewhere")
    (records / TRAIN_FILE).symlink_to(tmp_path / "elsewhere")
    assert f"{records / TRAIN_FILE}: is a link that leaves the folder" in refused(of(records), tmp_path / "out")


def test_a_disk_without_room_is_told_before_and_while(
    sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_nothing(self: Any, **rows: np.ndarray) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(bair.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10, 9, 1))
        assert "need 0.0 GB and 0.0 GB are free; make room, or set frames lower" in refused(
            of(sets["records"]), tmp_path
        )
    monkeypatch.setattr(GrowingArrays, "append", write_nothing)
    said = refused(of(sets["records"]), tmp_path)
    assert f"{tmp_path}: No space left on device, with the clips half written; make room and run again" in said


class Killed(BaseException):
    """What a test ends a conversion with: nothing catches it."""


def trajectories_read(patch: pytest.MonkeyPatch, stop_at: int | None = None) -> list[int]:
    """Counts the trajectories that are read from now on; reading dies before one of them."""
    count: list[int] = []

    def counted(*arguments: Any) -> Iterator[Any]:
        for trajectory in read_trajectories(*arguments):
            if len(count) == stop_at:
                raise Killed
            count.append(len(count))
            yield trajectory

    patch.setattr(bair, "read_trajectories", counted)
    return count


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("stop_at", [0, 3, 9, TRAINING + 1])
def test_a_killed_conversion_goes_on_and_ends_at_the_same_bytes(
    sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, stop_at: int
) -> None:
    make(of(sets[form]), tmp_path / "whole")
    with monkeypatch.context() as patch:
        trajectories_read(patch, stop_at)
        with pytest.raises(Killed):
            make(of(sets[form]), tmp_path / "out")
    assert not {"train.npy", "validation.npz"} & {path.name for path in (tmp_path / "out").iterdir()}
    count = trajectories_read(monkeypatch)
    make(of(sets[form]), tmp_path / "out")
    whole = {"prepared": [0, 6, 11], "records": [0, 4, 8, 11], "pictures": [0, 4, 8, 11]}[form]  # trajectories of files
    assert len(count) == TRAINING + TESTS - max(done for done in whole if done <= stop_at)
    assert {path.name: sha256(path) for path in (tmp_path / "out").iterdir()} == {
        path.name: sha256(path) for path in (tmp_path / "whole").iterdir()
    }


def test_what_was_read_of_another_set_or_damaged_is_not_taken(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_after(config: Config) -> None:
        with monkeypatch.context() as patch:
            trajectories_read(patch, 8)
            with pytest.raises(Killed):
                make(config, tmp_path / "out")

    def read_again(config: Config) -> int:
        with monkeypatch.context() as patch:
            count = trajectories_read(patch)
            make(config, tmp_path / "out")
        make(config, tmp_path / "whole")
        assert sha256(tmp_path / "out" / TRAIN) == sha256(tmp_path / "whole" / TRAIN)
        return len(count) - TESTS

    killed_after(of(records))
    assert read_again(of(records, camera="main")) == TRAINING
    killed_after(of(records))
    written = records / TRAIN_FILE
    bair_sets.write(written, [raw(truth("train", number + 20)) for number in range(4)])
    assert read_again(of(records)) == TRAINING - 4
    killed_after(of(records))
    begun = tmp_path / "out/.train-actions.npy"
    begun.write_bytes(begun.read_bytes()[:-1] + bytes([begun.read_bytes()[-1] ^ 1]))
    assert read_again(of(records)) == TRAINING - 4, "of two files the second is damaged"


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Of training clips no more than one is held: what grows with their number is their actions alone."""
    peaks = []
    for clips in (4, 24):
        folder = tmp_path / str(clips)
        record = frame(example(raw(truth("train", 0))))
        for part, count in (("train", clips), ("test", 1)):
            (folder / part).mkdir(parents=True)
            (folder / part / "traj_0_to_1.tfrecords").write_bytes(record * count)
        tracemalloc.start()
        make(of(folder, validation_clips=1), folder / "out")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    clip_bytes = FRAMES * 64 * 64 * 3
    assert peaks[1] - peaks[0] < 2 * clip_bytes
