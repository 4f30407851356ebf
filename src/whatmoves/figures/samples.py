"""Random samples: clips that each generative model draws, from its prior or as its settings say, none picked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.film import Row, every, film_sheet
from whatmoves.figures.inputs import FigureInputs

BLOCKS = 2  # samples side by side
ROWS = 2  # rows of a model
FRAMES = 6


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`samples` `[models, n, T, C, H, W]` (the first n of each model, n even), `frames` `[T]`, labels and slots."""
    pictures = inputs.pictures_with(inputs.dataset, "samples")
    samples = [arrays["samples"] for arrays in pictures.values()]
    fewest = min(len(clips) for clips in samples)
    if fewest < BLOCKS:
        raise inputs.nothing(f"models draw {fewest} sample each, and fewer than {BLOCKS} make no sheet")
    count = min(BLOCKS * ROWS, fewest // BLOCKS * BLOCKS)
    frames = every(samples[0].shape[1], FRAMES)
    return {
        "samples": np.stack([clips[:count, frames] for clips in samples]),
        "frames": frames,
        **inputs.legend(list(pictures)),
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """Per model one or two rows of two samples each; the label stands at its first row."""
    rows: list[Row] = []
    for label, slot, clips in zip(data["labels"], data["slots"], data["samples"], strict=True):
        for first in range(0, len(clips), BLOCKS):
            space = 0.035 if first else 0.1 if rows else 0.0
            rows.append(
                Row("" if first else str(label), style.colour(slot), list(clips[first : first + BLOCKS]), space)
            )
    return film_sheet(rows, ["random samples", ""], data["frames"].tolist())
