"""The tiny study, built once for a state of the tree, outside it; and the arithmetic that tests compute in.

Several processes may share a session (`make test`): a file's tests stay together, and all read the same tiny study. The
next session of that day reads it too (`make test-slow`), unless something that it is made of was changed.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import time
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest
from tools import ROOT, snakemake

from whatmoves.arithmetic.level import set_level
from whatmoves.provenance.receipts import git_state

set_level("portable")  # before any test imports a numerical library

MADE_OF = ("Snakefile", "requirements.txt", "src", "workflow", "profiles", "paper", "config", "notebooks")
KEPT = "whatmoves-tiny"
DAY_S = 24 * 3600


def state_of_the_tree() -> str:
    """A digest of all that a study is made of and tells of: our files, packages, where both stand, commit and day."""
    found = hashlib.sha256(f"{ROOT} {sys.prefix} {sys.version} {date.today()} {git_state(ROOT)}".encode())
    found.update("".join(sorted(f"{d.name} {d.version}\n" for d in metadata.distributions())).encode())
    for path in sorted(path for name in MADE_OF for path in (ROOT / name, *(ROOT / name).rglob("*"))):
        if path.is_file() and path.suffix not in (".pyc", ".pdf"):
            found.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole tiny study was run, to the PDF; tests must leave it as they found it."""
    own = tmp_path_factory.getbasetemp()  # of one process; those of a session lie side by side, below the user's folder
    user, below = (own.parents[1], f"{KEPT}/") if "PYTEST_XDIST_WORKER" in os.environ else (own.parent, f"{KEPT}-")
    folder = user / f"{below}{state_of_the_tree()}" / "tiny"  # as deep as the folders of tests
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_suffix(".done")
        if not done.is_file():  # the first process runs it, the others wait
            for old in (*user.glob(f"{KEPT}/*"), *user.glob(f"{KEPT}-*")):
                if time.time() - old.stat().st_mtime > DAY_S:
                    shutil.rmtree(old)
            snakemake("all", folder=folder)
            done.touch()
    return folder


@pytest.fixture
def tiny_copy(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to change. It lies as deep as the original, because paths of inputs are relative to it."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(tiny, folder, dirs_exist_ok=True)
    return folder
