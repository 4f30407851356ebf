"""Rollout: the truth, each frame foreseen from the true ones before it, and all foreseen from the given ones alone.

The picture that the video JEPA's authors show of their model, with where it foresees objects where it says so.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.film import SEEN, Row, ahead, film_sheet, heat
from whatmoves.figures.inputs import FigureInputs

CLIPS = 2
PICTURES = ("prediction_past", "prediction_truth", "prediction_one_step", "prediction")
MAPS = ("detection_truth", "detection")


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """Of the first model that says where things will be: `past` `[n, p, C, H, W]`; `truth`, `one_step` and `rollout`
    `[n, k, C, H, W]`; `frames` `[p + k]`, its label and slot; `there` and `foreseen` `[n, k, g, g]` uint8 of the same
    frames, foreseen from the clip's first `maps_from` frames, which may be fewer than the pictures start from."""
    model, arrays = next(iter(inputs.pictures_with(inputs.dataset, *PICTURES, *MAPS).items()))
    past, truth, one_step, rollout, there, foreseen = (arrays[name][:CLIPS] for name in (*PICTURES, *MAPS))
    seen, shown = past.shape[1], ahead(truth.shape[1])
    first = max(0, seen - SEEN)
    maps_from = seen + truth.shape[1] - there.shape[1]  # they reach to the clip's end
    at = seen + shown - maps_from
    return {
        "past": past[:, first:],
        "truth": truth[:, shown],
        "one_step": one_step[:, shown],
        "rollout": rollout[:, shown],
        "frames": np.concatenate([np.arange(first, seen), seen + shown]),
        "there": there[:, at],
        "foreseen": foreseen[:, at],
        "maps_from": np.array(maps_from),
        **inputs.legend([model]),
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """Three rows of frames, and two of maps: where objects are, and where they are foreseen."""
    whole = np.concatenate([data["past"], data["truth"]], axis=1)
    shade = style.colour(int(data["slots"][0]))
    rows = [
        Row("truth", style.INK, list(whole), 0.0),
        Row("one step ahead", shade, list(data["one_step"]), 0.09),
        Row("rollout", shade, list(data["rollout"])),
    ]
    rows.append(Row("where: truth", style.INK, list(heat(data["there"], whole.shape[-2:])), 0.09))
    words = f"where, foreseen from frame {data['maps_from']}"
    rows.append(Row(words, shade, list(heat(data["foreseen"], whole.shape[-2:]))))
    headings = [f"{data['labels'][0]}, test clip {clip + 1}" for clip in range(len(whole))]
    return film_sheet(rows, headings, data["frames"].tolist(), given=data["past"].shape[1])
