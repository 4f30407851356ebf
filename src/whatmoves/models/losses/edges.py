"""Edges of two pictures, compared."""

import torch
import torch.nn.functional as F
from torch import Tensor


def sobel_l1(drawn: Tensor, truth: Tensor) -> Tensor:
    """|∂x x̂ − ∂x x| + |∂y x̂ − ∂y x| by Sobel's kernels: mean over pixels, channels and pictures, intensities.

    drawn, truth: pictures `[N, C, H, W]`, equal shapes (else `ValueError`) → scalar. Outside the picture is black, so
    that a border pixel of wrong brightness counts as an edge. A step of height 1 has slope 4. Source: the original.
    """
    if drawn.shape != truth.shape:
        raise ValueError(f"pictures must have equal shapes; got {tuple(drawn.shape)} and {tuple(truth.shape)}")
    # Made where they are used: numbers sent from the host at every step would make a GPU wait.
    slope = torch.arange(-1, 2, device=drawn.device, dtype=drawn.dtype)
    rightward = (2 - slope.abs())[:, None] * slope  # rows (−1, 0, 1), (−2, 0, 2), (−1, 0, 1)
    kernels = torch.stack((rightward, rightward.T)).unsqueeze(1)  # [2, 1, 3, 3]
    with torch.autocast(drawn.device.type, enabled=False):  # slopes are differences, which 16 bits would drown
        # The slope of a difference is the difference of the slopes: one convolution does.
        slopes = F.conv2d((drawn - truth).flatten(0, 1).unsqueeze(1), kernels, padding=1)
    return slopes.abs().sum(1).mean()
