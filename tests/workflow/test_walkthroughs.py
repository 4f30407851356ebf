"""docs/adding.md, done as it says in a copy of the tree: model, data set, measure, floor and figure reach the paper."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tools import ROOT, run

from whatmoves.plugins import model_kinds

PAGE = (ROOT / "docs/adding.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*)\n([\s\S]*?)(?=^## |\Z)", PAGE, re.MULTILINE))
COMMANDS = re.findall(r"^```sh\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)[0].splitlines()
TREE = (
    "src",
    "paper",
    "config",
    "workflow",
    "tests",
    "Snakefile",
    "requirements.txt",
    "pyproject.toml",
    "environment.yml",
    "docs/data.md",
)
BUILD = "snakemake"


class Block(NamedTuple):
    """Lines for a file: the whole of it, or what goes below the line that holds `below`."""

    file: str
    below: str
    text: str

    def apply(self, tree: Path) -> None:
        path = tree / self.file
        if not self.below:
            assert not path.exists(), f"{self.file} is there already"
            path.write_text(self.text, encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [number for number, line in enumerate(lines, 1) if self.below in line]
        assert len(places) == 1, f"docs/adding.md quotes {self.below!r}, which {self.file} holds {len(places)} times"
        path.write_text("".join([*lines[: places[0]], self.text, *lines[places[0] :]]), encoding="utf-8")


def blocks(text: str) -> list[Block]:
    found = re.findall(r"^`(\S+)`, (?:new|below `([^`\n]*)`)\n\n```\w+\n(.*?)```$", text, re.DOTALL | re.MULTILINE)
    return [Block(*block) for block in found]


def size(of: list[Block]) -> str:
    """Files and lines in words, as the pages state them."""
    if not of:
        return "none"
    files, lines = len({block.file for block in of}), sum(len(block.text.splitlines()) for block in of)
    return f"{files} file{'s' * (files != 1)}, {lines} line{'s' * (lines != 1)}"


def command(line: str, tree: Path, limit: str = "") -> str:
    """A command of the page, by the copy's own package."""
    words = shlex.split(line, comments=True)
    words[:1] = [sys.executable] if words[0] == "python" else words[:1]
    return run(*words, *shlex.split(limit), folder=tree, PYTHONPATH=str(tree / "src")).stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with everything added, and all commands run but the last, which takes minutes."""
    tree = tmp_path_factory.mktemp("tree")
    for name in TREE:
        whole = ROOT / name
        (tree / name).parent.mkdir(exist_ok=True)
        (shutil.copytree if whole.is_dir() else shutil.copyfile)(whole, tree / name)
    for block in blocks(PAGE):
        block.apply(tree)
    for line in COMMANDS:
        if not line.startswith(BUILD):
            command(line, tree)
    return tree


@pytest.mark.parametrize("name", ["A model", "A data set", "A measure", "A floor", "A figure"])
def test_each_takes_what_the_pages_say(name: str) -> None:
    added = blocks(SECTIONS[name])
    new, changed = size([b for b in added if not b.below]), size([b for b in added if b.below])
    assert f"New: {new}. Changed: {changed}." in SECTIONS[name]
    row = f"| {name.lower()} | {new} | {changed} |"
    assert row in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_block_of_the_page_is_used() -> None:
    assert PAGE.count("\n```") == 2 * len(blocks(PAGE)) + 2  # and the commands


def test_the_map_names_every_room() -> None:
    rooms = [path.parent.name for path in (ROOT / "src/whatmoves").glob("*/__init__.py")]
    readme, contributing = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    assert [room for room in rooms if f"src/whatmoves/{room}/" not in readme.split("## The house")[1]] == []
    assert [room for room in rooms if not re.search(rf"`{room}/?`", contributing)] == []


@pytest.mark.parametrize("kind", model_kinds())
def test_the_loss_of_a_model_stands_in_its_own_file(kind: str) -> None:
    text = (ROOT / f"src/whatmoves/models/{kind}.py").read_text(encoding="utf-8")
    assert len(re.findall(r"^    def (?:loss|fit)\(", text, re.MULTILINE)) == 1


def test_what_is_added_is_found_checked_and_in_style(tree: Path) -> None:
    schema = json.loads((tree / "config/schema.json").read_text(encoding="utf-8"))
    assert {"still", "copy_first"} <= schema["kinds"]["models"].keys()
    assert schema["kinds"]["data"]["square"]["abilities"] == ["swap"]
    files = [block.file for block in blocks(PAGE) if block.file.endswith(".py")]
    run("ruff", "check", *files, folder=tree)
    run("ruff", "format", "--check", *files, folder=tree)


@pytest.mark.slow
def test_what_is_added_reaches_the_paper(tree: Path) -> None:
    [build] = [line for line in COMMANDS if line.startswith(BUILD)]
    command(build, tree)
    results = tree / "results/adding"
    values = json.loads((results / "values.json").read_text(encoding="utf-8"))["values"]
    tex = (results / "paper/main.tex").read_text(encoding="utf-8")
    assert (results / "paper/main.pdf").read_bytes().startswith(b"%PDF")
    for value_id in (
        "square.still.psnr_frame", "square.copy_first.predict_psnr_frame", "square.still.predict_gain_db",
        "square.lstm_vae.flicker", "square.lstm_vae.swap_psnr_frame",
    ):  # fmt: skip
        assert value_id in values
        assert rf"\result{{{value_id}}}" in tex
    assert r"\emph{copy first} holds the first frame of the clip it is given" in tex
    assert values["square.still.flicker"]["value"] == 0
    for figure in ("error_per_frame", "swaps"):
        assert (results / f"figures/{figure}.pdf").is_file()
        assert rf"\label{{fig:{figure}}}" in tex
