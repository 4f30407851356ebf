"""Structural dissimilarity as a loss: what the measure of the same name sees, with a gradient."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW_PX = 11
SIGMA_PX = 1.5
C1, C2 = 0.01**2, 0.03**2


def dissimilarity(drawn: Tensor, truth: Tensor) -> Tensor:
    """1 − SSIM: mean over the windows that lie wholly inside, channels and pictures; 0 (equal) … 2, no unit.

    drawn, truth: pictures `[N, C, H, W]` in [0, 1], equal shapes and no side below 11 (else `ValueError`) → scalar.
    Source: Wang, Bovik, Sheikh and Simoncelli 2004, equation 13, with their 11×11 Gaussian window of σ 1.5.
    """
    if drawn.shape != truth.shape:
        raise ValueError(f"pictures must have equal shapes; got {tuple(drawn.shape)} and {tuple(truth.shape)}")
    if min(drawn.shape[-2:]) < WINDOW_PX:
        raise ValueError(f"pictures are {drawn.shape[-2]}×{drawn.shape[-1]}; must be ≥ {WINDOW_PX} on each side")
    weights = [math.exp(-0.5 * ((i - WINDOW_PX // 2) / SIGMA_PX) ** 2) for i in range(WINDOW_PX)]
    # Filled where they are used: numbers sent from the host at every step would make a GPU wait.
    window = torch.stack([drawn.new_full((), weight) for weight in weights]) / sum(weights)
    with torch.autocast(drawn.device.type, enabled=False):  # variances are differences of squares
        x, y = (picture.flatten(0, 1).unsqueeze(1) for picture in (drawn, truth))
        products = torch.cat((x, y, x * x, y * y, x * y), dim=1).flatten(0, 1).unsqueeze(1)
        across = F.conv2d(products, window.view(1, 1, 1, -1))
        smooth = torch.unflatten(F.conv2d(across, window.view(1, 1, -1, 1)).squeeze(1), 0, (-1, 5))
        mx, my, xx, yy, xy = smooth.unbind(1)  # each [N · C, H − 10, W − 10]
        similarity: Tensor = (2 * mx * my + C1) * (2 * (xy - mx * my) + C2)
        similarity = similarity / ((mx * mx + my * my + C1) * (xx - mx * mx + yy - my * my + C2))
    return 1 - similarity.mean()
