"""Penalty on linear dependence between two blocks of a code."""

from torch import Tensor


def squared_cross_correlation(first: Tensor, second: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Mean over all pairs of dimensions of the squared Pearson correlation across the batch; 0 … 1, no unit.

    first `[B, D1]`, second `[B, D2]`, equal B (else `ValueError`) → scalar. Independent blocks give about 1 / (B − 1),
    not 0, because B clips correlate by chance. `epsilon` is added to variances, so constant dimensions (and B = 1)
    count as uncorrelated.
    """
    if len(first) != len(second):
        raise ValueError(f"both blocks must have the same clips; got {len(first)} and {len(second)}")

    def standardised(block: Tensor) -> Tensor:
        centred = block - block.mean(0)
        return centred / (centred.square().mean(0) + epsilon).sqrt()

    # Products and a mean, not a matrix product: autocast would round that to 16 bits.
    correlation = (standardised(first).unsqueeze(2) * standardised(second).unsqueeze(1)).mean(0)  # [D1, D2]
    return correlation.square().mean()
