"""Error against horizon: how fast predictions go wrong, every seed and the mean of a model, with floors in grey.

One panel per data set and measure. Where a model reads actions, a dashed line shows it with the actions of other clips:
what lies between the two is what the actions are worth to it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs
from whatmoves.floors import of_clips

MEASURES = ("psnr_frame", "mse_pixel")
TITLES = ("PSNR per frame (dB)", "squared error, log scale")
SCALES = ("linear", "log")  # blank frames err so much on bright pictures that all else would lie on the axis
OTHERS = "actions of other clips"
MEAN = -1  # in place of a seed
PANEL_IN, GAP_IN, LEFT_IN, KEYS, KEY_IN = 1.45, 0.42, 0.46, 4, 0.38
FLOOR_LINES: tuple[Any, ...] = ((0, (1, 1.4)), (0, (4, 1.2, 1, 1.2)), "-", (0, (4, 1, 1, 1, 1, 1)), (0, (1, 3.5)))


class Line(NamedTuple):
    """A curve over the horizon, frames ahead from 1."""

    dataset: int
    measure: int
    model: int
    seed: int
    shuffled: bool
    values: NDArray[np.float64]


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`values` `[lines, horizon]` (NaN after a line's end), and `dataset`, `measure`, `model`, `seed` (−1: the mean of
    all) and `shuffled` of each line; `datasets`, labels and slots."""
    measured = {dataset: _curves(inputs, dataset) for dataset in inputs.study.data}
    trained = [name for name, rows in measured.items() if any(inputs.slot(row) >= 0 for row in rows)]
    datasets = trained or [name for name, rows in measured.items() if rows]  # floors, where no model could
    models: list[str] = []
    lines: list[Line] = []
    for place, dataset in enumerate(datasets):
        for row, seeds in measured[dataset].items():
            models += [] if row in models else [row]
            for measure, name in enumerate(MEASURES):
                for shuffled, key in enumerate((f"predict_{name}", f"predict_shuffled_{name}")):
                    found = {int(seed): np.array(curves[key]) for seed, curves in seeds.items() if key in curves}
                    if found:
                        found[MEAN] = np.mean(list(found.values()), axis=0)
                    told = (place, measure, models.index(row))
                    lines += [Line(*told, seed, bool(shuffled), values) for seed, values in found.items()]
    if not lines:
        raise inputs.nothing("no model predicts anything")
    order = sorted(models, key=lambda model: inputs.slot(model) < 0)  # floors last
    lines = [line._replace(model=order.index(models[line.model])) for line in lines]
    values = np.full((len(lines), max(len(line.values) for line in lines)), np.nan)
    for at, line in enumerate(lines):
        values[at, : len(line.values)] = line.values
    words = {name: np.array([getattr(line, name) for line in lines]) for name in Line._fields[:-1]}
    return {"values": values, **words, "datasets": np.array(datasets, np.str_), **inputs.legend(order)}


def _curves(inputs: FigureInputs, dataset: str) -> dict[str, dict[str, Any]]:
    """The curves of every seed of all that predicts on a data set, by row, floors and ceilings among them."""
    rows = [*inputs.models(dataset), *of_clips()]
    curves = {row: dict((inputs.quality(dataset, row) or {}).get("curves", {})) for row in rows}
    return {row: seeds for row, seeds in curves.items() if any(f"predict_{MEASURES[0]}" in of for of in seeds.values())}


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """Data sets from left to right, measures from top to bottom, the legend above them."""
    keys, words = _legend(data)
    words, columns = style.in_columns(words, KEYS, KEYS, style.WIDTH_IN, KEY_IN)
    top_in = 0.135 * -(-len(keys) // KEYS) + 0.4 + style.more_lines(words, columns) * style.LINE_IN
    figure = Figure((style.WIDTH_IN, top_in + len(MEASURES) * (PANEL_IN + GAP_IN)))
    count = len(data["datasets"])
    width_in = (style.WIDTH_IN - LEFT_IN - 0.06 - (count - 1) * GAP_IN) / count
    for panel, name in enumerate(data["datasets"].tolist()):
        for measure, title in enumerate(TITLES):
            top = top_in + measure * (PANEL_IN + GAP_IN)
            axes = style.panel(figure, LEFT_IN + panel * (width_in + GAP_IN), top, width_in, PANEL_IN)
            for line in np.flatnonzero((data["dataset"] == panel) & (data["measure"] == measure)):
                _line(axes, data, int(line))
            axes.set_title(title)
            axes.set_yscale(SCALES[measure])
            if SCALES[measure] == "log":  # powers of ten are few here, and 3 × 10⁻² is longer than the margin
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axes.yaxis.set_minor_formatter(NullFormatter())
            if measure == 0:
                style.write(figure, LEFT_IN + panel * (width_in + GAP_IN), top - 0.27, name, weight="bold")
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
            axes.tick_params("y", labelsize=style.SMALL_PT)
            axes.margins(x=0.04)
            if measure == len(MEASURES) - 1:
                axes.set_xlabel("frames ahead")
    figure.legend(
        keys, words, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=KEYS, borderaxespad=0.2, borderpad=0.1,
        handlelength=2.0, columnspacing=1.0, labelspacing=0.25,
    )  # fmt: skip
    return figure


def _line(axes: Axes, data: Mapping[str, NDArray[Any]], line: int) -> None:
    """A seed thin, the mean of all strong; floors in grey, each with its own dashes."""
    model, values = int(data["model"][line]), data["values"][line]
    values = values[np.isfinite(values)]
    slot, mean = int(data["slots"][model]), data["seed"][line] == MEAN
    if slot < 0 and not mean:
        return
    look = {"ls": _dashes(data, model)} if slot < 0 else {"ls": (0, (3, 1.5)) if data["shuffled"][line] else "-"}
    if mean and slot >= 0 and not data["shuffled"][line]:
        look |= {"marker": style.marker(slot), "ms": 3.5, "mec": "white", "mew": 0.4}
    axes.plot(
        np.arange(1, len(values) + 1), values, color=style.colour(slot), lw=1.1 if mean else 0.5,
        alpha=1.0 if mean else 0.45, zorder=3 if mean else 2, **look,
    )  # fmt: skip


def _dashes(data: Mapping[str, NDArray[Any]], model: int) -> Any:
    floors = np.flatnonzero(data["slots"] < 0).tolist()
    return FLOOR_LINES[floors.index(model) % len(FLOOR_LINES)]


def _legend(data: Mapping[str, NDArray[Any]]) -> tuple[list[Line2D], list[str]]:
    keys, words = [], [str(label) for label in data["labels"]]
    for model, slot in enumerate(data["slots"].tolist()):
        look = {"ls": _dashes(data, model)} if slot < 0 else {"marker": style.marker(slot), "ms": 4, "mec": "white"}
        keys.append(Line2D([], [], color=style.colour(slot), lw=1.1, mew=0.4, **look))
    if data["shuffled"].any():
        keys.append(Line2D([], [], color=style.INK, lw=1.1, ls=(0, (3, 1.5))))
        words.append(OTHERS)
    return keys, words
