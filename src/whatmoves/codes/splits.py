"""Blocks for models that have none, and codes narrow enough to probe.

No model is given a half of its dimensions and told that this is its content: a *learned* split looks for the subspace
that tells content (its floor: `whatmoves.codes.random_splits`). Everything here is fitted on training codes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from whatmoves.codes.rows import Blocks, Roles, Rows, target_columns

WIDEST_CODE = 256
ROWS_AT_ONCE = 500


class Projection(NamedTuple):
    """A linear map of codes: `(codes - mean) @ matrix`, `matrix` `[D, E]`."""

    mean: NDArray[np.float64]
    matrix: NDArray[np.float64]

    def __call__(self, rows: Rows) -> Rows:
        return Rows(self.codes(rows.codes), rows.factors)

    def codes(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """Codes alone, some rows at a time: differences of wide codes fill memory."""
        result = np.empty((len(codes), self.matrix.shape[1]))
        for first in range(0, len(codes), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            result[rows] = (codes[rows] - self.mean) @ self.matrix
        return result


class LearnedSplit(NamedTuple):
    """`blocks` index the dimensions of codes after `projection`."""

    projection: Projection
    blocks: Blocks


def reduced(train: NDArray[Any], width: int = WIDEST_CODE) -> Projection | None:
    """Principal components of training codes `[N, D]` down to `width`; None when they are narrow enough already.

    From the N × N products of rows where a code is wider than it has rows: a wide code costs seconds otherwise.
    """
    if train.shape[1] <= width:
        return None
    mean = train.mean(0, dtype=np.float64)
    centred = train - mean
    if len(centred) >= centred.shape[1]:
        return Projection(mean, np.linalg.svd(centred, full_matrices=False)[2][:width].T)
    rows = len(centred)
    largest = (max(rows - width, 0), rows - 1)  # the others would take as long again
    values, left = scipy.linalg.eigh(centred @ centred.T, subset_by_index=largest)
    kept = np.flatnonzero(values > 1e-12 * float(values[-1]))[::-1]
    if not len(kept):  # a dead code stays dead
        return Projection(mean, np.eye(len(mean), width))
    return Projection(mean, centred.T @ (left[:, kept] / np.sqrt(values[kept])))


def learned_split(train: Rows, kinds: Sequence[str], roles: Roles, content_width: int | None = None) -> LearnedSplit:
    """The subspace of `content_width` (default half) dimensions that best tells content and not motion; the rest is
    the motion block.

    In whitened codes the axes are the eigenvectors of (share of each direction's variance that content factors
    explain linearly) - (share that motion factors explain): linear discriminant analysis with both groups of factors.
    """
    mean = train.codes.mean(0, dtype=np.float64)
    values, axes = np.linalg.eigh(np.cov(train.codes - mean, rowvar=False, ddof=0).reshape(len(mean), -1))
    alive = values > max(1e-10 * float(values[-1]), 1e-12)
    whitening = axes[:, alive] / np.sqrt(values[alive])
    codes = (train.codes - mean) @ whitening
    if codes.shape[1] == 0:  # a dead code splits into two dead blocks
        half = len(mean) // 2
        return LearnedSplit(Projection(mean, np.eye(len(mean))), Blocks(np.arange(half), np.arange(half, len(mean))))
    explained = _explained(codes, train, kinds, roles.content) - _explained(codes, train, kinds, roles.motion)
    directions = np.linalg.eigh(explained)[1][:, ::-1]  # most content first
    width = directions.shape[1]
    border = min(width // 2 if content_width is None else content_width, width)
    return LearnedSplit(Projection(mean, whitening @ directions), Blocks(np.arange(border), np.arange(border, width)))


def _explained(
    codes: NDArray[np.float64], train: Rows, kinds: Sequence[str], columns: Sequence[int]
) -> NDArray[np.float64]:
    """Covariance `[E, E]` of what a least-squares fit from the factors `columns` predicts of whitened `codes`."""
    targets = np.concatenate([target_columns(train.factors[:, k], kinds[k]) for k in columns], axis=1)
    fitted = (centred := targets - targets.mean(0)) @ np.linalg.lstsq(centred, codes, rcond=1e-8)[0]
    covariance: NDArray[np.float64] = fitted.T @ fitted / len(codes)
    return covariance
