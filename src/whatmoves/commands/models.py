"""List the models: where each comes from, what it can do, and how large it is."""

import argparse
import json
import sys

from whatmoves.commands.common import add_study, open_study

HELP = "list the models and their abilities"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    add_study(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> None:
    """Print one line or one JSON object a model kind.

    `full_parameters` counts the original's size on its own clips, `quick_parameters` the model of the study in
    --configfile (null where the study has none of that kind).
    """
    study, _ = open_study(arguments)
    from whatmoves.models.catalogue import describe

    rows = describe(study)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return
    for row in rows:
        quick = "–" if row["quick_parameters"] is None else f"{row['quick_parameters']:,}"
        print(f"{row['name']:<20} {row['full_parameters']:>12,} {quick:>12}  {', '.join(row['abilities'])}")
        print(f"{'':<20} {row['source']}")
