"""A 3×3 convolution over maps of doubled sides, done on the maps as they are: 4 products a pixel instead of 9."""

import torch
from torch import Tensor

from whatmoves.models.one_channel import conv_transpose2d


def doubled_kernel(weight: Tensor) -> Tensor:
    """Weight `[after, before, 3, 3]` of a convolution → `[before, after, 4, 4]`, that of the transposed one.

    Of three neighbours in a row of doubled pixels two are one and the same, so their weights can be added first: along
    each side the four are (w₂, w₁ + w₂, w₀ + w₁, w₀).
    """
    # Made where it is used: numbers sent from the host at every step would make a GPU wait.
    row, column = (torch.arange(size, device=weight.device) for size in (4, 3))
    meets = row[:, None] + column
    side = ((meets == 2) | (meets == 3)).to(weight.dtype)  # [4, 3]
    both = torch.einsum("ia,jb->ijab", side, side).view(16, 9)
    taps: Tensor = both @ weight.permute(0, 2, 3, 1).flatten(1, 2)  # [after, 16, before]
    return torch.unflatten(taps, 1, (4, 4)).permute(3, 0, 1, 2)


def convolve_doubled(maps: Tensor, kernel: Tensor) -> Tensor:
    """`[N, before, H, W]` → `[N, after, 2H, 2W]`: `conv2d(interpolate(maps, scale_factor=2), weight, padding=1)` up to
    rounding, with `doubled_kernel(weight)`.
    """
    return conv_transpose2d(maps, kernel)
