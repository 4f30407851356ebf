"""Mutual information gap: is each factor told by one code dimension and no other?

Chen et al. 2018 (Isolating Sources of Disentanglement in VAEs), equation 6. A per-dimension score: a block that holds
a factor spread over its dimensions scores low however well the blocks are separated.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.discretise import (
    entropy_nats,
    equal_width,
    factor_classes,
    mutual_information_nats,
    plug_in_bias_nats,
)


class MigResult(NamedTuple):
    """`score` in 0…1 (higher is better, chance 0) is the mean of `per_factor` `[K]`.

    `bias_nats` is the largest information that an independent dimension shows at this N and these bins; it cancels in
    the gap of two dimensions with equally many occupied bins, and not where the runner-up is constant.
    """

    score: float
    per_factor: NDArray[np.float64]
    bias_nats: float


def mig(
    codes: NDArray[Any],
    factors: NDArray[Any],
    kinds: Sequence[str],
    code_bins: int = 20,
    factor_bins: int = 10,
) -> MigResult:
    """Mean over factors of (best - second-best information of a dimension) / entropy of the factor.

    `codes` `[N, D]`, `factors` `[N, K]`, `kinds` one of "discrete" and "continuous" a factor. Codes are cut in
    equal-width bins on the sample itself. Continuous factors are cut in equal-frequency bins: a class per float value
    would make every information equal to the entropy, and equal-width bins make the score follow the factor's units.
    """
    binned, classes = equal_width(codes, code_bins), factor_classes(factors, kinds, factor_bins)
    per_factor = gap_of_best_two(mutual_information_nats(binned, classes)) / entropy_nats(classes)
    return MigResult(float(per_factor.mean()), per_factor, float(plug_in_bias_nats(binned, classes).max()))


def gap_of_best_two(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Best minus second best of each column `[K]` of `scores` `[D, K]`; with one dimension the second best is 0."""
    padded = np.sort(np.vstack([scores, np.zeros((1, scores.shape[1]))]) if len(scores) == 1 else scores, axis=0)
    gap: NDArray[np.float64] = padded[-1] - padded[-2]
    return gap
