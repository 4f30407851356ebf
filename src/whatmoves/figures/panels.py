"""Panels of measures: one a measure, one row a model, every seed, the mean and its interval; floors beneath in grey."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

FEWEST = 3  # panels that a figure has room for: fewer are no wider
ROW_IN = 0.21
LEFT_IN, LETTERS = 1.15, 24  # room of the labels, and letters of one of their lines


def measured(inputs: FigureInputs, asked: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """`mean` `[rows, metrics]`, `interval` `[rows, metrics, 2]` and `seeds` `[rows, metrics, seeds]`, NaN for none;
    `metrics`, those of the `asked` that anything was measured by, and their `titles`."""
    values, dataset = inputs.values(), inputs.dataset
    outside = sorted({key.split(".")[1] for key in values if key.startswith(f"{dataset}.")} - set(inputs.study.models))
    rows = [row for row in [*inputs.models(dataset), *outside] if any(f"{dataset}.{row}.{m}" in values for m in asked)]
    metrics = [metric for metric in asked if any(f"{dataset}.{row}.{metric}" in values for row in rows)]
    if not rows:
        raise inputs.nothing(f"no picture on {dataset} was measured")
    found = {(row, m): values.get(f"{dataset}.{row}.{metric}", {}) for row in rows for m, metric in enumerate(metrics)}
    most_seeds = max(1, *(len(value.get("seeds", ())) for value in found.values()))
    mean = np.full((len(rows), len(metrics)), np.nan)
    interval = np.full((*mean.shape, 2), np.nan)
    seeds = np.full((*mean.shape, most_seeds), np.nan)
    for (row, m), value in found.items():
        at = rows.index(row), m
        mean[at] = value.get("value", np.nan)
        interval[at] = value.get("interval") or np.nan
        numbers = list(value.get("seeds", {}).values())
        seeds[at][: len(numbers)] = numbers
    told = {"mean": mean, "interval": interval, "seeds": seeds, "metrics": np.array(metrics, np.str_)}
    return {**told, "titles": np.array([asked[metric] for metric in metrics], np.str_), **inputs.legend(rows)}


def panels(data: Mapping[str, NDArray[Any]]) -> Figure:
    """The figure of what `measured` gives, in the style that is set."""
    slots, metrics = data["slots"].tolist(), data["metrics"].tolist()
    count, gap_in = len(slots), 0.2
    labels = [str(label) for label in data["labels"]]
    left_in = LEFT_IN if all(style.fits(label, LEFT_IN - 0.05) for label in labels) else LEFT_IN + 0.25
    labels = [style.broken(label, left_in - 0.05, LETTERS) for label in labels]
    row_in = max(ROW_IN, max(map(style.lines, labels)) * style.LINE_IN + 0.04)
    height_in = 0.62 + count * row_in
    figure = Figure((style.WIDTH_IN, height_in))
    columns = max(len(metrics), FEWEST)
    width_in = (style.WIDTH_IN - left_in - (columns - 1) * gap_in - 0.12) / columns
    models = sum(slot >= 0 for slot in slots)
    for m, metric in enumerate(metrics):
        axes = style.panel(figure, left_in + m * (width_in + gap_in), 0.3, width_in, count * row_in)
        for row, slot in enumerate(slots):
            shade = style.colour(slot)
            low, high = data["interval"][row, m]
            points = data["seeds"][row, m]
            if slot < 0:
                axes.plot([data["mean"][row, m]] * 2, [-0.5, row], color="#c4c4c4", lw=0.7, zorder=1)
                axes.plot(data["mean"][row, m], row, "D", color=shade, ms=3, zorder=3)
                continue
            axes.plot([low, high], [row, row], color=shade, lw=1.5, solid_capstyle="butt", zorder=3)
            axes.plot(points, np.full_like(points, row + 0.24), "o", color=shade, ms=2.6, alpha=0.6, mew=0, zorder=4)
            axes.plot(data["mean"][row, m], row, style.marker(slot), color=shade, ms=5, mec="white", mew=0.6, zorder=5)
        if 0 < models < count:
            axes.axhline(models - 0.5, color=style.HAIRLINE, lw=0.6)
        axes.set_ylim(count - 0.5, -0.5)
        axes.set_yticks(range(count), labels if m == 0 else [""] * count)
        axes.tick_params("y", length=0)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.margins(x=0.07)
        axes.set_title(str(data["titles"][m]))
        axes.spines["left"].set_visible(False)
        if m == 0:
            for text, slot in zip(axes.get_yticklabels(), slots, strict=True):
                text.set_color(style.colour(slot))
        if metric == "mse_removed":
            axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    return figure
