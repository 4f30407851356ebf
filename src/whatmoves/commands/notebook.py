"""Run a notebook on a finished study and write it, with all it shows, as an HTML page."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_study, open_study

HELP = "run a notebook on a finished study and write it as a page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`NOTEBOOK --out`."""
    add_study(parser)
    parser.add_argument("notebook", type=Path, help="an .ipynb, such as those of notebooks/")
    parser.add_argument("--out", type=Path, required=True, help="the .html to write")


def run(arguments: argparse.Namespace) -> None:
    """Write the page."""
    open_study(arguments)  # a fault of the study file is told here, in one line
    from whatmoves.using.notebook import run_notebook

    run_notebook(arguments.notebook, arguments.configfile, arguments.results, arguments.out)
