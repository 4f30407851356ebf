"""What is known of a Snakemake run from its log events: which jobs run, how far each is, what is left."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging import LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.common import LogEvent

from whatmoves.failed_jobs import why

PRIOR_S = 60.0  # of work that the measured pace counts for, beside the jobs that have ended
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
    """A run so far.

    `expected_s`: name of a job → its seconds on a measured machine, of which this one takes `pace` times as many; both
    may come late (`whatmoves studies --expected`). `cores` is 0 where jobs run on other machines.
    """

    expected_s: Mapping[str, float] = field(default_factory=dict)
    pace: float | None = None
    clock: Callable[[], float] = time.monotonic
    waiting: Counter[str] = field(default_factory=Counter)
    running: dict[int, Job] = field(default_factory=dict)
    took_s: dict[str, list[float]] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    done: int = 0
    failed: int = 0
    total: int = 0
    cores: int = 0

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
            self.seen.add(" ".join([rule_of(job.rule), *name.split(" ")[1:]]))
            if not again and self.waiting[job.rule]:
                self.waiting[job.rule] -= 1
            return [f"{self._place()} {name} …"]
        if event == LogEvent.JOB_FINISHED and (ended := self.running.pop(said["job_id"], None)):
            self.done += 1
            seconds = self.clock() - ended.started
            self.took_s.setdefault(ended.rule, []).append(seconds)
            self.ended[" ".join([rule_of(ended.rule), *ended.name.split(" ")[1:]])] = seconds
            return [f"{self._place()} {ended.name}: {duration(seconds)}"]
        if event == LogEvent.JOB_ERROR and (broken := self.running.pop(said["jobid"], None)):
            self.failed += 1
            failed = f"{self._place()} {broken.name}: FAILED after {duration(self.clock() - broken.started)}"
            reason = why([broken.log] if broken.log else [])
            return [failed, *(f"    {line}" for line in reason.splitlines())]
        return []

    def left_s(self) -> float | None:
        """Seconds to the end, as far as one can say: of what jobs of a rule took here, or of what is expected of them
        at this run's pace; None while there is neither, or where jobs run on other machines."""
        if not self.cores:
            return None
        took_s, expected_s = self._finished()
        pace = ((self.pace or 1.0) * PRIOR_S + took_s) / (PRIOR_S + expected_s)
        left = [self._left_of(job, self._usual_s(job.rule, job.name, pace)) for job in self.running.values()]
        for rule, count in self.waiting.items():
            unseen = [name for name in self.expected_s if rule_of(name) == rule_of(rule) and name not in self.seen]
            each = [self._usual_s(rule, name, pace) for name in unseen] or [self._usual_s(rule, rule, pace)]
            left += [None if None in each else sum(s or 0.0 for s in each) / len(each)] * count
        if None in left:
            return None
        return max([sum(s or 0.0 for s in left) / self.cores, *(s or 0.0 for s in left)], default=0.0)

    def _usual_s(self, rule: str, name: str, pace: float) -> float | None:
        """Seconds of a job; what no time is known of beside others whose times are, such as `all`, takes none."""
        name = " ".join([rule_of(rule), *name.split(" ")[1:]])
        if name in self.expected_s:
            return self.expected_s[name] * pace
        if rule in self.took_s:
            return sum(self.took_s[rule]) / len(self.took_s[rule])
        return 0.0 if self.expected_s else None

    def _finished(self) -> tuple[float, float]:
        """Seconds that finished jobs took and were expected to take, of those of which both are known."""
        known = [(took, self.expected_s[name]) for name, took in self.ended.items() if name in self.expected_s]
        return sum(took for took, _ in known), sum(usual for _, usual in known)

    def _left_of(self, job: Job, usual_s: float | None) -> float | None:
        elapsed = self.clock() - job.started
        progress = job.progress()
        if progress is not None and progress.clips_per_s:
            return (progress.total - progress.clips) / progress.clips_per_s
        return None if usual_s is None else max(0.0, usual_s - elapsed)

    def _place(self) -> str:
        return f"[{self.done}/{self.total}]"


def rule_of(name: str) -> str:
    """The rule of a job's name; there is one `data` rule for each set of splits."""
    rule = name.split(" ")[0]
    return "data" if rule.startswith("data_") else rule


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
