"""Modularity: does each code dimension tell of one factor only?

Ridgeway & Mozer 2018 (Learning Deep Disentangled Embeddings with the F-Statistic Loss), section 2.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.discretise import equal_width, factor_classes, mutual_information_nats


class ModularityResult(NamedTuple):
    """`score` is the plain mean over dimensions, 0…1, higher is better, and *not* near 0 for noise (0.7 and more).

    `weighted` first takes off what shuffled rows show and then weights dimensions by what is left, so that noise and
    dead dimensions have no say; a code that knows nothing gets 0.
    """

    score: float
    weighted: float
    per_dimension: NDArray[np.float64]


def modularity(
    codes: NDArray[Any],
    factors: NDArray[Any],
    kinds: Sequence[str],
    rng: np.random.Generator,
    code_bins: int = 20,
    factor_bins: int = 10,
    shuffles: int = 20,
) -> ModularityResult:
    """Modularity of `codes` `[N, D]` about `factors` `[N, K]`, binned as in `mig`."""
    binned, classes = equal_width(codes, code_bins), factor_classes(factors, kinds, factor_bins)
    information = mutual_information_nats(binned, classes)
    null = np.stack([mutual_information_nats(binned, classes[rng.permutation(len(codes))]) for _ in range(shuffles)])
    # Five deviations above the shuffled mean: among thousands of cells of noise none is likely to remain.
    significant = information > null.mean(0) + 5 * null.std(0)
    excess = np.where(significant, information - null.mean(0), 0.0)
    weight = excess.sum(1)
    weighted = float(np.average(_per_dimension(excess), weights=weight)) if weight.sum() > 0 else 0.0
    return ModularityResult(modularity_from_mi(information), weighted, _per_dimension(information))


def modularity_from_mi(information: NDArray[Any]) -> float:
    """Plain mean over dimensions of 1 - (Σ m² - max m²) / (max m² · (K - 1)) of `information` `[D, K]`.

    A dimension without any information counts as 0, as in the reference; one with some counts as 1 where K is 1.
    """
    return float(_per_dimension(information).mean())


def _per_dimension(information: NDArray[Any]) -> NDArray[np.float64]:
    squares = np.square(information, dtype=np.float64)
    best = squares.max(1)
    others = max(information.shape[1] - 1, 1)
    return np.where(best > 0, 1 - (squares.sum(1) - best) / (np.where(best > 0, best, 1.0) * others), 0.0)
