"""Judge what codes know and what swaps show: of all seeds of one model, of the floors, or train the judges first.

`--train` makes the judges of a data set, `--floors` measures floors and ceilings, `--model` one model.
"""

import argparse

from whatmoves.by_seed import sweep
from whatmoves.commands.common import add_device, add_job, job, known, open_study
from whatmoves.errors import ConfigError
from whatmoves.gpus import take_gpu
from whatmoves.layout import JUDGED_FLOORS

HELP = "judge swaps and codes of one model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset`, one of `--model --train --floors`, `--device`."""
    add_job(parser)
    add_device(parser)
    parser.add_argument("--dataset", help="data set to judge on (default: the study's main one)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="name of the model in the study, evaluated before")
    what.add_argument("--train", action="store_true", help="train the data set's judges")
    what.add_argument("--floors", action="store_true", help="judge floors and ceilings, which need no model")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/judges/<dataset>/ or results/<study>/judge/<dataset>/<model or floors>/."""
    study, layout = open_study(arguments)
    dataset = known(arguments.dataset or study.main_data(), study.data, "data set")
    if dataset not in study.judged_data():
        raise ConfigError(
            f"data.{dataset}: nothing judges {study.data[dataset].kind}; judged here: {', '.join(study.judged_data())}"
        )
    data = [layout.data(dataset) / f"{split}.{suffix}" for split in ("validation", "test") for suffix in ("npz", "csv")]
    judges = layout.judges(dataset) / "judges.pt"
    if arguments.train:
        folder = layout.judges(dataset)
        outputs = [judges, folder / "quality.json"]
        with job(arguments, study, "judges", {"dataset": dataset}, data[2:], outputs, folder / "receipt.json"):
            take_gpu(arguments.device)
            from whatmoves.judging.train_judges import train_judges

            train_judges(study, dataset, layout.data(dataset), folder, arguments.device)
        return
    row = JUDGED_FLOORS if arguments.floors else known(arguments.model, study.models, "model")
    folder = layout.judgement(dataset, row)
    outputs = [folder / "judgement.json", folder / "clips.npz"]
    if arguments.floors:
        inputs = [*data, judges]
        with job(arguments, study, "judge_floors", {"dataset": dataset}, inputs, outputs, folder / "receipt.json"):
            take_gpu(arguments.device)
            from whatmoves.judging.floors import judge_floors

            judge_floors(study, dataset, judges, layout.data(dataset), folder, arguments.device)
        return
    if not study.models[row].judged:
        raise ConfigError(
            f"models.{row}.judged is false, and its codes were not kept; set it to true, evaluate it again"
        )
    evaluated = layout.evaluation(dataset, row)
    inputs = [evaluated / "codes.npz", evaluated / "answers.npz"]
    from whatmoves.provenance.jobs import fingerprint, short

    wildcards = {"dataset": dataset, "model": row}
    made_of = arguments.expect or fingerprint(study, "judge", **wildcards).digest
    with job(arguments, study, "judge", wildcards, inputs, outputs, folder / "receipt.json") as sums:
        from whatmoves.judging.judge import judge

        work = layout.work_of_seeds("judge", dataset, row, f"{made_of}-{short(sums)}")
        judge(study, dataset, row, evaluated, folder, work)
    sweep(work)
