"""What `verify` has to say: reasons, findings and the report, as text and as plain data."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from whatmoves.provenance.environment import FIX

FRESH, STALE, FOREIGN, MISSING, UNKNOWN = "fresh", "stale", "not ours", "missing", "could not tell"
UNUSED = "unused"  # a result of a run that the study does not have (any more): nothing reads it


@dataclass(frozen=True)
class Reason:
    """One thing that differs."""

    cause: str  # code, settings, environment, versions, input, output, receipt
    what: str  # the module, key, package or file
    was: str | None = None
    now: str | None = None

    def __str__(self) -> str:
        moved = f" from {self.was} to {self.now}" if self.was is not None or self.now is not None else ""
        match self.cause:
            case "code":
                return f"module {self.what} changed"
            case "settings":
                return f"settings key {self.what} changed{moved}"
            case "environment":
                return f"environment: {self.what} changed{moved}"
            case "versions":
                return f"{self.what} {self.was} ran where {self.now} was pinned: {FIX}, and make it again"
            case "input":
                return f"input {self.what}"
            case _:
                return self.what


@dataclass
class Finding:
    """What is known about one result."""

    result: str  # the receipt's path below results/<study>, or that of a file without one
    kind: str
    wildcards: dict[str, str]
    status: str = FRESH
    reasons: list[Reason] = field(default_factory=list)
    left_out: int = 0  # files a restored archive did not pack

    def blame(self, status: str, *reasons: Reason) -> None:
        """Record why the result is not fresh; the first status stays."""
        self.status = status if self.status == FRESH else self.status
        self.reasons += reasons

    @property
    def name(self) -> str:
        """The result as people name it."""
        return self.result.removesuffix("/receipt.json").removesuffix(".receipt.json")


@dataclass(frozen=True)
class Report:
    """All findings about one study's results."""

    study: str
    findings: tuple[Finding, ...]
    levels: dict[str, dict[str, int]] = field(default_factory=dict)  # library → level it computed at → results
    notes: tuple[str, ...] = ()  # what is no fault of a result: about the machine that asks, so no part of the JSON

    @property
    def exit_code(self) -> int:
        """0 all fresh, 1 something stale, foreign or missing, 2 could not tell."""
        statuses = {finding.status for finding in self.findings} - {UNUSED}
        if statuses & {STALE, FOREIGN} or (MISSING in statuses and statuses != {MISSING}):
            return 1
        return 0 if statuses == {FRESH} else 2

    def counts(self) -> dict[str, int]:
        """Number of results by status, those that occur."""
        order = (FRESH, STALE, FOREIGN, MISSING, UNKNOWN, UNUSED)
        found = {status: sum(f.status == status for f in self.findings) for status in order}
        return {status: count for status, count in found.items() if count}

    def as_json(self) -> dict[str, Any]:
        """The report as plain data; equal for computed and restored results, and without times or hosts."""
        return {
            "study": self.study,
            "exit_code": self.exit_code,
            "counts": self.counts(),
            "levels": self.levels,
            "results": [
                {
                    "result": finding.name,
                    "kind": finding.kind,
                    "wildcards": finding.wildcards,
                    "status": finding.status,
                    "reasons": [{**vars(reason), "sentence": str(reason)} for reason in finding.reasons],
                }
                for finding in self.findings
            ],
        }

    def text(self) -> str:
        """The report for a terminal: one line for each result that is not fresh, then the counts."""
        lines = [
            f"{finding.status:<9} {finding.name}: {'; '.join(map(str, finding.reasons)) or 'not part of this study'}"
            for finding in self.findings
            if finding.status != FRESH
        ]
        left_out = sum(finding.left_out for finding in self.findings)
        restored = f"; restored from an archive that left out {left_out} files" if left_out else ""
        counts = ", ".join(f"{count} {status}" for status, count in self.counts().items()) or "no results"
        lines += [
            f"mixed     {name}: computed at {', '.join(f'{level} ({n} results)' for level, n in counts.items())}"
            for name, counts in self.levels.items()
            if len(counts) > 1
        ]
        lines += self._without_checkpoint()
        lines += [f"note      {note}" for note in self.notes]
        return "\n".join([*lines, f"study {self.study}: {counts}{restored}"])

    def _without_checkpoint(self) -> list[str]:
        """A line on trainings whose checkpoint an archive left out: what came of them cannot be followed to weights."""
        trained = Counter(
            finding.name.rpartition("/")[0] for finding in self.findings if finding.kind == "train" and finding.left_out
        )
        if not trained:
            return []
        listed = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in trained.items())
        return [f"left out  {trained.total()} checkpoints, whose receipts alone stand here: {listed}"]
