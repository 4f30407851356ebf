"""How soon something happens, in seconds of the processor: plans, a run with nothing to do, an edited figure, starts.

What Snakemake takes by itself, with one rule and the same plugins, stands beside the plans. Of a finished `quick` only
the names of the files are made, empty, with Snakemake's record of them: that there is nothing to do does not depend on
what is in them. The figure is edited in a copy of this tree, on the tiny study, which is built first (4 minutes).

    python benchmarks/latency.py [FOLDER]        # FOLDER is kept: a second time nothing is built
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rows import Row, keep

from whatmoves.loading import load_study

ROOT = Path(__file__).parents[1]
TREE = (
    "Snakefile",
    "requirements.txt",
    "environment.yml",
    "src",
    "workflow",
    "profiles",
    "paper",
    "config",
    "notebooks",
)
TURNS = 3
FIGURE = "src/whatmoves/figures/quality.py"


def seconds(*command: str, folder: Path, source: Path = ROOT, turns: int = 1) -> float:
    """User and system time of a command with all its children; the least of `turns`."""
    found = []
    for _ in range(turns):
        before = _used()
        run(*command, folder=folder, source=source)
        found.append(_used() - before)
    return min(found)


def run(*command: str, folder: Path, source: Path = ROOT) -> str:
    """Run a command of this environment, with the package of `source`; returns what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(source / "src"), "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(f"{' '.join(command)}: exit code {answer.returncode}\n{answer.stdout}\n{answer.stderr}")
    return answer.stdout + answer.stderr


def workflow(study: str, *arguments: str, folder: Path, source: Path = ROOT) -> list[str]:
    """The command of a study in `folder`."""
    configfile = str(source / "config" / f"{study}.yaml")
    command = ["snakemake", *arguments, "--cores", "2", "--snakefile", str(source / "Snakefile")]
    return [*command, "--directory", str(folder), "--configfile", configfile]


def plans(folder: Path) -> list[Row]:
    """What a dry run takes, beside one of an empty workflow."""
    empty = _made(folder / "empty")
    (empty / "Snakefile").write_text('rule all:\n    output: "x"\n    shell: "touch x"\n', encoding="utf-8")
    floor = seconds("snakemake", "--dry-run", "--cores", "2", folder=empty, turns=TURNS)
    rows = [Row("`whatmoves --help`", seconds("whatmoves", "--help", folder=empty, turns=TURNS), "s", at_most=0.15)]
    for study, name, at_most in (("config", "quick", 2), ("full", "full", 4)):
        place = _made(folder / f"plan-{name}")
        took = seconds(*workflow(study, "all", "--dry-run", folder=place), folder=place, turns=TURNS + 1)
        rows.append(
            Row(f"plan of `{name}` (`snakemake -n`)", took, "s", floor, "a workflow of one rule", at_most=at_most)
        )
    return rows


def nothing_to_do(folder: Path) -> Row:
    """A run of `quick` that finds all its files in place."""
    folder = _made(folder / "noop")
    said = run(*workflow("config", "all", "--dry-run", "--forceall", folder=folder), folder=folder)
    for line in re.findall(r"^    output: (.*)$", said, re.MULTILINE):
        for name in line.split(", "):
            _made((folder / name).parent)
            (folder / name).touch()
    run(*workflow("config", "all", "--touch", "--forceall", folder=folder), folder=folder)
    assert "Nothing to be done" in run(*workflow("config", "all", "--dry-run", folder=folder), folder=folder)
    command = workflow("config", "all", folder=folder)
    return Row("a run of `quick` with nothing to do", seconds(*command, folder=folder, turns=TURNS), "s", at_most=2)


def edited_figure(folder: Path) -> Row:
    """From an edit of a figure's code to the paper with it, in a tiny study that is finished."""
    tree, place = folder / "tree", _made(folder / "tiny")
    for name in TREE:
        if not (tree / name).exists():
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            _made(tree)
            copy(ROOT / name, tree / name)
    command = workflow("tiny", "all", folder=place, source=tree)
    run(*command, folder=place, source=tree)
    with (tree / FIGURE).open("a", encoding="utf-8") as text:
        text.write(f"\n_EDITED = {os.getpid()}\n")
    command = workflow("tiny", "paper/main.pdf", folder=place, source=tree)
    return Row(
        "an edit of a figure's code → `paper/main.pdf`", seconds(*command, folder=place, source=tree), "s", at_most=15
    )


def starts(folder: Path) -> list[Row]:
    """Jobs of the tiny study, whose work is nearly nothing: what it takes to begin one, beside PyTorch alone."""
    tree, place = folder / "tree", folder / "tiny"
    torch = seconds(sys.executable, "-c", "import torch", folder=place, turns=TURNS)
    numpy = seconds(sys.executable, "-c", "import numpy, matplotlib.pyplot", folder=place, turns=TURNS)
    study = load_study(ROOT / "config/tiny.yaml")
    model = "baseline_vae"
    assert model in study.models
    on = ("--dataset", "moving_digits", "--model", model)
    jobs = {
        "train": ("train", *on),
        "evaluate": ("evaluate", *on),
        "judge": ("judge", *on),
        "evaluate a floor": ("evaluate", "--dataset", "moving_digits", "--model", "blank"),
        "figure": ("figures", "--figure", "pipeline"),
    }
    configfile = ("--configfile", str(tree / "config/tiny.yaml"))
    return [
        Row(
            f"a job of the tiny study: {name}",
            seconds("whatmoves", *command, *configfile, folder=place, source=tree, turns=TURNS),
            "s",
            numpy if name == "figure" else torch,
            "import of Matplotlib" if name == "figure" else "import of PyTorch",
        )
        for name, command in jobs.items()
    ]


def main() -> None:
    """Print and keep the rows."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary).resolve()
        keep("latency", [*plans(folder), nothing_to_do(folder)], f"The least of {TURNS} turns.")
        rows = [edited_figure(folder), *starts(folder)]
        keep("starts", rows, f"The least of {TURNS} turns; the edited figure once, with the paper's LaTeX.")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
