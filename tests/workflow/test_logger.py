"""What the logger plugin knows of a run, from the events that Snakemake sends."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.exceptions import LockException
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_whatmoves.locked import TELLS, advice
from snakemake_logger_plugin_whatmoves.run import Job, Run, duration


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def event(kind: LogEvent, **said: object) -> logging.LogRecord:
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, None, (), None)
    record.__dict__.update(event=kind, **said)
    return record


def started(jobid: int, rule: str, log: str = "") -> logging.LogRecord:
    wildcards = {"dataset": "d", "seed": "0"}
    return event(LogEvent.JOB_INFO, jobid=jobid, rule_name=rule, log=[log] if log else [], wildcards=wildcards)


EXPECTED = {"train d 0": 100.0, "train d 1": 60.0, "judge d": 50.0}


@pytest.fixture
def run() -> Run:
    run = Run(EXPECTED, clock=Clock())
    run.take(event(LogEvent.RESOURCES_INFO, cores=2))
    stats = {"train": 2, "judge": 1, "all": 1, "total": 4}
    assert run.take(event(LogEvent.RUN_INFO, stats=stats)) == ["4 jobs: 2 train, 1 judge, 1 all"]
    return run


def test_a_run_is_counted(run: Run, tmp_path: Path) -> None:
    assert run.take(started(1, "train")) == ["[0/4] train d 0 …"]
    run.clock.now = 61.0  # type: ignore[attr-defined]
    assert run.take(event(LogEvent.JOB_FINISHED, job_id=1)) == ["[1/4] train d 0: 1:01"]
    run.take(started(2, "train"))
    log = tmp_path / "log"
    log.write_text("whatmoves train\n\nwhatmoves: the cause\n", encoding="utf-8")
    run.take(started(2, "train", str(log)))
    told = ["[1/4] train d 0: FAILED after 0 s", "    whatmoves: the cause", f"      {log}"]
    assert run.take(event(LogEvent.JOB_ERROR, jobid=2)) == told
    run.take(started(2, "train"))  # sent again: it is no further job
    assert run.waiting["train"] == 0
    assert (run.done, run.failed, list(run.running)) == (1, 1, [2])


def test_time_left_is_of_this_runs_pace(run: Run) -> None:
    """A training that took half of what is expected makes the rest shorter, by its share of what is known of pace."""
    assert run.left_s() == 105  # (100 + 60 + 50) / 2 cores
    run.pace = 2.0
    assert run.left_s() == 210
    run.take(started(1, "train"))
    run.clock.now = 50.0  # type: ignore[attr-defined]
    run.take(event(LogEvent.JOB_FINISHED, job_id=1))
    pace = (2 * 60 + 50) / (60 + 100)
    assert run.left_s() == pytest.approx(60 * pace)  # the longest job, longer than half of (60 + 50)
    run.waiting["train"] = 0
    run.take(event(LogEvent.JOB_INFO, jobid=3, rule_name="judge", log=[], wildcards={"dataset": "d"}))
    run.clock.now = 60.0  # type: ignore[attr-defined]
    assert run.left_s() == pytest.approx(50 * pace - 10)


def test_without_expectations_the_runs_own_times_count(run: Run) -> None:
    run.expected_s = {}
    assert run.left_s() is None
    run.waiting.clear()
    run.waiting["train"] = 2
    run.take(started(1, "train"))
    run.clock.now = 30.0  # type: ignore[attr-defined]
    run.take(event(LogEvent.JOB_FINISHED, job_id=1))
    assert run.left_s() == 30
    run.cores = 0  # on a cluster nobody knows how many at once
    assert run.left_s() is None


def test_a_training_says_how_far_it_is(tmp_path: Path) -> None:
    log = tmp_path / "log"
    job = Job("train", "train d 0", log, 0.0)
    assert job.progress() is None
    log.write_text(
        "whatmoves train\n256/4,800 clips: train_total 9, learning_rate 1e-3, 80 clips/s\n"
        "2,400/4,800 clips: train_recon 3.1, train_total 4.25, learning_rate 1e-3, 812 clips/s\n",
        encoding="utf-8",
    )
    progress = job.progress()
    assert progress is not None
    assert (progress.clips, progress.total, progress.loss, progress.clips_per_s) == (2400, 4800, "4.25", 812)
    run = Run(clock=Clock(), running={1: job}, cores=2)
    assert run.left_s() == pytest.approx(2400 / 812)


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.6, "1:00"), (3599.7, "1:00:00"), (3787, "1:03:07")])
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_locked_folder_names_the_run_at_work_or_the_way_out(tmp_path: Path) -> None:
    assert TELLS in str(LockException())  # Snakemake's words, by which the case is known
    script = tmp_path / "snakemake"
    script.write_text("print(flush=True); import time; time.sleep(100)", encoding="utf-8")
    with subprocess.Popen([sys.executable, script, "paper/main.pdf"], cwd=tmp_path, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        said = advice(tmp_path)
        other.kill()
    started = f"another run is at work in this folder: process {other.pid} (snakemake paper/main.pdf); wait for it"
    assert said.startswith(started)
    assert advice(tmp_path).startswith("a run in this folder was killed and left its lock")
