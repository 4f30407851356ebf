"""Draw one figure or animation of a study from its results: data file, PDF and PNG, or GIF and MP4."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_job, job, open_study

HELP = "draw one figure or animation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--figure` or `--animation`."""
    add_job(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--figure",
        metavar="NAME",
        help="a module in whatmoves/figures, mostly of the study's main data set, or MODULE-DATASET",
    )
    what.add_argument(
        "--animation",
        metavar="NAME",
        help="reconstructions, samples, swaps or predictions, or one of these with -DATASET",
    )
    parser.add_argument("--inputs", type=Path, nargs="*", default=[], help="files it reads, for its receipt")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/figures/<name>.{npz,pdf,png}, or animations/<name>.{npz,gif,mp4}."""
    study, layout = open_study(arguments)
    name = arguments.figure or arguments.animation
    folder = layout.figures if arguments.figure else layout.animations
    suffixes = ("npz", "pdf", "png") if arguments.figure else ("npz", "gif", "mp4")
    data, first, second = (folder / f"{name}.{suffix}" for suffix in suffixes)
    kind = "figure" if arguments.figure else "animation"
    receipt = folder / f"{name}.receipt.json"
    with job(arguments, study, kind, {kind: name}, arguments.inputs, [data, first, second], receipt):
        if arguments.figure:
            from whatmoves.figures.make import make_figure

            make_figure(name, study, layout.root, out_pdf=first, out_png=second, out_data=data)
        else:
            from whatmoves.figures.animations import make_animation

            make_animation(name, study, layout.root, out_gif=first, out_mp4=second, out_data=data)
