"""Which numbers differ between two value indexes, and whether the difference is larger than their intervals.

Bits differ between processors; findings should not. A number *agrees* when each value lies inside the other's
interval; without intervals it agrees when both print the same.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whatmoves.errors import DataError
from whatmoves.files import read_json


@dataclass(frozen=True)
class Change:
    """One value that differs. `relative` is |b − a| in half widths of the wider interval; None without interval."""

    value_id: str
    a: float | None  # None: absent in a
    b: float | None
    inside: bool
    relative: float | None


@dataclass(frozen=True)
class Difference:
    """All values that differ, by id, and how many there were to compare."""

    changes: tuple[Change, ...]
    compared: int
    formats: dict[str, str]
    levels: tuple[dict[str, str], dict[str, str]] = ({}, {})  # what each analysis was computed with

    @property
    def outside(self) -> tuple[Change, ...]:
        """Changes that the intervals do not explain."""
        return tuple(change for change in self.changes if not change.inside)

    def moved_levels(self) -> dict[str, tuple[str, str]]:
        """Libraries that the two analyses used at different levels; empty where one of them does not say."""
        a, b = self.levels
        names = sorted({*a, *b}) if a and b else []
        return {name: (a.get(name, "unknown"), b.get(name, "unknown")) for name in names if a.get(name) != b.get(name)}

    def as_json(self) -> dict[str, Any]:
        """The difference as plain data."""
        changes = [vars(change) for change in self.changes]
        return {"compared": self.compared, "changes": changes, "levels": self.moved_levels()}

    def text(self) -> str:
        """One line for each value that differs, outside ones first, then the counts."""
        width = max((len(change.value_id) for change in self.changes), default=0)
        lines = []
        for change in sorted(self.changes, key=lambda c: (c.inside, c.value_id)):
            form = self.formats[change.value_id]
            a, b = ("absent" if x is None else f"{x:{form}}" for x in (change.a, change.b))
            size = "" if change.relative is None else f"  {change.relative:.2f} half widths"
            lines.append(f"{'inside ' if change.inside else 'OUTSIDE'}  {change.value_id:<{width}}  {a} → {b}{size}")
        lines += [f"computed at other levels: {name} {a} → {b}" for name, (a, b) in self.moved_levels().items()]
        same = self.compared - len(self.changes)
        return "\n".join(
            [*lines, f"{same} equal, {len(self.changes)} differ, {len(self.outside)} outside their interval"]
        )


def diff(a: Path, b: Path) -> Difference:
    """Compare two `values.json`; raises `DataError` for a file that is no value index."""
    first, second = _values(a), _values(b)
    ids = sorted({*first, *second})
    found = [_change(value_id, first.get(value_id), second.get(value_id)) for value_id in ids]
    formats = {value_id: (second.get(value_id) or first[value_id])["format"] for value_id in ids}
    levels = tuple(read_json(path).get("arithmetic", {}) for path in (a, b))
    return Difference(tuple(change for change in found if change is not None), len(ids), formats, levels)


def _values(path: Path) -> dict[str, dict[str, Any]]:
    index = read_json(path)
    if not isinstance(index, dict) or not isinstance(index.get("values"), dict):
        raise DataError(f"{path}: not a value index; expected a values.json of a study")
    return dict(index["values"])


def _change(value_id: str, a: dict[str, Any] | None, b: dict[str, Any] | None) -> Change | None:
    """What differs between two entries of one id; None when the values are equal."""
    if a is None or b is None:
        return Change(value_id, a["value"] if a else None, b["value"] if b else None, inside=False, relative=None)
    if a["value"] == b["value"]:
        return None
    intervals = [entry["interval"] for entry in (a, b) if entry.get("interval")]
    if not intervals:
        inside = f"{a['value']:{b['format']}}" == f"{b['value']:{b['format']}}"
        return Change(value_id, a["value"], b["value"], inside, None)
    inside = all(
        low <= other["value"] <= high
        for entry, other in ((a, b), (b, a))
        if entry.get("interval")
        for low, high in [entry["interval"]]
    )
    half_width = max((high - low) / 2 for low, high in intervals)
    relative = abs(b["value"] - a["value"]) / half_width if half_width > 0 else None
    return Change(value_id, a["value"], b["value"], inside, relative)
