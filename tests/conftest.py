"""The tiny study, built once a session, outside the tree; and the arithmetic that tests compute in.

Several processes may share a session (`make test`): a file's tests stay together, and all read the same tiny study.
"""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from tools import snakemake

from whatmoves.arithmetic.level import set_level

set_level("portable")  # before any test imports a numerical library


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole tiny study was run, to the PDF; tests must leave it as they found it."""
    own = tmp_path_factory.getbasetemp()  # of one process; those of a session lie side by side
    folder = (own.parent / "shared" if "PYTEST_XDIST_WORKER" in os.environ else own) / "tiny"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "paper/main.pdf").is_file():  # the first process runs it, the others wait
            folder.mkdir(exist_ok=True)
            snakemake("all", folder=folder)
    return folder


@pytest.fixture
def tiny_copy(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to change. It lies as deep as the original, because paths of inputs are relative to it."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(tiny, folder, dirs_exist_ok=True)
    return folder
