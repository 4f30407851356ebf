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
    """Write results/<study>/values.json."""
    study, layout = open_study(arguments)
    from whatmoves.asked import exchanged_rows, planned_rows, planners, shifted_rows
    from whatmoves.layout import judged_rows, measured_rows

    inputs, records = [arguments.hypotheses], []
    for dataset in study.data:
        for row in measured_rows(study, dataset):
            inputs += [layout.evaluation(dataset, row) / name for name in ("quality.json", "clips.npz")]
        records += [layout.shift(dataset, row) / "shift.json" for row in shifted_rows(study, dataset)[:-1]]
    for dataset, row in planned_rows(study):
        inputs += [layout.plans(dataset, row) / name for name in ("plan.json", "tasks.npz")]
    for dataset in study.judged_data():
        inputs.append(layout.judges(dataset) / "quality.json")
        for row in judged_rows(study, dataset):
            inputs += [layout.judgement(dataset, row) / name for name in ("judgement.json", "clips.npz")]
        records += [layout.exchange(dataset, row) / "exchange.json" for row in exchanged_rows(study, dataset)]
    inputs += [file for record in records for file in (record, record.with_name("clips.npz"))]
    with job(arguments, study, "analyse", {}, inputs, [layout.values], layout.root / "values.receipt.json"):
        from whatmoves.analysis.values import write_index

        plans = {dataset: planners(study, dataset) for dataset, _ in planned_rows(study)}
        write_index(study, layout.root, arguments.hypotheses, plans, records)
