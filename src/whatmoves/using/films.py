"""Clips for a notebook: each row moving, and beside it all its frames. A cell shows it that has it in its last line."""

import base64
import html
from collections.abc import Mapping

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data.clips import to_bytes

FRAME_MS = 150
HEIGHT_PX = 64  # of a frame on the page


class Films:
    """Rows of one clip `[T, C, H, W]` each by their labels: tensors in [0, 1], or stored intensities (uint8)."""

    def __init__(self, rows: Mapping[str, Tensor | NDArray[np.uint8]]) -> None:
        self.rows = {label: to_bytes(clip) if isinstance(clip, Tensor) else clip for label, clip in rows.items()}

    def _repr_html_(self) -> str:
        return "<table>" + "".join(_row(label, clip) for label, clip in self.rows.items()) + "</table>"


def _row(label: str, clip: NDArray[np.uint8]) -> str:
    frames = np.moveaxis(clip, 1, -1) if clip.shape[1] == 3 else clip[:, 0]  # [T, H, W(, 3)]
    strip = np.concatenate(list(frames), axis=1)
    words = html.escape(label)
    moving = _image(iio.imwrite("<bytes>", frames, extension=".gif", duration=FRAME_MS, loop=0), "gif", words)
    still = _image(iio.imwrite("<bytes>", strip, extension=".png"), "png", f"{words}, frame by frame")
    return f"<tr><th>{words}</th><td>{moving}</td><td>{still}</td></tr>"


def _image(content: bytes, kind: str, alt: str) -> str:
    data = base64.b64encode(content).decode()
    style = f"height:{HEIGHT_PX}px;max-width:none;image-rendering:pixelated"
    return f'<img alt="{alt}" style="{style}" src="data:image/{kind};base64,{data}">'
