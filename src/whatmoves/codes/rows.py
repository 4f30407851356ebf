"""Codes with their factors, and which of each are content and motion: what every measure of codes takes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.discretise import labels


class Rows(NamedTuple):
    """`codes` `[N, D]` and `factors` `[N, K]` of the same N samples."""

    codes: NDArray[Any]
    factors: NDArray[Any]

    def block(self, dims: NDArray[np.int64]) -> "Rows":
        """The same samples with only the code dimensions `dims`."""
        return Rows(self.codes[:, dims], self.factors)


class Blocks(NamedTuple):
    """Which code dimensions hold content and which motion: index arrays."""

    content: NDArray[np.int64]
    motion: NDArray[np.int64]


class Roles(NamedTuple):
    """Which factor columns are content and which motion; columns in neither are not averaged in."""

    content: Sequence[int]
    motion: Sequence[int]


def standardised(train: NDArray[Any], *others: NDArray[Any]) -> list[NDArray[np.float64]]:
    """`train` and `others` with the mean and deviation of `train` taken out; dimensions constant in `train` dropped."""
    mean, deviation = train.mean(0, dtype=np.float64), train.std(0, dtype=np.float64)
    alive = deviation > 1e-9 * np.maximum(np.abs(mean), 1e-3)  # rounding noise of a constant is no signal
    return [(part[:, alive] - mean[alive]) / deviation[alive] for part in (train, *others)]


def target_columns(factor: NDArray[Any], kind: str) -> NDArray[np.float64]:
    """A factor `[N]` as regression targets `[N, T]`: class indicators of a label, the column itself otherwise."""
    if kind == "continuous":
        return factor[:, None].astype(np.float64)
    classes = labels(factor)
    return np.eye(int(classes.max()) + 1)[classes]
