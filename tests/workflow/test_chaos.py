"""Killed at any moment, the study resumes and ends at the same bytes; packed and laid back, it gives the same paper."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tools import ROOT, assert_same_pdf, run, snakemake

KILLS = 10
# Taken from a finished study, so that faults meet jobs of every stage, from data to paper, in a third of its time.
LOST = (
    "*/drive", "*/push_world/cvae_push", "*/moving_digits/jepa", "*/moving_digits/lstm_vae",
    "values*", "figures", "animations", "verify.json", "efficiency*", "paper",
)  # fmt: skip
SEED = int(os.environ.get("WHATMOVES_CHAOS_SEED", "0"))


def lose(folder: Path) -> None:
    """Take from a study in `folder` some of its trainings with their data, and what was made of them."""
    for path in [folder / "paper/main.pdf", *(path for name in LOST for path in (folder / "results/tiny").glob(name))]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The workflow in a process group of its own."""
    command = ["snakemake", "all", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "chaos.log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--configfile", str(ROOT / "config/tiny.yaml"), "--nolock"],
            cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1", "PATH": path},
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def strike(process: subprocess.Popen[bytes], chance: random.Random) -> str:
    """One fault: a job killed, the whole group asked to end, or Snakemake itself killed, its jobs left alive."""
    kind = chance.choice(["job", "group", "snakemake"])
    jobs = [child for child in psutil.Process(process.pid).children(recursive=True) if "whatmoves" in child.name()]
    if kind == "job" and jobs:
        chance.choice(jobs).kill()
        return "job"
    if kind == "snakemake":
        process.kill()
        process.wait()
        return kind
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    return "group"


COMMIT = re.compile(rb"commit \\texttt\{[0-9a-f]+\}( with uncommitted changes)?")


def others(made: Path, expected: Path) -> list[str]:
    """Results of other bytes than expected, but for what tells of the run itself: its times, receipts and commit."""
    told = ("*receipt.json", "timings.json", "efficiency.*", "verify.json", "main.pdf", "*.tsv")
    files = [path.relative_to(expected) for path in sorted(expected.rglob("*")) if path.is_file()]
    made_of = [path for path in files if not any(path.match(pattern) for pattern in told)]

    def content(path: Path) -> bytes:  # a commit while the test runs, or a file that another test leaves in the tree
        return COMMIT.sub(b"commit", path.read_bytes()) if path.suffix == ".tex" else path.read_bytes()

    return [str(path) for path in made_of if content(made / path) != content(expected / path)]


@pytest.mark.slow
def test_a_study_killed_ten_times_ends_at_the_same_bytes(tiny: Path, tiny_copy: Path) -> None:
    lose(tiny_copy)
    chance = random.Random(SEED)
    struck: list[str] = []
    finished: dict[Path, int] = {}  # complete training runs and when their receipt was written
    deadline = time.monotonic() + 900
    while True:
        process = start(tiny_copy)
        if len(struck) < KILLS:
            try:
                process.wait(timeout=chance.uniform(2, 9))
            except subprocess.TimeoutExpired:
                struck.append(strike(process, chance))
        code = process.wait()
        for receipt in (tiny_copy / "results/tiny/train").rglob("receipt.json"):
            finished.setdefault(receipt, receipt.stat().st_mtime_ns)
        if code == 0 and len(struck) >= KILLS:
            break
        if code == 0:  # done before all faults were planted: begin again from a part of it
            lose(tiny_copy)
            finished = {receipt: written for receipt, written in finished.items() if receipt.exists()}
        assert time.monotonic() < deadline, (tiny_copy / "chaos.log").read_text(encoding="utf-8")[-5000:]
    assert len(struck) >= KILLS
    once, killed = tiny / "results/tiny", tiny_copy / "results/tiny"
    assert others(killed, once) == []
    if (killed / "paper/main.tex").read_bytes() == (once / "paper/main.tex").read_bytes():
        assert_same_pdf(killed / "paper/main.pdf", once / "paper/main.pdf")
    again = [receipt for receipt, written in finished.items() if receipt.stat().st_mtime_ns != written]
    assert len(again) <= struck.count("snakemake"), f"trained twice: {again}"  # Snakemake forgets what it did not note
    assert not any((tiny_copy / "results/tiny/work").glob("*/state.pt"))


@pytest.mark.slow
def test_an_archive_gives_the_same_paper_without_training(tiny: Path, tmp_path: Path) -> None:
    configfile = str(ROOT / "config/tiny.yaml")
    archive = tmp_path / "tiny.tar.gz"
    run("whatmoves", "archive", "--configfile", configfile, "--out", str(archive), folder=tiny)
    folder = tmp_path / "fresh"
    folder.mkdir()
    run("whatmoves", "restore", str(archive), "--configfile", configfile, folder=folder)
    output = snakemake("paper/main.pdf", folder=folder)
    assert "paper" in output
    assert "] train " not in output
    assert_same_pdf(folder / "paper/main.pdf", tiny / "paper/main.pdf")
    foreign = str(ROOT / "config/config.yaml")
    refused = run("whatmoves", "restore", str(archive), "--configfile", foreign, folder=tmp_path, expect=2)
    assert "tiny" in refused.stderr
    assert not [path for path in (tmp_path / "results").rglob("*") if path.is_file()]  # nothing was laid


@pytest.mark.slow
def test_the_arxiv_source_compiles_by_itself(tiny_copy: Path, tmp_path: Path) -> None:
    snakemake("arxiv", folder=tiny_copy)
    shutil.unpack_archive(tiny_copy / "results/tiny-arxiv.tar.gz", tmp_path / "source")
    for _ in range(3):  # no BibTeX: the bibliography travels as main.bbl
        run("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex", folder=tmp_path / "source")
    log = (tmp_path / "source/main.log").read_text(encoding="utf-8", errors="replace")
    assert "undefined" not in log
