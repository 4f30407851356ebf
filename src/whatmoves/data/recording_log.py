"""The log of a recording: one JSON object a line, each checked, in order of time, in sessions.

    {"frame_filename": "frames/000017.png", "controls": [0.0, 50.0, -12.5, 0.0], "timestamp": 1712.25}
    {"frame_filename": "frames/000018.png", "server_timestamp_ns": 1712283000000, "session": "yard",
     "controls": {"leftStick": {"x": 0.0, "y": 50.0}, "rightStick": {"x": -12.5, "y": 0.0}}}

The format is that of the repository tinyDreams (Nikims, 2025), whose loader pairs the controls of a line with the way
from its frame to the next one's, and sorts by `timestamp` or, where there is none, by `server_timestamp_ns`. `session`
is ours and may be left out. A log keeps one clock throughout; where a line has both, `timestamp` counts.

Nothing in a log is trusted: what cannot be used is named once with its line, and skipped or fatal as the caller wants.
"""

import contextlib
import hashlib
import json
import logging
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any, Literal, NamedTuple

from whatmoves.data.recording_order import Entry, Ticks, episodes, in_order, once
from whatmoves.data.recording_problems import Problems
from whatmoves.errors import DataError
from whatmoves.files import sha256

log = logging.getLogger(__name__)

TimestampUnit = Literal["s", "ms", "us", "ns"]
SECONDS: dict[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
CLOCKS = ("timestamp", "server_timestamp_ns")
STICKS = (("leftStick", "x"), ("leftStick", "y"), ("rightStick", "x"), ("rightStick", "y"))
LONGEST_LINE_BYTES = 2**20
LARGEST_CONTROL = 1e9
SHOWN_RESTARTS = 8


class Session(NamedTuple):
    """Lines of one log in strict order of time; `name` is the log's path in its folder and what tells them apart."""

    name: str
    log: Path
    seconds_per_tick: float
    entries: list[Entry]

    def step_s(self, before: Entry, after: Entry) -> float:
        """Time between two lines, seconds."""
        return (after.ticks - before.ticks) * self.seconds_per_tick


class _BadLineError(Exception):
    """A line that cannot be used: the kind of its fault and the reason."""


def find_logs(folder: Path) -> list[Path]:
    """The logs of a recording: `*.jsonl` in `folder` and in its subfolders, sorted. Raises `DataError` if none."""
    if not folder.is_dir():
        place = folder if folder.is_absolute() else f"{folder} (in {Path.cwd()})"
        raise DataError(f"{place}: no such folder; set folder to that of the recording's .jsonl logs")
    logs = sorted(
        path for pattern in ("*.jsonl", "*/*.jsonl") for path in folder.glob(pattern) if not path.name.startswith(".")
    )
    if not logs:
        alike = sorted(p.relative_to(folder).as_posix() for p in (*folder.glob("*"), *folder.glob("*/*")) if _alike(p))
        fix = f"unpack {alike[0]} or rename it, to end in .jsonl" if alike else "set folder to the recording's"
        raise DataError(f"{folder}: no .jsonl log here or in its subfolders; {fix}")
    for path in logs:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{path}: is a link that leaves the folder; copy the recording into it")
    return logs


def _alike(path: Path) -> bool:
    """Whether a file's name says that lines of JSON are in it, in another way than `.jsonl`."""
    name = path.name.lower().removesuffix(".gz").removesuffix(".txt")
    return path.is_file() and name.endswith((".jsonl", ".ndjson", ".jsonlines"))


def named_pictures(folder: Path) -> list[Path]:
    """The pictures in `folder` that its logs name and that are there, sorted: all that can be read, and maybe more,
    for a line that names one may be skipped for another reason. Raises `DataError` as `find_logs` does."""
    found: set[Path] = set()
    root = folder.resolve()
    for path in find_logs(folder):
        places = _Places(path.parent)
        for _, line in _lines(path):
            with contextlib.suppress(_BadLineError):
                if fields := _fields(line):
                    found.add(folder / places.find(fields).relative_to(root))
    return sorted(found)


def logs_digest(logs: list[Path]) -> str:
    """Checksum of the logs, byte for byte in order, as 64 hex digits."""
    return hashlib.sha256("".join(map(sha256, logs)).encode()).hexdigest()


def read_sessions(
    folder: Path, controls: int, timestamp_unit: TimestampUnit, pause_s: float, problems: Problems
) -> list[Session]:
    """The usable lines of all logs in `folder`, by session; pictures are looked for beside their log, not opened.

    `controls` is how many numbers a line must have (0: none are read). Lines of different logs, or with different
    `session`, are different sessions; where no session is named, a step longer than `pause_s` begins one. A clock that
    falls and rises again begins a session, named or not.
    """
    return [
        session
        for path in find_logs(folder)
        for session in _read_log(path, folder, controls, timestamp_unit, pause_s, problems)
    ]


def _read_log(
    path: Path, folder: Path, controls: int, timestamp_unit: TimestampUnit, pause_s: float, problems: Problems
) -> list[Session]:
    named: dict[str | None, list[Entry]] = {}
    clock: str | None = None
    places = _Places(path.parent)
    for number, line in _lines(path):
        try:
            fields = _fields(line)
            if fields is None:
                continue
            clock = clock or next((name for name in CLOCKS if name in fields), None)
            session = _session(fields)
            entry = Entry(number, _ticks(fields, clock), places.find(fields), _controls(fields, controls))
        except _BadLineError as bad:
            problems.add(path, number, *bad.args)
        else:
            named.setdefault(session, []).append(entry)

    seconds = SECONDS["ns" if clock == "server_timestamp_ns" else timestamp_unit]
    log_name = path.relative_to(folder).as_posix()
    sessions: list[Session] = []
    restarts: list[int] = []
    for name, entries in named.items():
        for part, episode in enumerate(episodes(once(path, entries, problems))):
            restarts += [episode[0].line] if part else []
            ordered = in_order(path, episode, problems)
            if name is not None:
                again = f" from line {ordered[0].line}" if part else ""
                sessions.append(Session(f"{log_name}: {name}{again}", path, seconds, ordered))
                continue
            first = 0
            for index in range(1, len(ordered) + 1):
                if index == len(ordered) or (ordered[index].ticks - ordered[index - 1].ticks) * seconds > pause_s:
                    of_pause = ordered[first:index]
                    sessions.append(Session(f"{log_name}: from line {of_pause[0].line}", path, seconds, of_pause))
                    first = index
    if restarts:
        shown = ", ".join(map(str, sorted(restarts)[:SHOWN_RESTARTS])) + (", …" * (len(restarts) > SHOWN_RESTARTS))
        log.info("%s: the clock starts again at lines %s: each begins a session", path, shown)
    return sorted((session for session in sessions if session.entries), key=lambda session: session.entries[0].line)


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines, read one at a time; None for one that is too long."""
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(LONGEST_LINE_BYTES):
                number += 1
                whole = len(line) < LONGEST_LINE_BYTES or line.endswith(b"\n")
                rest = line
                while rest and not rest.endswith(b"\n"):
                    rest = stream.readline(LONGEST_LINE_BYTES)
                yield number, (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line) if whole else None
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None


def _fields(line: bytes | None) -> dict[str, Any] | None:
    """The object of a line, or None where it is blank."""
    if line is None:
        raise _BadLineError("too long", f"is longer than {LONGEST_LINE_BYTES} bytes")
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise _BadLineError("not JSON", "is not UTF-8 text") from None
    if not text:
        return None
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise _BadLineError("not JSON", f"is not JSON ({error.msg} at character {error.pos + 1})") from None
    except (ValueError, RecursionError):
        raise _BadLineError("not JSON", "is JSON with a number too long or nested too deeply") from None
    if not isinstance(fields, dict):
        raise _BadLineError("not JSON", f'is {_shown(fields)}; must be an object such as {{"frame_filename": …}}')
    return fields


def _session(fields: dict[str, Any]) -> str | None:
    value = fields.get("session")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _BadLineError("session", f"session is {_shown(value)}; must be a name or a whole number")
    return str(value)


def _ticks(fields: dict[str, Any], clock: str | None) -> Ticks:
    if clock is None:
        raise _BadLineError("time", f"has neither {CLOCKS[0]} nor {CLOCKS[1]}")
    if clock not in fields:
        other = next((name for name in CLOCKS if name in fields), "no time")
        raise _BadLineError("time", f"has {other} where the log began with {clock}; a log keeps one clock")
    value: Ticks = fields[clock]
    if not _is_number(value):
        raise _BadLineError("time", f"{clock} is {_shown(value)}; must be a finite number")
    return value


class _Places:
    """Finds the pictures that a log names, surely inside its folder: also after links are followed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder.resolve()
        self.real: dict[Path, Path] = {}  # a folder as named → after links; asked for once a folder, not once a line

    def find(self, fields: dict[str, Any]) -> Path:
        name = fields.get("frame_filename")
        if not isinstance(name, str) or not name:
            shown = _shown(name) if "frame_filename" in fields else "missing"
            raise _BadLineError("frame name", f"frame_filename is {shown}; must be the path of a picture")
        shown = f"frame_filename {_shown(name)}"
        for written in (Path(name), PureWindowsPath(name)):
            if written.is_absolute() or written.drive:
                raise _BadLineError("frame outside", f"{shown} is absolute; must be relative to the log's folder")
            if ".." in written.parts:
                raise _BadLineError("frame outside", f"{shown} climbs with '..'; must stay in the log's folder")
        try:
            path = self.folder / name
            if path.parent not in self.real:
                self.real[path.parent] = path.parent.resolve()
            target = self.real[path.parent] / path.name
            mode = os.lstat(target).st_mode
            if stat.S_ISLNK(mode):
                target = target.resolve()
                mode = os.stat(target).st_mode
        except FileNotFoundError:
            raise _BadLineError("frame missing", f"frame {_shown(name)} is missing") from None
        except (OSError, RuntimeError, ValueError):  # too long a name, links in a circle, a null character
            raise _BadLineError("frame name", f"{shown} is no usable path") from None
        if not target.is_relative_to(self.root):
            raise _BadLineError("frame outside", f"{shown} is a link that leaves the log's folder")
        if not stat.S_ISREG(mode):
            raise _BadLineError("frame name", f"{shown} is no file")
        return target


def _controls(fields: dict[str, Any], count: int) -> tuple[float, ...]:
    """The controls of a line in either form, as written."""
    if count == 0:
        return ()
    value = fields.get("controls")
    if isinstance(value, dict):
        if count != len(STICKS):
            reason = f"controls are two sticks, {len(STICKS)} numbers; the settings say controls: {count}"
            raise _BadLineError("controls", reason)
        value = [_axis(value, stick, axis) for stick, axis in STICKS]
    elif not isinstance(value, list):
        shown = _shown(value) if "controls" in fields else "missing"
        reason = f"controls is {shown}; must be a list of {count} numbers, or leftStick and rightStick"
        raise _BadLineError("controls", reason)
    if len(value) != count:
        raise _BadLineError("controls", f"controls has {len(value)} numbers; must have {count}")
    for position, number in enumerate(value, start=1):
        if not _is_number(number):
            button = " (1 or 0 for a button)" if isinstance(number, bool) else ""
            reason = f"control {position} is {_shown(number)}; must be a finite number{button}"
            raise _BadLineError("controls", reason)
        if abs(number) > LARGEST_CONTROL:
            raise _BadLineError(
                "controls",
                f"control {position} is {_shown(number)}; must be within ±{LARGEST_CONTROL:g}, so take its start away",
            )
    return tuple(float(number) for number in value)


def _axis(sticks: dict[str, Any], stick: str, axis: str) -> Any:
    position = sticks.get(stick)
    if not isinstance(position, dict) or axis not in position:
        raise _BadLineError("controls", f"controls has no {stick}.{axis}; both sticks need x and y")
    return position[axis]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    """A value for a message: as JSON on one line, not longer than a few words."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 40 else f"{text[:37]}..."
