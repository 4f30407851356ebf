"""The toy project with results, for every test of provenance."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_project import Project

from whatmoves import asked

TOYS = ("toy", "alpha", "beta", "gamma", "delta")


@pytest.fixture(scope="session", autouse=True)
def toys_are_able_to_nothing() -> Iterator[None]:
    """The toy project's kinds are in no schema; nothing is asked of them beyond training and evaluation."""
    real = asked.abilities_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked, "abilities_of", lambda section, kind: frozenset() if kind in TOYS else real(section, kind))
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with all its results, made once and copied by each test."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    folder.mkdir()
    with contextlib.chdir(folder):
        project = Project(folder)
        project.write_tree()
        for kind, wildcards in project.jobs():
            project.run(kind, wildcards)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without results, in the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    project = Project(folder)
    project.write_tree()
    return project


@pytest.fixture
def built(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with all its results, in the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    return Project(folder)
