"""Export a trained model: weights as safetensors, settings as JSON and a model card, in a folder that needs no study.

The folder serves wherever a checkpoint does: `whatmoves encode FOLDER CLIPS.npz --out codes.npz`; in Python
`whatmoves.using.exported.load_exported(FOLDER).model`.
"""

import argparse
from pathlib import Path

HELP = "a model with its card, for others: safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CHECKPOINT --out`."""
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of a training run")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to write")


def run(arguments: argparse.Namespace) -> None:
    """Write model.safetensors, config.json and README.md, and print their paths."""
    from whatmoves.using.exported import export

    for path in export(arguments.checkpoint, arguments.out):
        print(path)
