"""What is known of a Snakemake run from its log events: which jobs run, how far each is, what is left."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging import LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.common import LogEvent

LAST_BYTES = 4000  # of a job's log: more than its last line of progress
# As `whatmoves.training.loop` writes it: "256/4,800 clips: …, 812 clips/s".
CLIPS = re.compile(r"^([\d,]+)/([\d,]+) clips: .*?train_total ([^,\s]+).*, (\d+) clips/s$", re.MULTILINE)


@dataclass
class Job:
    """A job that runs, or waits in a cluster's queue."""

    rule: str
    name: str
    log: Path | None
    started: float

    def progress(self) -> "Progress | None":
        """How far its log says that it is; None where it says nothing of that kind, as most jobs do."""
        try:
            if self.log is None:
                return None
            with self.log.open("rb") as stream:
                stream.seek(max(0, self.log.stat().st_size - LAST_BYTES))
                found = CLIPS.findall(stream.read().decode(errors="replace"))
        except OSError:
            return None
        if not found:
            return None
        clips, total, loss, clips_per_s = found[-1]
        return Progress(int(clips.replace(",", "")), int(total.replace(",", "")), loss, int(clips_per_s))


@dataclass
class Progress:
    """A training on its way."""

    clips: int
    total: int
    loss: str
    clips_per_s: int


@dataclass
class Run:
    """A run so far. `expected_s`: rule → seconds a job of it took elsewhere, for what has not run here yet."""

    expected_s: Mapping[str, float] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    waiting: Counter[str] = field(default_factory=Counter)
    running: dict[int, Job] = field(default_factory=dict)
    took_s: dict[str, list[float]] = field(default_factory=dict)
    done: int = 0
    failed: int = 0
    total: int = 0
    cores: int = 1

    def __post_init__(self) -> None:
        self.began = self.clock()

    def take(self, record: LogRecord) -> list[str]:
        """Note an event; returns what there is to say of it, in lines."""
        event, said = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RUN_INFO:
            counts = {rule: n for rule, n in said["stats"].items() if rule != "total"}
            self.waiting, self.total = Counter(counts), sum(counts.values())
            return [f"{self.total} jobs: {in_words(self.waiting)}"]
        if event == LogEvent.RESOURCES_INFO and isinstance(said.get("cores"), int):
            self.cores = said["cores"]
        if event == LogEvent.JOB_INFO:
            log = Path(said["log"][0].split(" ")[0]) if said["log"] else None
            name = " ".join([said["rule_name"], *map(str, dict(said["wildcards"] or {}).values())])
            again = said["jobid"] in self.running
            self.running[said["jobid"]] = job = Job(said["rule_name"], name, log, self.clock())
            if not again and self.waiting[job.rule]:
                self.waiting[job.rule] -= 1
            return [f"{self._place()} {name} …"]
        if event == LogEvent.JOB_FINISHED and (ended := self.running.pop(said["job_id"], None)):
            self.done += 1
            seconds = self.clock() - ended.started
            self.took_s.setdefault(ended.rule, []).append(seconds)
            return [f"{self._place()} {ended.name}: {duration(seconds)}"]
        if event == LogEvent.JOB_ERROR and (broken := self.running.pop(said["jobid"], None)):
            self.failed += 1
            return [f"{self._place()} {broken.name}: FAILED after {duration(self.clock() - broken.started)}"]
        return []

    def left_s(self) -> float | None:
        """Seconds to the end, as far as one can say: what jobs of a rule took here, or elsewhere at this run's pace."""
        known = [(sum(s), len(s) * self.expected_s[rule]) for rule, s in self.took_s.items() if rule in self.expected_s]
        elsewhere = sum(expected for _, expected in known)
        pace = sum(took for took, _ in known) / elsewhere if elsewhere else 1.0

        def of_rule(rule: str) -> float | None:
            if rule in self.took_s:
                return sum(self.took_s[rule]) / len(self.took_s[rule])
            return self.expected_s[rule] * pace if rule in self.expected_s else None

        parts = [
            None if (usual_s := of_rule(rule)) is None else count * usual_s
            for rule, count in self.waiting.items()
            if count
        ]
        lefts = [self._left_of(job, of_rule(job.rule)) for job in self.running.values()]
        if any(part is None for part in [*parts, *lefts]):
            return None
        whole = [part or 0.0 for part in [*parts, *lefts]]
        return max(sum(whole) / max(1, self.cores), *(left or 0.0 for left in lefts), 0.0)

    def _left_of(self, job: Job, usual_s: float | None) -> float | None:
        elapsed = self.clock() - job.started
        progress = job.progress()
        if progress is not None and progress.clips_per_s:
            return (progress.total - progress.clips) / progress.clips_per_s
        return None if usual_s is None else max(0.0, usual_s - elapsed)

    def _place(self) -> str:
        return f"[{self.done}/{self.total}]"


def in_words(counts: Mapping[str, int]) -> str:
    """`3 train, 1 paper`."""
    return ", ".join(f"{count} {rule}" for rule, count in counts.items() if count)


def duration(seconds: float) -> str:
    """`7 s`, `3:07`, `1:03:07`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
