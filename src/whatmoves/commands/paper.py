"""Write the paper of a study from its value index and figures, and make the PDF."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_job, job, open_study

HELP = "write the paper and make the PDF"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--template`."""
    add_job(parser)
    parser.add_argument(
        "--template", type=Path, default=Path("paper/main.tex.j2"), help="main template; the rest stands beside it"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/paper/main.tex and main.pdf."""
    study, layout = open_study(arguments)
    from whatmoves.paper.build import build_pdf, paper_inputs, write_paper

    tex, pdf = layout.paper / "main.tex", layout.paper / "main.pdf"
    inputs = paper_inputs(study, layout.root, arguments.template.parent)
    with job(arguments, study, "paper", {}, inputs, [tex, pdf], layout.paper / "receipt.json"):
        write_paper(study, layout.root, arguments.template.parent, layout.paper)
        build_pdf(layout.paper, pdf)
