"""Measure all trained seeds of one model on one data set: quality, codes, swaps and pictures."""

import argparse

from whatmoves.commands.common import add_device, add_job, job, known, open_study
from whatmoves.gpus import take_gpu

HELP = "measure all seeds of one model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset --model --device`."""
    add_job(parser)
    add_device(parser)
    parser.add_argument("--dataset", help="data set to measure on (default: the study's main one)")
    parser.add_argument("--model", required=True, help="name of the model in the study, or blank, or blurred_truth")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/evaluate/<dataset>/<model>/."""
    study, layout = open_study(arguments)
    from whatmoves.floors import of_clips
    from whatmoves.loading import files_of, stored_splits

    dataset = known(arguments.dataset or study.main_data(), study.data, "data set")
    model = known(arguments.model, [*study.models, *of_clips()], "model")
    folder = layout.evaluation(dataset, model)
    wildcards = {"dataset": dataset, "model": model}
    if model in of_clips():
        outputs = [folder / name for name in ("quality.json", "clips.npz")]
        inputs = [layout.data(dataset) / f"test.{suffix}" for suffix in ("npz", "csv")]
        with job(arguments, study, "floor", wildcards, inputs, outputs, folder / "receipt.json"):
            from whatmoves.evaluation.floors import evaluate_floor

            evaluate_floor(study, dataset, model, layout.data(dataset), folder)
        return
    checkpoints = {seed: layout.checkpoint(dataset, model, seed) for seed in study.seeds_of(model)}
    outputs = [folder / name for name in ("quality.json", "clips.npz", "codes.npz", "pictures.npz", "swaps.npz")]
    splits = stored_splits(study.data[dataset].kind)
    inputs = [layout.data(dataset) / f"{split}.{suffix}" for split in splits for suffix in ("npz", "csv")]
    inputs += [*checkpoints.values(), *files_of(study.models[model])]
    with job(arguments, study, "evaluate", wildcards, inputs, outputs, folder / "receipt.json"):
        take_gpu(arguments.device)
        from whatmoves.evaluation.evaluate import evaluate

        evaluate(study, dataset, model, checkpoints, layout.data(dataset), folder, arguments.device)
