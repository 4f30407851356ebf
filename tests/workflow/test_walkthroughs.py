"""The pages docs/add-a-*.md, done as they say in a copy of the tree: what they add reaches the paper."""

import importlib
import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tools import ROOT, run

from whatmoves import plugins
from whatmoves.data.clips import ClipShape
from whatmoves.errors import WhatMovesError
from whatmoves.models.answers import require_answers
from whatmoves.plugins import model_kinds
from whatmoves.study import ModelEntry, Study
from whatmoves.training.estimate import noise, try_on_shapes
from whatmoves.training.train import train
from whatmoves.yaml_files import read_yaml

NAMES = ("model", "dataset", "measure")  # in this order: each goes on with the study of those before it
PAGES = {name: (ROOT / f"docs/add-a-{name}.md").read_text(encoding="utf-8") for name in NAMES}
COMMANDS = [
    line
    for page in PAGES.values()
    for text in re.findall(r"^```sh\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    for line in text.splitlines()
]
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
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
LONG = ("snakemake", "whatmoves explain")  # the build, and what needs it


class Block(NamedTuple):
    """Lines for a file: the whole of it, or what goes below the line that holds `below`."""

    file: str
    below: str
    text: str

    def apply(self, tree: Path) -> None:
        path = tree / self.file
        path.parent.mkdir(exist_ok=True)
        if not self.below:
            assert not path.exists(), f"{self.file} is there already"
            path.write_text(self.text, encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [number for number, line in enumerate(lines, 1) if self.below in line]
        assert len(places) == 1, f"a page quotes {self.below!r}, which {self.file} holds {len(places)} times"
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
    """A copy of the tree with everything added, and all commands run but those that take minutes."""
    tree = tmp_path_factory.mktemp("tree")
    for name in TREE:
        whole = ROOT / name
        (tree / name).parent.mkdir(exist_ok=True)
        (shutil.copytree if whole.is_dir() else shutil.copyfile)(whole, tree / name)
    for page in PAGES.values():
        for block in blocks(page):
            block.apply(tree)
    for line in dict.fromkeys(COMMANDS):
        if not line.startswith(LONG):
            command(line, tree)
    return tree


@pytest.mark.parametrize("name", NAMES)
def test_each_takes_what_its_page_says(name: str) -> None:
    first, *_ = PAGES[name].partition("\n## ")
    [own] = [block for block in blocks(first) if block.file.startswith("my/")]
    [study] = [block for block in blocks(first) if block.file == "own.yaml"]
    entry = [line for line in study.text.splitlines() if f"my.{Path(own.file).stem}" in line]
    lines = len(own.text.splitlines())
    assert f"You write 1 file of {lines} lines, and {len(entry)} line of a study.\n" in first
    what = {"dataset": "data set"}.get(name, name)
    assert f"| a {what} | 1 file, {lines} lines | {len(entry)} line |" in CONTRIBUTING


@pytest.mark.parametrize(("page", "name"), [("model", "A floor"), ("measure", "A figure")])
def test_each_within_the_package_takes_what_its_page_says(page: str, name: str) -> None:
    section = PAGES[page].partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    added = blocks(section)
    new, changed = size([b for b in added if not b.below]), size([b for b in added if b.below])
    assert f"New: {new}. Changed: {changed}." in section
    assert f"| {name.lower()} | {new} | {changed} |" in CONTRIBUTING


def test_every_block_of_the_pages_is_used() -> None:
    for page in PAGES.values():
        others = re.findall(r"^```(?:sh|text)$", page, re.MULTILINE)
        assert page.count("\n```") == 2 * (len(blocks(page)) + len(others))


MISTAKES = [
    ("class Config(Settings):", "class Configuration(Settings):"),
    ('return {"reconstruction_nats": nats, "total": nats}', "return nats"),
    ("return self.frame.sigmoid().expand_as(video)", "return self.frame.sigmoid()"),
    ("nats = bernoulli_nats(", "nats = torch.nan * bernoulli_nats("),
]
SHAPE = ClipShape(frames=6, channels=1, height=16, width=16)


def meet(number: int, folder: Path) -> None:
    """The stage that meets a mistake first."""
    entry = ModelEntry(kind="my.still")
    if number < 2:
        try_on_shapes(entry, SHAPE, 8, "models.still")
    elif number == 2:
        require_answers(plugins.build_model(entry.kind, {}, SHAPE), noise(SHAPE, 2), 2)
    else:
        study = Study.model_validate(read_yaml(Path("own.yaml"), "", ""))
        data = study.data["moving_digits"]
        plugins.data_module(data.kind).make(plugins.data_config(data.kind, data.options), folder / "data")
        train(study, "moving_digits", "still", 0, folder / "data", folder / "out", folder / "work")


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_the_commonest_mistakes_are_one_line(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("my", "my.still"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for block in blocks(PAGES["model"])[:2]:
        block.apply(tmp_path)
    right, wrong = MISTAKES[number]
    text = Path("my/still.py").read_text(encoding="utf-8")
    assert text.count(right) == 1
    Path("my/still.py").write_text(
        text.replace(right, wrong).replace("Config, shape", "object, shape"), encoding="utf-8"
    )
    importlib.invalidate_caches()
    with pytest.raises(WhatMovesError) as told:
        meet(number, tmp_path)
    [said] = re.findall(r"^```text\n(.*?)```", PAGES["model"], re.DOTALL | re.MULTILINE)
    assert str(told.value) == said.splitlines()[number]


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
    assert "copy_first" in schema["kinds"]["models"]
    files = [block.file for page in PAGES.values() for block in blocks(page) if block.file.endswith(".py")]
    run("ruff", "check", *files, folder=tree)
    run("ruff", "format", "--check", *files, folder=tree)


@pytest.mark.slow
def test_what_is_added_reaches_the_paper(tree: Path) -> None:
    for line in dict.fromkeys(COMMANDS):
        if line.startswith(LONG):
            command(line, tree)
    results = tree / "results/own"
    values = json.loads((results / "values.json").read_text(encoding="utf-8"))["values"]
    tex = (results / "paper/main.tex").read_text(encoding="utf-8")
    assert (results / "paper/main.pdf").read_bytes().startswith(b"%PDF")
    for value_id in (
        "square.still.psnr_frame", "square.copy_first.predict_psnr_frame", "square.still.predict_gain_db",
        "square.still.flicker", "square.copy_first.predict_flicker", "square.lstm_vae.swap_flicker",
        "square.lstm_vae.swap_psnr_frame",
    ):  # fmt: skip
        assert value_id in values
        assert rf"\result{{{value_id}}}" in tex
    assert r"\emph{copy first} holds the first frame of the clip it is given" in tex
    assert values["square.still.flicker"]["value"] == 0
    for figure in ("measures", "error_per_frame", "swaps"):
        assert (results / f"figures/{figure}.pdf").is_file()
        assert rf"\label{{fig:{figure}}}" in tex
