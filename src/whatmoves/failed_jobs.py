"""Why a job failed, in one line on top: its own error, or what SLURM says ended it. Logs are read, nothing else."""

import re
from collections.abc import Iterable
from pathlib import Path

# The last line of a traceback, or of a command of ours that refuses.
ERROR = re.compile(r"^(whatmoves: |(\w+\.)*\w*(Error|Exception|Interrupt)(:|$))")
# What SLURM writes of a job that it ends: cancelled, out of time, out of memory, its node lost.
ENDED = re.compile(r"^(srun|slurm\w+): .*(\*\*\*|oom|out of memory|memory limit|node failure)", re.IGNORECASE)
OF_SLURM = re.compile(r"^(srun|slurm\w+): ")
# How Snakemake ends its log whatever happened.
OF_SNAKEMAKE = re.compile(
    r"^(Exiting because|Storing output|Elapsed time|WorkflowError:$|At least one job|Complete log)"
    r"|^\[.*\d\d:\d\d:\d\d \d{4}\]$"
)


def why(own: Iterable[Path], of_slurm: Iterable[Path] = ()) -> str:
    """The reason in a line; below it, indented, what the job said last, if that is something else, and the logs.

    `own` are the logs of the job, `of_slurm` those of its tries, of which the newest counts.
    """
    logs = [log for log in own if lines_of(log)][:1]
    words = lines_of(logs[0]) if logs else []
    logs += sorted(of_slurm, key=lambda log: log.stat().st_mtime)[-1:]
    around = lines_of(logs[-1]) if logs else []
    errors = [line for line in words if ERROR.match(line)]
    ended = [line for line in around if ENDED.match(line)]
    if not words:  # it never began: whoever was to start it knows why
        asked = [line for line in around if OF_SLURM.match(line)]
        rest = [line for line in around if not OF_SNAKEMAKE.match(line)]
        words = asked or rest[-5:] or ["no log was written"]
        errors = [line for line in words if OF_SLURM.match(line) or ERROR.match(line)]
    reason = (errors[-1:] or ended[-1:] or words[-1:])[0]
    also = [line for line in dict.fromkeys([*ended[-1:], words[-1]]) if line != reason]
    return "\n  ".join([reason, *also, *([", ".join(map(str, logs))] if logs else [])])


def lines_of(log: Path) -> list[str]:
    """The lines of a log that are not blank, without spaces around them; none if there is no log."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return [line.rstrip() for line in text.splitlines() if line.strip()]
