"""The log of a recorded drive: one JSON object a line, each checked, in order of time, in sessions.

    {"frame_filename": "frames/000017.png", "controls": [0.0, 50.0, -12.5, 0.0], "timestamp": 1712.25}
    {"frame_filename": "frames/000018.png", "server_timestamp_ns": 1712283000000,
     "controls": {"leftStick": {"x": 0.0, "y": 50.0}, "rightStick": {"x": -12.5, "y": 0.0}}}

The format is that of the repository tinyDreams (Nikims, 2025). The controls of a line lead from its frame to the next
one's. A log keeps one of the two clocks throughout; where a line has both, `timestamp` counts, as in the original.
Frames of different folders are different recordings, each with a clock of its own.
"""

import json
import logging
import math
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from whatmoves.errors import DataError

log = logging.getLogger(__name__)

TimestampUnit = Literal["s", "ms", "us", "ns"]
SECONDS: dict[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
CLOCKS = ("timestamp", "server_timestamp_ns")
STICKS = (("leftStick", "x"), ("leftStick", "y"), ("rightStick", "x"), ("rightStick", "y"))


class Entry(NamedTuple):
    """One good line: its number from 1, its time on the log's own clock, its picture and its controls."""

    line: int
    ticks: float  # whole numbers stay whole: nanoseconds since 1970 do not fit a float
    frame: Path
    controls: tuple[float, ...]


class Log(NamedTuple):
    """The good lines of a log by recording and session, all in order of time."""

    sessions: list[list[Entry]]
    clock: str
    seconds_per_tick: float

    def step_s(self, before: Entry, after: Entry) -> float:
        """Time between two lines, seconds."""
        return (after.ticks - before.ticks) * self.seconds_per_tick


class Complaints:
    """What is wrong with a log's lines. Each is told once, with its number; fatal, it is a `DataError` instead."""

    def __init__(self, path: Path, fatal: bool) -> None:
        self.path, self.fatal = path, fatal
        self.reasons: dict[int, str] = {}

    def add(self, line: int, reason: str) -> None:
        """Tell of a line; of a line's several faults only the first found."""
        if line in self.reasons:
            return
        self.reasons[line] = reason
        message = f"{self.path}: line {line}: {reason}"
        if self.fatal:
            raise DataError(f"{message}; mend or remove the line, or set on_bad_line: skip")
        log.warning("%s; line skipped", message)

    def between(self, before: Entry, after: Entry) -> bool:
        """Whether a line between the two is bad: then they may not follow each other."""
        return any(line in self.reasons for line in range(before.line + 1, after.line))


class _BadLine(Exception):
    """A line that cannot be used; the text is the reason."""


def read_log(
    path: Path, controls: int, timestamp_unit: TimestampUnit, session_gap_s: float, complaints: Complaints
) -> Log:
    """The usable lines of the log at `path`; frames are looked for relative to its folder, not opened.

    `controls` is how many numbers a line must have (0: none are read). A step longer than `session_gap_s` begins a
    session, and so does another folder of frames. Raises `DataError` where there is no log.
    """
    recordings: dict[Path, list[Entry]] = {}
    clock: str | None = None
    root = path.parent.resolve()
    for number, text in _lines(path, complaints):
        try:
            fields = _fields(text)
            clock = clock or next((name for name in CLOCKS if name in fields), None)
            entry = Entry(number, _ticks(fields, clock), _frame(fields, root), _controls(fields, controls))
        except _BadLine as bad:
            complaints.add(number, str(bad))
        else:
            recordings.setdefault(entry.frame.parent, []).append(entry)
    clock = clock or CLOCKS[0]
    seconds_per_tick = SECONDS[timestamp_unit] if clock == "timestamp" else SECONDS["ns"]
    result = Log([], clock, seconds_per_tick)
    for entries in recordings.values():
        before: Entry | None = None
        for entry in _in_order(entries, complaints):
            if before is None or result.step_s(before, entry) > session_gap_s:
                result.sessions.append([])
            result.sessions[-1].append(entry)
            before = entry
    return result


def _lines(path: Path, complaints: Complaints) -> Iterator[tuple[int, str]]:
    """Numbered lines that are text; empty ones are passed over."""
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; set folder to the folder of the log, or log_name to its name") from None
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError:
            complaints.add(number, "is not UTF-8 text")
            continue
        if text:
            yield number, text


def _fields(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise _BadLine(f"is not JSON ({error.msg} at character {error.pos + 1})") from None
    except (ValueError, RecursionError):
        raise _BadLine("is JSON with a number too long or nested too deeply") from None
    if not isinstance(fields, dict):
        raise _BadLine(f'is {_shown(fields)}; must be an object such as {{"frame_filename": …}}')
    return fields


def _ticks(fields: dict[str, Any], clock: str | None) -> float:
    if clock is None:
        raise _BadLine(f"has neither {CLOCKS[0]} nor {CLOCKS[1]}")
    if clock not in fields:
        other = next((name for name in CLOCKS if name in fields), "no time")
        raise _BadLine(f"has {other} where the log began with {clock}; a log keeps one clock")
    value = fields[clock]
    if not _is_number(value):
        raise _BadLine(f"{clock} is {_shown(value)}; must be a finite number")
    return value  # type: ignore[no-any-return]


def _frame(fields: dict[str, Any], root: Path) -> Path:
    """The picture of a line, surely inside the recording's folder: also after links are followed."""
    name = fields.get("frame_filename")
    if not isinstance(name, str) or not name:
        shown = _shown(name) if "frame_filename" in fields else "missing"
        raise _BadLine(f"frame_filename is {shown}; must be the path of a picture")
    if Path(name).is_absolute():
        raise _BadLine(f"frame_filename {_shown(name)} is absolute; must be relative to the log's folder")
    if ".." in Path(name).parts:
        raise _BadLine(f"frame_filename {_shown(name)} climbs with '..'; must stay in the log's folder")
    try:
        target = (root / name).resolve()
        is_file = target.is_file()
    except (OSError, RuntimeError, ValueError):  # too long a name, links in a circle, a null character
        raise _BadLine(f"frame_filename {_shown(name)} is no usable path") from None
    if not target.is_relative_to(root):
        raise _BadLine(f"frame_filename {_shown(name)} is a link that leaves the log's folder")
    if not is_file:
        raise _BadLine(f"frame {_shown(name)} is missing")
    return root / name


def _controls(fields: dict[str, Any], count: int) -> tuple[float, ...]:
    """The controls of a line in either form, as written."""
    if count == 0:
        return ()
    value = fields.get("controls")
    if isinstance(value, dict):
        if count != len(STICKS):
            raise _BadLine(f"controls are two sticks, {len(STICKS)} numbers; the settings say controls: {count}")
        value = [_axis(value, stick, axis) for stick, axis in STICKS]
    elif not isinstance(value, list):
        shown = _shown(value) if "controls" in fields else "missing"
        raise _BadLine(f"controls is {shown}; must be a list of {count} numbers, or leftStick and rightStick")
    if len(value) != count:
        raise _BadLine(f"controls has {len(value)} numbers; must have {count}")
    for position, number in enumerate(value, start=1):
        if not _is_number(number):
            raise _BadLine(f"control {position} is {_shown(number)}; must be a finite number")
    return tuple(float(number) for number in value)


def _axis(sticks: dict[str, Any], stick: str, axis: str) -> Any:
    position = sticks.get(stick)
    if not isinstance(position, dict) or axis not in position:
        raise _BadLine(f"controls has no {stick}.{axis}; both sticks need x and y")
    return position[axis]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    """A value for a message: as JSON, not longer than a few words."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _in_order(entries: list[Entry], complaints: Complaints) -> list[Entry]:
    """The entries of one recording with strictly rising times; the fewest possible are dropped, so that a single
    stray time does not condemn all lines after it (longest increasing subsequence, by patience sorting)."""
    first_of: dict[float, int] = {}
    unique: list[Entry] = []
    for entry in entries:
        if entry.ticks in first_of:
            complaints.add(entry.line, f"has the time {entry.ticks} of line {first_of[entry.ticks]}; times must rise")
        else:
            first_of[entry.ticks] = entry.line
            unique.append(entry)
    tops: list[float] = []  # the least time that ends a rising series of each length, and where
    where: list[int] = []
    previous: list[int] = []
    for index, entry in enumerate(unique):
        length = bisect_left(tops, entry.ticks)
        previous.append(where[length - 1] if length else -1)
        tops[length:], where[length:] = [entry.ticks, *tops[length + 1 :]], [index, *where[length + 1 :]]
    kept: list[Entry] = []
    index = where[-1] if where else -1
    while index >= 0:
        kept.append(unique[index])
        index = previous[index]
    kept.reverse()
    rising = {entry.line for entry in kept}
    for before, entry in pairwise([None, *unique]):
        if entry is not None and entry.line not in rising:
            neighbour = f"; line {before.line} before it has {before.ticks}" if before else ""
            complaints.add(entry.line, f"has the time {entry.ticks}, out of order{neighbour}")
    return kept
