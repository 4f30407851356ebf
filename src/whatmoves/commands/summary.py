"""What a finished study found: headline numbers with 95 % intervals, how its hypotheses fared, where its paper is."""

import argparse
import json
from pathlib import Path

from whatmoves.commands.common import add_study, naming, open_study

HELP = "headline numbers and verdicts of a finished study"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json --markdown`."""
    add_study(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print Markdown, with the ids behind each verdict")


def run(arguments: argparse.Namespace) -> None:
    """Print it."""
    study, layout = open_study(arguments)
    from whatmoves.paper.summary import summary

    found = summary(study, layout)
    if arguments.json:
        print(json.dumps(found.as_json(), indent=1))
        return
    if arguments.markdown:
        print(found.markdown())
        return
    papers = [path for path in (Path("paper/main.pdf"), layout.root / "paper/main.pdf") if path.is_file()]
    print(f"Study {found.study}: results in {layout.root}" + (f", paper in {papers[0]}" if papers else ""), end="\n\n")
    print(found.text(naming(arguments)))
