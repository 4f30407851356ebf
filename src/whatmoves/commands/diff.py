"""Which numbers differ between two value indexes, and by how much relative to their intervals."""

import argparse
import json
from pathlib import Path

HELP = "which numbers differ between two runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`A B --json`."""
    parser.add_argument("first", type=Path, metavar="A", help="a values.json, such as paper/reference/quick.json")
    parser.add_argument("second", type=Path, metavar="B", help="another")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    from whatmoves.provenance.difference import diff

    found = diff(arguments.first, arguments.second)
    print(json.dumps(found.as_json(), indent=1) if arguments.json else found.text())
