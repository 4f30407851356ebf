"""Predictions: how test clips go on, the truth above what each model foresees from the frames before, floors in grey.

Every frame to come is drawn from the model's own earlier ones; nothing of the truth is shown to it again.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.film import SEEN, Row, ahead, film_sheet
from whatmoves.figures.inputs import FigureInputs, shared

CLIPS = 2


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`past` `[n, p, C, H, W]`, `truth` `[n, k, C, H, W]`, `predictions` `[models, n, k, C, H, W]`, `frames` `[p + k]`
    by their numbers in the clip, labels and slots."""
    pictures = inputs.pictures_with(inputs.dataset, "prediction_past", "prediction_truth", "prediction")
    past, truth = shared(pictures, "prediction_past"), shared(pictures, "prediction_truth")
    seen, shown = past.shape[1], ahead(truth.shape[1])
    first = max(0, seen - SEEN)
    return {
        "past": past[:CLIPS, first:],
        "truth": truth[:CLIPS, shown],
        "predictions": np.stack([arrays["prediction"][:CLIPS, shown] for arrays in pictures.values()]),
        "frames": np.concatenate([np.arange(first, seen), seen + shown]),
        **inputs.legend(list(pictures)),
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One row for the truth and one per model; the clips stand side by side."""
    whole = np.concatenate([data["past"], data["truth"]], axis=1)
    rows = [Row("truth", style.INK, list(whole), 0.0)]
    before = 0
    for label, slot, clips in zip(data["labels"], data["slots"], data["predictions"], strict=True):
        first_of_group = len(rows) == 1 or (slot < 0 <= before)
        rows.append(Row(str(label), style.colour(slot), list(clips), 0.09 if first_of_group else 0.035))
        before = slot
    headings = [f"test clip {clip + 1}" for clip in range(len(whole))]
    return film_sheet(rows, headings, data["frames"].tolist(), given=data["past"].shape[1])
