"""Parts that share seconds: who gets what is left, and that nothing is dropped without a word."""

import sys
from pathlib import Path

import pytest

from whatmoves.machines.budget import (
    Budget,
    OutOfTimeError,
    PartFailedError,
    Report,
    environment,
    finish,
    part,
    run_together,
    start,
)  # fmt: skip


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_what_a_part_leaves_goes_to_the_next_and_the_whole_is_never_exceeded() -> None:
    clock = Clock()
    budget, report = Budget(100.0, clock), Report()
    with part(report, budget, "first", 40) as (_, deadline):
        assert budget.left_s(deadline) == 40
        clock.now_s += 10
    with part(report, budget, "second", 30) as (_, deadline):
        assert budget.left_s(deadline) == 60  # its own 30, and 30 of the first
        clock.now_s += 80
    with part(report, budget, "third", 90) as (_, deadline):
        assert budget.left_s(deadline) == 10  # of 160 in all shares, only 100 are there
    assert report.seconds == {"first": 10, "second": 80, "third": 0}
    assert (report.failed, report.not_run) == ([], [])


def test_a_part_that_fails_or_has_no_time_is_told_and_the_next_one_runs() -> None:
    clock = Clock()
    budget, report = Budget(10.0, clock), Report()
    with part(report, budget, "fails", 1) as (found, _):
        found["seen"] = 1
        raise PartFailedError("the wrong bytes")
    with part(report, budget, "late", 1):
        raise OutOfTimeError("a training was ended")
    with part(report, budget, "stumbles", 1):
        (Path("no") / "such").read_text(encoding="utf-8")
    clock.now_s += 20
    with part(report, budget, "runs", 5) as (_, deadline):
        assert budget.left_s(deadline) == 0
    assert report.failed[0] == "fails: the wrong bytes"
    assert report.failed[1].startswith("stumbles: FileNotFoundError: ")
    assert report.not_run == ["late: out of time: a training was ended"]
    assert report.found["fails"] == {"seen": 1}  # what it had found before is kept


def test_commands_run_together_fail_with_name_and_last_words(tmp_path: Path) -> None:
    wrong = [sys.executable, "-c", "import sys; print('so it was'); sys.exit(3)"]
    budget = Budget(60.0)
    with pytest.raises(PartFailedError, match=r"^bad ended with exit code 3: so it was$"):
        run_together({"good": [sys.executable, "-c", ""], "bad": wrong}, tmp_path, budget, budget.deadline(60))
    asleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(OutOfTimeError, match=r"^slow was ended$"):
        run_together({"slow": asleep}, tmp_path, budget, budget.started)


@pytest.mark.parametrize(("given", "seen"), [(None, "0"), ("2,3", "2"), ("", "")])
def test_children_see_one_gpu_of_those_given(given: str | None, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if given is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert environment()["CUDA_VISIBLE_DEVICES"] == seen


def test_a_process_that_will_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whatmoves.machines.budget.GRACE_S", 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    process = start([sys.executable, "-c", deaf], tmp_path / "said.log")
    while not (tmp_path / "said.log").read_text():
        assert process.poll() is None
    assert finish(process, 0.1) is None
    assert process.poll() == -9
