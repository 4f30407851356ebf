"""What stands behind a number of the paper: its files, the jobs that made them, runs, seeds, code, data and commit."""

import argparse
import json

from whatmoves.commands.common import add_study, open_study

HELP = "what stands behind a value of the paper"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`VALUE_ID --json`."""
    add_study(parser)
    parser.add_argument("value_id", metavar="VALUE_ID", help="such as moving_digits.lstm_vae.psnr_frame")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> None:
    """Print the chain."""
    _, layout = open_study(arguments)
    from whatmoves.provenance.explain import explain

    chain = explain(arguments.value_id, layout.root)
    print(json.dumps(chain.as_json(), indent=1) if arguments.json else chain.text())
