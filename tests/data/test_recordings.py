"""Recordings: what follows what, whose session it is, and controls in one scale; damage is named, not trained on."""

import functools
import io
import json
import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from whatmoves.cli import main
from whatmoves.data.recording_frames import apart_starts, clip_starts, read_frames, split_sessions
from whatmoves.data.recording_log import read_sessions
from whatmoves.data.recording_problems import Problems
from whatmoves.data.recordings import FACTOR_ROLES, Config, make, more_files, open_source
from whatmoves.errors import DataError
from whatmoves.loading import load_study
from whatmoves.provenance.receipts import read_receipt
from whatmoves.provenance.verify import verify

CPU = torch.device("cpu")
SESSIONS, LENGTH = 8, 20
FIX = "delete it and make the data set again"


def png(picture: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(content, format="PNG")
    return content.getvalue()


@functools.cache
def coloured(session: int, number: int) -> bytes:
    return png(np.full((9, 12, 3), (10 * session, 5 * number, 0), np.uint8))


def record(folder: Path, sessions: int = SESSIONS, length: int = LENGTH, **changes: Any) -> None:
    """A recording whose every frame has one colour: red is ten times its session, green five times its number in it.

    Its two controls are that number and what `control` makes of session and number; `times` changes its time.
    """
    control: Callable[[int, int], float] = changes.get("control", lambda s, t: s)
    times: Callable[[int, int], float] = changes.get("times", lambda s, t: 100 * s + t / 10)
    lines = []
    for s in range(sessions):
        for t in range(length):
            name = f"{s}/{t}.png"
            (folder / str(s)).mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(coloured(s, t))
            lines.append({"frame_filename": name, "controls": [t, control(s, t)], "timestamp": times(s, t)})
    (folder / "log.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))


def of(folder: Path, **options: Any) -> Config:
    return Config(**{"folder": folder, "controls": 2, "frames": 4, "image_px": 8, "test_clips": 99} | options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record(tmp_path / "recording")
    return tmp_path / "recording"


def where(video: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Session and number `[N, T]` of the frames of clips `[N, T, 3, H, W]`, read off their colours."""
    assert (video == video[..., :1, :1]).all()
    return video[:, :, 0, 0, 0] // 10, video[:, :, 1, 0, 0] // 5


def everything(config: Config, out: Path, drawn: int = 600) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """All stored clips and many drawn ones, as `where` sees them."""
    source = open_source(config, out)
    video = (source.train_batch(3, 0, drawn, CPU).video * 255).round().numpy().astype(np.uint8)
    seen = {name: where(source.split(name).video) for name in ("validation", "test")}
    return seen | {"train": where(video), "probe": where(source.train_split(drawn).video)}


def test_no_clip_crosses_a_border_a_gap_or_a_bad_line(folder: Path, tmp_path: Path) -> None:
    def times(s: int, t: int) -> float:
        return 0.1 * (LENGTH * s + t) + (0.3 if t >= 7 else 0) + 6.0 * s  # a gap before frame 7, a pause between

    record(folder, times=times)
    lines = (folder / "log.jsonl").read_text().splitlines()
    for s in range(SESSIONS):
        lines[LENGTH * s + 13] = "{"  # the frame 13 of every session cannot be used
        (folder / f"{s}/18.png").write_bytes(b"no picture")
    (folder / "log.jsonl").write_text("\n".join(lines))
    config = of(folder, gap_s=0.2)
    make(config, tmp_path)
    for name, (sessions, numbers) in everything(config, tmp_path).items():
        assert len(sessions) > 5
        assert (sessions == sessions[:, :1]).all(), name
        assert (np.diff(numbers, axis=1) == 1).all(), name
        runs = np.digitize(numbers, [7, 13])
        assert (runs == runs[:, :1]).all(), f"{name}: a clip crosses the gap or the bad line"
        assert not np.isin(numbers, (13, 18)).any()


def test_training_draws_every_place_and_the_others_share_no_frame(folder: Path, tmp_path: Path) -> None:
    config = of(folder)
    make(config, tmp_path)
    seen = everything(config, tmp_path, drawn=2000)
    begins = {(int(s[0]), int(n[0])) for s, n in zip(*seen["train"], strict=True)}
    trained = {s for s, _ in begins}
    assert begins == {(s, t) for s in trained for t in range(LENGTH - 3)}
    sessions = [trained, *({int(s) for s in seen[name][0][:, 0]} for name in ("validation", "test"))]
    assert sum(map(len, sessions)) == len(set.union(*sessions)) == SESSIONS
    assert {int(s) for s in seen["probe"][0][:, 0]} == trained
    for name in ("validation", "test"):
        frames = [(int(s), int(t)) for s, t in zip(*(x.ravel() for x in seen[name]), strict=True)]
        assert len(frames) == len(set(frames)) == LENGTH * len({s for s, _ in frames})


def test_controls_belong_to_their_frames_and_are_scaled_by_training_alone(folder: Path, tmp_path: Path) -> None:
    record(folder, control=lambda s, t: 10.0**s)
    config = of(folder)
    make(config, tmp_path)
    told = json.loads((tmp_path / "statistics.json").read_text())
    trained = [s for s, session in enumerate(told["sessions"]) if session["split"] == "train"]
    assert 2 < len(trained) < SESSIONS - 1
    logged = np.array([(t, 10.0**s) for s in trained for t in range(LENGTH)])
    mean, deviation = logged.mean(0), logged.std(0)
    np.testing.assert_allclose(told["control_mean"], mean)
    np.testing.assert_allclose(told["control_deviation"], deviation)
    source = open_source(config, tmp_path)
    batch = source.train_batch(0, 0, 300, CPU)
    splits = [source.split("validation"), source.split("test"), source.train_split(50)]
    assert batch.actions is not None
    for video, actions in (
        ((batch.video * 255).round().numpy().astype(np.uint8), batch.actions.numpy()),
        *((split.video, split.actions) for split in splits),
    ):
        s, t = where(video)
        assert actions.dtype == np.float32
        np.testing.assert_allclose(actions, (np.stack([t, 10.0**s], -1) - mean) / deviation, rtol=1e-5, atol=1e-6)


def test_factors_say_where_a_clip_is_from(folder: Path, tmp_path: Path) -> None:
    make(of(folder), tmp_path)
    source = open_source(of(folder), tmp_path)
    for split in (source.split("validation"), source.split("test"), source.train_split(50)):
        s, t = where(split.video)
        assert list(split.factors) == list(FACTOR_ROLES)
        np.testing.assert_array_equal(split.factors.session, s[:, 0])
        np.testing.assert_array_equal(split.factors.first_line, LENGTH * s[:, 0].astype(int) + t[:, 0] + 1)
        np.testing.assert_allclose(split.factors.start_s, t[:, 0] / 10, atol=1e-9)


def test_a_control_that_never_changes_is_zero(folder: Path, tmp_path: Path) -> None:
    record(folder, control=lambda s, t: 0.1)
    make(of(folder), tmp_path)
    actions = open_source(of(folder), tmp_path).split("test").actions
    assert actions is not None
    assert not actions[..., 1].any()
    assert actions[..., 0].any()
    assert json.loads((tmp_path / "statistics.json").read_text())["control_deviation"][1] == 0


def split_of(out: Path) -> list[str]:
    """The part of each session."""
    return [session["split"] for session in json.loads((out / "statistics.json").read_text())["sessions"]]


def seen_by(folder: Path, out: Path, caplog: pytest.LogCaptureFixture, idle: Any, used: Any) -> Any:
    """A recording whose second control is `idle(t)` in training and `used(t)` elsewhere, made: its test actions, and
    what was told of that control."""
    make(of(folder), out)
    parts = split_of(out)
    record(folder, control=lambda s, t: idle(t) if parts[s] == "train" else used(t))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        make(of(folder), out)
    assert split_of(out) == parts
    actions = open_source(of(folder), out).split("test").actions
    assert actions is not None
    return actions[..., 1], [message for message in caplog.messages if message.startswith("control 2")]


IDLE: dict[str, tuple[Callable[[int], float], Callable[[int], float], str]] = {
    "rounding of a sensor": (lambda t: 0.35 + 1e-9 * (t % 3), np.sin, "0.35 in training but for rounding"),
    "rounding of a sum": (lambda t: (0.1 + 0.2, 0.3)[t % 2], np.sin, "0.3 in training but for rounding"),
    "float32 up and down": (lambda t: float(np.float32(0.7)) + 2.0**-24 * (t % 3 - 1), np.sin, "0.7 in training but"),
    "rounding about zero": (lambda t: 5.55e-17 * (t % 2), lambda t: t / 8, "0 in training but for rounding"),
    "moves elsewhere only": (lambda t: 0.0, lambda t: t % 2, "0 in training"),
    "another constant elsewhere": (lambda t: 1500, lambda t: 1600, "1500 in training"),
    "counts far from zero": (lambda t: 9e8 + t % 2, lambda t: 9e8 + 500, "9e+08 in training but for rounding"),
}


@pytest.mark.parametrize("case", IDLE)
def test_a_control_that_idles_in_training_is_zero_and_told(
    case: str, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    idle, used, always = IDLE[case]
    actions, (told,) = seen_by(folder, tmp_path, caplog, idle, used)
    assert not actions.any()
    assert told.startswith(f"control 2 is always {always}")
    assert ": stored as 0, though it moves in validation and test, furthest " in told
    values = [float(used(t)) for t in range(LENGTH)]
    furthest = max(values, key=lambda value: abs(value - idle(0)))
    line = int(told.split(" at line ")[1].split(" ")[0])
    assert f"furthest {furthest:g} at line {line} of log.jsonl: from line {line - (line - 1) % LENGTH};" in told
    assert values[(line - 1) % LENGTH] == furthest


def test_a_control_that_idles_everywhere_is_no_warning(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    record(folder, control=lambda s, t: 0.1)
    make(of(folder), tmp_path)
    (told,) = (record for record in caplog.records if record.getMessage().startswith("control"))
    assert (told.levelname, told.getMessage()) == ("INFO", "control 2 is always 0.1 in training: stored as 0")


def test_what_training_never_saw_is_told_once_with_control_session_and_line(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def steer(t: int) -> float:
        return 450 * np.sin(t)  # the angle of a wheel, degrees

    seen, told = seen_by(folder, tmp_path, caplog, steer, lambda t: 1.9 * steer(t))
    assert not told, "a session bolder than the others is nothing to tell"
    assert seen.any()
    seen, (told,) = seen_by(folder, tmp_path, caplog, lambda t: t % 2, lambda t: 900 if t == 7 else t % 2)
    line = next(LENGTH * s + 8 for s, part in enumerate(split_of(tmp_path)) if part == "validation")
    assert told.startswith(
        "control 2 is 0 … 1 in training, but goes far beyond in validation and test, furthest 900 at"
    )
    assert told.endswith("; mend those lines if they are wrong")
    assert f"line {line} of log.jsonl: from line {line - 7};" in told
    assert seen.max() > 100, "told, but not changed"


def test_statistics_have_the_range_of_training(folder: Path, tmp_path: Path) -> None:
    record(folder, control=lambda s, t: 3.0 * s - t)
    make(of(folder), tmp_path)
    told = json.loads((tmp_path / "statistics.json").read_text())
    trained = [s for s, part in enumerate(split_of(tmp_path)) if part == "train"]
    assert told["control_min"] == [0, 3.0 * min(trained) - LENGTH + 1]
    assert told["control_max"] == [LENGTH - 1, 3.0 * max(trained)]


def test_without_controls_there_are_no_actions(folder: Path, tmp_path: Path) -> None:
    config = of(folder, controls=0)
    make(config, tmp_path)
    source = open_source(config, tmp_path)
    assert source.shape.actions == 0
    assert source.train_batch(0, 0, 2, CPU).actions is None
    assert source.split("test").actions is None


def test_a_batch_is_a_pure_function_so_that_a_resumed_training_sees_the_same(folder: Path, tmp_path: Path) -> None:
    config = of(folder)
    make(config, tmp_path)
    source, other = open_source(config, tmp_path), open_source(config, tmp_path)
    whole = source.train_batch(7, 100, 70, CPU)
    parts = [other.train_batch(7, 100, 1, CPU), other.train_batch(7, 101, 69, CPU)]
    for i, values in enumerate(whole[:2]):
        assert values is not None
        assert torch.equal(torch.cat([part[i] for part in parts]), values)  # type: ignore[misc]
    assert whole.video.dtype == torch.float32
    assert not torch.equal(source.train_batch(8, 100, 70, CPU).video, whole.video)
    video = (source.train_batch(0, 0, 70, CPU).video * 255).round().numpy()
    assert not np.array_equal(video, source.train_split(70).video), "probes need their own clips"


def test_two_makes_give_equal_bytes_and_the_sample_stands_beside(tmp_path: Path) -> None:
    config = Config(image_px=16, frames=4, sample_sessions=4, sample_frames=16)
    for name in "ab":
        make(config, tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) == 6 + 1 + 4 * 11
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes(), path
    assert {*more_files(config), "test.npz", "test.csv", "validation.npz", "validation.csv"} == {
        path.parts[0] for path in files
    }
    # Read as anybody's recording it is the same data set, and the sample is gone.
    copy = tmp_path / "copy"
    (tmp_path / "a/sample").rename(copy)
    make(config.model_copy(update={"folder": copy}), tmp_path / "b")
    assert not (tmp_path / "b/sample").exists()
    a, b = (open_source(config, tmp_path / name).split("test") for name in "ab")
    np.testing.assert_array_equal(a.video, b.video)
    assert a.factors.equals(b.factors)
    assert list(a.factors) == list(FACTOR_ROLES)


def test_shape_is_known_without_reading() -> None:
    assert open_source(Config(frames=5, image_px=24), Path("unread")).shape == (5, 3, 24, 24, 4, 0)


def test_pictures_are_resized_once_and_smoothly(folder: Path, tmp_path: Path) -> None:
    board = png((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))  # grey
    for path in folder.glob("*/*.png"):
        path.write_bytes(board)
    make(of(folder, image_px=16), tmp_path)
    video = open_source(of(folder, image_px=16), tmp_path).split("test").video
    assert np.abs(video.astype(int) - 127).max() <= 2, "every pixel is half white, half black"


def test_a_turned_picture_is_shown_as_viewers_show_it_and_an_opaque_one_may_have_alpha(
    folder: Path, tmp_path: Path
) -> None:
    lying = np.zeros((8, 8, 3), np.uint8)
    lying[:, :4] = 255  # bright on the left, and to be turned right by a quarter: bright at the top
    turned, content = Image.Exif(), io.BytesIO()
    turned[0x0112] = 6
    Image.fromarray(lying).save(content, format="JPEG", exif=turned, quality=100)
    opaque = np.dstack([np.rot90(lying, -1), np.full((8, 8), 255, np.uint8)])
    for number, path in enumerate(sorted(folder.glob("*/*.png"))):
        path.write_bytes(png(opaque) if number % 2 else content.getvalue())
    make(of(folder), tmp_path)
    video = open_source(of(folder), tmp_path).split("test").video.astype(int)
    assert video[:, :, :, :4].min() > 240
    assert video[:, :, :, 4:].max() < 15


def test_logs_of_other_names_and_steps_too_slow_are_hinted_at(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(folder, times=lambda s, t: 100.0 * t + 100_000 * s)  # milliseconds
    make(of(folder, pause_s=1000.0), tmp_path / "out")
    assert "the usual step of session" in caplog.text
    assert "is 100 s; if its times are milliseconds, set timestamp_unit: ms" in caplog.text
    (folder / "log.jsonl").rename(folder / "LOG.ndjson")
    with pytest.raises(DataError, match=r"no \.jsonl log here .*; unpack LOG\.ndjson or rename it, to end in \.jsonl$"):
        make(of(folder), tmp_path / "other")


def huge() -> bytes:
    """A small file that says it is 50,000 pixels wide and high."""
    chunks = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(bytes(1000))
    framed = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


NOISE = png(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
PICTURES = {
    "truncated": (NOISE[: len(NOISE) // 2], "not readable (image file is truncated"),
    "header only": (NOISE[:40], "no picture of a kind known here ("),
    "damaged": (NOISE[:200] + b"\0" * 200 + NOISE[400:], "not readable ("),
    "empty": (b"", "no picture of a kind known here (PNG, JPEG, BMP, WEBP)"),
    "a text": (b"hello", "no picture of a kind known here (PNG, JPEG, BMP, WEBP)"),
    "16 bits": (png(np.full((8, 8), 40_000, np.uint16)), "its pixels are I;16; must have 8 bits a channel"),
    "huge": (huge(), "too many pixels"),
    "transparent": (png(np.full((8, 8, 4), 200, np.uint8)), "parts of it are transparent; save it without"),
}


@pytest.mark.parametrize("case", PICTURES)
def test_a_picture_that_cannot_be_used_is_named_and_skipped_or_stops(case: str, tmp_path: Path) -> None:
    (content, reason), folder = PICTURES[case], tmp_path
    record(folder, sessions=3)
    (folder / "1/2.png").write_bytes(content)
    problems = Problems("skip")
    recording = read_frames(read_sessions(folder, 2, "s", 5.0, problems), 2, 8, None, problems)
    ((line, (kind, told)),) = problems.found[folder / "log.jsonl"].items()
    assert (line, kind) == (LENGTH + 3, "picture")
    assert told.startswith(f"frame 2.png: {reason}")
    assert len(recording.frames) == 3 * LENGTH - 1
    assert np.bincount(recording.runs).tolist() == [20, 2, 17, 20]
    with pytest.raises(DataError, match=r"log\.jsonl: line 23: frame 2\.png: .*; mend or remove the line, or set on_"):
        make(of(folder, on_problem="stop"), folder / "out")


def test_places_of_clips() -> None:
    runs = np.array([0, 0, 0, 1, 2, 2, 2, 2, 2])
    assert clip_starts(runs, 3).tolist() == [0, 4, 5, 6]
    assert clip_starts(runs, 9).tolist() == []
    assert clip_starts(runs, 10).tolist() == []
    assert apart_starts(runs, 2, 9).tolist() == [0, 4, 6]
    assert apart_starts(runs, 2, 2).tolist() == [0, 6]
    assert apart_starts(np.zeros(11, np.int64), 2, 3).tolist() == [0, 4, 8]


@pytest.mark.parametrize("seed", range(20))
def test_every_part_gets_whole_sessions_and_about_its_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clips = [*rng.integers(1, 50, rng.integers(3, 40)).tolist(), 5, 0, 7, 9]
    part = split_sessions(clips, (0.25, 0.15), seed)
    given = [sum(c for c, p in zip(clips, part, strict=True) if p == number) for number in range(3)]
    assert all(given)
    assert sum(given) == sum(clips)
    assert part[clips.index(0)] == 0
    if len(clips) > 20:
        assert given[1] < 0.25 * sum(clips) + max(clips)
        assert given[2] < 0.15 * sum(clips) + 2 * max(clips)
    assert len({tuple(split_sessions(clips, (0.25, 0.15), s)) for s in range(8)}) > 1


def test_a_recording_without_enough_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    def said(**options: Any) -> str:
        with pytest.raises(DataError) as caught:
            make(of(folder, **options), tmp_path / "out")
        return str(caught.value).removeprefix(f"{folder}: ")

    assert said(controls=3) == (
        "no line of its logs can be used (first problem: log.jsonl: line 1: controls has 2 numbers; must have 3); "
        "mend them"
    )
    assert said(timestamp_unit="ns", frames=21) == (
        "no 21 frames follow each other; the usual step between lines is 1e-10 s: "
        "set timestamp_unit, gap_s and pause_s to suit it, or frames lower"
    )
    record(folder, times=lambda s, t: 1000.0 * t + 100_000 * s)  # milliseconds
    assert said() == (
        "no 4 frames follow each other; the usual step between lines is 1000 s: "
        "set timestamp_unit, gap_s and pause_s to suit it, or frames lower"
    )
    assert not (tmp_path / "out").exists()
    make(of(folder, timestamp_unit="ms"), tmp_path / "out")
    record(folder, sessions=2)
    assert said() == (
        "sessions with 4 frames in a row: 2; must be 3 or more, since training, validation and test share none: "
        "record more, name sessions, or set pause_s or frames lower"
    )
    (folder / "log.jsonl").write_bytes(b"")
    assert said() == "no line of its logs can be used; mend them"


def test_the_unnamed_gap_goes_by_the_usual_step(folder: Path, tmp_path: Path) -> None:
    record(folder, times=lambda s, t: 1000 * s + 2.0 * (t + (t >= 9)))  # every two seconds, one frame lost
    make(of(folder), tmp_path)
    _, numbers = everything(of(folder), tmp_path)["train"]
    assert (np.diff(numbers, axis=1) == 1).all()
    assert ((numbers < 9).all(1) | (numbers >= 9).all(1)).all()


def test_damage_other_settings_and_a_changed_log_are_named(folder: Path, tmp_path: Path) -> None:
    config, out = of(folder, validation_clips=3), tmp_path / "out"
    make(config, out)

    def said(name: str = "test", **options: Any) -> str:
        with pytest.raises(DataError) as caught:
            open_source(config.model_copy(update=options), out).split(name)
        return str(caught.value).removeprefix(f"{out}/")

    assert said(frames=5).startswith("test.npz: video is (")
    assert said(image_px=9) == f"test.npz: video is (10, 4, 3, 8, 8), these settings make (10, 4, 3, 9, 9); {FIX}"
    assert said(gap_s=1.0) == f"test.npz: made with other settings; {FIX}"
    (out / "test.csv").write_bytes((out / "validation.csv").read_bytes())
    assert said() == f"test.csv: 3 rows for the 10 clips of test.npz; {FIX}"
    (out / "test.csv").write_text("a,b\n1,2\n")
    assert said() == f"test.csv: columns are not session … start_s; {FIX}"
    (out / "validation.npz").write_bytes((out / "test.npz").read_bytes())
    assert said("validation") == f"validation.npz: no uint8 array 'train_frames' in it; {FIX}"

    make(config, out)
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    open_source(config, out).split("test")  # what was made needs the recording no more
    config = of(moved, validation_clips=3)
    open_source(config, out).split("test")  # and the same recording may lie elsewhere
    with (moved / "log.jsonl").open("a") as stream:
        stream.write("\n")
    assert said() == f"test.npz: the logs in {moved} are no longer those it was made of; {FIX}"


WRONG = {
    "parts": (
        {"test_share": 0.6, "validation_share": 0.4},
        "validation_share and test_share are 0.4 and 0.6; must leave",
    ),
    "gap": ({"gap_s": 6}, "gap_s is 6; must be at most pause_s, 5"),
    "sticks": ({"controls": 2}, "controls is 2; the sample drive has 4, set folder"),
    "short": ({"frames": 80}, "sample_frames is 150; must be at least 160, twice the frames of a clip"),
}


@pytest.mark.parametrize("case", WRONG)
def test_impossible_settings_say_what_is_possible(case: str) -> None:
    options, message = WRONG[case]
    with pytest.raises(ValidationError) as caught:
        Config(**options)
    assert caught.value.errors()[0]["msg"].startswith(f"Value error, {message}")


def test_the_command_tells_of_problems_and_proves_where_the_data_is_from(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (3, 5):
        (folder / f"1/{number}.png").unlink()
    study = tmp_path / "study.yaml"
    options = f"{{folder: {folder}, controls: 2, frames: 4, image_px: 8}}"
    sample = "{image_px: 8, frames: 4, sample_sessions: 3, sample_frames: 12}"
    study.write_text(
        f"study: own\ndata:\n  mine: {{kind: recordings, options: {options}}}\n"
        f"  sample: {{kind: recordings, options: {sample}}}\nmodels:\n  mean_frame: {{trains_on: [mine]}}\n"
    )
    with caplog.at_level(logging.INFO):
        for name in ("mine", "sample"):
            with pytest.raises(SystemExit, match=r"^0$"):
                main(["data", "--configfile", str(study), "--dataset", name])
    assert (
        f'{folder}/log.jsonl: line 24: frame "1/3.png" is missing; skipped (and 1 more, frame missing: lines 26)'
        in (caplog.messages)
    )
    root = tmp_path / "results/own"
    core = read_receipt(root / "data/mine/receipt.json")["core"]
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(core["inputs"]) == {f"../../recording/{name}" for name in files}, "log and pictures"
    assert {Path(key).name for key in core["outputs"]} == {
        "validation.npz", "validation.csv", "test.npz", "test.csv", "statistics.json", "problems.json",
    }  # fmt: skip
    assert json.loads((root / "data/mine/problems.json").read_text())[0]["lines"] == [24, 26]

    def status() -> dict[str, str]:
        findings = verify(load_study(study), root).findings
        return {finding.result: finding.status for finding in findings if finding.result.startswith("data/")}

    receipts = {f"data/{name}/receipt.json": "fresh" for name in ("mine", "sample")}
    assert status() == receipts, "every file is covered, those of the sample by its folder"
    picture = next((root / "data/sample/sample/frames").iterdir())
    picture.write_bytes(picture.read_bytes() + b"x")
    (folder / "log.jsonl").write_bytes((folder / "log.jsonl").read_bytes() + b"\n")
    assert status() == {"data/mine/receipt.json": "stale", "data/sample/receipt.json": "not ours"}
