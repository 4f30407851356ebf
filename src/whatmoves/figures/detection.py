"""Detection against horizon: how well foreseen features still tell where objects will be, the last horizon included.

Floors in grey: persistence, which says that everything stays where it was seen, and chance, the share of cells that
hold an object. Average precision is pooled over the cells of all test clips.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

CURVES = ("detection_ap", "detection_persistence", "detection_chance")
FLOOR_LINES: tuple[Any, ...] = (None, "-", (0, (1, 1.4)))
TITLE = "In which cells will objects be, so many frames ahead?"
MEAN = -1  # in place of a seed
HEIGHT_IN, WIDTH_IN, WORDS_IN = 2.5, 4.2, 1.15


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`values` `[lines, horizon]` (NaN after a line's end), and of each line its `curve` (its place in `CURVES`),
    `model` and `seed` (−1: the mean of all); labels and slots."""
    models: list[str] = []
    lines: list[tuple[int, int, int, NDArray[np.float64]]] = []
    for model in inputs.models(inputs.dataset):
        curves = (inputs.quality(inputs.dataset, model) or {}).get("curves", {})
        for curve, name in enumerate(CURVES):
            found = {int(seed): np.array(of[name], np.float64) for seed, of in curves.items() if name in of}
            if not found:
                continue
            models += [] if model in models else [model]
            found[MEAN] = np.mean(list(found.values()), axis=0)
            lines += [(curve, models.index(model), seed, values) for seed, values in found.items()]
    if not lines:
        raise inputs.nothing(f"no model on {inputs.dataset} detects anything")
    values = np.full((len(lines), max(len(line[-1]) for line in lines)), np.nan)
    for at, line in enumerate(lines):
        values[at, : len(line[-1])] = line[-1]
    told = zip(("curve", "model", "seed"), zip(*(line[:-1] for line in lines), strict=True), strict=True)
    return {"values": values, **{name: np.array(numbers, np.int64) for name, numbers in told}, **inputs.legend(models)}


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One panel: seeds thin, their means strong, the floors' means in grey."""
    figure = Figure((style.WIDTH_IN, HEIGHT_IN))
    axes = style.panel(figure, 0.48, 0.26, WIDTH_IN, HEIGHT_IN - 0.66)
    horizon = np.arange(1, data["values"].shape[1] + 1)
    for curve, model, seed, values in zip(data["curve"], data["model"], data["seed"], data["values"], strict=True):
        slot, mean = int(data["slots"][model]), seed == MEAN
        if curve > 0:
            if mean:
                axes.plot(horizon, values, color=style.REFERENCE, lw=0.8, ls=FLOOR_LINES[curve], zorder=2)
            continue
        look = {"marker": style.marker(slot), "ms": 4, "mec": "white", "mew": 0.4} if mean else {"alpha": 0.45}
        axes.plot(horizon, values, color=style.colour(slot), lw=1.2 if mean else 0.5, zorder=3 + mean, **look)
    axes.set_title(TITLE)
    axes.set_xlabel("frames ahead")
    axes.set_ylabel("average precision")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.03)
    axes.xaxis.set_major_locator(MaxNLocator(len(horizon), integer=True, min_n_ticks=1))
    axes.tick_params("y", labelsize=style.SMALL_PT)
    keys = [
        Line2D([], [], color=style.colour(slot), lw=1.2, marker=style.marker(slot), ms=4, mec="white", mew=0.4)
        for slot in data["slots"].tolist()
    ]
    words = [style.broken(str(label), WORDS_IN) for label in data["labels"]]
    for curve, word in ((1, "persistence"), (2, "chance")):
        if (data["curve"] == curve).any():
            keys.append(Line2D([], [], color=style.REFERENCE, lw=0.8, ls=FLOOR_LINES[curve]))
            words.append(word)
    figure.legend(
        keys, words, loc="upper left", bbox_to_anchor=((0.48 + WIDTH_IN + 0.1) / style.WIDTH_IN, 1 - 0.2 / HEIGHT_IN)
    )
    return figure
