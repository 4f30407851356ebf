"""Draw digits at given places: overlap by maximum, grey on black, one channel.

Two drawings. `subpixel`, the default, shifts a digit bilinearly to its exact place; `integer`, the classic, cuts the
place down to whole pixels. Subpixel is the default because truncation makes a steady motion jitter by up to a pixel
(at 1–3 pixels a frame that is as large as the motion, so the picture no longer tells velocity well), and because only
a placement that is continuous has a gradient for models that place digits themselves.

NumPy (`render`) makes the stored clips; torch (`place`, `render_torch`) draws on any device and agrees within
rounding, 1/255.
"""

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data.clips import sent

Drawing = Literal["subpixel", "integer"]
Pixel = type[np.uint8] | type[np.float32]
CHUNK_CLIPS = 8  # what a chunk touches stays in the cache


def render(
    images: NDArray[np.uint8],
    positions: NDArray[np.float64],
    image_px: int,
    drawing: Drawing,
    dtype: Pixel = np.uint8,
) -> NDArray[Any]:
    """Video `[N, T, 1, H, W]`, H = W = `image_px`, uint8 or the same in float32: these bytes divided by 255.

    `images` `[N, O, d, d]` are the digits of each clip, `positions` `[N, O, T, 2]` their top-left corners (y, x) in
    pixels, inside [0, image_px − d].
    """
    clips, digits, frames, _ = positions.shape
    video = np.empty((clips, frames, 1, image_px, image_px), dtype)
    # The last whole corner is one short of the range, so that the shifted digit, one pixel larger, still fits.
    whole = np.minimum(positions.astype(np.int64), image_px - images.shape[-1] - (drawing == "subpixel"))
    shift = (positions - whole).astype(np.float32)
    rows, columns = _inked(images)
    images = images[:, :, rows, columns]
    whole += [rows.start, columns.start]
    for first in range(0, clips, CHUNK_CLIPS):
        chunk = slice(first, first + CHUNK_CLIPS)
        canvas = video[chunk, :, 0]
        canvas[...] = 0
        for digit in range(digits):
            if drawing == "subpixel":
                patches = _shifted(images[chunk, digit], shift[chunk, digit], dtype)
            else:
                patches = _pixels(images[chunk, digit, None], dtype)
            _stamp(canvas, patches, whole[chunk, digit], over=digit > 0)
    return video


def _inked(images: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns that hold all ink of `images` `[N, O, d, d]`: about half of a digit's square is margin."""
    brightest = images.reshape(-1, *images.shape[2:]).max(0, initial=0)
    found = [np.flatnonzero(brightest.any(axis)) for axis in (1, 0)]
    rows, columns = (slice(int(at[0]), int(at[-1]) + 1) if len(at) else slice(0, 1) for at in found)
    return rows, columns


def _pixels(intensities: NDArray[Any], dtype: Pixel) -> NDArray[Any]:
    """Intensities in 0 … 255, cut to whole ones, as bytes, or as float32 in [0, 1]."""
    if dtype == np.uint8:
        return intensities.astype(dtype)
    whole: NDArray[np.float32] = np.floor(intensities, dtype=dtype)
    whole /= 255
    return whole


def _stamp(canvas: NDArray[Any], patches: NDArray[Any], corner: NDArray[np.int64], over: bool) -> None:
    """Write `patches` `[N, T or 1, h, w]` into `canvas` `[N, T, H, W]` at whole corners `[N, T, 2]`, in place.

    `over`: keep the larger of new and old; the first digit falls on black and is simply written.
    """
    clips, frames, height, width = canvas.shape
    high, wide = patches.shape[-2:]
    # A patch's row is one item, at every place it can start: rows are then copied whole, in half the time of pixels.
    row = np.dtype((np.void, wide * canvas.itemsize))
    places = (clips, frames, height - high + 1, width - wide + 1, high)
    windows = np.ndarray(places, row, canvas, strides=(*canvas.strides, canvas.strides[2]))
    index = (np.arange(clips)[:, None], np.arange(frames), corner[..., 0], corner[..., 1])
    if over:
        under = windows[index].view(canvas.dtype).reshape(clips, frames, high, wide)
        patches = np.maximum(under, patches, out=under)
    windows[index] = patches.view(row)[..., 0]


def _shifted(images: NDArray[np.uint8], shift: NDArray[np.float32], dtype: Pixel) -> NDArray[Any]:
    """Digits `[N, h, w]` moved down and right by `shift` `[N, T, 2]` in [0, 1]: `[N, T, h+1, w+1]`, bilinear."""
    clips, high, wide = images.shape
    padded = np.full((clips, high + 2, wide + 2), 0.5, np.float32)  # 0.5 passes through the interpolation, whose
    padded[:, 1:-1, 1:-1] += images  # weights sum to 1, and makes the last line round
    # A digit's rows follow each other without a gap, so that one sweep does them all; what it makes of the last pixel
    # of a row and the first of the next is cut off.
    step = wide + 2
    flat = padded.reshape(clips, 1, -1)
    rows = np.multiply(shift[..., :1], flat[..., :-step] - flat[..., step:], order="C")
    rows += flat[..., step:]
    left, right = rows.reshape(-1)[:-1], rows.reshape(-1)[1:]
    moved = np.zeros_like(rows)
    np.subtract(left, right, out=moved.reshape(-1)[:-1])
    moved *= shift[..., 1:]
    moved.reshape(-1)[:-1] += right
    return _pixels(moved, dtype).reshape(*shift.shape[:2], high + 1, step)[..., :-1]


def place(images: Tensor, corners: Tensor, image_px: int) -> Tensor:
    """Draw `images` `[N, O, d, d]` at real `corners` `[N, O, T, 2]` (y, x): video `[N, T, 1, H, W]`, bilinear.

    Pixel i takes weight max(0, 1 − |i − corner − k|) of the digit's pixel k, rows and columns apart, as in a spatial
    transformer (Jaderberg et al. 2015, eq. 5): two matrix products, differentiable in images and corners. What
    leaves the frame is cut off.
    """
    pixels = torch.arange(image_px, device=images.device, dtype=images.dtype)
    taps = torch.arange(images.shape[-1], device=images.device, dtype=images.dtype)
    offset = pixels[:, None] - taps[None, :]  # [H, d]
    weights = (1 - (offset - corners[..., None, None]).abs()).clamp_min(0)  # [N, O, T, 2, H, d]
    with torch.autocast(images.device.type, enabled=False):  # half precision would cost the eighth bit
        rows = weights[..., 0, :, :] @ images[:, :, None]  # [N, O, T, H, d]
        drawn = rows @ weights[..., 1, :, :].mT  # [N, O, T, H, W]
    return drawn.amax(1)[:, :, None]


def render_torch(images: Tensor, positions: NDArray[np.float64], image_px: int, drawing: Drawing) -> Tensor:
    """`render` in torch: float video `[N, T, 1, H, W]` in [0, 1] on the device of `images`.

    `images` are float `[N, O, d, d]` in [0, 1]; `positions` stay in double on the host until whole pixels are cut,
    so that every device cuts the same.
    """
    corners = np.floor(positions) if drawing == "integer" else positions
    return place(images, sent(torch.from_numpy(corners).to(images.dtype), images.device), image_px)
