"""The house: how data becomes a paper, drawn as one row of stations and what each hands to the next."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

STATIONS = {
    "data": "factors\nand clips",
    "train": "checkpoints,\nevery seed",
    "evaluate": "quality,\ncodes",
    "judge": "swaps,\ninformation",
    "analyse": "values,\nintervals",
    "show": "figures,\nfilms",
    "write": "the paper",
}
BOX_IN, STEP_IN, TOP_IN, HEIGHT_IN = 0.72, 0.925, 0.62, 1.95
BLUE, ORANGE, GREEN = style.PALETTE[:3]


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`stations` and `products`, from first to last; no results are read."""
    return {"stations": np.array(list(STATIONS), np.str_), "products": np.array(list(STATIONS.values()), np.str_)}


def _clips(axes: Axes, x: float, y: float) -> None:
    for frame in range(3):
        left = x - 0.27 + frame * 0.19
        axes.add_patch(Rectangle((left, y - 0.08), 0.16, 0.16, fc="#1c1c1c", ec="none"))
        axes.plot(left + 0.04 + frame * 0.04, y + 0.03 - frame * 0.03, "o", color="white", ms=2.6, mew=0)


def _curve(axes: Axes, x: float, y: float) -> None:
    across = np.linspace(0, 1, 40)
    for speed, shade in ((3.0, BLUE), (4.5, ORANGE), (7.0, GREEN)):
        axes.plot(x - 0.22 + 0.44 * across, y - 0.1 + 0.22 * np.exp(-speed * across), color=shade, lw=1.1)


def _bars(axes: Axes, x: float, y: float) -> None:
    for bar, (height, shade) in enumerate(((0.1, "#c4c4c4"), (0.15, BLUE), (0.19, ORANGE), (0.24, GREEN))):
        axes.add_patch(Rectangle((x - 0.22 + bar * 0.12, y - 0.12), 0.085, height, fc=shade, ec="none"))


def _exchange(axes: Axes, x: float, y: float) -> None:
    for side, shade in ((-1, BLUE), (1, ORANGE)):
        axes.plot(x + side * 0.2, y, "os"[side > 0], color=shade, ms=6, mew=0)
        start, end = (x - side * 0.13, y + side * 0.05), (x + side * 0.13, y + side * 0.05)
        arrow = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=5, lw=0.8, color=style.INK)
        arrow.set_connectionstyle("arc3", rad=-0.35)
        axes.add_patch(arrow)


def _intervals(axes: Axes, x: float, y: float) -> None:
    for row, (middle, half, shade) in enumerate(((-0.08, 0.1, BLUE), (0.03, 0.08, ORANGE), (0.1, 0.12, GREEN))):
        height = y + 0.08 - row * 0.08
        axes.plot([x + middle - half, x + middle + half], [height, height], color=shade, lw=1.1)
        axes.plot(x + middle, height, "o", color=shade, ms=3, mew=0)


def _picture(axes: Axes, x: float, y: float) -> None:
    axes.add_patch(Rectangle((x - 0.2, y - 0.12), 0.4, 0.24, fc="white", ec=style.INK, lw=0.8))
    axes.fill([x - 0.17, x - 0.06, x + 0.05], [y - 0.09, y + 0.05, y - 0.09], color=BLUE, lw=0)
    axes.fill([x - 0.03, x + 0.08, x + 0.17], [y - 0.09, y + 0.01, y - 0.09], color=GREEN, lw=0)
    axes.plot(x + 0.11, y + 0.06, "o", color=ORANGE, ms=3, mew=0)


def _page(axes: Axes, x: float, y: float) -> None:
    axes.add_patch(Rectangle((x - 0.11, y - 0.14), 0.22, 0.28, fc="white", ec=style.INK, lw=0.8))
    for line, length in enumerate((0.09, 0.14, 0.14, 0.14, 0.08)):
        height = y + 0.09 - line * 0.045
        axes.plot([x - 0.07, x - 0.07 + length], [height, height], color=style.SOFT if line else style.INK, lw=0.9)


ICONS: tuple[Callable[[Axes, float, float], None], ...] = (
    _clips, _curve, _bars, _exchange, _intervals, _picture, _page,
)  # fmt: skip


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """Stations from left to right; models come in from above, proof runs back below."""
    figure = Figure((style.WIDTH_IN, HEIGHT_IN))
    axes = style.panel(figure, 0, 0, style.WIDTH_IN, HEIGHT_IN)
    axes.set(xlim=(0, style.WIDTH_IN), ylim=(0, HEIGHT_IN))
    axes.set_axis_off()
    base = HEIGHT_IN - TOP_IN - BOX_IN
    middles = [0.375 + STEP_IN * station for station in range(len(data["stations"]))]
    for middle, name, product, icon in zip(middles, data["stations"], data["products"], ICONS, strict=True):
        left = middle - BOX_IN / 2
        box = FancyBboxPatch((left, base), BOX_IN, BOX_IN, boxstyle="round,pad=0,rounding_size=0.07")
        box.set(fc="#f6f7f9", ec="#b9bec6", lw=0.8)
        axes.add_patch(box)
        icon(axes, middle, base + 0.45)
        axes.text(middle, base + 0.14, str(name), ha="center", va="center", size=8, weight="bold")
        axes.text(middle, base - 0.08, str(product), ha="center", va="top", color=style.SOFT, size=style.SMALL_PT)
        if middle != middles[-1]:
            _arrow(axes, (left + BOX_IN + 0.025, base + BOX_IN / 2), (left + STEP_IN - 0.025, base + BOX_IN / 2))
    for middle in middles[1:4]:
        _arrow(axes, (middle, HEIGHT_IN - 0.29), (middle, base + BOX_IN + 0.03))
    models = FancyBboxPatch(
        (middles[1] - 0.36, HEIGHT_IN - 0.29), 2 * STEP_IN + 0.72, 0.25, boxstyle="round,pad=0,rounding_size=0.07"
    )
    models.set(fc="#e8f1f8", ec=BLUE, lw=0.8)
    axes.add_patch(models)
    axes.text(
        middles[2], HEIGHT_IN - 0.165, "models: one file each, asked only for abilities", ha="center", va="center"
    )
    _arrow(axes, (middles[-1], base - 0.3), (middles[-1], 0.13), head=False)
    _arrow(axes, (middles[-1], 0.13), (middles[0], 0.13), head=False)
    _arrow(axes, (middles[0], 0.13), (middles[0], base - 0.35))
    axes.text(
        middles[3], 0.13, "every number links back to its result file, runs, settings, code and data",
        ha="center", va="center", color=style.INK, bbox={"fc": "white", "ec": "none", "pad": 2.5},
    )  # fmt: skip
    return figure


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], head: bool = True) -> None:
    tip = "-|>" if head else "-"
    arrow = FancyArrowPatch(
        start, end, arrowstyle=tip, mutation_scale=6, shrinkA=0, shrinkB=0, lw=0.9, color=style.SOFT
    )
    axes.add_patch(arrow)
