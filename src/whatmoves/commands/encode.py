"""Encode clips with a trained model: write its codes, block by block, as .npz."""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_device

HELP = "codes of clips from a checkpoint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CHECKPOINT CLIPS --factors --out`."""
    add_device(parser)
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of a training, or exported folder")
    parser.add_argument("clips", type=Path, help=".npz with a uint8 array `video` [N, T, C, H, W], such as test.npz")
    parser.add_argument(
        "--factors",
        type=Path,
        help="CSV with what is known of each clip, or of each video: the .npz is then what `whatmoves score` reads",
    )
    parser.add_argument("--out", type=Path, required=True, help=".npz to write: one array [N, D] a code block")


def run(arguments: argparse.Namespace) -> None:
    """Write the codes."""
    from whatmoves.using.on_files import encode_file

    encode_file(arguments.checkpoint, arguments.clips, arguments.out, arguments.device, arguments.factors)
