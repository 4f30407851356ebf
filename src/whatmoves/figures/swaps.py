"""Swaps: the content of one clip with the motion of another, the rendered true answer above each model's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.film import Row, every, film_sheet
from whatmoves.figures.inputs import FigureInputs, shared

PAIRS = 3
FRAMES = 4
GIVEN = ("swap_content_source", "swap_motion_source", "swap_truth")


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """The three `GIVEN` clips `[n, T, C, H, W]`, `swaps` `[models, n, T, C, H, W]`, `frames`, labels and slots."""
    pictures = inputs.pictures_with(inputs.dataset, *GIVEN, "swap_model")
    frames = every(shared(pictures, "swap_truth").shape[1], FRAMES)
    return {
        **{name: shared(pictures, name)[:PAIRS, frames] for name in GIVEN},
        "swaps": np.stack([arrays["swap_model"][:PAIRS, frames] for arrays in pictures.values()]),
        "frames": frames,
        **inputs.legend(list(pictures)),
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """Sources, the true swap, then the models; the pairs stand side by side."""
    rows = [
        Row("content from", style.INK, list(data["swap_content_source"]), 0.0),
        Row("motion from", style.INK, list(data["swap_motion_source"])),
        Row("true swap", style.INK, list(data["swap_truth"]), 0.1),
    ]
    for index, (label, slot) in enumerate(zip(data["labels"], data["slots"], strict=True)):
        space = 0.035 if index else 0.1
        rows.append(Row(str(label), style.colour(slot), list(data["swaps"][index]), space))
    return film_sheet(rows, [f"pair {pair + 1}" for pair in range(len(data["swap_truth"]))], data["frames"].tolist())
