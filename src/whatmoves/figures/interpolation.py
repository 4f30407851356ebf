"""Interpolation: from one test clip's code to another's, content alone, motion alone and both together."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.film import ROW_GAP_IN, every, film_strip, strip_size_px
from whatmoves.figures.inputs import FigureInputs

BLOCKS = 3  # blocks side by side
FRAMES = 4
LEFT_IN = 0.3
GAP_IN = 0.16
TITLE_IN = 0.34  # and more where labels take several lines
TITLE_ROOM_IN = 0.75  # of what is changed, beside the label


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`blocks` `[panels, steps, T, C, H, W]`, `titles` `[panels]`, `frames` `[T]`, labels and slots per panel."""
    panels: list[tuple[str, str, NDArray[Any]]] = []
    whole: list[tuple[str, str, NDArray[Any]]] = []
    for model, arrays in inputs.pictures_with(inputs.dataset, "interpolation_both").items():
        if "interpolation_content" in arrays and "interpolation_motion" in arrays:
            panels += [
                (model, "content only", arrays["interpolation_content"]),
                (model, "motion only", arrays["interpolation_motion"]),
                (model, "both", arrays["interpolation_both"]),
            ]
        else:
            whole.append((model, "whole code", arrays["interpolation_both"]))
    models, titles, videos = zip(*panels, *whole, strict=True)
    frames = every(videos[0].shape[1], FRAMES)
    return {
        "blocks": np.stack([video[:, frames] for video in videos]),
        "titles": np.array(titles, np.str_),
        "frames": frames,
        **inputs.legend(models),
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """A grid of blocks: columns go from clip A to clip B, rows through time."""
    blocks = data["blocks"]
    width_px, height_px = strip_size_px(blocks[0, :, 0])
    block_in = (style.WIDTH_IN - LEFT_IN - (BLOCKS - 1) * GAP_IN - 0.02) / BLOCKS
    strip_in = block_in * height_px / width_px
    labels = [style.broken(str(label), block_in - TITLE_ROOM_IN, size=style.TITLE_PT) for label in data["labels"]]
    more_in = (max(map(style.lines, labels)) - 1) * style.LINE_IN
    block_height_in = more_in + TITLE_IN + len(data["frames"]) * (strip_in + ROW_GAP_IN) + 0.1
    figure = Figure((style.WIDTH_IN, block_height_in * -(-len(blocks) // BLOCKS)))
    quiet = {"va": "center", "color": style.SOFT, "size": style.SMALL_PT}
    for index, (label, title, slot) in enumerate(zip(labels, data["titles"], data["slots"], strict=True)):
        left = LEFT_IN + index % BLOCKS * (block_in + GAP_IN)
        top = index // BLOCKS * block_height_in
        frame_in = block_in / width_px * blocks.shape[-1]
        middle = top + 0.1 + (style.lines(label) - 1) * style.LINE_IN / 2
        style.write(figure, left, middle, label, va="center", color=style.colour(slot), size=style.TITLE_PT)
        style.write(figure, left + block_in, top + 0.1, str(title), va="center", ha="right", size=style.TITLE_PT)
        top += more_in
        style.write(figure, left + frame_in / 2, top + 0.27, "A", ha="center", **quiet)
        style.write(figure, left + block_in - frame_in / 2, top + 0.27, "B", ha="center", **quiet)
        style.write(figure, left + block_in / 2, top + 0.27, "→", ha="center", **quiet)
        for row, frame in enumerate(data["frames"]):
            strip_top = top + TITLE_IN + row * (strip_in + ROW_GAP_IN)
            film_strip(style.panel(figure, left, strip_top, block_in, strip_in), blocks[index, :, row])
            if index % BLOCKS == 0:
                text = f"t={int(frame) + 1}"
                style.write(figure, LEFT_IN - 0.05, strip_top + strip_in / 2, text, ha="right", **quiet)
    return figure
