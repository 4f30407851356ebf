"""Draw new clips from a trained model: as .npz, or as .gif to look at."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_device

HELP = "new clips from a checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CHECKPOINT --out --count --seed`."""
    add_device(parser)
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of a training, or exported folder")
    parser.add_argument("--out", type=Path, required=True, help=".npz (array `video`, uint8) or .gif to write")
    parser.add_argument("--count", type=int, default=8, help="number of clips (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Write the clips."""
    from whatmoves.using.on_files import sample_file

    sample_file(arguments.checkpoint, arguments.out, arguments.count, arguments.seed, arguments.device)
