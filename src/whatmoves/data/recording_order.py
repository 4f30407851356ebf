"""Lines of a log by their clock: which repeat another, where the clock starts again, and which are out of order."""

from bisect import bisect_left
from pathlib import Path
from typing import NamedTuple

from whatmoves.data.recording_problems import Problems

Ticks = int | float  # whole numbers stay whole: nanoseconds since 1970 do not fit a float
# A clock that starts again: of so many lines in a row so many are no later than the line that many before them. One
# stray time never reaches that, and an episode in which one line is astray still does.
RESTART_LINES, RESTART_EARLIER = 5, 4


class Entry(NamedTuple):
    """One good line: its number from 1, its time on the log's own clock, its picture and its controls."""

    line: int
    ticks: Ticks
    frame: Path
    controls: tuple[float, ...]


def once(path: Path, entries: list[Entry], problems: Problems) -> list[Entry]:
    """The entries without those that repeat time and picture of an earlier one: a log pasted twice is no new session,
    whose pictures would stand in training and in test."""
    line_of: dict[tuple[Ticks, Path], int] = {}
    kept = []
    for entry in entries:
        first = line_of.setdefault((entry.ticks, entry.frame), entry.line)
        if first == entry.line:
            kept.append(entry)
        else:
            problems.add(path, entry.line, "time twice", f"has the time {entry.ticks} and the picture of line {first}")
    return kept


def episodes(entries: list[Entry]) -> list[list[Entry]]:
    """The entries cut where their clock falls and rises again (`RESTART_LINES`)."""
    cut: list[list[Entry]] = []
    first = 0
    for index in range(1, len(entries) - RESTART_LINES + 1):
        if index - first < RESTART_LINES or entries[index].ticks >= entries[index - 1].ticks:
            continue
        before, after = (entries[i : i + RESTART_LINES] for i in (index - RESTART_LINES, index))
        if sum(b.ticks >= a.ticks for b, a in zip(before, after, strict=True)) >= RESTART_EARLIER:
            cut.append(entries[first:index])
            first = index
    return [*cut, entries[first:]]


def in_order(path: Path, entries: list[Entry], problems: Problems) -> list[Entry]:
    """The entries with strictly rising times; the fewest possible are dropped, so that one stray time does not condemn
    all lines after it (longest increasing subsequence, by patience sorting)."""
    tops: list[Ticks] = []  # the least time that ends a rising series of each length, and the entry that does
    ends: list[int] = []
    previous: list[int] = []
    for index, entry in enumerate(entries):
        length = bisect_left(tops, entry.ticks)
        previous.append(ends[length - 1] if length else -1)
        if length == len(tops):
            tops.append(entry.ticks)
            ends.append(index)
        elif entry.ticks < tops[length]:  # of equal times the first line stays
            tops[length], ends[length] = entry.ticks, index
    kept: list[Entry] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.append(entries[index])
        index = previous[index]
    kept.reverse()

    line_at = {entry.ticks: entry.line for entry in kept}
    before: Entry | None = None
    for entry in entries:
        if line_at.get(entry.ticks) == entry.line:
            before = entry
        elif entry.ticks in line_at:
            reason = f"has the time {entry.ticks} of line {line_at[entry.ticks]}; times must rise"
            problems.add(path, entry.line, "time twice", reason)
        else:
            neighbour = f"line {before.line} before it has {before.ticks}" if before else "lines after it have earlier"
            reason = f"has the time {entry.ticks}, out of order: {neighbour}"
            problems.add(path, entry.line, "time out of order", reason)
    return kept
