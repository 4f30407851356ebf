"""Kullback–Leibler terms of diagonal Gaussian posteriors, against N(0, I) or another Gaussian, in nats."""

import torch
from torch import Tensor


def kl_per_dimension(mean: Tensor, logvar: Tensor) -> Tensor:
    """½ (μ² + exp(log σ²) − 1 − log σ²), elementwise and unreduced, in nats.

    mean, logvar: `[B, D]`, equal shapes (else `ValueError`) → `[B, D]`.
    Source: Kingma and Welling, Auto-Encoding Variational Bayes, 2014, appendix B.
    """
    if mean.shape != logvar.shape:
        raise ValueError(f"mean and logvar must have equal shapes; got {tuple(mean.shape)} and {tuple(logvar.shape)}")
    return 0.5 * (mean.square() + torch.expm1(logvar) - logvar)


def kl_nats(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL of a code block: sum over code dimensions, mean over clips. mean, logvar `[B, D]` → scalar, nats per clip."""
    return kl_per_dimension(mean, logvar).sum(1).mean()


def kl_with_free_bits(mean: Tensor, logvar: Tensor, free_nats: float) -> Tensor:
    """KL in which each dimension costs at least `free_nats`: Σ_d max(mean over clips of KL_d, free_nats).

    The mean over clips is taken before the maximum, so below the threshold a whole dimension is free of gradient.
    mean, logvar `[B, D]` → scalar, nats per clip; equals `kl_nats` at `free_nats` 0.
    Source: Kingma et al., Improving Variational Inference with Inverse Autoregressive Flow, 2016, appendix C.8.
    """
    return kl_per_dimension(mean, logvar).mean(0).clamp(min=free_nats).sum()


def kl_between(mean: Tensor, logvar: Tensor, prior_mean: Tensor, prior_logvar: Tensor) -> Tensor:
    """½ ((μ − μₚ)² / σₚ² + σ² / σₚ² − 1 − log σ² / σₚ²), elementwise and unreduced, in nats.

    Divergence of a posterior from a prior that is a diagonal Gaussian too; all `[…, D]`, equal shapes (else
    `ValueError`). Equals `kl_per_dimension` where μₚ and log σₚ² are 0.
    Source: Denton and Fergus, Stochastic Video Generation with a Learned Prior, 2018, section 3.
    """
    shapes = {tuple(values.shape) for values in (mean, logvar, prior_mean, prior_logvar)}
    if len(shapes) > 1:
        raise ValueError(f"means and logvars of both must have equal shapes; got {sorted(shapes)}")
    return kl_per_dimension((mean - prior_mean) * (-0.5 * prior_logvar).exp(), logvar - prior_logvar)
