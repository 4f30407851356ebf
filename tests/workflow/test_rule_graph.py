"""The picture of the rules in docs/rules.md is the workflow's."""

import re
from pathlib import Path

from tools import ROOT, snakemake


def edges(mermaid: str) -> set[tuple[str, str]]:
    """Which rule's results which rule reads."""
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", mermaid))
    return {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", mermaid)}


def test_the_picture_of_the_rules_is_current(tmp_path: Path) -> None:
    shown = edges((ROOT / "docs/rules.md").read_text(encoding="utf-8"))
    assert ("train", "evaluate") in shown
    assert shown == edges(snakemake("--rulegraph", "mermaid-js", folder=tmp_path, study="config")), "run `make rules`"
