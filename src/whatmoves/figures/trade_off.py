"""The trade-off: how well content and motion keep apart against how good the pictures are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

SEPARATION = "block_gap"
PICTURES = {"mse_removed": "mean-frame error removed", "psnr_frame": "PSNR per frame (dB)"}  # the first that there is
HEIGHT_IN = 3.0  # at least
KEYS_IN, WORDS_IN = 4.6, 1.3  # where the legend begins, and the room of its words


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`mean` `[models, 2]`, `interval` `[models, 2, 2]`, `seeds` `[models, 2, seeds]` (NaN for none), `undominated`;
    `metric`, the measure of pictures: the share of the mean frame's error, or PSNR in a study without that floor."""
    values, dataset = inputs.values(), inputs.dataset
    able = [row for row in inputs.models(dataset) if f"{dataset}.{row}.{SEPARATION}" in values]
    kept = {name: [row for row in able if f"{dataset}.{row}.{name}" in values] for name in PICTURES}
    metric = next((name for name, rows in kept.items() if rows), None)
    if metric is None:
        raise inputs.nothing(f"no model on {dataset} has both a code that was judged and pictures that were measured")
    rows = kept[metric]
    pairs = [[values[f"{dataset}.{row}.{name}"] for name in (SEPARATION, metric)] for row in rows]
    mean = np.array([[value["value"] for value in pair] for pair in pairs], np.float64)
    interval = np.array([[value["interval"] or (np.nan, np.nan) for value in pair] for pair in pairs], np.float64)
    shared = [[seed for seed in pair[0]["seeds"] if seed in pair[1]["seeds"]] for pair in pairs]
    seeds = np.full((len(rows), 2, max(1, *map(len, shared))), np.nan)
    for row, (pair, both) in enumerate(zip(pairs, shared, strict=True)):
        for axis, value in enumerate(pair):
            seeds[row, axis, : len(both)] = [value["seeds"][seed] for seed in both]
    legend = inputs.legend(rows)
    better = (mean[None] >= mean[:, None]).all(-1) & (mean[None] > mean[:, None]).any(-1)  # [i, j]: j dominates i
    undominated = ~(better & (legend["slots"] >= 0)).any(1) & (legend["slots"] >= 0)
    return {
        "mean": mean,
        "interval": interval,
        "seeds": seeds,
        "undominated": undominated,
        "metric": np.array(metric),
        **legend,
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """Small dots are seeds, large markers means with intervals; the grey step joins the undominated models."""
    words = [style.broken(str(label), WORDS_IN) for label in data["labels"]]
    height_in = max(HEIGHT_IN, 0.2 + sum(style.lines(text) * style.LINE_IN + 0.05 for text in words))
    figure = Figure((style.WIDTH_IN, height_in))
    axes = style.panel(figure, 0.6, 0.12, 3.9, height_in - 0.58)
    front = data["mean"][data["undominated"]]
    front = front[np.argsort(front[:, 0])]
    axes.step(front[:, 0], front[:, 1], where="pre", color="#c4c4c4", lw=0.9, zorder=1)
    keys = []
    for row, slot in enumerate(data["slots"].tolist()):
        shade, shape = style.colour(slot), "D" if slot < 0 else style.marker(slot)
        x, y = data["mean"][row]
        (x_low, x_high), (y_low, y_high) = data["interval"][row]
        axes.plot([x_low, x_high], [y, y], color=shade, lw=1.1, zorder=3)
        axes.plot([x, x], [y_low, y_high], color=shade, lw=1.1, zorder=3)
        axes.plot(*data["seeds"][row], "o", color=shade, ms=2.6, alpha=0.6, mew=0, zorder=4)
        axes.plot(x, y, shape, color=shade, ms=3.5 if slot < 0 else 6, mec="white", mew=0.6, zorder=5)
        keys.append(Line2D([], [], ls="", marker=shape, color=shade, ms=3.5 if slot < 0 else 6, mec="white", mew=0.6))
    axes.set_xlabel("BlockGap: content and motion kept apart  →")
    metric = str(data["metric"])
    axes.set_ylabel(f"{PICTURES[metric]}  →")
    if metric == "mse_removed":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axes.tick_params("y", labelsize=style.SMALL_PT)
    axes.margins(0.08)
    figure.legend(keys, words, loc="upper left", bbox_to_anchor=(KEYS_IN / style.WIDTH_IN, 1 - 0.06 / height_in))
    return figure
