"""Write environment.yml, for conda, from requirements.txt: `python workflow/install/environment.py`, or `make schema`.

Snakemake (`--sdm conda`) copies the file alone before it builds the environment, so it may name no other file. All
packages but Python itself come from pip, so that they are those of .venv, to the byte.
"""

import re
from pathlib import Path

HEADER = """\
# The environment of requirements.txt for conda, written from it by workflow/install/environment.py (`make schema`).
# `snakemake --sdm conda` builds it; by hand: conda env create --file environment.yml, conda activate whatmoves, and
# pip install --no-deps --editable .
name: whatmoves
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - setuptools>=77
  - pip:
"""


def environment(requirements: str) -> str:
    """environment.yml of the text of requirements.txt."""
    pins = re.findall(r"^[^#\s]+", requirements, re.MULTILINE)
    return HEADER + "".join(f"      - {pin}\n" for pin in pins)


if __name__ == "__main__":
    here = Path(__file__).parents[2]
    text = environment((here / "requirements.txt").read_text(encoding="utf-8"))
    (here / "environment.yml").write_text(text, encoding="utf-8")
