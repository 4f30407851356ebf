"""Training curves: the two parts of the validation loss over clips, one thin line per seed."""

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

TERMS = ("reconstruction", "kl")
TITLES = ("reconstruction", "KL divergence of the code from the prior")
HEIGHT_IN = 2.35
COLUMNS, FEWER, KEY_IN = (
    5,
    3,
    0.36,
)  # of the legend, or fewer for long labels; what the sample of a line takes beside its words


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`clips` and `nats` `[lines, points]` (NaN after a line's end); `term`, `model` and `seed` `[lines]`."""
    models: list[str] = []
    lines: list[tuple[int, int, int, NDArray[np.float64], NDArray[np.float64]]] = []
    for model in inputs.models(inputs.dataset):
        for seed in inputs.study.seeds_of(model):
            history = inputs.history(inputs.dataset, model, seed) or {}
            for term, name in enumerate(TERMS):
                nats = _nats(history, name)
                if nats is not None:
                    models += [] if model in models else [model]
                    measured = np.isfinite(nats)
                    lines.append((term, models.index(model), seed, history["clips"][measured], nats[measured]))
    if not lines:
        raise inputs.nothing(f"no loss on {inputs.dataset} has a part in nats: {', '.join(TERMS)}")
    terms, owners, seeds, clips, nats_of = zip(*lines, strict=True)
    return {
        "clips": _padded(clips),
        "nats": _padded(nats_of),
        "term": np.array(terms, np.int64),
        "model": np.array(owners, np.int64),
        "seed": np.array(seeds, np.int64),
        **inputs.legend(models),
    }


def _nats(history: Mapping[str, NDArray[np.float64]], term: str) -> NDArray[np.float64] | None:
    """A validation term; where it is kept by block (`kl_content_nats`, …), the sum of the blocks."""
    whole = f"validation_{term}_nats"
    names = [whole] if whole in history else [n for n in history if fnmatch(n, f"validation_{term}_*_nats")]
    total = np.sum([history[name] for name in names], axis=0) if names else np.array([np.nan])
    return total if np.isfinite(total).any() else None


def _padded(lines: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    table = np.full((len(lines), max(len(line) for line in lines)), np.nan)
    for row, line in zip(table, lines, strict=True):
        row[: len(line)] = line
    return table


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One panel per term, a legend of models on top; a point where a line has only one."""
    gap_in, left_in = 0.55, 0.5
    labels = [str(label) for label in data["labels"]]
    words, columns = style.in_columns(labels, COLUMNS, FEWER, style.WIDTH_IN - left_in, KEY_IN)
    more_in = style.more_lines(words, columns) * style.LINE_IN
    figure = Figure((style.WIDTH_IN, HEIGHT_IN + more_in))
    width_in = (style.WIDTH_IN - left_in - gap_in - 0.1) / len(TERMS)
    for term, title in enumerate(TITLES):
        axes = style.panel(figure, left_in + term * (width_in + gap_in), 0.52 + more_in, width_in, HEIGHT_IN - 0.95)
        for line in np.flatnonzero(data["term"] == term):
            shade = style.colour(int(data["slots"][data["model"][line]]))
            single = np.isfinite(data["nats"][line]).sum() == 1
            axes.plot(
                data["clips"][line], data["nats"][line], color=shade, lw=0.9, alpha=0.85,
                marker="o" if single else None, ms=3,
            )  # fmt: skip
        axes.set_title(title)
        axes.set_xlabel("training clips")
        axes.set_ylabel("nats per clip")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda clips, _: f"{clips / 1000:g}k" if clips else "0"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda nats, _: f"{nats:,g}"))
        axes.tick_params("y", labelsize=style.SMALL_PT)
        axes.margins(x=0.02)
    keys = [Line2D([], [], color=style.colour(int(slot)), lw=1.6) for slot in data["slots"]]
    figure.legend(
        keys, words, loc="upper left", bbox_to_anchor=(left_in / style.WIDTH_IN, 1.0),
        ncols=columns, borderaxespad=0.2, borderpad=0.1, handlelength=1.4, columnspacing=1.4,
    )  # fmt: skip
    return figure
