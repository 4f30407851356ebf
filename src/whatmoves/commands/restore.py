"""Lay the results of an archive back, if and only if they belong to the code and settings in this tree."""

import argparse
import json
from pathlib import Path

from whatmoves.commands.common import add_study, open_study

HELP = "lay an archive's results back, if they fit this tree"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`FILE --json`."""
    add_study(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("file", type=Path, metavar="FILE", help="archive made by `snakemake archive`")


def run(arguments: argparse.Namespace) -> None:
    """Restore, or refuse with the reason; nothing is mixed with computed results."""
    study, layout = open_study(arguments)
    from whatmoves.provenance.archive import restore

    report = restore(arguments.file, layout.root, study)
    print(json.dumps(report.as_json(), indent=1) if arguments.json else report.text())
