"""Where the what–where VAE fails: clips of a table that is not black, the truth above what it draws of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.busy import busy_data
from whatmoves.figures.film import Row, every, film_sheet
from whatmoves.figures.inputs import FigureInputs, shared

KIND = "what_where_vae"
CLIPS = 2
FRAMES = 6


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`truth` `[n, T, C, H, W]`, `reconstructions` `[models, n, T, C, H, W]`, `frames` `[T]`, labels and slots.

    Of every entry of the study that is a what–where VAE and trained on the table that objects are pushed about on.
    """
    table = busy_data(inputs.study)
    if table is None:
        raise inputs.nothing("no what–where VAE is trained on a table")
    kinds = {model: entry.kind for model, entry in inputs.study.models.items()}
    able = inputs.pictures_with(table, "truth", "reconstruction")
    pictures = {model: arrays for model, arrays in able.items() if kinds[model] == KIND}
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
    for label, slot, clips in zip(data["labels"], data["slots"], data["reconstructions"], strict=True):
        rows.append(Row(str(label), style.colour(slot), list(clips)))
    headings = [f"test clip {clip + 1}" for clip in range(len(data["truth"]))]
    return film_sheet(rows, headings, data["frames"].tolist())
