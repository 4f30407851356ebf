"""Environments that Snakemake deploys: conda's and Apptainer's part is played by scripts, the rest is real."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
import yaml
from tools import ROOT, run

TREE = ("src", "workflow", "config", "paper", "Snakefile", "requirements.txt", "pyproject.toml", "README.md", "LICENSE",
        "environment.yml", "environment.post-deploy.sh", "profiles")  # fmt: skip
STUDY = """
study: s
seeds: [0]
evaluation: {swap_pairs: 4}
data: {d: {kind: moving_digits, options: {image_px: 16, digit_px: 8, frames: 6, validation_clips: 8, test_clips: 8}}}
models: {mean_frame: {}}
"""
TARGET = "results/s/data/d/receipt.json"

# `conda env create` makes a virtual environment that sees the packages of this one, as if it had installed them, but
# neither its commands nor its whatmoves; whoever starts Python there is noted.
CONDA = """#!{python}
import json, shutil, subprocess, sys
from pathlib import Path
words = sys.argv[1:]
here = Path({here!r})
if words[0] == "info":
    print(json.dumps({{"conda_prefix": str(here / "base"), "platform": "linux-64"}}))
elif words[0] == "--version":
    print("conda 99.1.0")
elif words[0] == "config":
    print(json.dumps({{"get": {{"channel_priority": "strict"}}}}))
elif words[:2] == ["env", "create"]:
    copy, prefix = (Path(words[words.index(option) + 1]) for option in ("--file", "--prefix"))
    (here / "built").write_text(copy.read_text())
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    [site] = prefix.glob("lib/python3*/site-packages")
    shutil.rmtree(site / "setuptools", ignore_errors=True)  # of some Pythons, and old
    hidden = "import sys; sys.path[:] = [p for p in sys.path if not p.startswith({source!r})]"
    (site / "zz.pth").write_text({packages!r} + chr(10) + hidden + chr(10))
    note = "import sys; open({here!r} + '/ran', 'a').write(' '.join([sys.prefix, *sys.orig_argv]) + chr(10))"
    (site / "zzz.pth").write_text(note + chr(10))  # Debian has a sitecustomize of its own
elif words[0] != "clean":
    sys.exit(f"unexpected: {{words}}")
"""
APPTAINER = """#!{python}
import os, sys
from pathlib import Path
words = sys.argv[1:]
if words == ["--version"]:
    print("apptainer version 1.3.4")
else:
    Path({here!r}, "ran").open("a").write(repr(words) + chr(10))
    os.environ["PATH"] = {commands!r} + ":/usr/bin:/bin"  # of %environment
    at = words.index("bash")
    os.execvp("bash", words[at:])
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout in a folder of its own, with a study."""
    (tmp_path / "tree").mkdir()
    for name in TREE:
        source, place = ROOT / name, tmp_path / "tree" / name
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(source, place)
    (tmp_path / "tree/study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path / "tree"


def stand_in(name: str, text: str, folder: Path) -> dict[str, str]:
    """A command of this name, first in PATH; returns the environment."""
    (folder / "bin").mkdir()
    (folder / "bin" / name).write_text(text, encoding="utf-8")
    (folder / "bin" / name).chmod(0o755)
    commands = Path(sys.executable).parent
    return {"PATH": os.pathsep.join([str(folder / "bin"), str(commands), os.environ["PATH"]])}


def test_environment_yml_is_requirements_txt_and_names_no_other_file() -> None:
    spec = util.spec_from_file_location("environment", ROOT / "workflow/install/environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert text == module.environment(requirements), "run `make schema`"
    *_, pip = yaml.safe_load(text)["dependencies"]
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", pin) for pin in pip["pip"])
    assert len(pip["pip"]) == len(re.findall(r"^\w.*==", requirements, re.MULTILINE))


def test_jobs_run_in_the_environment_that_conda_builds_of_the_file_alone(tree: Path, tmp_path: Path) -> None:
    [packages] = {str(Path(p)) for p in sys.path if p.endswith("site-packages")}
    text = CONDA.format(python=sys.executable, here=str(tmp_path), source=str(ROOT / "src"), packages=packages)
    environment = stand_in("conda", text, tmp_path)
    (tmp_path / "base/bin").mkdir(parents=True)
    (tmp_path / "base/bin/activate").write_text('export PATH="$1/bin:$PATH"\n', encoding="utf-8")
    command = ["snakemake", TARGET, "--cores", "1", "--sdm", "conda", "--configfile", "study.yaml"]
    answer = run(*command, folder=tree, PYTHONPATH=str(tree / "src"), **environment)
    assert (tmp_path / "built").read_text(encoding="utf-8") == (tree / "environment.yml").read_text(encoding="utf-8")
    ran = (tmp_path / "ran").read_text(encoding="utf-8").splitlines()
    [job] = {line for line in ran if "/whatmoves data " in line}  # a line of a .pth may run twice
    assert job.startswith(str(tree / ".snakemake/conda")), answer.stderr
    assert json.loads((tree / TARGET).read_text(encoding="utf-8"))["core"]["kind"] == "data"


def test_jobs_run_in_the_image_with_the_code_of_the_tree(tree: Path, tmp_path: Path) -> None:
    text = APPTAINER.format(python=sys.executable, here=str(tmp_path), commands=str(Path(sys.executable).parent))
    environment = stand_in("apptainer", text, tmp_path)
    (tree / "whatmoves.sif").touch()
    command = ["snakemake", TARGET, "--cores", "1", "--sdm", "apptainer", "--configfile", "study.yaml"]
    run(*command, folder=tree, PYTHONPATH=str(tree / "src"), **environment)
    words = " ".join((tmp_path / "ran").read_text(encoding="utf-8").split())
    assert "'whatmoves.sif'" in words
    assert f"export PYTHONPATH={tree}/src; whatmoves data" in words
    assert str(Path(sys.executable).parent) not in words  # which lies outside the image
    assert (tree / TARGET).is_file()


def test_the_image_is_made_from_files_that_are_there_by_targets_that_are_there(tmp_path: Path) -> None:
    text = (ROOT / "apptainer.def").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^%(\w+)\n(.*?)(?=^%|\Z)", text, re.MULTILINE | re.DOTALL))
    for line in sections["files"].split("\n"):
        if not line.strip():
            continue
        source, target = line.split()
        place = tmp_path / Path(target).relative_to("/opt/whatmoves")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(ROOT / source)
        assert (ROOT / source).exists()
    [make] = re.findall(r"^ +make (.*)$", sections["post"], re.MULTILINE)
    answer = run("make", "--dry-run", *make.split(), folder=tmp_path)
    assert 'workflow/install/python.sh "python3" "/opt/venv"' in answer.stdout
    assert "workflow/install/latex.sh" in answer.stdout
    assert "PATH=/opt/venv/bin:" in sections["environment"]
    subprocess.run(["bash", "-n"], input=sections["post"], text=True, check=True)
