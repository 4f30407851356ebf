"""Floors and ceilings: rows that frame a comparison instead of entering it, in the order they are printed.

A floor that is a model is a module in `whatmoves.models` and a line here. One that needs no training is answered in
`whatmoves.evaluation.floors` (clips) or `whatmoves.judging.floors` (swaps, codes), and a line here.
"""

from typing import NamedTuple


class Frame(NamedTuple):
    """`label` is its name in tables; the rest says where it is measured, and against what it is held."""

    label: str
    clips: bool = False  # answers test clips without a model, beside every model of a data set
    swaps: bool = False  # answers swaps without a model
    codes: bool = False  # is a code without a model
    predicts: bool = False  # predictions are held against the best of these
    says: str = ""  # what it does, as the paper goes on after its name


FRAMES = {
    "no_action": Frame("no action", says="commands nothing"),
    "random_actions": Frame("random actions", says="commands what every search tries first"),
    "blank": Frame("blank", clips=True, swaps=True, predicts=True),
    "mean_frame": Frame("mean frame", predicts=True, says="shows the average frame of the training set"),
    "mean_video": Frame("mean clip", swaps=True),
    "copy_last": Frame("copy last", predicts=True, says="repeats a frame of the clip it is given"),
    "linear_extrapolation": Frame(
        "linear extrapolation", predicts=True, says="lets every pixel go on changing as it last did"
    ),
    "copy_content": Frame("copy of content source", swaps=True),
    "copy_motion": Frame("copy of motion source", swaps=True),
    "copy_giver": Frame("giver, copied"),  # of one exchanged factor, as the next
    "copy_receiver": Frame("receiver, copied"),
    "noise": Frame("noise", codes=True),
    "raw_inputs": Frame("raw inputs", codes=True),
    "pca": Frame("PCA"),
    "oracle_swapped": Frame("oracle, roles exchanged", codes=True),
    "blurred_truth": Frame("blurred truth", clips=True, swaps=True),
    "oracle": Frame("oracle", codes=True),
    "true_render": Frame("true render", swaps=True),
    "simulator": Frame("true simulator", says="plans with the world itself"),
}

UNTRAINED = "untrained_"
"""Begins the rows of a model's architecture with fresh weights, a floor of their own for every model."""
UNTRAINED_BEFORE = "oracle_swapped"
"""The row that those are printed before."""


def of_clips() -> list[str]:
    """What is measured from the test clips of a data set alone."""
    return [name for name, frame in FRAMES.items() if frame.clips]
