"""What is wrong with a recording: told once a log and kind of fault, with line numbers; or fatal at once."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from whatmoves.errors import DataError

log = logging.getLogger(__name__)

SHOWN_LINES = 8  # line numbers in a message; the report has them all


class Problems:
    """What is wrong with lines. Of a line only the first fault counts; with `stop` it is a `DataError` at once."""

    def __init__(self, on_problem: Literal["skip", "stop"]) -> None:
        self.on_problem = on_problem
        self.found: dict[Path, dict[int, tuple[str, str]]] = {}  # log → line → (kind, reason)

    def add(self, path: Path, line: int, kind: str, reason: str) -> None:
        """Note a line of the log at `path`; `kind` gathers like faults."""
        if self.on_problem == "stop":
            raise DataError(f"{path}: line {line}: {reason}; mend or remove the line, or set on_problem: skip")
        self.found.setdefault(path, {}).setdefault(line, (kind, reason))

    def between(self, path: Path, before: int, after: int) -> bool:
        """Whether a line between two others is bad: then these may not follow each other."""
        found = self.found.get(path, {})
        return any(line in found for line in range(before + 1, after))

    def table(self, folder: Path) -> list[dict[str, Any]]:
        """All that was found: a row a log and kind, with the first line's reason and the numbers of all lines."""
        return [
            {
                "log": path.relative_to(folder).as_posix(),
                "kind": kind,
                "lines": lines,
                "first": self.found[path][lines[0]][1],
            }
            for path, kind, lines in self._gathered()
        ]

    def tell(self) -> None:
        """Log one warning a log and kind."""
        for path, kind, lines in self._gathered():
            more = lines[1 : SHOWN_LINES + 1]
            rest = f" (and {len(lines) - 1} more, {kind}: lines {', '.join(map(str, more))}" if more else ""
            rest += (", …)" if len(lines) > SHOWN_LINES + 1 else ")") if more else ""
            log.warning("%s: line %d: %s; skipped%s", path, lines[0], self.found[path][lines[0]][1], rest)

    def first(self) -> str | None:
        """The first fault in words, or None."""
        for path, _, lines in self._gathered():
            return f"{path.name}: line {lines[0]}: {self.found[path][lines[0]][1]}"
        return None

    def _gathered(self) -> Iterator[tuple[Path, str, list[int]]]:
        for path in sorted(self.found):
            by_kind: dict[str, list[int]] = {}
            for line in sorted(self.found[path]):
                by_kind.setdefault(self.found[path][line][0], []).append(line)
            for kind, lines in by_kind.items():
                yield path, kind, lines
