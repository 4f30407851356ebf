"""What benchmarks find, one row a comparison: printed, kept in results/rows-<part>.json, shown in docs/performance.md.

A benchmark calls `keep("latency", rows)`. The page has a place for each part, which the last line of `make benchmarks`
fills from the kept files:

    <!-- rows: latency -->
    <!-- end -->

    python benchmarks/rows.py
"""

import os
import platform
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whatmoves.files import read_json, write_json, write_text

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PLACE = re.compile(r"(<!-- rows: ([a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One comparison. A unit that ends in `/s` is a speed, of which more is better; of all others less is.

    `at_least` is the ratio that was asked for, `at_most` the value of ours; `peer` says what `theirs` was measured on.
    """

    what: str
    ours: float
    unit: str
    theirs: float | None = None
    peer: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as good as theirs."""
        if self.theirs is None:
            return None
        return self.ours / self.theirs if self.unit.endswith("/s") else self.theirs / self.ours

    def cells(self) -> list[str]:
        """For a table: what, ours, theirs, ratio, what was asked for."""
        theirs = (
            "" if self.theirs is None else f"{_digits(self.theirs)} {self.unit}" + f" ({self.peer})" * bool(self.peer)
        )
        asked = [f"≥ {self.at_least:g}×"] if self.at_least is not None else []
        asked += [f"≤ {self.at_most:g} {self.unit}"] if self.at_most is not None else []
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}×"
        return [self.what, f"{_digits(self.ours)} {self.unit}", theirs, ratio, ", ".join(asked)]


def seconds_of_both(ours: Callable[[], object], theirs: Callable[[], object], turns: int) -> tuple[float, float]:
    """Seconds of the processor that each takes, one after the other `turns` times: those with the median ratio.

    What both make of a turn is held until its end, so that the memory of one does not serve the other.
    """
    found = []
    for _ in range(turns + 1):
        at = [time.process_time()]
        made = []
        for call in (ours, theirs):
            made.append(call())
            at.append(time.process_time())
        found.append((at[1] - at[0], at[2] - at[1]))
        del made
    found = sorted(found[1:], key=lambda pair: pair[1] / pair[0])  # the first turn imports and fills caches
    return found[len(found) // 2]


def keep(part: str, rows: Sequence[Row], how: str = "") -> None:
    """Print the rows of a part and keep them; `how` is a sentence on how they were measured."""
    for row in rows:
        print(" | ".join(cell or "–" for cell in row.cells()))
    write_json(RESULTS / f"rows-{part}.json", {"how": how, "on": _where(), "rows": [asdict(row) for row in rows]})


def keep_table(part: str, columns: Sequence[str], cells: Sequence[Sequence[str]], how: str) -> None:
    """Keep a table that is no comparison, cell by cell."""
    kept = {"how": how, "on": _where(), "columns": list(columns), "cells": [list(row) for row in cells]}
    write_json(RESULTS / f"rows-{part}.json", kept)


def table(kept: dict[str, Any]) -> str:
    """Kept rows in Markdown."""
    columns = kept.get("columns", ["what", "ours", "theirs", "ratio", "asked for"])
    cells = kept["cells"] if "cells" in kept else [Row(**row).cells() for row in kept["rows"]]
    lines = [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *cells)]
    return "\n".join([*lines, "", " ".join(filter(None, [kept["how"], f"On {kept['on']}."])), ""])


def filled(page: str) -> str:
    """The page with the table of every part that was kept."""

    def fill(place: re.Match[str]) -> str:
        kept = RESULTS / f"rows-{place[2]}.json"
        return place[1] + table(read_json(kept)) + place[3] if kept.exists() else place[0]

    return PLACE.sub(fill, page)


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _where() -> str:
    """What it was measured on, and how busy that was: others' work on the same cores lengthens ours."""
    busy = f"{os.getloadavg()[0]:.1f} processes on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else "any load"
    return f"{_processor()}, Python {platform.python_version()}, with {busy}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


if __name__ == "__main__":
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8")))
