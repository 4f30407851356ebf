"""What stands behind a result: the files, the rule that made them, and the code and commit their receipts name."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from whatmoves.files import read_json
from whatmoves.provenance.jobs import Fingerprint


@dataclass(frozen=True)
class Source:
    """One result file, relative to the study's results; empty where there is no receipt or no repository."""

    file: str
    rule: str = ""
    code: str = ""
    commit: str = ""
    dirty: bool = False


def read_source(root: Path, file: str) -> Source:
    """The source behind `file`: from `<stem>.receipt.json` beside it, or the `receipt.json` of its folder."""
    path = root / PurePosixPath(file)
    for receipt in (path.with_name(f"{path.stem}.receipt.json"), path.with_name("receipt.json")):
        if receipt.is_file():
            content = read_json(receipt)
            names = ("kind", "wildcards", "code", "settings", "environment")
            made = Fingerprint(**{name: content["core"][name] for name in names})
            git = content["run"]["git"] or {}
            return Source(file, made.kind, made.code_digest, str(git.get("commit", "")), bool(git.get("dirty")))
    return Source(file)
