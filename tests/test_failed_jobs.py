"""The reason of a failure stands on top, whoever knows it."""

import os
from pathlib import Path

import pytest

from whatmoves.failed_jobs import why

TRACEBACK = (
    "whatmoves train …\nTraceback (most recent call last):\n  File x\ntorch.OutOfMemoryError: CUDA out of memory\n"
)
STEPS = "whatmoves train …\n800/8,000 clips: train_total 3.1, 90 clips/s\n"
STOPPED = STEPS + "stopped after 808 clips; the same command resumes\n"
NESTED = "Building DAG of jobs...\nrule train:\n"
LIMIT = "slurmstepd: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-28T05:00:00 DUE TO TIME LIMIT ***"
END = "[Sat Nov 28 05:00:00 2026]\nExiting because a job failed.\nWorkflowError:\nAt least one job did not complete.\n"
HARMLESS = "slurmstepd: error: cluster configuration lacks support for cpu binding\n"

CASES = {
    "its own error": (TRACEBACK + "ended\n", None, ["torch.OutOfMemoryError: CUDA out of memory", "ended"]),
    "a refusal": ("x\nwhatmoves: study.yaml: no such file\n", None, ["whatmoves: study.yaml: no such file"]),
    "no error in its own log": ("x\nout of luck\n", None, ["out of luck"]),
    "a time limit": (STOPPED, NESTED + LIMIT + "\n" + END, [LIMIT, STOPPED.splitlines()[-1]]),
    "killed for its memory": (
        STEPS,
        NESTED + "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.\n" + END,
        ["slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.", STEPS.splitlines()[-1]],
    ),
    "its own error, though SLURM complains of something": (
        TRACEBACK, HARMLESS + END, ["torch.OutOfMemoryError: CUDA out of memory"],
    ),
    "it never began": (None, NESTED + "srun: error: no such step\n" + END, ["srun: error: no such step"]),
    "its log was only opened": ("", NESTED + "NotADirectoryError: /home\n" + END, ["NotADirectoryError: /home"]),
    "nothing was written": (None, None, ["no log was written"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_reason_stands_on_top(case: str, tmp_path: Path) -> None:
    own, of_slurm, expected = CASES[case]
    logs = {tmp_path / "own.log": own, tmp_path / "8.log": of_slurm}
    for log, text in logs.items():
        if text is not None:
            log.write_text(text, encoding="utf-8")
    found = why([tmp_path / "own.log"], list(tmp_path.glob("8.log"))).split("\n  ")
    named = ", ".join(str(log) for log, text in logs.items() if text)
    assert found == expected + ([named] if named else [])


def test_of_several_tries_the_last_counts(tmp_path: Path) -> None:
    for number, text in ((7, LIMIT), (8, "srun: error: no such step")):
        (tmp_path / f"{number}.log").write_text(text, encoding="utf-8")
        os.utime(tmp_path / f"{number}.log", (number, number))
    assert why([], tmp_path.glob("*.log")) == f"srun: error: no such step\n  {tmp_path}/8.log"
