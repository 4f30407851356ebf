"""Spatial transformer: paste a small picture into a frame at a pose, or crop it from there.

After Jaderberg et al., Spatial Transformer Networks, 2015 (eq. 1 for the grid, eq. 5 for bilinear sampling). Unlike the
original, a pose has a meaning: `[…, P]` is (y, x), then log-scale and angle where a model has them.

    y, x        centre of the picture; −1 and 1 are the centres of the frame's first and last row or column
    log-scale   natural logarithm of frame pixels per picture pixel; 0 is life size
    angle       radians, clockwise as seen (rows count downwards)

With log-scale and angle 0, pasting is the transpose of cropping, and at whole pixels both copy exactly.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def _samples(source: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Bilinear values of `source` `[N, C, h, w]` at pixel places `[N, H, W]`; 0 outside. → `[N, C, H, W]`.

    In float32: half precision would move a picture by a visible part of a pixel.
    """
    height, width = source.shape[-2:]
    grid = torch.stack((columns * (2 / (width - 1)) - 1, rows * (2 / (height - 1)) - 1), dim=-1)
    with torch.autocast(source.device.type, enabled=False):
        return F.grid_sample(source.float(), grid.float(), padding_mode="zeros", align_corners=True)


def _offsets(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of a picture's pixels, `[height, 1]` and `[1, width]`, counted from its centre."""
    rows = torch.arange(height, device=like.device, dtype=torch.float32) - (height - 1) / 2
    columns = torch.arange(width, device=like.device, dtype=torch.float32) - (width - 1) / 2
    return rows[:, None], columns[None, :]


def _pose(poses: Tensor, rotation: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centre y and x, cosine and sine of the angle times the scale … of poses `[N, P]`, each `[N, 1, 1]`, float32."""
    y, x, *others = (part[:, None, None] for part in poses.float().unbind(1))
    angle = others.pop() if rotation else torch.zeros_like(y)
    scale = others.pop().exp() if others else torch.ones_like(y)
    return y, x, scale, angle


def crop(frames: Tensor, poses: Tensor, window_px: int, rotation: bool = False) -> Tensor:
    """Windows `[N, C, window_px, window_px]` of `frames` `[N, C, H, W]` around `poses` `[N, P]`; black outside.

    P is 2, 3 (log-scale, or the angle where `rotation`) or 4.
    """
    height, width = frames.shape[-2:]
    y, x, scale, angle = _pose(poses, rotation)
    down, right = _offsets(window_px, window_px, frames)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = (y + 1) * ((height - 1) / 2) + cosine * down + sine * right
    columns = (x + 1) * ((width - 1) / 2) + cosine * right - sine * down
    return _samples(frames, rows, columns)


def paste(pictures: Tensor, poses: Tensor, height: int, width: int, rotation: bool = False) -> Tensor:
    """Black frames `[N, C, height, width]` with `pictures` `[N, C, d, d]` at `poses` `[N, P]`: the inverse of `crop`.

    What leaves the frame is cut off.
    """
    size = pictures.shape[-1]
    y, x, scale, angle = _pose(poses, rotation)
    down, right = _offsets(height, width, pictures)
    down, right = down - y * ((height - 1) / 2), right - x * ((width - 1) / 2)  # from the pose's centre, [N, H or W]
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    rows = cosine * down - sine * right + (size - 1) / 2
    columns = cosine * right + sine * down + (size - 1) / 2
    return _samples(pictures, rows, columns)
