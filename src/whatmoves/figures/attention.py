"""Where registers look: tokens of a transformer that stand for no place, beside the frame that they look at."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.film import Row, every, film_sheet, heat
from whatmoves.figures.inputs import FigureInputs

CLIPS = 2
SHOWN = 6  # frames of a clip
REGISTERS = 4


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """Of the first model that says where it looks: `truth` `[n, k, C, H, W]`, `looks` `[n, k, registers, h, w]` uint8,
    `frames` `[k]`, its label and slot."""
    model, arrays = next(iter(inputs.pictures_with(inputs.dataset, "truth", "attention").items()))
    truth, looks = arrays["truth"][:CLIPS], arrays["attention"][:CLIPS, :, :REGISTERS]
    windows = every(looks.shape[1], SHOWN)
    frames = windows + truth.shape[1] - looks.shape[1]  # a window is numbered by its last frame
    return {"truth": truth[:, frames], "looks": looks[:, windows], "frames": frames, **inputs.legend([model])}


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """The frames, and below them a row for each register, from the least (white) to the most that it looks at a place.

    Its label says how far these two are apart, as multiples of an even share.
    """
    shade = style.colour(int(data["slots"][0]))
    rows = [Row("frame", style.INK, list(data["truth"]), 0.0)]
    looks = data["looks"] / data["looks"].mean((-2, -1), keepdims=True)
    for register in range(looks.shape[2]):
        share = looks[:, :, register]
        least, most = float(share.min()), float(share.max())
        stretched = np.round(255 * (share - least) / max(most - least, 1e-9)).astype(np.uint8)
        label = f"register {register + 1} {least:.2f} to {most:.2f}"
        rows.append(Row(label, shade, list(heat(stretched, data["truth"].shape[-2:]))))
    headings = [f"{data['labels'][0]}, test clip {clip + 1}" for clip in range(len(data["truth"]))]
    return film_sheet(rows, headings, data["frames"].tolist())
