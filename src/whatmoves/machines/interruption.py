"""A training ended twice from outside, once by SIGTERM and once by SIGKILL, beside the same training left alone."""

import logging
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from whatmoves.files import read_json, sha256
from whatmoves.layout import Layout
from whatmoves.machines.budget import Budget, OutOfTimeError, PartFailedError, end, finish, last_words, python, start
from whatmoves.machines.checked_study import INTERRUPTED, NAME

log = logging.getLogger(__name__)

LOOK_S = 0.02
TERMINATED, KILLED = 128 + signal.SIGTERM, -signal.SIGKILL


def interrupt_and_resume(
    study_file: Path, dataset: str, results: Path, folder: Path, device: str, budget: Budget, deadline: float
) -> dict[str, Any]:
    """Train once unbroken and once broken twice; JSON of what was seen.

    `results` holds the data set's stored splits. Raises `PartFailedError` where a training did not end as it must, did
    not go on where it was, or (on a CPU) did not end at the bytes of the unbroken one; `OutOfTimeError` past the
    deadline.
    """
    unbroken = folder / "unbroken"
    shutil.copytree(results / NAME / "data", unbroken / NAME / "data")
    command = python("-m", "whatmoves", "train", "--configfile", str(study_file), "--model", INTERRUPTED)
    command += ["--dataset", dataset, "--device", device, "--results"]
    _ended(start([*command, str(unbroken)], folder / "unbroken.log"), 0, folder / "unbroken.log", budget, deadline)
    log.info("  trained unbroken")

    layout, said = Layout(results / NAME), folder / "broken.log"
    for number, expected in ((signal.SIGTERM, TERMINATED), (signal.SIGKILL, KILLED)):
        process = start([*command, str(results)], said)
        _after_a_state(process, layout.root / "work", said, budget, deadline)
        process.send_signal(number)
        _ended(process, expected, said, budget, deadline)
        log.info("  ended by %s after a state was saved", number.name)
    _ended(start([*command, str(results)], said), 0, said, budget, deadline)

    run, alone = layout.run(dataset, INTERRUPTED, 0), Layout(unbroken / NAME).run(dataset, INTERRUPTED, 0)
    times = read_json(run / "timings.json")
    resumed = said.read_text("utf-8", errors="replace").count("resuming after")
    if (times["interruptions"], resumed) != (2, 2):
        raise PartFailedError(
            f"of 2 interruptions the training went on after {times['interruptions']}; see {said.name}"
        )
    equal = all(sha256(run / name) == sha256(alone / name) for name in ("checkpoint.pt", "history.csv"))
    log.info("  went on twice; final bytes %s those of the unbroken training", "are" if equal else "are not")
    if device == "cpu" and not equal:
        raise PartFailedError("a resumed training ends at other bytes on the CPU than an unbroken one")
    return {
        "model": INTERRUPTED,
        "clips": times["clips"],
        "resumed_after": [signal.SIGTERM.name, signal.SIGKILL.name],
        "bytes_equal_unbroken": equal,  # promised on a CPU only
        "last_losses": {"broken": _last_loss(run), "unbroken": _last_loss(alone)},
    }


def _after_a_state(process: "subprocess.Popen[bytes]", work: Path, said: Path, budget: Budget, deadline: float) -> None:
    """Return when the process has saved another state than stood there when it began."""
    before = _states(work)
    while _states(work) in ({}, before):
        if process.poll() is not None:
            raise PartFailedError(f"the training ended before it could be interrupted: {last_words(said)}")
        if budget.left_s(deadline) == 0:
            end(process)
            raise OutOfTimeError("before a state was saved")
        time.sleep(LOOK_S)


def _states(work: Path) -> dict[str, int]:
    """When each state was written."""
    found = {}
    for path in work.glob("*/state.pt"):
        try:
            found[path.parent.name] = path.stat().st_mtime_ns
        except FileNotFoundError:  # gone with its training
            continue
    return found


def _ended(process: "subprocess.Popen[bytes]", expected: int, said: Path, budget: Budget, deadline: float) -> None:
    code = finish(process, budget.left_s(deadline))
    if code is None:
        raise OutOfTimeError("a training was ended")
    if code != expected:
        raise PartFailedError(f"a training ended with exit code {code}, must be {expected}: {last_words(said)}")


def _last_loss(run: Path) -> float:
    """The total loss of the history's last row."""
    names, *rows = (line.split(",") for line in (run / "history.csv").read_text("utf-8").splitlines())
    return float(rows[-1][names.index("train_total")])
