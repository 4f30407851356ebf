"""Measured seconds of a run's jobs, in a small file that is kept with the source.

    python -m whatmoves.machines.job_times LOG... --machine "maker, cores, what else ran" \\
        --configfile config/config.yaml --out benchmarks/results/jobs-quick.json

It is run on the machine of that run, whose speed it measures. LOG is what Snakemake said while it ran
(`.snakemake/log/*.log`). Of several logs each job's shortest time counts, the one that other work disturbed least.
It is wall time: the processor time in benchmarks (`results/*/benchmarks`) is read every 30 s, and so lacks up to the
last 30 s of a job, most of many of ours.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from whatmoves.errors import DataError
from whatmoves.files import read_json, write_json
from whatmoves.machines.snakemake_said import jobs
from whatmoves.settings import Settings

WILDCARDS = ("dataset", "model", "seed", "figure", "animation")
DATA_RULES = "data"  # there is one rule for each set of splits; their names begin with this


class JobTimes(Settings):
    """What a run took: seconds of wall time by rule and then by the job's wildcards, joined by `/`; and how fast one
    processor of that machine is, as `whatmoves.training.estimate.operations_per_cpu_s` measures it."""

    machine: str
    configfile: str
    operations_per_cpu_s: float = Field(gt=0)
    seconds: dict[str, dict[str, float]] = Field(min_length=1)


def key_of(wildcards: dict[str, str]) -> str:
    """The wildcards of a job as a key: `moving_digits/lstm_vae/0`."""
    return "/".join(wildcards[name] for name in WILDCARDS if name in wildcards)


def rule_of(rule: str) -> str:
    """The rule's name without the splits that a data rule makes."""
    return DATA_RULES if rule == DATA_RULES or rule.startswith(f"{DATA_RULES}_") else rule


def condensed(logs: Iterable[str]) -> dict[str, dict[str, float]]:
    """The shortest time of each job that ended well in any of the logs."""
    found: dict[str, dict[str, float]] = {}
    for text in logs:
        for job in jobs(text):
            if job.seconds is not None and job.rule != "all":
                of_rule, key = found.setdefault(rule_of(job.rule), {}), key_of(job.wildcards)
                of_rule[key] = min(job.seconds, of_rule.get(key, job.seconds))
    return found


def read_job_times(path: Path) -> JobTimes:
    """The file as `main` wrote it; raises `DataError` where it is missing or not as it must be."""
    content: Any = read_json(path)
    try:
        return JobTimes.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path}: {where}: {first['msg']}; make it again, from a run's log") from None


def main() -> None:
    """Condense logs into a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", type=Path, help="what Snakemake said")
    parser.add_argument("--machine", required=True, help="processor, and what else ran on it")
    parser.add_argument("--configfile", required=True, help="the study that ran")
    parser.add_argument("--out", required=True, type=Path, help="JSON file")
    given = parser.parse_args()
    seconds = condensed(path.read_text(encoding="utf-8", errors="replace") for path in given.logs)
    if not seconds:
        raise DataError(f"{given.logs[0]}: no job ended in it; give the log of a run that was not quiet")
    from whatmoves.training.estimate import operations_per_cpu_s  # imports PyTorch

    speed = float(f"{operations_per_cpu_s():.3g}")
    times = JobTimes(machine=given.machine, configfile=given.configfile, operations_per_cpu_s=speed, seconds=seconds)
    write_json(given.out, times.model_dump(mode="json"))


if __name__ == "__main__":
    main()
