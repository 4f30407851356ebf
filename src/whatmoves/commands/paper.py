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
    """Write results/<study>/paper/main.tex and main.pdf, and the resolved settings as results/<study>/config.yaml."""
    study, layout = open_study(arguments)
    from whatmoves.paper.build import paper_inputs

    outputs = [layout.paper / "main.tex", layout.paper / "main.pdf", layout.root / "config.yaml"]
    inputs = paper_inputs(study, layout.root, arguments.template.parent)
    with job(arguments, study, "paper", {}, inputs, outputs, layout.paper / "receipt.json"):
        from whatmoves.files import write_text
        from whatmoves.paper.build import build_pdf, write_paper
        from whatmoves.yaml_files import yaml_text

        written = write_paper(study, layout.root, arguments.template.parent, layout.paper)
        build_pdf(layout.paper, layout.paper / "main.pdf", written.may_print)
        write_text(layout.root / "config.yaml", yaml_text(study.model_dump(mode="json")))
