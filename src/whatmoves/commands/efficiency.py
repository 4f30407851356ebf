"""Collect what the models of a finished study cost: size, counted operations, times, memory.

Times differ from run to run, so `verify` leaves this table alone; it can be made again from the results at any time.
To show a reference run's times in the paper, keep efficiency.json as paper/reference/<study>.efficiency.json.
"""

import argparse
import logging

from whatmoves.commands.common import add_study, open_study

HELP = "what the models cost: size, operations, times"

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The study's arguments and `--json`."""
    add_study(parser)
    parser.add_argument("--json", action="store_true", help="print efficiency.json in place of the table")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/efficiency.json, .csv and .md, and print the last."""
    study, layout = open_study(arguments)
    from whatmoves.analysis.efficiency import write_efficiency

    log.info("%s", arguments.command_line)
    write_efficiency(study, layout.root)
    printed = "efficiency.json" if arguments.json else "efficiency.md"
    print((layout.root / printed).read_text(encoding="utf-8"), end="")
