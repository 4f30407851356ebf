"""Jobs as Snakemake prints them: in the plan of a dry run, or in the log of a run with the times of each.

What `--d3dag` and `--dag` draw leaves wildcards out, which a job's time depends on; what is printed names for each job
its files, wildcards and resources. A file that one job makes and another takes is an edge.
"""

import re
from datetime import datetime
from typing import NamedTuple

STAMP = re.compile(r"\[(\w{3} \w{3} +\d+ [\d:]{8} \d{4})\]$")
HEAD = re.compile(r"(?:local)?(?:rule|checkpoint) (\w+):$")
FIELD = re.compile(r" {4}(input|output|jobid|wildcards|priority|resources): (.*)$")
END = re.compile(r"Finished jobid: (\d+)")


class Said(NamedTuple):
    """One job. `seconds` is None in a plan, and for a job that did not end well."""

    jobid: int
    rule: str
    wildcards: dict[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    priority: int
    gpus: int
    seconds: float | None


def jobs(text: str) -> list[Said]:
    """The jobs of a plan or a log, each once, in the order in which they were first printed."""
    found: dict[int, Said] = {}
    began: dict[int, datetime] = {}
    stamp: datetime | None = None
    rule, fields = "", dict[str, str]()
    for line in [*text.splitlines(), ""]:
        if match := FIELD.match(line):
            fields[match[1]] = match[2]
            continue
        if rule and "jobid" in fields and not line.startswith("    "):
            job = _job(rule, fields)
            found.setdefault(job.jobid, job)
            if stamp is not None:
                began[job.jobid] = stamp  # a retry begins anew
            rule, fields = "", {}
        if match := STAMP.match(line):
            stamp = datetime.strptime(match[1], "%a %b %d %H:%M:%S %Y")
        elif match := HEAD.match(line):
            rule, fields = match[1], {}
        elif (match := END.match(line)) and stamp is not None and (jobid := int(match[1])) in began:
            found[jobid] = found[jobid]._replace(seconds=(stamp - began[jobid]).total_seconds())
    return list(found.values())


def after(said: list[Said]) -> dict[int, list[int]]:
    """Job → the jobs whose files it takes."""
    maker = {path: job.jobid for job in said for path in job.outputs}
    return {job.jobid: sorted({maker[path] for path in job.inputs if path in maker}) for job in said}


def _job(rule: str, fields: dict[str, str]) -> Said:
    def listed(name: str) -> tuple[str, ...]:
        return tuple(part for part in fields.get(name, "").split(", ") if part)

    def pairs(name: str) -> dict[str, str]:
        return dict(part.split("=", 1) for part in listed(name))

    return Said(
        jobid=int(fields["jobid"]),
        rule=rule,
        wildcards=pairs("wildcards"),
        inputs=listed("input"),
        outputs=listed("output"),
        priority=int(fields.get("priority", "0")),
        gpus=int(pairs("resources").get("gpu", "0")),
        seconds=None,
    )
