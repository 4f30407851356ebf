"""Exchange one factor at a time between clips, in the codes of one model, or measure the floors of that.

`--floors` measures floors and the ceiling of a data set, `--model` all seeds of one model, evaluated before.
"""

import argparse

from whatmoves.asked import exchanged_rows
from whatmoves.commands.common import add_device, add_job, job, known, open_study
from whatmoves.errors import ConfigError
from whatmoves.gpus import take_gpu
from whatmoves.layout import JUDGED_FLOORS

HELP = "exchange factors one by one in the codes of one model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset`, one of `--model --floors`, `--device`."""
    add_job(parser)
    add_device(parser)
    parser.add_argument("--dataset", help="data set whose clips exchange factors (default: the study's main one)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="name of the model in the study, evaluated before")
    what.add_argument("--floors", action="store_true", help="measure floors and the ceiling, which need no model")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/exchange/<dataset>/<model or floors>/."""
    study, layout = open_study(arguments)
    dataset = known(arguments.dataset or study.main_data(), study.data, "data set")
    rows = exchanged_rows(study, dataset)
    if not rows:
        raise ConfigError(f"data.{dataset}: factors are exchanged between clips of one moving digit, and it has none")
    row = JUDGED_FLOORS if arguments.floors else known(arguments.model, study.models, "model")
    if row not in rows:
        raise ConfigError(f"models.{row}: its codes are not kept, or it draws no clip from a code; exchanged: {rows}")
    judges, floors = layout.judges(dataset) / "judges.pt", layout.exchange(dataset, JUDGED_FLOORS) / "exchange.json"
    folder = layout.exchange(dataset, row)
    outputs = [folder / "exchange.json", folder / "clips.npz"]
    if arguments.floors:
        test = [layout.data(dataset) / f"test.{suffix}" for suffix in ("npz", "csv")]
        wildcards = {"dataset": dataset}
        with job(arguments, study, "exchange_floors", wildcards, [*test, judges], outputs, folder / "receipt.json"):
            take_gpu(arguments.device)
            from whatmoves.exchange.floors import exchange_floors

            exchange_floors(study, dataset, judges, layout.data(dataset), folder, arguments.device)
        return
    evaluated = layout.evaluation(dataset, row)
    checkpoints = {seed: layout.checkpoint(dataset, row, seed) for seed in study.seeds_of(row)}
    inputs = [
        judges,
        floors,
        *(evaluated / f"{name}.npz" for name in ("answers", "codes", "swaps")),
        *checkpoints.values(),
    ]
    wildcards = {"dataset": dataset, "model": row}
    with job(arguments, study, "exchange", wildcards, inputs, outputs, folder / "receipt.json"):
        take_gpu(arguments.device)
        from whatmoves.exchange.exchange import exchange

        places = (evaluated, floors, judges, folder)
        exchange(study, dataset, row, checkpoints, *places, arguments.device)
