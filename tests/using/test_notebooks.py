"""The notebooks of notebooks/: kept without outputs, run on a finished study, written as pages that need no network."""

import base64
import json
import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import psutil
import pytest
import torch
from tools import ROOT, snakemake

from whatmoves.errors import DataError
from whatmoves.provenance.closure import closure
from whatmoves.using.films import Films
from whatmoves.using.notebook import modules_of, run_notebook

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FETCHES = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["'](?!data:|#)|@import|url\(["']?https?:|import\("""
)


def written(tmp_path: Path, *cells: str) -> Path:
    """A notebook of these cells of code."""
    path = tmp_path / "own.ipynb"
    made = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
        for n, cell in enumerate(cells)
    ]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_names_modules_that_exist(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
    assert "whatmoves.loading" in modules_of(notebook)
    assert closure(modules_of(notebook))


def test_every_notebook_runs_on_a_finished_study_and_only_when_asked(tiny_copy: Path) -> None:
    snakemake("notebooks", folder=tiny_copy)
    for notebook in NOTEBOOKS:
        page = (tiny_copy / f"results/tiny/notebooks/{notebook.stem}.html").read_text(encoding="utf-8")
        assert "data:image/gif" in page or "explicitness" in page
        assert not FETCHES.findall(page)
        assert str(ROOT) not in page
    assert "Nothing to be done" in snakemake("notebooks", "--dry-run", folder=tiny_copy)
    assert "Nothing to be done" in snakemake("all", "--dry-run", folder=tiny_copy)


def test_a_failing_cell_is_named_in_one_line_and_leaves_no_page(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))  # of other tests of this process
    book = written(tmp_path, "import os\nfound = os.environ['WHATMOVES_STUDY']", "assert found.endswith('x'), found")
    config = tmp_path / "my study.yaml"
    with pytest.raises(DataError) as raised:
        run_notebook(book, config, tmp_path, tmp_path / "page.html")
    assert str(raised.value) == f"{book}: cell 2 failed: AssertionError: {config}"
    assert not (tmp_path / "page.html").exists()
    assert not set(psutil.Process().children(recursive=True)) - before, "the kernel has ended"


def test_a_notebook_finds_what_stands_where_the_command_was_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "my").mkdir()
    copy_last = (ROOT / "src/whatmoves/models/copy_last.py").read_text(encoding="utf-8")
    (tmp_path / "my/still.py").write_text(copy_last, encoding="utf-8")
    (tmp_path / "colorsys.py").write_text("raise SystemExit('of the folder, not of Python')", encoding="utf-8")
    study = tmp_path / "own.yaml"
    study.write_text("study: own\ndata: {moving_digits: }\nmodels: {mine: {kind: my.still}}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    load = "from pathlib import Path\nfrom whatmoves.loading import load_study\nstudy = load_study(Path('../own.yaml'))"
    book = written(
        tmp_path / "books", f"import colorsys\n{load}\nprint(study.models['mine'].kind * 2)", "import my.still"
    )
    run_notebook(book, study, tmp_path, tmp_path / "page.html")
    assert "my.stillmy.still" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_what_is_no_notebook_is_said(tmp_path: Path) -> None:
    (tmp_path / "none.ipynb").write_text("no JSON", encoding="utf-8")
    for name in ("none.ipynb", "missing.ipynb"):
        with pytest.raises(DataError, match=rf"{name}: not readable as a notebook"):
            run_notebook(tmp_path / name, tmp_path, tmp_path, tmp_path / "page.html")


def test_films_show_tensors_and_stored_clips_with_words_for_those_who_do_not_see_them() -> None:
    stored = np.zeros((3, 1, 4, 5), np.uint8)  # [T, C, H, W]
    page = Films({"a < b": torch.ones(3, 3, 4, 5), "stored": stored})._repr_html_()
    assert page.count("<tr>") == 2
    assert 'alt="a &lt; b"' in page
    assert 'alt="stored, frame by frame"' in page
    strip = re.findall(r"data:image/png;base64,([^\"]+)", page)[0]
    assert iio.imread(base64.b64decode(strip)).shape == (4, 15, 3)
