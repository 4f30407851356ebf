"""Reconstructions: two test clips, the truth above each model's picture of it, floors below in grey."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.film import Row, every, film_sheet
from whatmoves.figures.inputs import FigureInputs, shared

CLIPS = 2
FRAMES = 6


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`truth` `[n, T, C, H, W]`, `reconstructions` `[models, n, T, C, H, W]`, `frames` `[T]`, labels and slots."""
    pictures = inputs.pictures_with(inputs.dataset, "truth", "reconstruction")
    truth = shared(pictures, "truth")
    frames = every(truth.shape[1], FRAMES)
    return {
        "truth": truth[:CLIPS, frames],
        "reconstructions": np.stack([arrays["reconstruction"][:CLIPS, frames] for arrays in pictures.values()]),
        "frames": frames,
        **inputs.legend(list(pictures)),
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One row for the truth and one per model; the clips stand side by side."""
    rows = [Row("truth", style.INK, list(data["truth"]), 0.0)]
    before = 0
    for label, slot, clips in zip(data["labels"], data["slots"], data["reconstructions"], strict=True):
        first_of_group = len(rows) == 1 or (slot < 0 <= before)
        rows.append(Row(str(label), style.colour(slot), list(clips), 0.09 if first_of_group else 0.035))
        before = slot
    headings = [f"test clip {clip + 1}" for clip in range(len(data["truth"]))]
    return film_sheet(rows, headings, data["frames"].tolist())
