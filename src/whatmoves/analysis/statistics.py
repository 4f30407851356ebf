"""Statistics over training seeds: intervals, exact paired tests, correction, effect sizes, margins.

The unit of replication is the training seed. An interval over clips alone describes one trained model and understates
the error of a claim about an architecture.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST_EXACT_COUNT = 20  # 2^20 sign patterns take a second; no study has more seeds
CHUNK_ELEMENTS = 100_000  # clips redrawn at a time: few enough to stay in the processor's cache


class Interval(NamedTuple):
    """A percentile interval."""

    low: float
    high: float


class Effect(NamedTuple):
    """`probability_of_improvement`: the chance that a run of the first beats a run of the second (ties count half)."""

    mean_difference: float
    probability_of_improvement: float


class MarginTest(NamedTuple):
    """A claim about a margin. `holds` is decided by `interval`; `p` is the exact one-sided sign-flip value."""

    mean_difference: float
    interval: Interval
    p: float
    holds: bool


def bootstrap_interval(
    points: NDArray[np.float64], draws: int, rng: np.random.Generator, level: float = 0.95
) -> Interval:
    """Percentile interval of the mean of one number per seed `[S]`; with one seed it has no width."""
    means = points[rng.integers(len(points), size=(draws, len(points)))].mean(1)
    return _percentiles(means, level)


def hierarchical_bootstrap(
    values: Sequence[NDArray[Any]], draws: int, rng: np.random.Generator, level: float = 0.95
) -> list[Interval]:
    """Percentile intervals of the mean over seeds of the mean over clips: seeds are redrawn, then clips within each.

    `values` holds a table of per-clip numbers `[N, M]` a seed: M measures of the same clips, all redrawn alike, because
    drawing costs more than averaging (N may differ between seeds). Returns an interval a measure. With one seed only
    the clips are redrawn: label such an interval "one model".
    """
    seeds = len(values)
    chosen = rng.integers(seeds, size=(draws, seeds))
    means = np.empty((draws, seeds, values[0].shape[1]))
    for seed, clips in enumerate(values):
        rows = np.nonzero(chosen == seed)
        means[rows] = _resampled_means(clips.astype(np.float64), len(rows[0]), rng)
    return [_percentiles(column, level) for column in means.mean(1).T]


def paired_sign_flip(
    differences: NDArray[np.float64], alternative: Literal["two-sided", "greater"] = "two-sided"
) -> float:
    """Exact p value of "the mean paired difference is 0" over all 2^S sign patterns of `differences` `[S]`.

    With S seeds the two-sided value cannot fall below 2 / 2^S: five seeds never reach 0.05. Raises `ValueError` above
    20 pairs.
    """
    count = len(differences)
    if count > LARGEST_EXACT_COUNT:
        raise ValueError(f"differences has {count} pairs; the exact test takes at most {LARGEST_EXACT_COUNT}")
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums + difference, sums - difference])
    observed = float(np.sum(differences))
    slack = 1e-12 * float(np.abs(differences).sum())  # equal sums in another order differ in the last digits
    extreme = np.abs(sums) >= abs(observed) - slack if alternative == "two-sided" else sums >= observed - slack
    return float(extreme.mean())


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down adjusted p values `[M]`, in the order given (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def effect(first: NDArray[np.float64], second: NDArray[np.float64]) -> Effect:
    """Effect size between the runs `first` `[S]` and `second` `[R]`, higher taken as better."""
    difference = first[:, None] - second[None, :]
    better = float(((difference > 0) + 0.5 * (difference == 0)).mean())
    return Effect(float(first.mean() - second.mean()), better)


def non_inferiority(
    differences: NDArray[np.float64], margin: float, draws: int, rng: np.random.Generator, level: float = 0.95
) -> MarginTest:
    """Is the mean of `differences` `[S]` (higher is better) above -`margin`? `margin` ≥ 0 is fixed beforehand."""
    interval = bootstrap_interval(differences, draws, rng, level)
    p = paired_sign_flip(differences + margin, "greater")
    return MarginTest(float(differences.mean()), interval, p, interval.low > -margin)


def equivalence(
    differences: NDArray[np.float64], margin: float, draws: int, rng: np.random.Generator, level: float = 0.95
) -> MarginTest:
    """Is the mean of `differences` `[S]` inside ±`margin`? Two one-sided tests; `p` is the larger of the two."""
    interval = bootstrap_interval(differences, draws, rng, level)
    p = max(paired_sign_flip(margin + differences, "greater"), paired_sign_flip(margin - differences, "greater"))
    return MarginTest(float(differences.mean()), interval, p, -margin < interval.low and interval.high < margin)


def _resampled_means(clips: NDArray[np.float64], draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`draws` means `[draws, M]` of the rows of `clips` `[N, M]` redrawn with replacement.

    A mean is a matrix product, of how often each clip was drawn and its numbers: much faster than copying the numbers.
    """
    count = len(clips)
    dtype = np.uint16 if count <= np.iinfo(np.uint16).max else np.uint32
    chunk = max(1, CHUNK_ELEMENTS // count)
    means = np.empty((draws, clips.shape[1]))
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        redrawn = rng.integers(count, size=(size, count), dtype=dtype) + count * np.arange(size)[:, None]
        times = np.bincount(redrawn.ravel(), minlength=size * count).reshape(size, count)
        means[start : start + size] = times @ clips / count
    return means


def _percentiles(means: NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
