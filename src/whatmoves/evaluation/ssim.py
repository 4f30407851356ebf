"""Structural similarity of frames, each window convention under its own name, many frames at a time.

SSIM (Wang, Bovik, Sheikh and Simoncelli 2004, equation 13) compares local means, variances and the covariance of two
pictures inside a sliding window:

    SSIM = (2 μx μy + C1)(2 σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)),   C1 = (0.01 L)², C2 = (0.03 L)²

and averages over all window positions that lie wholly inside the picture. What differs between papers is the window,
the covariance and L, and it moves the score more than most models do:

    ssim_gauss11   11×11 Gaussian, σ 1.5 px, population covariance, L = 1
    ssim_u7_dr1    7×7 uniform, sample covariance (49/48), L = 1
    ssim_u7_dr2    the same with L = 2 (what scikit-image once assumed of floats)

A Gaussian window is a product with a banded matrix from each side, Gᵀ X G; a uniform one is a few additions of the
frames to themselves, shifted. Both run on any device in float32 and agree with double precision within 1e-6 per frame
(2e-5 where large flat areas differ from the frame's mean by 0.5).
Range −1 … 1, 1 for equal frames. On black backgrounds a blank frame already scores about 0.7: read it beside a floor.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from whatmoves.errors import DataError


class Window(NamedTuple):
    """A separable window: its weights along one axis (sum 1) and the factor from population to sample covariance."""

    weights: tuple[float, ...]
    covariance: float


def _gaussian(size: int, sigma_px: float) -> tuple[float, ...]:
    raw = [math.exp(-0.5 * ((i - size // 2) / sigma_px) ** 2) for i in range(size)]
    return tuple(weight / sum(raw) for weight in raw)


WINDOW_PX = 11  # of the larger of the two: no frame may be smaller
GAUSS11 = Window(_gaussian(WINDOW_PX, 1.5), 1.0)
UNIFORM7 = Window((1 / 7,) * 7, 49 / 48)
CHUNK_PIXELS = 100_000  # about 25 frames of 64×64: the five maps of a chunk stay in a core's cache


@cache
def _band(weights: tuple[float, ...], size: int, device: torch.device) -> Tensor:
    """The matrix `[size, size - len(weights) + 1]` whose columns are the shifted window."""
    columns = size - len(weights) + 1
    band = torch.zeros(size, columns, dtype=torch.float64)
    for offset, weight in enumerate(weights):
        band.diagonal(-offset)[:columns] = weight
    return band.float().to(device)


def ssim(first: Tensor, second: Tensor, window: Window, data_ranges: Sequence[float] = (1.0,)) -> Tensor:
    """Mean SSIM of each pair of frames, for every data range L at the price of one.

    Args:
        first: pictures `[N, C, H, W]`, float32 in [0, 1].
        second: the same shape; the order of the two does not matter.
        window: `GAUSS11` or `UNIFORM7`.
        data_ranges: values of L.

    Returns:
        `[len(data_ranges), N]` float32: mean over valid window positions, then over channels.

    Raises:
        DataError: unequal shapes, or pictures smaller than the window.
    """
    if first.shape != second.shape or first.ndim != 4:
        raise DataError(f"SSIM compares two [N, C, H, W] tensors of equal shape; got {list(first.shape)} "
                        f"and {list(second.shape)}")  # fmt: skip
    frames, channels, height, width = first.shape
    size = len(window.weights)
    if min(height, width) < size:
        raise DataError(
            f"SSIM: pictures are {height}×{width} px, smaller than its {size}×{size} window; use larger ones"
        )
    with torch.no_grad(), torch.autocast(first.device.type, enabled=False):
        step = max(1, CHUNK_PIXELS // (height * width))
        x, y = (video.reshape(-1, height, width).float() for video in (first, second))
        chunks = [_maps(x[at : at + step], y[at : at + step], window, data_ranges) for at in range(0, len(x), step)]
        return torch.cat(chunks, dim=1).reshape(len(data_ranges), frames, channels).mean(2)


def _maps(x: Tensor, y: Tensor, window: Window, ranges: Sequence[float]) -> Tensor:
    """SSIM of pictures `[n, H, W]` for each data range: `[len(ranges), n]`."""
    n, height, width = x.shape
    # Covariances do not change when a frame's mean is taken off first, and float32 then loses no digits to it.
    level_x, level_y = x.mean((1, 2), keepdim=True), y.mean((1, 2), keepdim=True)
    # μx² + μy² and σx² + σy² are all that is needed of the squares, so four maps are smoothed, not five.
    stack = torch.empty(4, n, height, width, device=x.device)
    torch.sub(x, level_x, out=stack[0])
    torch.sub(y, level_y, out=stack[1])
    torch.mul(stack[0], stack[1], out=stack[2])
    torch.mul(stack[0], stack[0], out=stack[3]).addcmul_(stack[1], stack[1])
    uniform = len(set(window.weights)) == 1
    mean_x, mean_y, joint, spread = (_uniform if uniform else _smoothed)(stack, window.weights).unbind(0)
    joint.addcmul_(mean_x, mean_y, value=-1).mul_(2 * window.covariance)
    spread.addcmul_(mean_x, mean_x, value=-1).addcmul_(mean_y, mean_y, value=-1).mul_(window.covariance)
    mean_x += level_x
    mean_y += level_y
    squares = (mean_x * mean_x).addcmul_(mean_y, mean_y)
    product = mean_x.mul_(mean_y).mul_(2)
    lost = len(window.weights) - 1
    result = []
    for data_range in ranges:
        c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
        similar = (product + c1).mul_(joint + c2).div_((squares + c1).mul_(spread + c2))
        result.append(similar[:, : height - lost, : width - lost].mean((1, 2)))
    return torch.stack(result)


def _smoothed(stack: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Weighted means `[m, n, H', W']` of pictures `[m, n, H, W]` over every window that fits."""
    maps, n, height, width = stack.shape
    rows, columns = _band(weights, height, stack.device), _band(weights, width, stack.device)
    across = stack.reshape(-1, width) @ columns  # [m·n·H, W']
    return torch.matmul(rows.T, across.reshape(maps, n, height, -1))


def _uniform(stack: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Means `[m, n, H, W]`, each of the window that begins at its pixel.

    A map's pictures lie in one row, and one sum runs over it all: long vectors are quick, and `avg_pool2d` takes
    fourteen times as long. The last columns and rows of a picture, where no window fits, hold sums that run on into the
    next one; the caller leaves them out.
    """
    flat = stack.reshape(len(stack), -1)
    for stride in (1, stack.shape[-1]):
        flat = _running_sums(flat, len(weights), stride)
    means = torch.zeros(len(stack), stack[0].numel(), device=stack.device)
    torch.mul(flat, weights[0] ** 2, out=means[:, : flat.shape[1]])
    return means.reshape(stack.shape)


def _running_sums(row: Tensor, size: int, stride: int) -> Tensor:
    """Entry i of `[m, L − (size − 1) stride]`: the sum of `size` entries `stride` apart from i on, by doubling."""
    total, summed = row, 1
    for bit in f"{size:b}"[1:]:
        total = total[:, : -summed * stride] + total[:, summed * stride :]
        summed *= 2
        if bit == "1":
            further = row[:, summed * stride :]
            total = total[:, : further.shape[1]] + further
            summed += 1
    return total
