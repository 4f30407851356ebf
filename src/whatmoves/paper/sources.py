"""What stands behind a result: the files, the rule that made them, and the code and commit their receipts name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from whatmoves.files import read_json

RULES = {"data": "data", "train": "train", "evaluate": "evaluate", "figures": "figure"}


@dataclass(frozen=True)
class Source:
    """One result file, relative to the study's results. `code` and `commit` are empty where no receipt names them."""

    file: str
    rule: str
    code: str
    commit: str
    dirty: bool


def read_source(root: Path, file: str) -> Source:
    """The source behind `file`, from `<file>.receipt.json` or the `receipt.json` of the file's folder."""
    path = PurePosixPath(file)
    rule = RULES.get(path.parts[0], "analyse")
    candidates = (root / f"{file}.receipt.json", root / path.parent / "receipt.json")
    receipt: Mapping[str, Any] = next((read_json(place) for place in candidates if place.exists()), {})
    git = receipt.get("git") or {}
    return Source(
        file=file,
        rule=rule,
        code=str(receipt.get("code_digest") or ""),
        commit=str(git.get("commit") or ""),
        dirty=bool(git.get("dirty")),
    )
