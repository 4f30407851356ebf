"""Write the explorer of a study: a folder to open in a browser, with its clips, tables, verdicts and their origins."""

import argparse

from whatmoves.commands.common import add_job, job, open_study

HELP = "write a page to explore a finished study's clips and numbers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of a job."""
    add_job(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/explorer/."""
    study, layout = open_study(arguments)
    from whatmoves.explorer.page import explorer_inputs, make_explorer

    out = layout.root / "explorer"
    inputs = explorer_inputs(study, layout)
    with job(arguments, study, "explorer", {}, inputs, [out], layout.root / "explorer.receipt.json"):
        make_explorer(study, layout, out)
