"""How sure is a number, and how do two stand: intervals, exact paired tests, correction. One engine for all words.

The unit of replication is the training seed, and all seeds are measured on the same clips. An interval over clips alone
describes one trained model and understates the error of a claim about an architecture.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

LEVEL = 0.95
FEWEST_SEEDS = 6  # below this the exact two-sided sign-flip test cannot reach 0.05: 2 / 2^5 = 0.0625
LARGEST_EXACT_COUNT = 20  # 2^20 sign patterns take a second; no study has more seeds
CHUNK_ELEMENTS = 100_000  # clips redrawn at a time: few enough to stay in the processor's cache


Relation = Literal["<", "=", ">", "?"]  # "=": not to be told apart; "?": one trained run decides nothing


class Interval(NamedTuple):
    """An interval for the mean of other seeds and other clips."""

    low: float
    high: float


class Sample(NamedTuple):
    """One measure of one row: a number by training seed and, where they were kept, its numbers by clip `[S, N]`.

    Of a `constant` nothing was trained (a floor, a ceiling): one number of it is all there is to know.
    """

    seeds: Mapping[str, float]
    clips: NDArray[np.float64] | None = None
    constant: bool = False

    @property
    def value(self) -> float:
        """The mean over seeds."""
        return float(np.mean(list(self.seeds.values()), dtype=np.float64))

    @property
    def decides(self) -> bool:
        """Whether it can speak for an architecture: one trained run speaks for itself alone."""
        return self.constant or len(self.seeds) > 1


class Difference(NamedTuple):
    """How far `first` lies above `second`; `interval` and `p` are None where too few seeds tell them.

    `p` is the exact two-sided sign-flip value over seeds.
    """

    value: float
    interval: Interval | None
    p: float | None


def hierarchical_bootstrap(
    values: Sequence[NDArray[Any]], draws: int, rng: np.random.Generator, level: float = LEVEL
) -> list[Interval]:
    """Intervals of the mean over seeds of the mean over clips, for other seeds and other clips.

    `values` holds a table of per-clip numbers `[N, M]` a seed: M measures of the same clips. All seeds were scored on
    the same clips, so seeds and clips are crossed: with several seeds the interval is that of `half_widths`. Of one
    seed only the clips are redrawn, all measures alike: label such an interval "one model". Shares, all of whose
    numbers are 0 or 1, get Wilson's interval of as many clips as the spread is worth. Returns an interval a measure.
    """
    tables = np.stack([np.asarray(clips, np.float64) for clips in values])  # [S, N, M]
    means = tables.mean((0, 1))
    if len(tables) > 1:
        half = half_widths(tables, level)
        found = [Interval(float(mean - h), float(mean + h)) for mean, h in zip(means, half, strict=True)]
    else:
        found = [_percentiles(column, level) for column in _resampled_means(tables[0], draws, rng).T]
    shares = ((tables == 0) | (tables == 1)).all((0, 1))
    return [
        _wilson(float(mean), tables.shape[1], (interval.high - interval.low) / 2, level) if is_share else interval
        for mean, interval, is_share in zip(means, found, shares, strict=True)
    ]


def half_widths(tables: NDArray[np.float64], level: float = LEVEL) -> NDArray[np.float64]:
    """Half the width of the interval of the mean of M measures `[M]`, from `[S ≥ 2, N, M]`: seeds crossed with clips.

    The squares of two half-widths are added, of Student's t with S − 1 degrees of freedom for what seeds add to the
    noise of clips, and with N − 1 for the clips (squares of half-widths are added as by Howe 1974).
    `benchmarks/coverage.py` shows what it covers.
    """
    of_seeds, of_clips = _variances(tables)
    seeds, clips = tables.shape[:2]
    found: NDArray[np.float64] = np.sqrt(_t(seeds - 1, level) ** 2 * of_seeds + _t(clips - 1, level) ** 2 * of_clips)
    return found


def seeds_interval(points: NDArray[np.float64], level: float = LEVEL) -> Interval | None:
    """Student's t interval of the mean of one number per seed `[S]`; none of a single one."""
    if len(points) < 2:
        return None
    mean, half = points.mean(), _t(len(points) - 1, level) * points.std(ddof=1) / np.sqrt(len(points))
    return Interval(float(mean - half), float(mean + half))


def difference(first: Sample, second: Sample, level: float = LEVEL) -> Difference:
    """How `first` stands to `second`: the one rule of verdicts, tables and prose.

    The interval adds the squares of two half-widths, of the seeds of both and of their differences clip by clip, where
    both were measured on the same clips. With six seeds in common, or against a constant, the exact test adds `p`.
    """
    value = first.value - second.value
    if not (first.decides and second.decides):
        return Difference(value, None, None)
    for sample, number, sign in ((first, second, 1), (second, first, -1)):
        if number.constant and number.clips is None and sample.clips is not None and len(sample.seeds) > 1:
            # Against a bare number a mean has its own interval: that of a share ends at 0 and 1, and is never a point.
            (own,) = hierarchical_bootstrap(list(sample.clips[:, :, None]), 1, np.random.default_rng(0), level)
            low, high = sorted(sign * (end - number.value) for end in own)
            return Difference(value, Interval(low, high), _exact_p(first, second))
    apart = _apart(first, second)
    parts: list[tuple[float, int]] = []  # variance of the mean by seeds, degrees of freedom
    for sample in (first, second):
        count = len(sample.seeds)
        if sample.constant or count < 2:
            continue
        if apart is not None and sample.clips is not None:
            parts.append((float(_variances(sample.clips[:, :, None])[0][0]), count - 1))
        else:
            parts.append((float(np.var(list(sample.seeds.values()), ddof=1)) / count, count - 1))
    variance, uncertain = sum(part for part, _ in parts), sum(part**2 / freedom for part, freedom in parts)
    square = _t(variance**2 / uncertain, level) ** 2 * variance if uncertain > 0 else 0.0  # Welch 1947
    if apart is not None:
        square += _t(len(apart) - 1, level) ** 2 * float(apart.var(ddof=1)) / len(apart)
    half = float(np.sqrt(square))
    return Difference(value, Interval(value - half, value + half), _exact_p(first, second))


def paired(first: Sample, second: Sample) -> NDArray[np.float64] | None:
    """Differences seed by seed `[S]`, against a constant of every seed; None with fewer than `FEWEST_SEEDS`."""
    if second.constant:
        found = np.array([value - second.value for value in first.seeds.values()])
    elif first.constant:
        found = np.array([first.value - value for value in second.seeds.values()])
    else:
        common = sorted(first.seeds.keys() & second.seeds.keys())
        found = np.array([first.seeds[seed] - second.seeds[seed] for seed in common])
    return found if FEWEST_SEEDS <= len(found) <= LARGEST_EXACT_COUNT else None


def stand(first: Sample, second: Sample) -> Relation:
    """Where `first` stands against `second`, numerically, if the interval and the test, where there is one, say so."""
    found = difference(first, second)
    if found.interval is None:
        return "?"
    if found.p is not None and found.p > 1 - LEVEL:
        return "="
    return ">" if found.interval.low > 0 else "<" if found.interval.high < 0 else "="


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


def _apart(first: Sample, second: Sample) -> NDArray[np.float64] | None:
    """The difference clip by clip `[N]`, means over seeds; a bare number is the same for every clip. None where one of
    the two was not measured clip by clip, or on other clips."""
    sides = [np.array([s.value]) if s.clips is None else s.clips.mean(0) for s in (first, second)]
    bare = [s.clips is None and s.constant for s in (first, second)]
    missing = any(s.clips is None and not s.constant for s in (first, second))
    if missing or all(bare) or (not any(bare) and len(sides[0]) != len(sides[1])):
        return None
    found: NDArray[np.float64] = sides[0] - sides[1]
    return found if len(found) > 1 else None


def _exact_p(first: Sample, second: Sample) -> float | None:
    """Of two constants there is nothing to test."""
    differences = None if first.constant and second.constant else paired(first, second)
    return None if differences is None else paired_sign_flip(differences)


def _variances(tables: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the mean of `[S, N, M]`, two parts `[M]` each: what seeds add to the noise of clips, and the clips'.

    Mean squares of a two-way layout without repetition: seeds, clips and their interaction.
    """
    seeds, clips = tables.shape[:2]
    by_seed, by_clip = tables.mean(1), tables.mean(0)
    rest = tables - by_seed[:, None] - by_clip[None] + tables.mean((0, 1))
    interaction = np.square(rest).sum((0, 1)) / ((seeds - 1) * max(1, clips - 1)) / (seeds * clips)
    of_seeds = np.maximum(by_seed.var(0, ddof=1) / seeds - interaction, 0)
    return of_seeds, by_clip.var(0, ddof=1) / clips if clips > 1 else np.zeros(tables.shape[2])


def _t(freedom: float, level: float) -> float:
    """Quantile of Student's t with so many degrees of freedom."""
    return float(stdtrit(max(1.0, freedom), (1 + level) / 2))


def _wilson(share: float, clips: int, half: float, level: float) -> Interval:
    """Wilson's interval of a share, of as many independent clips as the half-width `half` tells; at 0 and 1 of all."""
    z = float(ndtri((1 + level) / 2))
    worth = z**2 * share * (1 - share) / half**2 if half > 0 else float(clips)
    middle = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    reach = z / (1 + z**2 / worth) * np.sqrt(share * (1 - share) / worth + z**2 / (4 * worth**2))
    return Interval(float(max(0.0, middle - reach)), float(min(1.0, middle + reach)))


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
