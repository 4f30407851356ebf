"""Parts that share one budget of seconds: each has its own, and what an earlier part leaves goes to the later ones.

A part is a block that gets a deadline. What does not fit is told as not run, what goes wrong as failed, and the next
part starts all the same: a check on a borrowed machine must come back with what it could learn.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whatmoves.errors import WhatMovesError

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""Time between asking a process to end and ending it."""


class PartFailedError(WhatMovesError):
    """What a part found wrong, in one line."""


class OutOfTimeError(WhatMovesError):
    """The seconds of a part are used up; the message says in the middle of what."""


@dataclass
class Report:
    """What all parts found: JSON by part, and two lists of sentences that begin with the part's name."""

    found: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)


@dataclass
class Budget:
    """The seconds that are left of `total_s` and of the shares of the parts that came so far."""

    total_s: float
    clock: Callable[[], float] = time.monotonic
    shares_s: float = 0.0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def elapsed_s(self) -> float:
        """Since the budget was made."""
        return self.clock() - self.started

    def deadline(self, share_s: float) -> float:
        """The moment at which a part of `share_s` must end; it may use what the parts before it left."""
        self.shares_s += share_s
        return self.started + min(self.total_s, self.shares_s)

    def left_s(self, deadline: float) -> float:
        """Seconds until a moment, at least 0."""
        return max(0.0, deadline - self.clock())


@contextlib.contextmanager
def part(report: Report, budget: Budget, name: str, share_s: float) -> Iterator[tuple[dict[str, Any], float]]:
    """Run the block as a part: it fills the dictionary it is given until the deadline it is given (`budget.clock`)."""
    deadline, before = budget.deadline(share_s), budget.elapsed_s
    log.info(
        "%s: at most %.0f s, until %.0f s after the start", name, budget.left_s(deadline), deadline - budget.started
    )
    found: dict[str, Any] = report.found.setdefault(name, {})
    try:
        yield found, deadline
    except OutOfTimeError as error:
        report.not_run.append(f"{name}: out of time: {error}")
    except WhatMovesError as error:
        report.failed.append(f"{name}: {error}")
    except Exception as error:  # such as a file that an earlier part should have left: the others still have their turn
        log.exception("%s", name)
        report.failed.append(f"{name}: {type(error).__name__}: {error}")
    report.seconds[name] = round(budget.elapsed_s - before, 1)
    log.info("%s: took %.0f s", name, report.seconds[name])


def python(*arguments: str) -> list[str]:
    """A command of this interpreter, as a list; this package is found where it was found here."""
    return [sys.executable, *arguments]


def environment() -> dict[str, str]:
    """The environment of child processes: this package's folder is on their path, installed or not, and they see one
    GPU, the first that this process may use, whatever else is there."""
    source = str(Path(__file__).parents[2])
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    return {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": first}


def start(command: Sequence[str], said: Path | None) -> "subprocess.Popen[bytes]":
    """Start a command whose words go to the end of the file `said`, or (None) where those of this process go."""
    if said is None:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment())
    with said.open("ab") as stream:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment())


def finish(process: "subprocess.Popen[bytes]", left_s: float) -> int | None:
    """Wait for a process at most so long; None if it did not end by itself, and it is ended then."""
    try:
        return process.wait(left_s)
    except subprocess.TimeoutExpired:
        end(process)
        return None


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, and end it if it does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)


def run_together(commands: dict[str, list[str]], folder: Path, budget: Budget, deadline: float) -> None:
    """Run named commands side by side; raises `OutOfTimeError` or `PartFailedError` with a name and its last words."""
    running = {name: start(command, folder / f"{name}.log") for name, command in commands.items()}
    try:
        for name, process in running.items():
            code = finish(process, budget.left_s(deadline))
            if code is None:
                raise OutOfTimeError(f"{name} was ended")
            if code != 0:
                raise PartFailedError(f"{name} ended with exit code {code}: {last_words(folder / f'{name}.log')}")
    finally:
        for process in running.values():
            end(process)


def last_words(said: Path) -> str:
    """The last line that a command wrote, if it wrote any."""
    lines = [line for line in said.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
