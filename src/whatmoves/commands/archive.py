"""Pack a finished study's values, figures, receipts and settings into one file that `whatmoves restore` accepts."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_study, open_study

HELP = "pack a finished study into one file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--out --checkpoints`."""
    add_study(parser)
    parser.add_argument("--out", type=Path, required=True, help=".tar.gz to write")
    parser.add_argument("--checkpoints", action="store_true", help="pack the trained models too")


def run(arguments: argparse.Namespace) -> None:
    """Write the archive; refused for results that do not belong to this tree."""
    study, layout = open_study(arguments)
    from whatmoves.provenance.archive import archive

    archive(study, layout.root, arguments.out, checkpoints=arguments.checkpoints)
    print(f"packed {layout.root} into {arguments.out}")
