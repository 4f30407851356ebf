"""Where one number comes from: value → files → jobs → runs, seeds, code, data and commit."""

import difflib
from pathlib import Path
from typing import Any

from whatmoves.errors import ConfigError, ProofError
from whatmoves.files import read_json
from whatmoves.provenance.closure import combined
from whatmoves.provenance.receipts import is_receipt, read_receipt


def explain(value_id: str, root: Path) -> str:
    """The chain behind a value of `root`/values.json, for a terminal.

    Raises `ConfigError` for an id that the index lacks, `DataError` or `ProofError` where the chain is broken.
    """
    values = read_json(root / "values.json")["values"]
    if value_id not in values:
        near = difflib.get_close_matches(value_id, values, n=3, cutoff=0.4)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(f"{root / 'values.json'}: no value {value_id!r}{hint}")
    value = values[value_id]
    lines = [f"{value_id} = {shown(value)}"]
    lines += [
        f"  seed {seed}: {number:{value['format']}}" for seed, number in sorted(value["seeds"].items(), key=_by_seed)
    ]
    makers = _makers(root)
    if "values.json" not in makers:
        raise ProofError(f"{root / 'values.json'}: no receipt covers it; run the analysis again")
    lines += ["", "in values.json, made by", *_job(makers["values.json"], "  ")]
    waiting, told = list(value["files"]), set()
    while waiting:
        key = waiting.pop(0)
        receipt = makers.get(key)
        if receipt is None or receipt["name"] in told:
            continue
        told.add(receipt["name"])
        covered = [k for k in (key, *waiting) if makers.get(k) is receipt]
        lines += ["", f"from {', '.join(dict.fromkeys(covered))}, made by", *_job(receipt, "  ")]
        waiting += [k for k in receipt["core"]["inputs"] if k in makers]
    return "\n".join(lines)


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


def _makers(root: Path) -> dict[str, dict[str, Any]]:
    """Output file → the receipt that covers it, with its own path as `name`."""
    makers: dict[str, dict[str, Any]] = {}
    for path in sorted(root.rglob("*receipt.json")):
        if is_receipt(path):
            receipt = {**read_receipt(path), "name": path.relative_to(root).as_posix()}
            makers |= dict.fromkeys(receipt["core"]["outputs"], receipt)
    return makers


def _job(receipt: dict[str, Any], indent: str) -> list[str]:
    """One job in five lines."""
    core, run = receipt["core"], receipt["run"]
    commit = _commit(run["git"])
    inputs = list(core["inputs"])
    more = f" and {len(inputs) - 4} more" if len(inputs) > 4 else ""
    return [
        f"{indent}{run['command']}",
        f"{indent}  code     {combined(core['code'])} ({len(core['code'])} modules), commit {commit}",
        f"{indent}  inputs   {', '.join(inputs[:4]) + more if inputs else 'none'}",
        f"{indent}  run      {run['started']} to {run['ended']}, {run['device']}, Python {run['versions']['python']}",
        f"{indent}  receipt  {receipt['name']}",
    ]


def _commit(git: dict[str, Any] | None) -> str:
    """The commit a job ran at, or why its receipt names none."""
    if git is None:
        return "no repository"
    if "unread" in git:
        return f"unknown: {git['unread']}"
    return str(git["commit"]) + (" with changes" if git["dirty"] else "")
