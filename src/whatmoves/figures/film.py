"""Film strips: frames side by side, and sheets of labelled strips."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from whatmoves.figures import style

LABEL_IN = 0.98
LABEL_LETTERS = 15  # of a line of a label
BLOCK_GAP_IN = 0.14
ROW_GAP_IN = 0.035
SEEN = 2  # of the frames that a prediction starts from, the last ones: two, so that the motion is seen
AHEAD = 5
HOT = to_rgb("#D55E00")


class Row(NamedTuple):
    """One row of a sheet: a label and one strip `[T, C, H, W]` uint8 per block."""

    label: str
    colour: str
    strips: Sequence[NDArray[Any]]
    space_before_in: float = ROW_GAP_IN


def every(frames: int, shown: int) -> NDArray[np.int64]:
    """At most `shown` frame numbers from 0, at one stride: equal steps, so that speed can be read off."""
    return np.arange(0, frames, -(-frames // shown))


def ahead(horizon: int) -> NDArray[np.int64]:
    """At most `AHEAD` of `horizon` frames to come, from 0, at one stride; the last one where the stride allows."""
    stride = -(-horizon // AHEAD)
    return np.arange(stride - 1, horizon, stride)


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


def heat(maps: NDArray[Any], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Shares `[n, k, g, g]` uint8 as frames `[n, k, 3, H, W]`, from white to orange, a cell as a square."""
    rows, columns = (np.arange(side) * cells // side for side, cells in zip(size, maps.shape[-2:], strict=True))
    share = maps[:, :, rows][..., columns][:, :, None] / 255
    frames: NDArray[np.uint8] = np.round(255 * (1 - share * (1 - np.array(HOT)[:, None, None]))).astype(np.uint8)
    return frames


def strip_size_px(video: NDArray[Any]) -> tuple[int, int]:
    """Width and height of a strip, in clip pixels."""
    T, _, H, W = video.shape
    return T * (W + gap_px(W)) - gap_px(W), H


def film_sheet(rows: Sequence[Row], headings: Sequence[str], frames: Sequence[int], given: int = 0) -> Figure:
    """Rows of strips under block headings; `frames` (from 0) numbers the columns of each block from 1.

    The first `given` frames are those that a prediction starts from: a line parts them from the rest, and a strip that
    lacks them stands under the rest.
    """
    columns, width = len(frames), rows[0].strips[0].shape[-1]
    width_px, height_px = strip_size_px(rows[0].strips[0])
    blocks = len(headings)
    block_in = (style.WIDTH_IN - LABEL_IN - 0.02 - (blocks - 1) * BLOCK_GAP_IN) / blocks
    row_in = block_in * height_px / width_px
    frame_in = block_in / width_px * width
    step_in = block_in / width_px * (width + gap_px(width))
    titles = [style.broken(heading, block_in, letters=99, size=style.TITLE_PT) for heading in headings]
    titles_in = (max(map(style.lines, titles)) - 1) * style.LINE_IN
    header_in = titles_in + (0.45 if given else 0.33)
    labels = [style.broken(row.label, LABEL_IN - 0.07, LABEL_LETTERS) for row in rows]
    rows_in = [max(row_in, style.lines(label) * style.LINE_IN) for label in labels]
    height_in = header_in + sum(rows_in) + sum(row.space_before_in for row in rows) + 0.02
    figure = Figure((style.WIDTH_IN, height_in))
    lefts = [LABEL_IN + block * (block_in + BLOCK_GAP_IN) for block in range(blocks)]
    numbers = header_in - 0.06
    quiet = {"va": "center", "color": style.SOFT, "size": style.SMALL_PT}

    style.write(figure, LABEL_IN - 0.07, numbers, "frame", ha="right", **quiet)
    for left, title in zip(lefts, titles, strict=True):
        style.write(figure, left, 0.09 + titles_in / 2, title, ha="left", va="center", size=style.TITLE_PT)
        for column, frame in enumerate(frames):
            middle = left + column * step_in + frame_in / 2
            style.write(figure, middle, numbers, str(int(frame) + 1), ha="center", **quiet)
        if given:
            edge = left + given * step_in - (step_in - frame_in) / 2
            place, ends = edge / style.WIDTH_IN, [1 - (numbers - 0.18) / height_in, 0]
            figure.add_artist(Line2D([place, place], ends, color=style.INK, lw=0.7, ls=(0, (3, 2))))
            for middle, text in (((left + edge) / 2, "seen"), ((edge + left + block_in) / 2, "to come")):
                style.write(figure, middle, numbers - 0.13, text, ha="center", **quiet)

    top = header_in
    for row, label, tall_in in zip(rows, labels, rows_in, strict=True):
        top += row.space_before_in
        middle = top + tall_in / 2
        style.write(figure, LABEL_IN - 0.07, middle, label, ha="right", va="center", color=row.colour)
        for left, strip in zip(lefts, row.strips, strict=True):
            lacking_in = (columns - len(strip)) * step_in
            place = left + lacking_in, middle - row_in / 2, block_in - lacking_in, row_in
            film_strip(style.panel(figure, *place), strip)
        top += tall_in
    return figure
