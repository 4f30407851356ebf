"""Swap two clips with a trained model: the content of one with the motion of the other, as .npz or .gif."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_device

HELP = "content of one clip with motion of another"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CHECKPOINT CLIPS CONTENT MOTION --out`."""
    add_device(parser)
    parser.add_argument(
        "checkpoint", type=Path, help="checkpoint.pt (or exported folder) of a model with content and motion blocks"
    )
    parser.add_argument("clips", type=Path, help=".npz with a uint8 array `video` [N, T, C, H, W], such as test.npz")
    parser.add_argument("content", type=int, help="row of the clip that gives the content")
    parser.add_argument("motion", type=int, help="row of the clip that gives the motion")
    parser.add_argument("--out", type=Path, required=True, help=".npz or .gif: content source, motion source, swap")


def run(arguments: argparse.Namespace) -> None:
    """Write the three clips."""
    from whatmoves.using.on_files import swap_file

    swap_file(
        arguments.checkpoint, arguments.clips, arguments.content, arguments.motion, arguments.out, arguments.device
    )
