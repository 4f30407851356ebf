"""The tiny study, built once a session, outside the tree; and the arithmetic that tests compute in.

Several processes share a session (`make test`): a file's tests stay together, and so do all that read the tiny study.
"""

import shutil
from pathlib import Path

import pytest
from tools import snakemake

from whatmoves.arithmetic.level import set_level

set_level("portable")  # before any test imports a numerical library


@pytest.hookimpl(tryfirst=True)  # before the processes read their groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests go to one process, for their fixtures are dear."""
    for item in items:
        shared = "tiny" if "tiny" in getattr(item, "fixturenames", ()) else item.path.name
        item.add_marker(pytest.mark.xdist_group(shared))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole tiny study was run, to the PDF; tests must leave it as they found it."""
    folder = tmp_path_factory.mktemp("tiny")
    snakemake("all", folder=folder)
    return folder


@pytest.fixture
def tiny_copy(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to change. It lies as deep as the original, because paths of inputs are relative to it."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(tiny, folder, dirs_exist_ok=True)
    return folder
