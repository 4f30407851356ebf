"""Pictures compared by what a fixed network sees in them."""

from collections.abc import Callable

import torch
from torch import Tensor

Features = Callable[[Tensor], list[Tensor]]
"""Pictures `[N, C, H, W]` → maps `[N, D, h, w]` of every stage of a fixed network."""


def feature_l1(features: Features, drawn: Tensor, truth: Tensor) -> Tensor:
    """|φ(x̂) − φ(x)|: mean over features, places and pictures, then over stages; in the features' unit.

    drawn, truth: pictures `[N, C, H, W]`, equal shapes (else `ValueError`) → scalar. Gradients reach `drawn` only.
    After Johnson, Alahi and Fei-Fei, Perceptual Losses for Real-Time Style Transfer, 2016, equation 2, with the
    absolute instead of the squared error, like the terms beside it.
    """
    if drawn.shape != truth.shape:
        raise ValueError(f"pictures must have equal shapes; got {tuple(drawn.shape)} and {tuple(truth.shape)}")
    with torch.no_grad():
        wanted = features(truth)
    stages = [(seen - want).abs().mean() for seen, want in zip(features(drawn), wanted, strict=True)]
    return torch.stack(stages).mean()
