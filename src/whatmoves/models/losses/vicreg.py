"""Two terms that keep an embedding from collapsing: every feature varies, and no two features say the same.

Rows are all places at which the embedding was taken; the terms know neither video nor time.
"""

import torch
from torch import Tensor


def variance_hinge(rows: Tensor, least: float = 1.0, epsilon: float = 1e-4) -> Tensor:
    """relu(`least` − √(Var + ε)) of each feature over all rows, mean over features; 0 … `least`, no unit.

    rows `[N, D]`, N ≥ 2 (else `ValueError`); the variance is the unbiased one. In float32 also under autocast.
    Source: Bardes, Ponce and LeCun, VICReg, 2022, equations 1 and 2.
    """
    _check(rows)
    return torch.relu(least - (rows.float().var(0) + epsilon).sqrt()).mean()


def covariance_penalty(rows: Tensor) -> Tensor:
    """Squared covariance of two different features over all rows, mean over the D (D − 1) pairs.

    rows `[N, D]`, N ≥ 2 and D ≥ 2 (else `ValueError`); unbiased. In float32 also under autocast.
    Source: VICReg, equations 3 and 4; there the sum is divided by D, here by D (D − 1), so that the weight means the
    same at every width.
    """
    _check(rows)
    D = rows.shape[1]
    if D < 2:
        raise ValueError("rows have 1 feature; a covariance needs 2")
    with torch.autocast(rows.device.type, enabled=False):  # a product in 16 bits would drown small covariances
        centred = rows.float() - rows.float().mean(0)
        covariance = centred.T @ centred / (len(rows) - 1)  # [D, D]
        return (covariance.square().sum() - covariance.diagonal().square().sum()) / (D * (D - 1))


def _check(rows: Tensor) -> None:
    if rows.ndim != 2 or len(rows) < 2:
        raise ValueError(f"rows must be [N, D] with N ≥ 2; got {tuple(rows.shape)}")
