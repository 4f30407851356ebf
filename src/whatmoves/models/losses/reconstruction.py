"""How well a drawn clip matches the true one: squared error, and two likelihoods in nats per clip.

All sum over frames, channels and pixels and take the mean over clips, so that they stand on one scale with the KL.
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

Likelihood = Literal["mse", "bce"]


def _same_shape(drawn: Tensor, video: Tensor) -> None:
    if drawn.shape != video.shape:
        raise ValueError(f"clips must have equal shapes; got {tuple(drawn.shape)} and {tuple(video.shape)}")


def squared_error(drawn: Tensor, video: Tensor) -> Tensor:
    """Σ (x̂ − x)²: sum over frames, channels and pixels, mean over clips. Both `[B, …]` → scalar, squared intensity."""
    _same_shape(drawn, video)
    return (drawn - video).square().sum() / len(video)


def gaussian_nats(drawn: Tensor, video: Tensor, pixel_variance: float) -> Tensor:
    """−log N(x; x̂, σ²) without its constant: Σ (x̂ − x)² / (2 σ²), mean over clips, in nats.

    drawn, video: `[B, …]` intensities in [0, 1]; pixel_variance: σ², squared intensity. Identical clips give 0.
    """
    return squared_error(drawn, video) / (2 * pixel_variance)


def bernoulli_nats(logits: Tensor, video: Tensor) -> Tensor:
    """Binary cross-entropy −Σ x log x̂ + (1 − x) log(1 − x̂) with x̂ = sigmoid(logits), mean over clips, in nats.

    logits, video: `[B, …]`. For grey targets the least value is the targets' own entropy, not 0; like the squared
    error it is least at x̂ = E[x].
    """
    _same_shape(logits, video)
    return F.binary_cross_entropy_with_logits(logits, video, reduction="sum") / len(video)


def reconstruction_nats(likelihood: Likelihood, logits: Tensor, video: Tensor, pixel_variance: float) -> Tensor:
    """The chosen likelihood of `video` `[B, …]` under a decoder's `logits`; σ² only enters the Gaussian one."""
    if likelihood == "bce":
        return bernoulli_nats(logits, video)
    return gaussian_nats(logits.sigmoid(), video, pixel_variance)


def temporal_nats(drawn: Tensor, video: Tensor, pixel_variance: float) -> Tensor:
    """Gaussian nats of the frame-to-frame changes: Σ (Δx̂ − Δx)² / (2 σ²), mean over clips.

    drawn, video: `[B, T, …]` intensities. A constant offset of the whole clip costs nothing.
    """
    return gaussian_nats(drawn.diff(dim=1), video.diff(dim=1), pixel_variance)
