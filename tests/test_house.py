"""The house: data flows one way down the floors, so no import runs upward, and none runs in a circle."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from tools import ROOT

SOURCE = ROOT / "src/whatmoves"
# From the ground up. A room may import its own line and the lines before it.
FLOORS = [
    {"errors", "settings", "files", "machine", "floors", "yaml_files", "settings_reference"},
    {"blame", "by_seed", "failed_jobs", "gpus"},
    {"arithmetic", "study", "layout", "asked", "plugins", "loading", "provenance"},
    {"data"},
    {"models"},
    {"training", "codes"},
    {"evaluation"},
    {"judging", "planning", "searching", "using", "schema"},
    {"exchange"},
    {"shifts"},
    {"analysis"},
    {"figures"},
    {"paper"},
    {"explorer"},
    {"machines"},
    {"commands", "cli", "__main__", "__init__"},
]
HEIGHT = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
ALONE = {"codes": {"errors", "files"}}  # what these rooms may import of ours


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below `whatmoves`."""
    paths = {path.relative_to(SOURCE).with_suffix(""): path for path in sorted(SOURCE.rglob("*.py"))}
    return {".".join(name.parts).removesuffix(".__init__"): path for name, path in paths.items()}


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of ours that a file imports when it runs, those inside its functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for part in node.body
        for inner in ast.walk(part)
    }
    for node in ast.walk(tree):
        if node in hidden or not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("whatmoves"):
            continue
        package = (node.module or "").removeprefix("whatmoves").removeprefix(".")
        for alias in node.names:
            whole = f"{package}.{alias.name}".removeprefix(".")
            yield whole if whole in known else package


KNOWN = modules()


def room(module: str) -> str:
    return module.partition(".")[0] or "__init__"


@pytest.mark.parametrize("module", KNOWN)
def test_no_import_runs_upward(module: str) -> None:
    here = room(module)
    upward = [name for name in imports(KNOWN[module], KNOWN) if HEIGHT[room(name)] > HEIGHT[here]]
    assert upward == []
    if here in ALONE:
        assert {room(name) for name in imports(KNOWN[module], KNOWN)} <= ALONE[here] | {here}


def test_nothing_in_the_pipeline_imports_what_a_person_uses() -> None:
    users = {module for module, path in KNOWN.items() for name in imports(path, KNOWN) if room(name) == "using"}
    assert {room(module) for module in users} == {"using", "commands"}


def test_no_import_runs_in_a_circle() -> None:
    graph = {module: set(imports(path, KNOWN)) - {module} for module, path in KNOWN.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {' → '.join(error.args[1])}")
