"""Play a trained model: it carries a stored clip on, frame by frame, under the keyboard or by a script of actions.

In a terminal, arrow keys or WASD set the first two numbers of the action, r/f, t/g, y/h, … the others; space sets all
to 0, q quits. With --actions no keyboard is needed: the roll-out is written to --out. A model that reads no actions
just carries the clip on. Actions of a recording are in its log's own units, converted with the statistics.json beside
the clips; at rest all are the log's 0, a released stick.

  whatmoves play checkpoint.pt test.npz
  whatmoves play checkpoint.pt test.npz --actions 'right 5, up 3, rest' --out play.gif
  whatmoves play checkpoint.pt test.npz --actions actions.csv --steps 40
"""

import argparse
from pathlib import Path

from whatmoves.commands.common import add_device

HELP = "play a model with the keyboard, or by a script"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CHECKPOINT CLIPS --clip --actions --steps --out --smoothing --seed`."""
    add_device(parser)
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt, or exported folder, of a model that predicts")
    parser.add_argument(
        "clips",
        type=Path,
        help=".npz with a uint8 array `video` [N, T, C, H, W], and `actions` and `states` where the model reads them",
    )
    parser.add_argument("--clip", type=int, default=0, help="row of the clip to start from (default: %(default)s)")
    parser.add_argument(
        "--actions",
        metavar="SCRIPT",
        help="a .json list of action vectors, a .csv of one vector a line, or words: 'right 5, up 3, rest, 3+ 2' is "
        "five frames to the right, three up, one of rest and two of the third number at its full",
    )
    parser.add_argument(
        "--steps", type=int, help="frames to play (default: all of the script; at the keyboard, until q)"
    )
    parser.add_argument("--out", type=Path, help=".gif or .npz to write (default with a script: play.gif)")
    parser.add_argument(
        "--smoothing",
        type=float,
        default=0.5,
        help="part of the last action that the next one keeps, at the keyboard (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of a model that draws (default: %(default)s)")


def run(arguments: argparse.Namespace) -> None:
    """Play, or write the roll-out."""
    from whatmoves.using.play import play

    play(
        arguments.checkpoint,
        arguments.clips,
        arguments.clip,
        arguments.actions,
        arguments.steps,
        arguments.out,
        arguments.smoothing,
        arguments.seed,
        arguments.device,
    )
