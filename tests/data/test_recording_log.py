"""A recording's log: both forms of it read alike, sessions are told apart, and no line is trusted."""

import itertools
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whatmoves.data import recording_log
from whatmoves.data.recording_log import Session, find_logs, read_sessions
from whatmoves.data.recording_problems import Problems
from whatmoves.errors import DataError

LOG = "recording_log.jsonl"


def line(index: int, **changes: Any) -> dict[str, Any]:
    """A good line; a change to ... leaves the field out."""
    fields = {"frame_filename": f"frames/{index}.png", "controls": [index, 0.5, -1, 2], "timestamp": index / 10}
    return {name: value for name, value in (fields | changes).items() if value is not ...}


def write(folder: Path, lines: list[dict[str, Any] | bytes], name: str = LOG) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines) + b"\n")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording's folder with pictures 0 … 9 (never opened here), and things that a log must not reach."""
    recording = tmp_path / "recording"
    (recording / "frames").mkdir(parents=True)
    for index in range(10):
        (recording / f"frames/{index}.png").write_bytes(b"")
    (tmp_path / "secret.png").write_bytes(b"")
    (recording / "frames/link.png").symlink_to(tmp_path / "secret.png")
    (recording / "frames/inner.png").symlink_to("2.png")
    (recording / "frames/circle.png").symlink_to("circle.png")
    (recording / "away").symlink_to(tmp_path)
    return recording


def read(folder: Path, controls: int = 4, on_problem: str = "skip", pause_s: float = 5.0) -> tuple[list[Session], Any]:
    problems = Problems(on_problem)  # type: ignore[arg-type]
    return read_sessions(folder, controls, "s", pause_s, problems), problems


def lines_of(sessions: list[Session]) -> list[list[int]]:
    return [[entry.line for entry in session.entries] for session in sessions]


OBJECT = 'must be an object such as {"frame_filename": …}'
BAD: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "cut short": (b'{"frame_filename": "frames/2.p', "is not JSON (Unterminated string starting at at character 20)"),
    "no object": (b"[1, 2]", f"is [1, 2]; {OBJECT}"),
    "no text": (b'{"frame_filename": "\xff\xfe"}', "is not UTF-8 text"),
    "nested deeply": (b"[" * 100_000, "is JSON with a number too long or nested too deeply"),
    "number too long": (b'{"timestamp": ' + b"1" * 5000 + b"}", "is JSON with a number too long or nested too deeply"),
    "no time": (line(2, timestamp=...), "has no time where the log began with timestamp; a log keeps one clock"),
    "other clock": (
        line(2, timestamp=..., server_timestamp_ns=2),
        "has server_timestamp_ns where the log began with timestamp; a log keeps one clock",
    ),
    "time is text": (line(2, timestamp="0.2"), 'timestamp is "0.2"; must be a finite number'),
    "time is NaN": (line(2, timestamp=float("nan")), "timestamp is NaN; must be a finite number"),
    "time is true": (line(2, timestamp=True), "timestamp is true; must be a finite number"),
    "time twice": (line(2, timestamp=0.1), "has the time 0.1 of line 2; times must rise"),
    "time out of order": (line(2, timestamp=-7), "has the time -7, out of order: line 2 before it has 0.1"),
    "time far ahead": (line(2, timestamp=1e12), "has the time 1000000000000.0, out of order: line 2 before it has 0.1"),
    "session is a list": (line(2, session=[1]), "session is [1]; must be a name or a whole number"),
    "no frame": (line(2, frame_filename=...), "frame_filename is missing; must be the path of a picture"),
    "frame is a number": (line(2, frame_filename=2), "frame_filename is 2; must be the path of a picture"),
    "frame missing": (line(2, frame_filename="frames/99.png"), 'frame "frames/99.png" is missing'),
    "frame absolute": (
        line(2, frame_filename="/etc/passwd"),
        'frame_filename "/etc/passwd" is absolute; must be relative to the log\'s folder',
    ),
    "frame on a drive": (
        line(2, frame_filename="C:x.png"),
        'frame_filename "C:x.png" is absolute; must be relative to the log\'s folder',
    ),
    "frame climbs": (
        line(2, frame_filename="../secret.png"),
        "frame_filename \"../secret.png\" climbs with '..'; must stay in the log's folder",
    ),
    "frame climbs and returns": (
        line(2, frame_filename="frames/../../recording/frames/2.png"),
        "frame_filename \"frames/../../recording/frames/2.png\" climbs with '..'; must stay in the log's folder",
    ),
    "frame is a link out": (
        line(2, frame_filename="frames/link.png"),
        'frame_filename "frames/link.png" is a link that leaves the log\'s folder',
    ),
    "frame behind a link out": (
        line(2, frame_filename="away/secret.png"),
        'frame_filename "away/secret.png" is a link that leaves the log\'s folder',
    ),
    "frame is a folder": (line(2, frame_filename="frames"), 'frame_filename "frames" is no file'),
    "frame links in a circle": (
        line(2, frame_filename="frames/circle.png"),
        'frame_filename "frames/circle.png" is no usable path',
    ),
    "frame with a null": (line(2, frame_filename="a\0b"), 'frame_filename "a\\u0000b" is no usable path'),
    "frame name too long": (
        line(2, frame_filename="x" * 5000),
        f'frame_filename "{"x" * 36}... is no usable path',
    ),
    "no controls": (
        line(2, controls=...),
        "controls is missing; must be a list of 4 numbers, or leftStick and rightStick",
    ),
    "controls are text": (
        line(2, controls="left"),
        'controls is "left"; must be a list of 4 numbers, or leftStick and rightStick',
    ),
    "too few controls": (line(2, controls=[1, 2, 3]), "controls has 3 numbers; must have 4"),
    "too many controls": (line(2, controls=[1, 2, 3, 4, 5]), "controls has 5 numbers; must have 4"),
    "control is NaN": (line(2, controls=[1, float("nan"), 3, 4]), "control 2 is NaN; must be a finite number"),
    "control is infinite": (
        line(2, controls=[1, 2, 3, -float("inf")]),
        "control 4 is -Infinity; must be a finite number",
    ),
    "control is null": (line(2, controls=[None, 2, 3, 4]), "control 1 is null; must be a finite number"),
    "control is a boolean": (
        line(2, controls=[1, True, 3, 4]),
        "control 2 is true; must be a finite number (1 or 0 for a button)",
    ),
    "control is huge": (
        line(2, controls=[1, 2, 1e300, 4]),
        "control 3 is 1e+300; must be within ±1e+09, so take its start away",
    ),
    "control is a huge whole number": (
        line(2, controls=[10**400, 2, 3, 4]),
        f"control 1 is 1{'0' * 36}...; must be a finite number",
    ),
    "a stick missing": (
        line(2, controls={"leftStick": {"x": 1, "y": 2}}),
        "controls has no rightStick.x; both sticks need x and y",
    ),
    "a stick is a number": (
        line(2, controls={"leftStick": 1, "rightStick": {"x": 1, "y": 2}}),
        "controls has no leftStick.x; both sticks need x and y",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_line_is_named_and_skipped_or_stops(case: str, folder: Path) -> None:
    bad, reason = BAD[case]
    path = write(folder, [line(0), line(1), bad, line(3), line(4)])
    sessions, problems = read(folder)
    assert lines_of(sessions) == [[1, 2, 4, 5]]
    assert {n: text for n, (_, text) in problems.found[path].items()} == {3: reason}
    assert problems.between(path, 2, 4)
    assert not problems.between(path, 1, 2)
    with pytest.raises(DataError) as caught:
        read(folder, on_problem="stop")
    assert str(caught.value) == f"{path}: line 3: {reason}; mend or remove the line, or set on_problem: skip"


def test_like_faults_are_told_once_with_all_their_lines(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(folder, [line(0), b"?", line(1), b"!", b"!", line(2, controls=[]), *[b"?"] * 9])
    _, problems = read(folder)
    with caplog.at_level(logging.WARNING):
        problems.tell()
    assert caplog.messages == [
        f"{path}: line 2: is not JSON (Expecting value at character 1); skipped "
        "(and 11 more, not JSON: lines 4, 5, 7, 8, 9, 10, 11, 12, …)",
        f"{path}: line 6: controls has 0 numbers; must have 4; skipped",
    ]
    assert problems.table(folder)[1] == {
        "log": LOG,
        "kind": "controls",
        "lines": [6],
        "first": "controls has 0 numbers; must have 4",
    }
    assert problems.table(folder)[0]["lines"] == [2, 4, 5, *range(7, 16)]


def test_both_forms_of_controls_and_both_clocks_read_alike(folder: Path) -> None:
    sticks = {"rightStick": {"y": 2, "x": -1}, "leftStick": {"x": 7, "y": 0.5}}
    write(folder, [line(i, controls=[7, 0.5, -1, 2]) for i in range(3)])
    listed, _ = read(folder)
    clocked = {"controls": sticks, "timestamp": ...}
    write(folder, [line(i, server_timestamp_ns=1_700_000_000_000_000_000 + i * 10**8, **clocked) for i in range(3)])
    stuck, problems = read(folder)
    assert not problems.found
    for sessions in (listed, stuck):
        (session,) = sessions
        assert [entry.controls for entry in session.entries] == [(7.0, 0.5, -1.0, 2.0)] * 3
        first, *_, last = session.entries
        assert session.step_s(first, last) == pytest.approx(0.2, abs=1e-12)
    write(folder, [line(i, server_timestamp_ns=10**9 * i) for i in range(3)])
    assert read(folder)[0][0].step_s(*read(folder)[0][0].entries[:2]) == 0.1, "where both are given, timestamp counts"


def test_nanoseconds_since_1970_keep_their_last_digit(folder: Path) -> None:
    start = 1_700_000_000_000_000_001
    write(folder, [line(i, timestamp=..., server_timestamp_ns=start + i) for i in range(4)])
    ((session,), problems) = read(folder)
    assert not problems.found
    assert [entry.ticks - start for entry in session.entries] == [0, 1, 2, 3]


def test_sticks_are_four_numbers(folder: Path) -> None:
    sticks = {"leftStick": {"x": 1, "y": 2}, "rightStick": {"x": 3, "y": 4}}
    path = write(folder, [line(0, controls=sticks)])
    _, problems = read(folder, controls=2)
    assert problems.found[path][1][1] == "controls are two sticks, 4 numbers; the settings say controls: 2"
    ((session,), problems) = read(folder, controls=0)
    assert session.entries[0].controls == ()


def test_pauses_names_and_logs_begin_sessions(folder: Path) -> None:
    times = [0, 0.1, 0.2, 6, 6.1, 11.1]
    write(folder, [line(i, timestamp=t) for i, t in enumerate(times)])
    sessions, _ = read(folder)
    assert lines_of(sessions) == [[1, 2, 3], [4, 5, 6]], "a step of exactly pause_s is no pause"
    assert [session.name for session in sessions] == [f"{LOG}: from line 1", f"{LOG}: from line 4"]
    # Named sessions may be interleaved, have clocks of their own, and pause.
    named = [(0, "a"), (0.05, "b"), (0.1, "a"), (99, "a"), (0.1, "b"), (0.2, None)]
    write(folder, [line(i, timestamp=t, session=s) for i, (t, s) in enumerate(named)])
    sessions, problems = read(folder)
    assert not problems.found
    assert lines_of(sessions) == [[1, 3, 4], [2, 5], [6]]
    assert sessions[0].name == f"{LOG}: a"
    # A log beside it and one in a subfolder, which names its frames from there.
    write(folder, [line(1)], "other.jsonl")
    write(folder, [line(1, frame_filename="3.png")], "frames/log.jsonl")
    assert [session.log.name for session in read(folder)[0]] == ["log.jsonl", "other.jsonl", LOG, LOG, LOG]


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    write(folder, [line(0, frame_filename="frames/inner.png")])
    ((session,), problems) = read(folder)
    assert not problems.found
    assert session.entries[0].frame == (folder / "frames/2.png").resolve()


@pytest.mark.parametrize("seed", range(40))
def test_as_few_lines_as_possible_are_out_of_order(seed: int, folder: Path) -> None:
    times = np.random.default_rng(seed).integers(0, 8, 8).tolist()
    write(folder, [line(i, timestamp=t) for i, t in enumerate(times)])
    sessions, problems = read(folder, pause_s=1000)
    kept = [entry.ticks for entry in sessions[0].entries]
    assert all(a < b for a, b in itertools.pairwise(kept))
    rising = (
        len(chosen)
        for size in range(9)
        for chosen in itertools.combinations(times, size)
        if all(a < b for a, b in itertools.pairwise(chosen))
    )
    assert len(kept) == max(rising)
    assert len(kept) + len(problems.found.get(folder / LOG, {})) == len(times)


def log_of(folder: Path, times: list[float], **fields: Any) -> Path:
    """A log with a picture of its own for every time."""
    for index in range(10, len(times)):
        (folder / f"frames/{index}.png").write_bytes(b"")
    return write(folder, [line(i, timestamp=t, **fields) for i, t in enumerate(times)])


EPISODES = [*range(8), *range(6), *range(12)]
RESTARTS: dict[str, tuple[list[float], list[int], list[int]]] = {  # times, lines that begin a session, lines dropped
    "clean": (EPISODES, [1, 9, 15], []),
    "not quite from zero": ([t + 0.25 * (i > 7) + 0.25 * (i > 13) for i, t in enumerate(EPISODES)], [1, 9, 15], []),
    "to before all": ([*range(100, 108), *range(8)], [1, 9], []),
    "one line astray in an episode": ([*range(8), 0, 1, -7, 3, 4, 5], [1, 9], [11]),
    "one line far ahead in an episode": ([*range(8), 0, 99, 2, 3, 4, 5], [1, 9], [10]),
    "one line too early": ([*range(8), -7, *range(8, 16)], [1], [9]),
    "one line too late": ([*range(8), 99, *range(8, 16)], [1], [9]),
    "a first line too late": ([99, *range(12)], [1], [1]),
    "neighbours swapped": ([0, 1, 2, 3, 5, 4, 6, 7, 8, 10, 9, 11], [1], [6, 11]),
    "four lines delayed": ([*range(8), 12, 13, 14, 15, 8, 9, 10, 11, *range(16, 24)], [1], [9, 10, 11, 12]),
    "set back by four lines": ([*range(12), *range(8, 20)], [1], [13, 14, 15, 16]),
}


@pytest.mark.parametrize("case", RESTARTS)
def test_a_clock_that_starts_again_begins_a_session(case: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    times, begins, dropped = RESTARTS[case]
    caplog.set_level(logging.INFO)
    path = log_of(folder, times)
    sessions, problems = read(folder, pause_s=1000)
    assert len([entry for session in sessions for entry in session.entries]) == len(times) - len(dropped)
    assert len(problems.found.get(path, {})) == len(dropped)
    assert [session.entries[0].line for session in sessions] == [line + (line in dropped) for line in begins]
    shown = ", ".join(map(str, begins[1:]))
    said = [f"{path}: the clock starts again at lines {shown}: each begins a session"] if shown else []
    assert caplog.messages == said
    # The same inside a named session, whose episodes keep its name.
    log_of(folder, times, session="yard")
    names = [session.name for session in read(folder)[0]]
    assert names == [f"{LOG}: yard", *(f"{LOG}: yard from line {line}" for line in begins[1:])]


def test_a_log_pasted_twice_is_one_session(folder: Path) -> None:
    path = write(folder, [line(i) for i in [*range(10), *range(10)]])
    sessions, problems = read(folder)
    assert lines_of(sessions) == [[*range(1, 11)]], "else a picture would stand in training and in test"
    assert problems.found[path][11] == ("time twice", "has the time 0.0 and the picture of line 1")
    assert list(problems.found[path]) == [*range(11, 21)]


def test_a_line_without_end_is_not_held_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_log, "LONGEST_LINE_BYTES", 150)
    path = write(folder, [line(0), b"x" * 1000, line(2), b"y" * 149, line(4)])
    sessions, problems = read(folder)
    assert lines_of(sessions) == [[1, 3, 5]]
    assert problems.found[path][2][1] == "is longer than 150 bytes"
    assert problems.found[path][4][0] == "not JSON", "with its end it is just short enough"


def test_blank_lines_a_byte_order_mark_and_windows_ends_are_no_fault(folder: Path) -> None:
    path = write(folder, [line(0), b"", line(1), b"  \t"])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n").rstrip())
    sessions, problems = read(folder)
    assert lines_of(sessions) == [[1, 3]]
    assert not problems.found


def test_no_folder_no_log_and_a_log_from_elsewhere(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_logs(tmp_path / "none")
    assert str(caught.value) == (f"{tmp_path}/none: no such folder; set folder to that of the recording's .jsonl logs")
    with pytest.raises(DataError) as caught:
        find_logs(folder)
    assert str(caught.value) == (f"{folder}: no .jsonl log here or in its subfolders; set folder to the recording's")
    outside = write(tmp_path, [line(0)], "outside.jsonl")
    (folder / LOG).symlink_to(outside)
    with pytest.raises(DataError, match="is a link that leaves the folder; copy the recording into it"):
        find_logs(folder)


def test_an_empty_log_has_no_sessions(folder: Path) -> None:
    (folder / LOG).write_bytes(b"")
    sessions, problems = read(folder)
    assert sessions == []
    assert problems.first() is None
