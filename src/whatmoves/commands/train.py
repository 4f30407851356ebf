"""Train one model on one data set with one seed, or go on where an interrupted training stopped."""

import argparse

from whatmoves.commands.common import add_device, add_job, job, known, open_study
from whatmoves.gpus import take_gpu

HELP = "train one model with one seed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset --model --seed --device`."""
    add_job(parser)
    add_device(parser)
    parser.add_argument("--dataset", help="data set to train on (default: the study's main one)")
    parser.add_argument("--model", required=True, help="name of the model in the study")
    parser.add_argument("--seed", type=int, default=0, help="training seed (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/train/<dataset>/<model>/seed-<seed>/."""
    study, layout = open_study(arguments)
    dataset = known(arguments.dataset or study.main_data(), study.data, "data set")
    model = known(arguments.model, study.models, "model")
    from whatmoves.loading import files_of
    from whatmoves.provenance.jobs import fingerprint, short

    wildcards = {"dataset": dataset, "model": model, "seed": str(arguments.seed)}
    folder = layout.run(dataset, model, arguments.seed)
    inputs = [layout.data(dataset) / name for name in ("validation.npz", "validation.csv")]
    inputs += files_of(study.models[model])
    outputs = [folder / name for name in ("checkpoint.pt", "history.csv")]
    made_of = arguments.expect or fingerprint(study, "train", **wildcards).digest
    with job(arguments, study, "train", wildcards, inputs, outputs, folder / "receipt.json") as sums:
        take_gpu(arguments.device)
        from whatmoves.training.train import train
        from whatmoves.training.work import sweep_others, tell_of_others

        work = layout.work(dataset, model, arguments.seed, f"{made_of}-{short(sums)}")
        tell_of_others(work)
        train(
            study,
            dataset,
            model,
            arguments.seed,
            data_folder=layout.data(dataset),
            out_folder=folder,
            work_folder=work,
            device=arguments.device,
            inputs=sums,
        )
    sweep_others(work)
