"""Videos of one's own: every frame once, upright and in its time; bad files in one line; a kill loses one video."""

import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import video_sets
from PIL import Image
from pydantic import ValidationError
from video_sets import ffmpeg, film, gif, greys, pictures, uneven

from whatmoves.data import video_folder, video_frames, video_reader
from whatmoves.data.video_files import Video, find_videos
from whatmoves.data.video_folder import Config, make, more_files, open_source, outside_files
from whatmoves.data.video_reader import Reader
from whatmoves.errors import DataError
from whatmoves.files import sha256

CPU = torch.device("cpu")
PX, FRAMES, LENGTH = 16, 4, 12
WITH_ACTIONS = {"actions": 2}


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six videos of five kinds; not to be changed."""
    return video_sets.write_folder(tmp_path_factory.mktemp("videos"), LENGTH)


@pytest.fixture
def mine(videos: Path, tmp_path: Path) -> Path:
    """The same, to be spoilt."""
    return Path(shutil.copytree(videos, tmp_path / "mine"))


def of(folder: Path, **options: Any) -> Config:
    return Config(**{"folder": folder, "frames": FRAMES, "image_px": PX} | options)


def read(path: Path, **options: Any) -> tuple[np.ndarray, Reader]:
    """All frames of a video `[T, C, H, W]`, and its reader."""
    [video] = [video for video in find_videos(path.parent) if video.path == path]
    reader = Reader(video, *({"image_px": PX, "channels": 3, "frames_per_s": None} | options).values())
    return np.stack(list(reader.frames())), reader


def levels(frames: np.ndarray) -> list[int]:
    """The grey of the middle of each frame `[T, C, H, W]`."""
    return [int(level) for level in frames[:, 0, PX // 2, PX // 2]]


def near(found: list[int], expected: np.ndarray) -> bool:
    """Whether greys are those that were meant, but for the rounding of a codec."""
    return len(found) == len(expected) and bool((np.abs(np.array(found) - expected) <= 2).all())


@pytest.mark.parametrize("suffix", video_sets.CODECS)
def test_a_film_gives_each_of_its_frames_once(suffix: str, tmp_path: Path) -> None:
    frames, reader = read(film(tmp_path / f"film{suffix}", greys(20)))
    assert near(levels(frames), 20 + 8 * np.arange(20))
    assert reader.facts is not None
    assert reader.facts.frames_per_s == pytest.approx(10, rel=0.02)
    assert not reader.facts.varies


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_of_uneven_rate_has_no_copies_and_can_be_brought_to_one_rate(suffix: str, tmp_path: Path) -> None:
    path = uneven(tmp_path / f"film{suffix}", greys(20))
    frames, reader = read(path)
    assert near(levels(frames), 20 + 8 * np.arange(20))
    assert reader.facts is not None
    assert reader.facts.varies
    times = np.array([*(0.04 * np.arange(10)), *(0.4 + 0.5 * np.arange(10))])
    np.testing.assert_allclose(reader.facts.times_s, times, atol=2e-3)
    frames, reader = read(path, frames_per_s=10.0)
    shown = [int(np.flatnonzero(np.floor(times * 10 + 0.5) <= tick)[-1]) for tick in range(50)]
    assert near(levels(frames)[:49], 20 + 8 * np.array(shown)[:49])
    assert len(frames) in range(49, 51)
    assert reader.facts is not None
    assert not reader.facts.varies


def test_a_film_held_upright_is_upright(tmp_path: Path) -> None:
    lying = np.zeros((5, 32, 64, 3), np.uint8)
    lying[:, :, :32] = 200
    film(tmp_path / "lying.mp4", lying)
    ffmpeg("-display_rotation", "90", "-i", tmp_path / "lying.mp4", "-c", "copy", tmp_path / "upright.mp4")
    frames, reader = read(tmp_path / "upright.mp4")
    assert reader.facts is not None
    assert (reader.facts.width, reader.facts.height, reader.facts.cut_away) == (32, 64, 0.5)
    top, bottom = frames[:, :, :4].mean(), frames[:, :, -4:].mean()
    assert (round(top), round(bottom)) == (0, 200)


def test_what_an_edit_list_cuts_away_is_not_shown(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", greys(50, 0, 5))
    ffmpeg("-ss", "1.3", "-i", tmp_path / "film.mp4", "-c", "copy", tmp_path / "cut.mp4")
    frames, _ = read(tmp_path / "cut.mp4")
    assert near(levels(frames), 5 * np.arange(13, 50))


def test_pixels_that_are_not_square_and_the_middle_of_a_wide_film(tmp_path: Path) -> None:
    wide = np.zeros((3, 32, 96, 3), np.uint8)
    wide[:, :, 32:64] = 200
    frames, _ = read(film(tmp_path / "wide.mkv", wide))
    assert frames.min() > 150  # the middle third alone, but for a soft edge
    squeezed = film(tmp_path / "tall.mkv", wide, "-vf", "setsar=1/3")
    frames, reader = read(squeezed)
    assert reader.facts is not None
    assert reader.facts.cut_away == 0
    assert frames[:, :, :, 0].max() < 50


def test_a_gif_is_shown_as_a_browser_does(tmp_path: Path) -> None:
    frames = greys(6)
    frames[:, 8:16, 8:16] = 255
    for disposal in (0, 1, 2):
        shown, reader = read(gif(tmp_path / f"{disposal}.gif", frames, [50, 50, 200, 50, 0, 50], disposal=disposal))
        expected = np.stack([np.asarray(Image.fromarray(frame).resize((PX, PX))) for frame in frames])
        assert np.abs(shown.transpose(0, 2, 3, 1).astype(int) - expected)[:, [0, -1]].max() <= 4, disposal
        assert reader.facts is not None
        np.testing.assert_allclose(reader.facts.times_s, [0, 0.05, 0.1, 0.3, 0.35, 0.45])
        assert reader.facts.varies
    shown, _ = read(tmp_path / "1.gif", frames_per_s=10.0)
    assert near([int(level) for level in shown[:, 0, 0, 0]], 20 + 8 * np.array([0, 2, 2, 3, 4]))  # 0.5 s


def test_pictures_are_read_by_number_turned_and_grey(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "clip", greys(11))
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"{int(path.stem[-3:])}.png")
    assert levels(read(folder)[0]) == [20 + 8 * t for t in range(11)]  # 10 after 9
    turned = np.zeros((32, 64, 3), np.uint8)
    turned[:, :32] = (250, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "turned").mkdir()
    for number in range(2):
        Image.fromarray(turned).save(tmp_path / f"turned/{number}.jpg", exif=exif, quality=95)
    frames, reader = read(tmp_path / "turned", channels=1)
    assert reader.facts is not None
    assert (reader.facts.width, reader.facts.height) == (32, 64)
    assert frames.shape == (2, 1, PX, PX)
    assert (round(frames[:, :, :4].mean()), round(frames[:, :, -4:].mean())) == (75, 0)  # .299 · 250


def everything(config: Config, out: Path) -> dict[str, Any]:
    source = open_source(config, out)
    return {"train": source.train_split(300), "validation": source.split("validation"), "test": source.split("test")}


def test_whole_videos_go_to_one_part_and_clips_are_what_their_factors_say(videos: Path, tmp_path: Path) -> None:
    make(of(videos), tmp_path)
    table = json.loads((tmp_path / "videos.json").read_text())["videos"]
    assert [video["name"] for video in table] == ["a.mp4", "b.webm", "c.gif", "d", "e.mkv", "more/f.MOV"]
    seen: dict[int, str] = {}
    for part, split in everything(of(videos), tmp_path).items():
        assert split.video.shape[1:] == (FRAMES, 3, PX, PX)
        assert split.actions is None
        for clip, (video, first) in zip(split.video, split.factors.to_numpy(), strict=True):
            assert near(levels(clip), 10 * (video + 1) + 8 * np.arange(first, first + FRAMES))
            assert seen.setdefault(video, part) == part == table[video]["part"]
        if part != "train":
            assert (split.factors["first_frame"] % FRAMES == 0).all(), "they share no frame"
        else:
            assert set(split.factors["first_frame"]) == set(range(LENGTH - FRAMES + 1))
    assert len(seen) == 6
    assert {*more_files(of(videos)), "test.npz", "test.csv", "validation.npz", "validation.csv"} == {
        path.name for path in tmp_path.iterdir()
    }
    drawn = {tuple(everything_of(seed, videos, tmp_path / str(seed))) for seed in range(4)}
    assert len(drawn) > 1


def everything_of(seed: int, videos: Path, out: Path) -> list[str]:
    make(of(videos, seed=seed), out)
    return [video["part"] for video in json.loads((out / "videos.json").read_text())["videos"]]


def test_a_training_batch_is_a_pure_function_of_seed_and_index(videos: Path, tmp_path: Path) -> None:
    make(of(videos), tmp_path)
    whole = open_source(of(videos), tmp_path).train_batch(7, 0, 12, CPU).video
    assert torch.equal(whole[4:7], open_source(of(videos), tmp_path).train_batch(7, 4, 3, CPU).video)
    assert not torch.equal(whole, open_source(of(videos), tmp_path).train_batch(8, 0, 12, CPU).video)


@pytest.mark.parametrize("validation", [None, "validation", "validate", "val"])
def test_parts_that_stand_in_folders_are_kept(videos: Path, tmp_path: Path, validation: str | None) -> None:
    folder = tmp_path / "in"
    for name, part in {"a.mp4": "train", "b.webm": "test", "c.gif": "train", "d": "train", "e.mkv": validation}.items():
        if part is not None:
            (folder / part / "deeper").mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if name == "d" else shutil.copy
            copy(videos / name, folder / part / "deeper" / name)
    make(of(folder), tmp_path / "out")
    table = json.loads((tmp_path / "out/videos.json").read_text())["videos"]
    parts = {video["name"].rpartition("/")[2]: video["part"] for video in table}
    assert parts["b.webm"] == "test"
    if validation is not None:
        assert parts == {"a.mp4": "train", "b.webm": "test", "c.gif": "train", "d": "train", "e.mkv": "validation"}
    else:
        assert sorted(parts[name] for name in ("a.mp4", "c.gif", "d"))[-1] == "validation"


def write_actions(folder: Path, head: str = "", rows: int = LENGTH) -> None:
    for number, video in enumerate(find_videos(folder)):
        lines = [f"{number},{frame}" for frame in range(rows)]
        video.actions.write_text("\n".join([*([head] if head else []), *lines]) + "\n")


@pytest.mark.parametrize("head", ["", "left,right", "\ufeffleft,right"])
def test_actions_stand_beside_a_video_and_are_stored_in_deviations(mine: Path, tmp_path: Path, head: str) -> None:
    write_actions(mine, head)
    config = of(mine, **WITH_ACTIONS)
    make(config, tmp_path / "out")
    scale = json.loads((tmp_path / "out/statistics.json").read_text())
    mean, deviation = np.array(scale["control_mean"]), np.array(scale["control_deviation"])
    for split in everything(config, tmp_path / "out").values():
        assert split.actions.dtype == np.float32
        back = split.actions * deviation + mean
        for clip, (video, first) in zip(back, split.factors.to_numpy(), strict=True):
            np.testing.assert_allclose(clip[:, 0], video, atol=1e-5)
            np.testing.assert_allclose(clip[:, 1], np.arange(first, first + FRAMES), atol=1e-5)
    batch = open_source(config, tmp_path / "out").train_batch(0, 0, 5, CPU)
    assert batch.actions is not None
    assert batch.actions.shape == (5, FRAMES, 2)
    assert [path.name for path in outside_files(config)][-2:] == ["frame_011.png", "frame_012.png"]
    assert sum(path.name.endswith(".actions.csv") for path in outside_files(config)) == 6


def refused(config: Config, out: Path) -> str:
    """What `make` says, which leaves nothing that could pass for a set."""
    with pytest.raises(DataError) as told:
        make(config, out)
    assert "\n" not in str(told.value)
    assert not [path.name for path in out.glob("[!.]*") if path.suffix != ".csv"]
    return str(told.value)


def cut(path: Path, share: float = 0.7) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def no_pictures(folder: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", folder / "a.mp4")


def noise(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(range(64))
    path.write_bytes(content)


SPOILT: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str, str]] = {
    "truncated mp4": (lambda f: cut(f / "a.mp4", 0.2), {}, "a.mp4", "not readable as a film (moov atom not found)"),
    "truncated webm": (lambda f: cut(f / "b.webm"), {}, "b.webm", "not readable as a film ("),
    "truncated gif": (lambda f: cut(f / "c.gif"), {}, "c.gif", "not readable ("),
    "damaged mkv": (lambda f: noise(f / "e.mkv"), {}, "e.mkv", "not readable as a film ("),
    "empty": (lambda f: (f / "a.mp4").write_bytes(b""), {}, "a.mp4", "is empty; copy it again, or take it out of"),
    "empty picture": (lambda f: (f / "d/frame_004.png").write_bytes(b""), {}, "d/frame_004.png", "is empty"),
    "a text": (lambda f: (f / "a.mp4").write_text("hello"), {}, "a.mp4", "not readable as a film ("),
    "a list of files": (
        lambda f: (f / "a.mp4").write_text("ffconcat version 1.0\nfile b.webm\n"), {}, "a.mp4",
        "not readable as a film (Format not on whitelist",
    ),
    "a text as gif": (lambda f: (f / "c.gif").write_text("hello"), {}, "c.gif", "is no GIF"),
    "a text as picture": (lambda f: (f / "d/frame_004.png").write_text("hello"), {}, "d/frame_004.png", "no picture"),
    "sound alone": (no_pictures, {}, "a.mp4", "has no pictures (sound alone, or damaged?)"),
    "transparent": (
        lambda f: Image.new("RGBA", (32, 32), (1, 2, 3, 9)).save(f / "d/frame_004.png"), {}, "d/frame_004.png",
        "parts of it are transparent",
    ),
    "another size": (
        lambda f: Image.new("RGB", (32, 30)).save(f / "d/frame_004.png"), {}, "d/frame_004.png",
        "is 32×30 pixels, the one before 32×32",
    ),
    "a picture is missing": (
        lambda f: (f / "d/frame_004.png").unlink(), {}, "d", "no picture between frame_003.png and frame_005.png",
    ),
    "pictures have no time": (lambda f: None, {"frames_per_s": 5.0}, "d", "pictures have no times; leave"),
    "a table of another length": (
        lambda f: write_actions(f, rows=LENGTH - 1), WITH_ACTIONS, "a.actions.csv", "11 rows for the 12 frames of",
    ),
    "a longer table": (
        lambda f: write_actions(f, rows=LENGTH + 1), WITH_ACTIONS, "a.actions.csv", "13 rows for the 12 frames of",
    ),
    "another width": (
        lambda f: write_actions(f), {"actions": 3}, "a.actions.csv", "line 1 is '0,0', 2 columns; must be 3",
    ),
    "not a number": (
        lambda f: (write_actions(f), (f / "a.actions.csv").write_text("1,2\n3,nan\n")), WITH_ACTIONS, "a.actions.csv",
        "line 2 is '3,nan'; must be finite numbers",
    ),
    "a hole in a table": (
        lambda f: (write_actions(f), (f / "a.actions.csv").write_text("1,2\n3,\n")), WITH_ACTIONS, "a.actions.csv",
        "line 2 is '3,'; must be finite numbers",
    ),
    "no table": (
        lambda f: (write_actions(f), (f / "b.actions.csv").unlink()), WITH_ACTIONS, "b.actions.csv",
        "no such file; every video needs its actions, or set actions to 0",
    ),
    "two of a name": (lambda f: shutil.copy(f / "a.mp4", f / "a.mov"), {}, "a.mp4", "a.mov beside it has the same"),
    "a link out": (
        lambda f: (f / "g.mp4").symlink_to(Path(os.devnull)), {}, "g.mp4", "is a link that leaves the folder",
    ),
    "one part alone": (
        lambda f: (f / "more").rename(f / "train"), {}, "", "has no videos in test/ beside the other part",
    ),
    "beside the parts": (
        lambda f: ((f / "more").rename(f / "train"), shutil.copytree(f / "train", f / "test")), {}, "a.mp4",
        "stands beside train/ and test/; move it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_what_cannot_be_used_is_one_line_with_the_file_and_the_fix(case: str, mine: Path, tmp_path: Path) -> None:
    spoil, options, name, message = SPOILT[case]
    spoil(mine)
    said = refused(of(mine, **options), tmp_path / "out")
    assert said.startswith(f"{mine / name}: {message}"), said


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["a.mp4", "c.gif", "d/frame_004.png", "more"])
def test_what_may_not_be_read_is_named(name: str, mine: Path, tmp_path: Path) -> None:
    (mine / name).chmod(0)
    assert (
        refused(of(mine), tmp_path / "out") == f"{mine / name}: not readable (Permission denied); check its permissions"
    )
    (mine / name).chmod(0o755)


def test_a_disk_without_room_is_told_and_the_rest_is_kept(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = 0
    append = video_frames._append

    def full(*arguments: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == 4:
            raise OSError(28, "No space left on device")
        append(*arguments)

    monkeypatch.setattr(video_frames, "_append", full)
    assert refused(of(videos), tmp_path) == (
        f"{tmp_path}: No space left on device, with the frames half written; make room and run again: it goes on from "
        "there"
    )
    monkeypatch.undo()
    make(of(videos), tmp_path)
    assert len(open_source(of(videos), tmp_path).split("test").video)


def test_videos_too_few_or_too_short(
    videos: Path, mine: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert refused(of(videos, frames=13), tmp_path / "short") == (
        f"{videos}: videos with 13 frames: 0 of 6, none for train; add longer videos, or set frames to at most 12"
    )
    gif(mine / "short.gif", greys(3))
    with caplog.at_level(logging.WARNING):
        make(of(mine), tmp_path / "out")
    assert "1 videos have fewer frames than a clip, 4, and are left out: short.gif 3" in caplog.messages
    for name in ("a.mp4", "b.webm", "c.gif", "short.gif"):
        (mine / name).unlink()
    shutil.rmtree(mine / "d")
    assert refused(of(mine), tmp_path / "few").startswith(f"{mine}: 2 videos; must be 3 or more, since training")
    (tmp_path / "none").mkdir()
    (tmp_path / "none/film.mpg").touch()
    assert refused(of(tmp_path / "none"), tmp_path / "few").startswith(
        f"{tmp_path / 'none'}: no video here or in its subfolders (but .mpg); must be .mp4, .webm, "
    )
    assert "no such folder; set folder to that of the videos" in refused(of(tmp_path / "no"), tmp_path / "few")


def test_what_is_odd_is_told_once(mine: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    uneven(mine / "u.mp4", greys(20))
    film(mine / "w.mkv", greys(12, width=64), fps=25)
    (mine / "factors.csv").write_text("video,class\na.mp4,1\n")
    write_actions(mine)
    with caplog.at_level(logging.INFO):
        make(of(mine), tmp_path)
    told = "\n".join(caplog.messages)
    assert "8 videos, read by ffmpeg n" in told
    assert "frames of 1 videos are not evenly spaced in time: u.mp4; set frames_per_s to make them so" in told
    assert "videos have from 10 frames a second (a.mp4) to 25 (" in told
    assert "1 videos lose more than 10 % of the picture, the most w.mkv (64×32): 50 %" in told
    assert f"{mine}/a.actions.csv and 7 more are not read; set actions to their number of columns" in told
    assert f"{mine}/factors.csv is not read" in told


class Killed(BaseException):
    """What a test ends a conversion with: nothing catches it."""


def sums(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in folder.iterdir()}


def reads(monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None, frame: int = 0) -> list[str]:
    """The videos that are read from now on; the reader dies at one of them, before one of its frames."""
    opened: list[str] = []
    frames = Reader.frames

    def counted(self: Reader) -> Any:
        opened.append(self.video.name)
        for number, one in enumerate(frames(self)):
            if len(opened) - 1 == stop_at and number == frame:
                raise Killed
            yield one

    monkeypatch.setattr(Reader, "frames", counted)
    return opened


@pytest.mark.parametrize(("stop_at", "frame"), [(0, 0), (2, 0), (2, 7), (5, 11)])
def test_a_killed_conversion_goes_on_and_ends_at_the_same_bytes(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int, frame: int
) -> None:
    monkeypatch.setattr(video_frames, "BLOCK_FRAMES", 4)
    make(of(videos), tmp_path / "whole")
    with monkeypatch.context() as patched:
        reads(patched, stop_at, frame)
        with pytest.raises(Killed):
            make(of(videos), tmp_path / "out")
    assert not list((tmp_path / "out").glob("[!.]*"))
    opened = reads(monkeypatch)
    make(of(videos), tmp_path / "out")
    assert len(opened) == 6 - stop_at
    assert sums(tmp_path / "out") == sums(tmp_path / "whole")


def test_a_changed_video_or_another_size_is_not_taken_from_before(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        reads(patched, 4)
        with pytest.raises(Killed):
            make(of(mine), tmp_path / "out")
    film(mine / "b.webm", greys(LENGTH, 90))
    with monkeypatch.context() as patched:
        opened = reads(patched, 3)  # b, c, d again
        with pytest.raises(Killed):
            make(of(mine), tmp_path / "out")
    assert opened == ["b.webm", "c.gif", "d", "e.mkv"]
    opened = reads(monkeypatch)
    make(of(mine, image_px=24), tmp_path / "out")
    assert len(opened) == 6
    make(of(mine, image_px=24), tmp_path / "whole")
    assert sums(tmp_path / "out") == sums(tmp_path / "whole")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "no such file, and validation.npz beside it speaks of it"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "not readable as an array"),
        (lambda path: np.save(path, np.load(path)[:-1]), "validation.npz speaks of uint8 (72, 3, 16, 16)"),
        (lambda path: np.save(path, np.load(path) ^ 1), "not the frames that validation.npz was made with"),
    ],
)
def test_foreign_frames_are_refused(videos: Path, tmp_path: Path, spoil: Callable[[Path], Any], message: str) -> None:
    make(of(videos), tmp_path)
    spoil(tmp_path / "frames.npy")
    with pytest.raises(DataError) as told:
        open_source(of(videos), tmp_path).train_batch(0, 0, 2, CPU)
    assert message in str(told.value)
    assert "delete it and make the data set again" in str(told.value)


def test_splits_of_other_settings_are_refused(videos: Path, tmp_path: Path) -> None:
    make(of(videos), tmp_path)
    with pytest.raises(DataError, match="made with other settings"):
        open_source(of(videos, seed=1), tmp_path).split("test")
    with pytest.raises(DataError, match=r"these settings make \(\d+, 5, 3, 16, 16\)"):
        open_source(of(videos, frames=5), tmp_path).split("test")
    (tmp_path / "test.csv").write_text("video,first_frame\n0,0\n")
    with pytest.raises(DataError, match=r"1 rows for the \d clips of test\.npz"):
        open_source(of(videos), tmp_path).split("test")


def test_impossible_settings_say_what_is_possible(videos: Path) -> None:
    with pytest.raises(ValidationError, match="must leave a part for training"):
        of(videos, validation_share=0.6, test_share=0.4)
    with pytest.raises(ValidationError, match="actions is 2 and frames_per_s 5; must be one alone"):
        of(videos, frames_per_s=5, **WITH_ACTIONS)


def test_a_machine_without_ffmpeg_says_what_to_install(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import imageio_ffmpeg

    def none() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    monkeypatch.setattr(video_reader, "reader_version", lambda: "none")
    monkeypatch.setattr(video_folder, "reader_version", lambda: "none")
    monkeypatch.setattr(video_frames, "reader_version", lambda: "none")
    assert "no ffmpeg to read films with; `pip install imageio-ffmpeg`" in refused(of(videos), tmp_path)


def test_a_program_that_is_too_old_is_not_blamed_on_the_film(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    said = "Unrecognized option 'stats_enc_pre'."
    real = video_reader.ffmpeg()
    program.write_text(f'#!/bin/sh\ncase "$*" in *stats_enc*) echo "{said}" >&2; exit 1;; esac\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    assert refused(of(videos), tmp_path / "out") == (
        f"{program}: is older than ffmpeg 6; unset IMAGEIO_FFMPEG_EXE, or set it to a newer one"
    )


def test_names_are_enough_to_find_videos(tmp_path: Path) -> None:
    for name in ("b10.MP4", "b9.mp4", ".hidden.mp4", "notes.txt", "deep/er/x.gif", "one/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_videos(tmp_path)
    assert [video.name for video in found] == ["b9.mp4", "b10.MP4", "deep/er/x.gif"]
    assert isinstance(found[0], Video)
    assert found[1].actions.name == "b10.actions.csv"
