"""The idea of the what–where VAE in one drawing: the path above, the picture below, and where the two meet."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs

HEIGHT_IN = 1.95
FRAME_IN, WINDOW_IN, GAP_IN = 0.42, 0.24, 0.05
UPPER_IN, LOWER_IN = 1.38, 0.5  # heights of the two ways: where above, what below
WHERE, WHAT = style.PALETTE[:2]
NIGHT = "#1c1c1c"
SEVEN = np.array([[-0.06, 0.08], [0.06, 0.08], [-0.02, -0.08]])  # the strokes of a digit around its centre, inches


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`path`, the places (right, up) of the drawn digit in its frames, −1 … 1; no results are read."""
    return {"path": np.array([[-0.5, -0.45], [-0.1, 0.0], [0.3, 0.45], [0.45, 0.05]])}


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """A clip on the left, what and where between, the drawn clip on the right."""
    figure = Figure((style.WIDTH_IN, HEIGHT_IN))
    axes = style.panel(figure, 0, 0, style.WIDTH_IN, HEIGHT_IN)
    axes.set(xlim=(0, style.WIDTH_IN), ylim=(0, HEIGHT_IN))
    axes.set_axis_off()
    path, middle = data["path"], (UPPER_IN + LOWER_IN) / 2
    _clip(axes, 0.08, middle, path)
    _label(axes, 0.555, middle - 0.6, "clip")
    _arrow(axes, (1.06, middle + 0.2), (1.46, UPPER_IN), WHERE)
    axes.text(1.19, UPPER_IN + 0.02, "localise", ha="center", va="center", color=style.SOFT, size=style.SMALL_PT)
    _path(axes, 1.72, UPPER_IN, path)
    _label(axes, 1.72, UPPER_IN + 0.34, "path found", WHERE)
    _arrow(axes, (1.99, UPPER_IN), (2.44, UPPER_IN), WHERE)
    _code(axes, 2.52, UPPER_IN, WHERE)
    _label(axes, 2.82, UPPER_IN + 0.34, "motion code: where", WHERE)
    _arrow(axes, (3.2, UPPER_IN), (3.85, UPPER_IN), WHERE)
    _path(axes, 4.12, UPPER_IN, path)
    _label(axes, 4.12, UPPER_IN + 0.34, "path decoded", WHERE)
    _arrow(axes, (1.06, middle - 0.2), (1.22, LOWER_IN), WHAT)
    left = 1.26
    for frame in range(len(path)):
        _window(axes, left + frame * (WINDOW_IN + GAP_IN), LOWER_IN)
    right = left + len(path) * (WINDOW_IN + GAP_IN) - GAP_IN
    _label(axes, (left + right) / 2, LOWER_IN - 0.27, "crops along the path", WHAT)
    _arrow(axes, (1.72, UPPER_IN - 0.25), (1.72, LOWER_IN + 0.16), style.SOFT, dashed=True)
    _arrow(axes, (right + 0.04, LOWER_IN), (2.84, LOWER_IN), WHAT, "mean")
    _code(axes, 2.9, LOWER_IN, WHAT)
    _label(axes, 3.2, LOWER_IN - 0.27, "content code: what", WHAT)
    _arrow(axes, (3.58, LOWER_IN), (3.93, LOWER_IN), WHAT)
    _window(axes, 3.97, LOWER_IN, 1.3)
    _label(axes, 4.12, LOWER_IN - 0.27, "one picture", WHAT)
    _arrow(axes, (4.39, UPPER_IN), (4.88, middle + 0.05), WHERE)
    _arrow(axes, (4.33, LOWER_IN), (4.88, middle - 0.05), WHAT)
    axes.text(4.42, middle, "place", ha="center", va="center", color=style.INK)
    _clip(axes, 5.02, middle, path)
    _label(axes, 5.5, middle - 0.6, "clip drawn")
    return figure


def _digit(axes: Axes, x: float, y: float) -> None:
    axes.plot(*(SEVEN + np.array([x, y])).T, color="white", lw=1.5, solid_capstyle="round", solid_joinstyle="round")


def _clip(axes: Axes, left: float, middle: float, path: NDArray[np.float64]) -> None:
    """Four frames, two by two, in order of reading."""
    for frame, place in enumerate(path):
        x = left + (frame % 2) * (FRAME_IN + GAP_IN)
        y = middle + (GAP_IN / 2 if frame < 2 else -GAP_IN / 2 - FRAME_IN)
        axes.add_patch(Rectangle((x, y), FRAME_IN, FRAME_IN, fc=NIGHT, ec="none"))
        _digit(axes, *(np.array([x, y]) + FRAME_IN / 2 + place * (FRAME_IN / 2 - 0.03)))


def _path(axes: Axes, x: float, y: float, path: NDArray[np.float64]) -> None:
    """The same frame, empty but for where the digit was."""
    axes.add_patch(Rectangle((x - FRAME_IN / 2, y - FRAME_IN / 2), FRAME_IN, FRAME_IN, fc="#e8f1f8", ec=WHERE, lw=0.8))
    places = path * (FRAME_IN / 2 - 0.03) + np.array([x, y])
    axes.plot(*places.T, color=WHERE, lw=0.9, marker="o", ms=2.8, mew=0)


def _window(axes: Axes, left: float, y: float, size: float = 1.0) -> None:
    side = WINDOW_IN * size
    axes.add_patch(Rectangle((left, y - side / 2), side, side, fc=NIGHT, ec=WHAT, lw=0.8))
    _digit(axes, left + side / 2, y)


def _code(axes: Axes, left: float, y: float, shade: str) -> None:
    """A code: a row of cells, some darker."""
    for cell, strength in enumerate((0.9, 0.3, 0.6, 0.15, 0.75)):
        box = Rectangle((left + cell * 0.12, y - 0.06), 0.12, 0.12, fc=shade, ec="white", lw=0.8, alpha=strength)
        axes.add_patch(box)


def _label(axes: Axes, x: float, y: float, text: str, shade: str = style.INK) -> None:
    axes.text(x, y, text, ha="center", va="center", color=shade)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], shade: str, text: str = "", dashed: bool = False
) -> None:
    arrow = FancyArrowPatch(
        start, end, arrowstyle="-|>", mutation_scale=6, shrinkA=0, shrinkB=0, lw=0.9, color=shade,
        linestyle=(0, (2, 1.5)) if dashed else "solid",
    )  # fmt: skip
    axes.add_patch(arrow)
    if text:
        across, up = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        axes.text(across, up + 0.09, text, ha="center", va="center", color=style.SOFT, size=style.SMALL_PT)
