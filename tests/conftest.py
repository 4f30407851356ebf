"""The tiny study, built once a session, outside the tree."""

from pathlib import Path

import pytest
from tools import snakemake


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole tiny study was run, to the PDF; tests must leave it as they found it."""
    folder = tmp_path_factory.mktemp("tiny")
    snakemake("all", folder=folder)
    return folder
