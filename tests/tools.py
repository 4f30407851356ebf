"""What tests share: the tree under test, and how to run commands and the workflow outside it."""

import difflib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

ROOT = Path(__file__).parents[1]
OF_THE_MACHINE = (
    "\na process died by a signal: no fault of what was tested, but of memory (free -g, dmesg) or of a library on this "
    "processor; `pytest -m slow tests/arithmetic` names model and level: please report that with the output of lscpu"
)


def run(*command: str, folder: Path, expect: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment in `folder`; any other exit code than `expect` fails with its output."""
    path = environment.pop("PATH", os.environ["PATH"])
    path = f"{Path(sys.executable).parent}{os.pathsep}{path}"
    answer = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PATH": path, **environment},
        check=False,
    )
    if expect is not None and answer.returncode != expect:
        said = f"{' '.join(command)}: exit code {answer.returncode}\n{answer.stdout}\n{answer.stderr}"
        pytest.fail(said + (OF_THE_MACHINE if answer.returncode < 0 or "died by SIG" in said else ""))
    return answer


def snakemake(*arguments: str, folder: Path, study: str = "tiny", expect: int | None = 0) -> str:
    """Run the workflow of this tree with `folder` as its working directory; returns all it printed."""
    configfile = study if study.endswith(".yaml") else str(ROOT / "config" / f"{study}.yaml")
    command = ["snakemake", *arguments, "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    answer = run(*command, "--configfile", configfile, folder=folder, expect=expect)
    return answer.stdout + answer.stderr


def assert_same_pdf(made: Path, expected: Path) -> None:
    """Equal bytes, or the lines of text in which the two differ."""
    if made.read_bytes() != expected.read_bytes():
        before, after = (
            [line for page in PdfReader(path).pages for line in page.extract_text().splitlines()]
            for path in (expected, made)
        )
        lines = list(difflib.unified_diff(before, after, str(expected), str(made), n=0, lineterm=""))
        pytest.fail("\n".join(lines[:40]) or f"{made} and {expected} say the same in other bytes: a figure differs")
