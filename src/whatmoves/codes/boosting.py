"""Gradient boosting of exact trees for the reference's DCI, in a quarter of scikit-learn's time.

Friedman 2001 (Greedy Function Approximation: A Gradient Boosting Machine), algorithms 5 and 6, with the settings that
scikit-learn's `GradientBoostingClassifier` has unless it is told others. scikit-learn sorts every dimension anew in
every node of every tree; here each is sorted once, and a node keeps the order that it inherits. The trees are the same
but for splits of equal gain, between which chance and rounding decide, there and here.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

STEPS = 100
DEPTH = 3
LEARNING_RATE = 0.1
SMALLEST_VARIANCE = np.finfo(np.float64).eps  # of residuals in a node that is still split
SMALLEST_GAP = np.float32(1e-7)  # between two values that a split may part
SMALLEST_CURVATURE = 1e-150


class Boosted(NamedTuple):
    """`importances` `[D]` are each dimension's share of the squared error that all splits remove (zeros without any
    split), `predicted` `[M]` the classes of unseen rows."""

    importances: NDArray[np.float64]
    predicted: NDArray[Any]


def boosted(codes: NDArray[Any], classes: NDArray[Any], unseen: NDArray[Any], rng: np.random.Generator) -> Boosted:
    """Fit boosted trees on `codes` `[N, D]` with `classes` `[N]`, two or more; predict those of `unseen` `[M, D]`."""
    names, numbers = np.unique(classes, return_inverse=True)
    two = len(names) == 2
    truth = np.eye(len(names))[numbers][:, 1:] if two else np.eye(len(names))[numbers]  # [N, trees a step]
    shares = truth.mean(0)
    start = np.log(shares) - (np.log(1 - shares) if two else 0)
    raw, raw_unseen = np.tile(start, (len(codes), 1)), np.tile(start, (len(unseen), 1))
    forest = _Forest(codes, unseen, rng)
    for _ in range(STEPS):
        residuals = truth - (expit(raw) if two else softmax(raw, axis=1))
        for k, residual in enumerate(residuals.T.copy()):
            chance = truth[:, k] - residual
            for rows, rows_unseen in forest.leaves(residual):
                curvature = np.mean(chance[rows] * (1 - chance[rows]))
                newton = np.mean(residual[rows]) / curvature if curvature > SMALLEST_CURVATURE else 0.0
                step = LEARNING_RATE * newton * (1 if two else 1 - 1 / len(names))
                raw[rows, k] += step
                raw_unseen[rows_unseen, k] += step
    found = (raw_unseen[:, 0] >= 0).astype(int) if two else raw_unseen.argmax(1)
    return Boosted(forest.gains / max(forest.gains.sum(), np.finfo(float).tiny), names[found])


class _Forest:
    """Grows trees on one table of codes and counts what the splits on each dimension remove, `gains` `[D]`."""

    def __init__(self, codes: NDArray[Any], unseen: NDArray[Any], rng: np.random.Generator) -> None:
        self.codes, self.unseen = (np.ascontiguousarray(part.T, dtype=np.float32) for part in (codes, unseen))
        table = np.arange(self.codes.shape[1])[None]  # sums over a node go in the table's order, as scikit-learn's do
        self.order = np.concatenate([np.argsort(self.codes, axis=1, kind="stable"), table])  # [D + 1, N]
        self.gains = np.zeros(len(self.codes))
        self.rng = rng

    def leaves(self, residual: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Rows and unseen rows of each leaf of a tree fitted to `residual` `[N]` by least squares."""
        return self._below(residual, self.order, np.arange(self.unseen.shape[1]), DEPTH)

    def _below(
        self, residual: NDArray[np.float64], order: NDArray[np.int64], unseen: NDArray[np.int64], depth: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Leaves under a node whose rows `order` `[D + 1, n]` lists along each dimension, and in the table's order."""
        rows = order[-1]
        split = self._best_split(residual, order) if depth else None
        if split is None:
            yield rows, unseen
            return
        dimension, threshold = split
        left = self.codes[dimension] <= threshold  # [N]
        left_unseen = self.unseen[dimension, unseen] <= threshold
        if depth == 1:
            sides = [rows[left[rows]][None], rows[~left[rows]][None]]
        else:
            goes = left[order]
            sides = [order.compress(which.ravel()).reshape(len(order), -1) for which in (goes, ~goes)]
        for side, side_unseen in zip(sides, (unseen[left_unseen], unseen[~left_unseen]), strict=True):
            yield from self._below(residual, side, side_unseen, depth - 1)

    def _best_split(self, residual: NDArray[np.float64], order: NDArray[np.int64]) -> tuple[int, np.float64] | None:
        """Dimension and threshold of the cut that removes most squared error; None where nothing is left to cut."""
        count = order.shape[1]
        here = residual[order[-1]]
        if count < 2 or np.square(here).mean() - here.mean() ** 2 <= SMALLEST_VARIANCE:
            return None
        sums = np.cumsum(residual.take(order), axis=1)
        total, left = sums[-1, -1], sums[:-1]
        right = total - left
        size = np.arange(1.0, count + 1)
        left *= left
        left /= size
        right *= right
        right /= np.maximum(count - size, 1.0)
        gains = np.add(left, right, out=left)[:, :-1]  # of a cut after each row but the last, less a constant
        best = _equally_best(gains)
        if not all(_parted(self.codes[d, order[d, cut : cut + 2]]) for d, cut in best):  # rare where values are many
            gains[~_parted(np.take_along_axis(self.codes, order[:-1], 1))] = -np.inf
            best = _equally_best(gains)
        if not best:
            return None
        dimension, cut = best[self.rng.integers(len(best))]
        self.gains[dimension] += gains[dimension, cut] - total**2 / count
        below, above = self.codes[dimension, order[dimension, cut : cut + 2]].astype(np.float64)
        return dimension, below / 2 + above / 2


def _equally_best(gains: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Dimension and place of the largest of `gains` `[D, cuts]`, and of each other dimension that reaches it.
    None where no cut is allowed.
    """
    cuts = gains.argmax(1)
    best = gains[np.arange(len(gains)), cuts]
    return [(d, int(cuts[d])) for d in np.flatnonzero((best == best.max()) & (best >= 0)).tolist()]


def _parted(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which neighbours in rows of sorted `values` `[..., n]` a cut may part, `[..., n - 1]`."""
    return values[..., 1:] > values[..., :-1] + SMALLEST_GAP
