"""Where one number comes from: value → files → jobs → runs, seeds, code, data and commit."""

import difflib
from pathlib import Path
from typing import Any, NamedTuple

from whatmoves.errors import ConfigError, ProofError
from whatmoves.files import read_json
from whatmoves.provenance.closure import combined
from whatmoves.provenance.receipts import is_receipt, read_receipt


class Job(NamedTuple):
    """One job, as its receipt tells of it: `code` is the hash of its `modules` modules, `inputs` are files by key."""

    command: str
    code: str
    modules: int
    commit: str
    inputs: tuple[str, ...]
    started: str
    ended: str
    device: str
    python: str
    receipt: str


class Chain(NamedTuple):
    """What stands behind a value: its entry in the index, and the jobs from the analysis down to the data, each with
    the files of it that those above read."""

    value_id: str
    value: dict[str, Any]
    steps: tuple[tuple[tuple[str, ...], Job], ...]

    def text(self) -> str:
        """For a terminal."""
        seeds = sorted(self.value["seeds"].items(), key=_by_seed)
        lines = [f"{self.value_id} = {shown(self.value)}"]
        lines += [f"  seed {seed}: {number:{self.value['format']}}" for seed, number in seeds]
        for place, (files, job) in enumerate(self.steps):
            lines += ["", f"{'from' if place else 'in'} {', '.join(files)}, made by", *_job(job, "  ")]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        steps = [{"files": list(files), "job": job._asdict()} for files, job in self.steps]
        return {"id": self.value_id, "value": self.value, "steps": steps}


def explain(value_id: str, root: Path) -> Chain:
    """The chain behind a value of `root`/values.json.

    Raises `ConfigError` for an id that the index lacks, `DataError` or `ProofError` where the chain is broken.
    """
    values = read_json(root / "values.json")["values"]
    if value_id not in values:
        close = difflib.get_close_matches(value_id, values, n=3, cutoff=0.4)
        near = [known for known in values if value_id in known][:3] or close  # `psnr` is a part of what is looked for
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(f"{root / 'values.json'}: no value {value_id!r}{hint}")
    makers = makers_of(root)
    if "values.json" not in makers:
        raise ProofError(f"{root / 'values.json'}: no receipt covers it; run the analysis again")
    steps = [(("values.json",), makers["values.json"])]
    waiting, told = list(values[value_id]["files"]), set()
    while waiting:
        key = waiting.pop(0)
        job = makers.get(key)
        if job is None or job.receipt in told:
            continue
        told.add(job.receipt)
        covered = [k for k in (key, *waiting) if makers.get(k) is job]
        steps.append((tuple(dict.fromkeys(covered)), job))
        waiting += [k for k in job.inputs if k in makers]
    return Chain(value_id, values[value_id], tuple(steps))


def shown(value: dict[str, Any]) -> str:
    """A value with unit, interval and sample size, as a person reads it."""
    form = value["format"]
    text = f"{value['value']:{form}}" + (f" {value['unit']}" if value.get("unit") else "")
    if value.get("interval"):
        low, high = value["interval"]
        text += f" [{low:{form}}, {high:{form}}]"
    return text + (f", n = {value['n']}" if value.get("n") else "")


def _by_seed(item: tuple[str, float]) -> tuple[int, str]:
    return (int(item[0]), "") if item[0].isdigit() else (0, item[0])


def makers_of(root: Path) -> dict[str, Job]:
    """The job behind every file below `root` = results/<study> that a receipt covers; raises `ProofError` for a broken
    receipt."""
    makers: dict[str, Job] = {}
    for path in sorted(root.rglob("*receipt.json")):
        if is_receipt(path):
            receipt = read_receipt(path)
            makers |= dict.fromkeys(receipt["core"]["outputs"], _told(receipt, path.relative_to(root).as_posix()))
    return makers


def _told(receipt: dict[str, Any], name: str) -> Job:
    core, run = receipt["core"], receipt["run"]
    return Job(
        run["command"], combined(core["code"]), len(core["code"]), _commit(run["git"]), tuple(core["inputs"]),
        run["started"], run["ended"], run["device"], run["versions"]["python"], name,
    )  # fmt: skip


def _job(job: Job, indent: str) -> list[str]:
    """One job in five lines."""
    more = f" and {len(job.inputs) - 4} more" if len(job.inputs) > 4 else ""
    return [
        f"{indent}{job.command}",
        f"{indent}  code     {job.code} ({job.modules} modules), commit {job.commit}",
        f"{indent}  inputs   {', '.join(job.inputs[:4]) + more if job.inputs else 'none'}",
        f"{indent}  run      {job.started} to {job.ended}, {job.device}, Python {job.python}",
        f"{indent}  receipt  {job.receipt}",
    ]


def _commit(git: dict[str, Any] | None) -> str:
    """The commit a job ran at, or why its receipt names none."""
    if git is None:
        return "no repository"
    if "unread" in git:
        return f"unknown: {git['unread']}"
    return str(git["commit"]) + (" with changes" if git["dirty"] else "")
