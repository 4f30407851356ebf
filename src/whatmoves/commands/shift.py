"""Measure what a model loses when one factor of its test clips leaves the training range, or the sets and their floors.

`--sets` draws the shifted test sets of a data set and measures floors and ceilings on them, `--model` all seeds of one
model.
"""

import argparse

from whatmoves.asked import exchanged_rows, shifted_rows
from whatmoves.commands.common import add_device, add_job, job, known, open_study
from whatmoves.errors import ConfigError
from whatmoves.gpus import take_gpu
from whatmoves.layout import SHIFTED_SETS

HELP = "what a model loses on test clips outside the training range"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset`, one of `--model --sets`, `--device`."""
    add_job(parser)
    add_device(parser)
    parser.add_argument("--dataset", help="data set whose test clips are shifted (default: the study's main one)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="name of the model in the study, evaluated before")
    what.add_argument("--sets", action="store_true", help="draw the shifted sets and measure their floors")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/shift/<dataset>/<model or sets>/."""
    study, layout = open_study(arguments)
    dataset = known(arguments.dataset or study.main_data(), study.data, "data set")
    rows = shifted_rows(study, dataset)
    if not rows:
        raise ConfigError(
            f"data.{dataset}: {study.data[dataset].kind} has no shifts, or no judged model is trained on it"
        )
    row = SHIFTED_SETS if arguments.sets else known(arguments.model, study.models, "model")
    if row not in rows:
        raise ConfigError(f"models.{row}: it is not judged, or not trained; measured on shifts: {', '.join(rows[:-1])}")
    data = [layout.data(dataset) / f"test.{suffix}" for suffix in ("npz", "csv")]
    judges = layout.judges(dataset) / "judges.pt" if exchanged_rows(study, dataset) else None
    sets, folder = layout.shift(dataset, SHIFTED_SETS), layout.shift(dataset, row)
    inputs = [*data, *([judges] if judges else [])]
    if arguments.sets:
        outputs = [folder / "shift.json", folder / "sets.npz"]
        with job(arguments, study, "shift_sets", {"dataset": dataset}, inputs, outputs, folder / "receipt.json"):
            take_gpu(arguments.device)
            from whatmoves.shifts.sets import shift_floors

            shift_floors(study, dataset, judges, layout.data(dataset), folder, arguments.device)
        return
    swaps = layout.evaluation(dataset, row) / "swaps.npz" if judges else None
    checkpoints = {seed: layout.checkpoint(dataset, row, seed) for seed in study.seeds_of(row)}
    inputs += [sets / "shift.json", sets / "sets.npz", *checkpoints.values()]
    inputs += [swaps] if swaps else []
    outputs, wildcards = [folder / "shift.json", folder / "clips.npz"], {"dataset": dataset, "model": row}
    with job(arguments, study, "shift", wildcards, inputs, outputs, folder / "receipt.json"):
        take_gpu(arguments.device)
        from whatmoves.shifts.shift import shift

        places = (sets, layout.data(dataset), folder, swaps, judges)
        shift(study, dataset, row, checkpoints, *places, arguments.device)
