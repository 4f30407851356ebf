"""Shifted test sets: what a model loses of the way from floor to ceiling when one factor leaves its training range."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

WHAT = {
    "reconstruct": "reconstruction",
    "predict": "prediction",
    "swap": "swaps",
    "content": "class",
    "motion": "motion",
}
LOST = re.compile(r"(\w+)\.(\w+)\.shift_lost_([a-z]+)_([a-z]+)")  # ids of values: data set, model, shift, measure
ALL_LOST = 1.0  # what is drawn darkest, as a part of the way
LEFT_IN, CELL_IN, GAP_IN, TOP_IN, FOOT_IN = 1.15, 0.205, 0.09, 0.24, 0.5
NUMBER_PT = 4.8


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`lost` `[models, what, shifts]`, parts of the way from floor to ceiling, NaN for none; `what` and `shifts`."""
    found = {
        (row, what, shift): value["value"]
        for key, value in inputs.values().items()
        if (said := LOST.fullmatch(key)) and said[1] == inputs.dataset
        for row, shift, what in [said.groups()[1:]]
    }
    if not found:
        raise inputs.nothing(f"no model on {inputs.dataset} was measured on shifted clips")
    models, whats, shifts = (list(dict.fromkeys(names)) for names in zip(*found, strict=True))
    models = [row for row in inputs.models(inputs.dataset) if row in models]
    whats = [what for what in WHAT if what in whats]
    lost = [[[found.get((row, what, shift), np.nan) for shift in shifts] for what in whats] for row in models]
    return {
        "lost": np.array(lost, np.float64),
        "what": np.array(whats, np.str_),
        "shifts": np.array(shifts, np.str_),
        **inputs.legend(models),
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One heat map a measure beside each other, models down, shifts across; numbers are percent lost."""
    lost, whats, shifts = data["lost"], data["what"].tolist(), data["shifts"].tolist()
    count = len(lost)
    width_in = (style.WIDTH_IN - LEFT_IN - (len(whats) - 1) * GAP_IN - 0.06) / len(whats)
    width_in = min(width_in, len(shifts) * 0.32)
    labels = [style.broken(str(label), LEFT_IN - 0.08) for label in data["labels"]]
    cell_in = max(CELL_IN, max(map(style.lines, labels)) * style.LINE_IN + 0.02)
    height_in = TOP_IN + count * cell_in + FOOT_IN
    figure = Figure((style.WIDTH_IN, height_in))
    shades = LinearSegmentedColormap.from_list("lost", [style.PALETTE[5], "#ffffff", style.PALETTE[1]])
    for w, what in enumerate(whats):
        axes = style.panel(figure, LEFT_IN + w * (width_in + GAP_IN), TOP_IN, width_in, count * cell_in)
        axes.imshow(lost[:, w], cmap=shades, vmin=-ALL_LOST, vmax=ALL_LOST, aspect="auto")
        axes.grid(visible=False)
        for row, column in np.ndindex(count, len(shifts)):
            value = lost[row, w, column]
            text = "–" if np.isnan(value) else f"{100 * value:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=NUMBER_PT, color=style.INK)
        axes.set_title(WHAT[what], fontsize=style.TEXT_PT, pad=3)
        axes.set_xticks(range(len(shifts)), shifts, rotation=90, fontsize=style.SMALL_PT)
        axes.set_yticks(range(count), labels if w == 0 else [], fontsize=style.SMALL_PT)
        axes.tick_params(length=0, pad=2)
        for label, slot in zip(axes.get_yticklabels(), data["slots"].tolist(), strict=False):
            label.set_color(style.colour(slot))
    return figure
