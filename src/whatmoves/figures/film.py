"""Film strips: frames side by side, and sheets of labelled strips."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from whatmoves.figures import style

LABEL_IN = 0.98
BLOCK_GAP_IN = 0.14
ROW_GAP_IN = 0.035


class Row(NamedTuple):
    """One row of a sheet: a label and one strip `[T, C, H, W]` uint8 per block."""

    label: str
    colour: str
    strips: Sequence[NDArray[Any]]
    space_before_in: float = ROW_GAP_IN


def every(frames: int, shown: int) -> NDArray[np.int64]:
    """At most `shown` frame numbers from 0, at one stride: equal steps, so that speed can be read off."""
    return np.arange(0, frames, -(-frames // shown))


def gap_px(width: int) -> int:
    """White pixels between two frames."""
    return max(1, width // 16)


def film_strip(axes: Axes, video: NDArray[Any]) -> None:
    """Draw frames `[T, C, H, W]` uint8 (C 1 or 3) from left to right, each with a hairline border."""
    T, _, H, W = video.shape
    step = W + gap_px(W)
    picture = np.full((H, T * step - gap_px(W), 3), 255, np.uint8)
    for t in range(T):
        picture[:, t * step : t * step + W] = np.broadcast_to(video[t].transpose(1, 2, 0), (H, W, 3))
        axes.add_patch(Rectangle((t * step - 0.5, -0.5), W, H, fill=False, lw=0.4, ec="#9a9a9a", clip_on=False))
    axes.imshow(picture, interpolation="nearest", aspect="auto")
    axes.set_axis_off()


def strip_size_px(video: NDArray[Any]) -> tuple[int, int]:
    """Width and height of a strip, in clip pixels."""
    T, _, H, W = video.shape
    return T * (W + gap_px(W)) - gap_px(W), H


def wrapped(label: str) -> str:
    """A row's label, broken to fit the label column."""
    return textwrap.fill(label, 15, break_long_words=False)


def film_sheet(rows: Sequence[Row], headings: Sequence[str], frames: Sequence[int]) -> Figure:
    """Rows of strips under block headings; `frames` (from 0) numbers the columns of each block from 1."""
    width_px, height_px = strip_size_px(rows[0].strips[0])
    blocks = len(headings)
    block_in = (style.WIDTH_IN - LABEL_IN - 0.02 - (blocks - 1) * BLOCK_GAP_IN) / blocks
    row_in = block_in * height_px / width_px
    header_in = 0.33
    figure = Figure((style.WIDTH_IN, header_in + sum(row_in + row.space_before_in for row in rows) + 0.02))
    lefts = [LABEL_IN + block * (block_in + BLOCK_GAP_IN) for block in range(blocks)]

    style.write(figure, LABEL_IN - 0.07, 0.27, "frame", ha="right", va="center", color=style.SOFT, size=style.SMALL_PT)
    for left, heading in zip(lefts, headings, strict=True):
        style.write(figure, left, 0.09, heading, ha="left", va="center", size=style.TITLE_PT)
        frame_in = block_in / width_px * rows[0].strips[0].shape[-1]
        step_in = frame_in + block_in / width_px * gap_px(rows[0].strips[0].shape[-1])
        for column, frame in enumerate(frames):
            middle = left + column * step_in + frame_in / 2
            number = str(int(frame) + 1)
            style.write(figure, middle, 0.27, number, ha="center", va="center", color=style.SOFT, size=style.SMALL_PT)

    top = header_in
    for row in rows:
        top += row.space_before_in
        middle = top + row_in / 2
        style.write(figure, LABEL_IN - 0.07, middle, wrapped(row.label), ha="right", va="center", color=row.colour)
        for left, strip in zip(lefts, row.strips, strict=True):
            film_strip(style.panel(figure, left, top, block_in, row_in), strip)
        top += row_in
    return figure
