"""Measure all trained seeds of one model of a study: quality, codes, swaps and pictures. Or one checkpoint, by itself.

  whatmoves evaluate --dataset moving_digits --model lstm_vae
  whatmoves evaluate --checkpoint CHECKPOINT --clips CLIPS.npz --save-dir out

The second needs no study. It writes NAME_metrics.json, NAME_reconstructions.png, NAME_samples.png and
NAME_interpolation.png, as far as the model can, and says what it left out.
"""

import argparse
import json
import logging
from pathlib import Path

from whatmoves.arithmetic.level import set_level
from whatmoves.by_seed import sweep
from whatmoves.commands.common import DEFAULT_CONFIGFILE, add_device, add_job, job, known, open_study
from whatmoves.errors import ConfigError
from whatmoves.gpus import take_gpu

HELP = "measure all seeds of one model, or one checkpoint"

log = logging.getLogger(__name__)

# What goes with one of --model and --checkpoint, and its value where it is not given.
OF_MODEL = {"configfile": DEFAULT_CONFIGFILE, "results": Path("results"), "expect": None, "dataset": None}
OF_CHECKPOINT = {"clips": None, "num_samples": None, "save_dir": None, "json": False}
NUM_SAMPLES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset --model --device`, or `--checkpoint --clips --num-samples --save-dir --json --device`."""
    add_job(parser)
    add_device(parser)
    parser.add_argument("--dataset", help="data set to measure on (default: the study's main one)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="name of the model in the study, or blank, or blurred_truth")
    what.add_argument("--checkpoint", type=Path, help="checkpoint.pt, or a folder of `whatmoves export`")
    alone = parser.add_argument_group("with --checkpoint")
    alone.add_argument("--clips", type=Path, help=".npz with a uint8 array `video` (default: its study's test split)")
    alone.add_argument("--num-samples", type=int, help=f"clips to show and to draw (default: {NUM_SAMPLES})")
    alone.add_argument("--save-dir", type=Path, help="folder to write to")
    alone.add_argument("--json", action="store_true", help="print the metrics as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/evaluate/<dataset>/<model>/, or the files of one checkpoint."""
    _refuse_mixture(arguments)
    if arguments.checkpoint is not None:
        _evaluate_alone(arguments)
        return
    study, layout = open_study(arguments)
    from whatmoves.floors import of_clips
    from whatmoves.loading import files_of, stored_splits
    from whatmoves.provenance.jobs import fingerprint, short

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
    outputs = [
        folder / name for name in ("quality.json", "clips.npz", "codes.npz", "pictures.npz", "swaps.npz", "answers.npz")
    ]
    splits = stored_splits(study.data[dataset].kind)
    inputs = [layout.data(dataset) / f"{split}.{suffix}" for split in splits for suffix in ("npz", "csv")]
    inputs += [*checkpoints.values(), *files_of(study.models[model])]
    judges = layout.judges(dataset) / "judges.pt" if study.is_judged(dataset, model) else None
    inputs += [judges] if judges else []
    made_of = arguments.expect or fingerprint(study, "evaluate", **wildcards).digest
    with job(arguments, study, "evaluate", wildcards, inputs, outputs, folder / "receipt.json") as sums:
        take_gpu(arguments.device)
        from whatmoves.evaluation.evaluate import evaluate

        ask = None
        if judges:
            from whatmoves.judging.asking import asker

            ask = asker(judges, study.evaluation.batch_size)
        work = layout.work_of_seeds("evaluate", dataset, model, f"{made_of}-{short(sums)}")
        evaluate(study, dataset, model, checkpoints, layout.data(dataset), folder, arguments.device, work, ask)
    sweep(work)


def _refuse_mixture(arguments: argparse.Namespace) -> None:
    """Raise `ConfigError` for an option that goes with the other of --model and --checkpoint."""
    alone = arguments.checkpoint is not None
    for name, absent in (OF_MODEL if alone else OF_CHECKPOINT).items():
        if getattr(arguments, name) != absent:
            flags = ("--model", "--checkpoint") if alone else ("--checkpoint", "--model")
            raise ConfigError(f"--{name.replace('_', '-')} goes with {flags[0]}, not with {flags[1]}; leave it out")
    if alone and arguments.save_dir is None:
        raise ConfigError("--save-dir names the folder to write to, and is missing; add it")


def _evaluate_alone(arguments: argparse.Namespace) -> None:
    """Measure and show one checkpoint."""
    set_level("portable")
    take_gpu(arguments.device)
    from whatmoves.using.one_model import evaluate_checkpoint

    count = NUM_SAMPLES if arguments.num_samples is None else arguments.num_samples
    metrics, files = evaluate_checkpoint(
        arguments.checkpoint, arguments.clips, count, arguments.save_dir, arguments.device
    )
    for what, why in metrics["cannot"].items():
        log.info("left out: %s: %s", what, why)
    print(json.dumps(metrics, indent=1) if arguments.json else "\n".join(map(str, files)))
