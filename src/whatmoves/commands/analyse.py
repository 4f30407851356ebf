"""Collect all results of a study into its value index, with intervals, tests and verdicts."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_job, job, open_study

HELP = "collect all results into the value index"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--hypotheses`."""
    add_job(parser)
    parser.add_argument(
        "--hypotheses",
        type=Path,
        default=Path("paper/hypotheses.yaml"),
        help="declared hypotheses (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/values.json and config.yaml."""
    study, layout = open_study(arguments)
    from whatmoves.analysis.values import rows, write_index

    inputs = [arguments.hypotheses]
    for dataset in study.data:
        for row in rows(study, dataset):
            inputs += [layout.evaluation(dataset, row) / name for name in ("quality.json", "clips.npz")]
    outputs = [layout.values, layout.root / "config.yaml"]
    with job(arguments, study, "analyse", {}, inputs, outputs, layout.root / "values.receipt.json"):
        write_index(study, layout.root, arguments.hypotheses)
