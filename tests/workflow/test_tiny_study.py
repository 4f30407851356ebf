"""The whole chain on the tiny study: from nothing to a PDF, and then only what a change asks for."""

import re
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader
from tools import ROOT, assert_same_pdf, run, snakemake

from whatmoves.layout import Layout
from whatmoves.loading import load_study
from whatmoves.using.spot_check import trained_again


def jobs(output: str) -> dict[str, int]:
    """Rule → number of jobs, from the line that begins a run."""
    found = re.search(r"^[\d:]+ \d+ jobs: (.*)$", output, re.MULTILINE)
    counts = [part.split() for part in found.group(1).split(", ")] if found else []
    return {name: int(count) for count, name in counts}


def test_the_paper_is_built(tiny: Path) -> None:
    assert (tiny / "paper/main.pdf").read_bytes() == (tiny / "results/tiny/paper/main.pdf").read_bytes()
    reader = PdfReader(tiny / "paper/main.pdf")
    assert len(reader.pages) >= 6
    assert "tiny" in reader.pages[0].extract_text()


def test_every_result_stands_where_the_layout_says(tiny: Path) -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    layout = Layout(tiny / "results/tiny")
    for dataset, model, seed in study.runs():
        assert layout.checkpoint(dataset, model, seed).is_file()
        assert (layout.evaluation(dataset, model) / "quality.json").is_file()
    for dataset in study.data:
        assert (layout.data(dataset) / "test.npz").is_file()
    assert layout.values.is_file()
    assert (layout.figures / "swaps.pdf").is_file()
    assert (layout.animations / "swaps.gif").is_file()
    assert not any(layout.root.glob("work/*")), "finished runs leave no resumable state"


def test_nothing_is_left_to_do(tiny: Path) -> None:
    assert "Nothing to be done" in snakemake("all", "--dry-run", folder=tiny)


def test_a_run_trained_again_has_the_same_bytes_and_another_one_is_told(tiny: Path, tmp_path: Path) -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    [again] = trained_again(study, Layout(tiny / "results/tiny"), 1, "cpu")
    assert (again.equal, again.comparable) == (True, True)
    shutil.copytree(tiny / "results/tiny", tmp_path / "restored", ignore=shutil.ignore_patterns("checkpoint.pt"))
    [again] = trained_again(study, Layout(tmp_path / "restored"), 1, "cpu")
    assert (again.equal, again.comparable) == (True, True), "as the receipt of the checkpoint says"
    for part in ("data", "train"):
        shutil.copytree(tiny / "results/tiny" / part, tmp_path / part)
    for history in tmp_path.glob("train/*/*/*/history.csv"):
        history.write_text(history.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    [again] = trained_again(study, Layout(tmp_path), 1, "cpu")
    assert (again.equal, again.comparable) == (False, True)
    assert "trained again, OTHER BYTES" in again.text()


def test_a_deleted_pdf_is_only_rebuilt(tiny: Path, tiny_copy: Path) -> None:
    folder = tiny_copy
    (folder / "results/tiny/paper/main.pdf").unlink()
    (folder / "paper/main.pdf").unlink()
    output = snakemake("paper/main.pdf", folder=folder)
    assert jobs(output) == {"paper": 1, "copy_paper": 1}
    assert "hypotheses: " in output  # what the study found
    assert_same_pdf(folder / "paper/main.pdf", tiny / "paper/main.pdf")


def test_a_touched_result_changes_nothing(tiny_copy: Path) -> None:
    folder = tiny_copy
    next((folder / "results/tiny/train").rglob("checkpoint.pt")).touch()
    assert "Nothing to be done" in snakemake("all", "--dry-run", folder=folder)


def test_a_job_that_failed_is_asked_for_again_though_later_results_stand(
    tiny_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "slower.yaml"
    text = (ROOT / "config/tiny.yaml").read_text(encoding="utf-8")
    entry = "  baseline_vae:\n    label: Baseline VAE\n"
    assert entry in text
    config.write_text(text.replace(entry, f"{entry}    training: {{learning_rate: 0.0007}}\n"), encoding="utf-8")
    fails = "import os, sys\nif 'train' in sys.orig_argv: os._exit(1)\n"
    (tmp_path / "sitecustomize.py").write_text(fails, encoding="utf-8")
    target = "results/tiny/evaluate/moving_digits/baseline_vae/quality.json"
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", str(tmp_path))
        snakemake(target, folder=tiny_copy, study=str(config), expect=1)
    assert (tiny_copy / target).is_file()
    planned = snakemake(target, "--dry-run", folder=tiny_copy, study=str(config))
    assert "rule train:" in planned
    assert "rule evaluate:" in planned


def test_the_report_shows_every_figure_and_what_was_found(tiny: Path, tmp_path: Path) -> None:
    snakemake("all", "--report", str(tmp_path / "report.zip"), folder=tiny)
    shutil.unpack_archive(tmp_path / "report.zip", tmp_path)
    assert (tmp_path / "report.zip").stat().st_size < 15e6
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    assert "hypotheses: " in page
    root = tiny / "results/tiny"
    for picture in [*root.glob("figures/*.png"), *root.glob("animations/*.gif")]:
        assert picture.name in page, picture
    assert "the rendered true answer above each" in page  # the caption of the swaps


def test_the_explorer_is_made_when_asked_for_and_proven_like_all_results(tiny_copy: Path) -> None:
    folder = tiny_copy
    assert jobs(snakemake("explorer", folder=folder)) == {"explorer": 1}
    page = folder / "results/tiny/explorer"
    assert sum(path.stat().st_size for path in page.rglob("*")) < 15e6
    assert {path.name for path in page.iterdir()} == {"index.html", "explorer.css", "explorer.js", "sheets"}
    assert "Nothing to be done" in snakemake("all", "explorer", "--dry-run", folder=folder)
    verify = ("whatmoves", "verify", "--configfile", str(ROOT / "config/tiny.yaml"))
    run(*verify, folder=folder)
    (page / "index.html").write_text("another page", encoding="utf-8")
    assert "not ours  explorer: file explorer is not what the job wrote" in run(*verify, folder=folder, expect=1).stdout
