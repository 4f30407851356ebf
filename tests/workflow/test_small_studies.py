"""Every valid study reaches its PDF: the plan of a matrix of small ones, and a few of them run to the end."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from small_studies import BUILT, SMALL
from tools import snakemake

from whatmoves.asked import planned_rows
from whatmoves.commands.studies import _check
from whatmoves.errors import WhatMovesError
from whatmoves.figures.catalogue import animations_of, figures_of
from whatmoves.floors import of_clips
from whatmoves.loading import load_study
from whatmoves.plugins import figure_kinds
from whatmoves.study import Study


def written(raw: dict[str, Any], folder: Path) -> Path:
    path = folder / f"{raw['study']}.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    return path


def made(study: Study) -> set[str]:
    """The result files that figures may ask for."""
    files = {"values.json"}
    for dataset, model, seed in study.runs():
        files |= {f"train/{dataset}/{model}/seed-{seed}/history.csv"}
        files |= {f"evaluate/{dataset}/{model}/{name}" for name in ("quality.json", "pictures.npz")}
        files |= {f"evaluate/{dataset}/{floor}/quality.json" for floor in of_clips()}
    return files | {f"plan/{dataset}/{row}/tasks.npz" for dataset, row in planned_rows(study)}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_study_passes_the_check_and_its_figures_read_what_is_made(name: str, tmp_path: Path) -> None:
    path = written(SMALL[name], tmp_path)
    _check(path)
    study = load_study(path)
    shown = {**figures_of(study), **animations_of(study)}
    assert {file for files in shown.values() for file in files} <= made(study)
    assert {figure.partition("-")[0] for figure in figures_of(study)} <= set(figure_kinds())
    assert len(shown) > 2


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_a_small_study_reaches_its_pdf(name: str, tmp_path: Path) -> None:
    results = f"results/{name}"
    files = [f"{results}/paper/main.pdf", f"{results}/efficiency.md"]
    animations = animations_of(load_study(written(SMALL[name], tmp_path)))
    files += [f"{results}/animations/{animation}.gif" for animation in animations]
    snakemake(*files, "--cores", "2", folder=tmp_path, study=str(written(SMALL[name], tmp_path)))
    assert (tmp_path / files[0]).read_bytes().startswith(b"%PDF")


def test_the_check_says_no_where_it_should(tmp_path: Path) -> None:
    """The matrix would pass with a check that asks nothing."""
    raw = SMALL["two_frames"]
    data = {"moving_digits": {**raw["data"]["moving_digits"], "past_frames": 2}}
    with pytest.raises(WhatMovesError, match="past_frames is 2"):
        _check(written({**raw, "data": data}, tmp_path))
