"""Fresh results that Snakemake would make again are named, and no others."""

import os
from pathlib import Path

import pytest
from toy_project import Project

from whatmoves.commands.verify import _how_to_spare
from whatmoves.provenance import again
from whatmoves.provenance.verify import verify


def made_again(project: Project) -> list[str]:
    return again.made_again(verify(project.study, project.root, source=project.source), project.root)


def test_times_decide_where_snakemake_has_no_record(built: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(built.folder)
    for path in built.folder.rglob("*"):
        os.utime(path, (1000, 1000))  # times kept or all equal: nothing is newer
    assert made_again(built) == []
    os.utime(built.root / "train/toy/alpha/seed-0/checkpoint.pt", (2000, 2000))
    assert made_again(built)[0] == "evaluate/toy/alpha"
    assert not any(name.startswith(("train", "data", "evaluate/toy/beta")) for name in made_again(built))
    assert {"values", "paper"} <= set(made_again(built))  # made from it
    root = Path("results/small")
    for path in [p for p in root.rglob("*") if p.is_file()]:
        record = again._record(path)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.touch()
    assert again.made_again(verify(built.study, root, source=built.source), root) == []  # checksums decide


def test_the_cure_can_be_pasted():
    text = _how_to_spare(["a", "b", "c", "d"], some_are_stale=False, configfile=Path("my study's.yaml"))
    assert "a, b, c and 1 more" in text
    assert text.endswith("""`snakemake all --touch --forceall --configfile 'my study'"'"'s.yaml'`""")
