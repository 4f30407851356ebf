"""What stands behind a number of the paper: its files, the jobs that made them, runs, seeds, code, data and commit."""

import argparse

from whatmoves.commands.common import add_study, open_study

HELP = "what stands behind a value of the paper"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`VALUE_ID`."""
    add_study(parser)
    parser.add_argument("value_id", metavar="VALUE_ID", help="such as moving_digits.lstm_vae.psnr_frame")


def run(arguments: argparse.Namespace) -> None:
    """Print the chain."""
    _, layout = open_study(arguments)
    from whatmoves.provenance.explain import explain

    print(explain(arguments.value_id, layout.root))
