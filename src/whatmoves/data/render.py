"""Draw digits at given places: overlap by maximum, grey on black, one channel.

Two drawings. `subpixel`, the default, shifts a digit bilinearly to its exact place; `integer`, the classic, cuts the
place down to whole pixels. Subpixel is the default because truncation makes a steady motion jitter by up to a pixel
(at 1–3 pixels a frame that is as large as the motion, so the picture no longer tells velocity well), and because only
a placement that is continuous has a gradient for models that place digits themselves.

NumPy (`render`) makes the stored clips; torch (`place`, `render_torch`) draws on any device and agrees within
rounding, 1/255.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data.clips import sent

Drawing = Literal["subpixel", "integer"]
CHUNK_CLIPS = 32  # what a chunk touches stays in the cache: twice the speed of one sweep over everything


def render(
    images: NDArray[np.uint8], positions: NDArray[np.float64], image_px: int, drawing: Drawing
) -> NDArray[np.uint8]:
    """Video uint8 `[N, T, 1, H, W]`, H = W = `image_px`.

    `images` `[N, O, d, d]` are the digits of each clip, `positions` `[N, O, T, 2]` their top-left corners (y, x) in
    pixels, inside [0, image_px − d].
    """
    clips, _, frames, _ = positions.shape
    video = np.zeros((clips, frames, 1, image_px, image_px), np.uint8)
    for first in range(0, clips, CHUNK_CLIPS):
        rows = slice(first, first + CHUNK_CLIPS)
        for digit in range(images.shape[1]):
            corner = positions[rows, digit]
            # The last whole corner is one short of the range, so that the shifted digit, one pixel larger, still fits.
            last = image_px - images.shape[-1] - (drawing == "subpixel")
            whole = np.minimum(corner.astype(np.int64), last)
            patches = images[rows, digit, None]
            if drawing == "subpixel":
                patches = _shifted(images[rows, digit], (corner - whole).astype(np.float32))
            _stamp(video[rows, :, 0], patches, whole, over=digit > 0)
    return video


def _stamp(canvas: NDArray[np.uint8], patches: NDArray[np.uint8], corner: NDArray[np.int64], over: bool) -> None:
    """Write `patches` `[N, T or 1, p, p]` into `canvas` `[N, T, H, W]` at whole corners `[N, T, 2]`, in place.

    `over`: keep the larger of new and old; the first digit falls on black and is simply written.
    """
    clips, frames, height, width = canvas.shape
    size = patches.shape[-1]
    # A patch's row is one item of `size` bytes, at every place it can start: rows are then copied whole, in half the
    # time of bytes.
    row = np.dtype((np.void, size))
    places = (clips, frames, height - size + 1, width - size + 1, size)
    windows = np.ndarray(places, row, canvas, strides=(*canvas.strides, width))
    clip, frame = np.ogrid[:clips, :frames]
    index = (clip, frame, corner[..., 0], corner[..., 1])
    if over:
        patches = np.maximum(windows[index].view(np.uint8).reshape(clips, frames, size, size), patches)
    windows[index] = patches.view(row)[..., 0]


def _shifted(images: NDArray[np.uint8], shift: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Digits `[N, d, d]` moved down and right by `shift` `[N, T, 2]` in [0, 1]: `[N, T, d+1, d+1]`, bilinear."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32)[:, None]
    padded += 0.5  # passes through the interpolation, whose weights sum to 1, and makes the last line round
    down, right = shift[..., 0, None, None], shift[..., 1, None, None]
    rows = down * (padded[:, :, :-1] - padded[:, :, 1:])
    rows += padded[:, :, 1:]
    moved = right * (rows[..., :-1] - rows[..., 1:])
    moved += rows[..., 1:]
    return np.asarray(moved, dtype=np.uint8)


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
