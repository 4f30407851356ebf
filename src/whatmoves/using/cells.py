"""Frames as text: a character cell shows two pixels, one above the other, by an upper half block in two colours."""

import numpy as np
from numpy.typing import NDArray

HALF_BLOCK = "▀"
RESET = "\x1b[0m"
# The 256 colours of terminals from 16 on: a cube of 6 levels in red, green and blue, then 24 greys.
_LEVELS = np.array([0, 95, 135, 175, 215, 255])
_GREYS = 8 + 10 * np.arange(24)


def text_lines(frame: NDArray[np.uint8], columns: int, rows: int, true_colour: bool) -> list[str]:
    """A frame `[C, H, W]` (C 1 or 3) as lines of text with colour codes, as large as `columns` × `rows` cells allow.

    `true_colour`: 24-bit colours; otherwise the nearest of the 256.
    """
    picture = fitted(frame, columns, 2 * rows)
    if picture.shape[0] % 2:
        picture = np.concatenate((picture, np.zeros_like(picture[:1])))
    codes = _true_codes(picture) if true_colour else _indexed_codes(picture)
    lines = []
    for upper, lower in zip(codes[::2], codes[1::2], strict=True):
        line, colours = "", ("", "")
        for above, below in zip(upper, lower, strict=True):
            if (above, below) != colours:  # a code a run of equal cells: a third of the bytes on most clips
                line += f"\x1b[38;{above};48;{below}m"
                colours = (above, below)
            line += HALF_BLOCK
        lines.append(line + RESET)
    return lines


def fitted(frame: NDArray[np.uint8], columns: int, rows: int) -> NDArray[np.uint8]:
    """A frame `[C, H, W]` as `[h, w, 3]` with h ≤ `rows` and w ≤ `columns`: pixels repeated or averaged in squares.

    What is left over at the right and the bottom when a frame is shrunk by a factor that does not divide it is cut off.
    """
    C, H, W = frame.shape
    picture = np.broadcast_to(frame.transpose(1, 2, 0), (H, W, 3)) if C == 1 else frame.transpose(1, 2, 0)
    columns, rows = max(1, columns), max(1, rows)
    larger = min(columns // W, rows // H)
    if larger >= 1:
        return picture.repeat(larger, axis=0).repeat(larger, axis=1)
    smaller = min(max(-(-W // columns), -(-H // rows)), W, H)
    h, w = H // smaller, W // smaller
    squares = picture[: h * smaller, : w * smaller].reshape(h, smaller, w, smaller, 3)
    averaged: NDArray[np.uint8] = np.round(squares.mean((1, 3))).astype(np.uint8)
    return averaged[:rows, :columns]


def nearest_of_256(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """`[h, w, 3]` → `[h, w]`: the number of the nearest of the 256 colours, by squared distance."""
    colours = picture.astype(np.int64)
    level = np.abs(colours[..., None] - _LEVELS).argmin(-1)  # [h, w, 3]
    grey = np.abs(colours.mean(-1)[..., None] - _GREYS).argmin(-1)  # [h, w]
    from_cube = np.square(colours - _LEVELS[level]).sum(-1)
    from_grey = np.square(colours - _GREYS[grey][..., None]).sum(-1)
    nearest: NDArray[np.int64] = np.where(from_grey < from_cube, 232 + grey, 16 + level @ np.array([36, 6, 1]))
    return nearest


def _true_codes(picture: NDArray[np.uint8]) -> list[list[str]]:
    return [[f"2;{red};{green};{blue}" for red, green, blue in row] for row in picture.tolist()]


def _indexed_codes(picture: NDArray[np.uint8]) -> list[list[str]]:
    return [[f"5;{index}" for index in row] for row in nearest_of_256(picture).tolist()]
