"""Factors exchanged one by one: how often each factor is right after one of them was exchanged, model by model.

Rows are the factor exchanged, columns the factor read; 100 everywhere is perfect. On the diagonal the exchanged factor
has to be the giver's, elsewhere the others the receiver's.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from whatmoves.exchange.pairs import FACTORS
from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

WAYS = {"block": "by the block that claims it", "part": "by the part that probes attribute to it"}
FRAME = ("true_render", "copy_receiver")
LEFT_IN, GAP_IN, TOP_IN, BETWEEN_IN, FOOT_IN = 0.62, 0.1, 0.28, 0.42, -0.2
MOST_IN = 1.05  # side of a matrix, at most
NUMBER_PT = 4.6


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`share` `[rows, ways, exchanged, read]`, NaN where a code has no such part or nobody can say what is right; and
    `factors`, the names of those that the clips have."""
    values, dataset = inputs.values(), inputs.dataset
    rows = [row for row in [*inputs.models(dataset), *FRAME] if f"{dataset}.{row}.exchange_block" in values]
    if not set(rows) - set(FRAME):
        raise inputs.nothing(f"no model on {dataset} exchanged a factor")
    sized = any(f"{dataset}.{row}.exchange_none_size" in values for row in rows)
    factors = [name for name in FACTORS if sized or name != "size"]
    share = np.full((len(rows), len(WAYS), len(factors), len(factors)), np.nan)
    for r, row in enumerate(rows):
        for w, way in enumerate(WAYS):
            for f, factor in enumerate(factors):
                for g, read in enumerate(factors):
                    found = values.get(f"{dataset}.{row}.exchange_{way}_{factor}_{read}")
                    share[r, w, f, g] = found["value"] if found else np.nan
    return {"share": share, "factors": np.array(factors), **inputs.legend(rows)}


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """A line of matrices for each way, one matrix a model, then ceiling and floor."""
    count, factors = len(data["share"]), data["factors"].tolist()
    side_in = min(MOST_IN, (style.WIDTH_IN - LEFT_IN - (count - 1) * GAP_IN - 0.06) / count)
    labels = [style.broken(str(label), side_in) for label in data["labels"]]
    top_in, line_in = TOP_IN + max(map(style.lines, labels)) * style.LINE_IN, side_in + BETWEEN_IN
    height_in = top_in + len(WAYS) * line_in + FOOT_IN
    figure = Figure((style.WIDTH_IN, height_in))
    shades = LinearSegmentedColormap.from_list("share", ["#ffffff", style.PALETTE[0]])
    for r in range(count):
        left = LEFT_IN + r * (side_in + GAP_IN)
        for w, words in enumerate(WAYS.values()):
            top = top_in + w * line_in
            axes = style.panel(figure, left, top, side_in, side_in)
            axes.grid(visible=False)
            axes.set_xlim(-0.5, len(factors) - 0.5)
            axes.set_ylim(len(factors) - 0.5, -0.5)
            axes.imshow(data["share"][r, w], cmap=shades, vmin=0, vmax=1.15, aspect="auto")
            for f, g in np.ndindex(len(factors), len(factors)):
                value = data["share"][r, w, f, g]
                text = "–" if np.isnan(value) else f"{100 * value:.0f}"
                dark = not np.isnan(value) and value > 0.75
                axes.text(
                    g, f, text, ha="center", va="center", fontsize=NUMBER_PT, color="white" if dark else style.INK
                )
            for f in range(len(factors)):
                axes.add_patch(Rectangle((f - 0.5, f - 0.5), 1, 1, fill=False, ec=style.INK, lw=0.7, zorder=3))
            axes.set_yticks(range(len(factors)), factors if r == 0 else [], fontsize=style.SMALL_PT)
            axes.set_xticks(range(len(factors)), [name[:2] for name in factors], fontsize=style.SMALL_PT)
            axes.tick_params(length=0, pad=1.5)
            if r == 0:
                above_in = 0.13 if w == 0 else top - 0.07
                figure.text(0.01, 1 - above_in / height_in, words, fontsize=style.SMALL_PT, weight="bold")
            if w == 0:
                axes.set_title(labels[r], fontsize=style.SMALL_PT, pad=3, color=style.colour(int(data["slots"][r])))
    return figure
