"""The end of a run: what the study found, in a few lines."""

import shutil
from pathlib import Path

import pytest
from tools import ROOT

from whatmoves.cli import main
from whatmoves.errors import WhatMovesError
from whatmoves.layout import Layout
from whatmoves.loading import load_study
from whatmoves.paper.summary import summary


def test_the_reference_run_in_a_few_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = load_study(ROOT / "config/config.yaml")
    root = tmp_path / "results/quick"
    root.mkdir(parents=True)
    with pytest.raises(WhatMovesError, match=r"values\.json"):
        summary(study, Layout(root))
    shutil.copy(ROOT / "paper/reference/quick.json", root / "values.json")
    found = summary(study, Layout(root))
    assert sum(map(len, found.verdicts.values())) == 46
    assert set(found.headlines) == set(study.data)
    entry = found.headlines["moving_digits"]["what_where_vae"]["swap_joint"]
    assert entry.interval is not None
    line = next(line for line in found.text().splitlines() if line.startswith("what_where_vae"))
    assert f"{entry.numeral()} [{entry.numeral(entry.interval[0])}, {entry.numeral(entry.interval[1])}]" in line
    assert "true_render" in found.text()
    assert found.text().endswith(".mse_removed; whatmoves verify")
    named = f" --configfile {ROOT / 'config/config.yaml'} --results {tmp_path / 'results'}"
    with pytest.raises(SystemExit, match="0"):
        main(["summary", *named.split()])
    said = capsys.readouterr().out
    assert found.text(named) in said
    assert said.endswith(f"mse_removed{named}; whatmoves verify{named}\n"), "what it names can be pasted"
    rows = [line for line in found.markdown().splitlines() if line.startswith("| `what_where_vae` |")]
    assert [f"| {entry.numeral()} [{entry.numeral(entry.interval[0])}, " in row for row in rows] == [True]
    [undecided] = [line for line in found.markdown().splitlines() if line.startswith("- **undecided**")]
    assert undecided.count("`") == 2 * len(found.verdicts["undecided"]) > 0
