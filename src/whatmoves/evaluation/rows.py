"""Codes with their factors: what every measure that is fitted on one part and scored on another takes."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Rows(NamedTuple):
    """`codes` `[N, D]` and `factors` `[N, K]` of the same N samples."""

    codes: NDArray[Any]
    factors: NDArray[Any]

    def block(self, dims: NDArray[np.int64]) -> "Rows":
        """The same samples with only the code dimensions `dims`."""
        return Rows(self.codes[:, dims], self.factors)


def standardised(train: NDArray[Any], *others: NDArray[Any]) -> list[NDArray[np.float64]]:
    """`train` and `others` with the mean and deviation of `train` taken out; dimensions constant in `train` dropped."""
    mean, deviation = train.mean(0, dtype=np.float64), train.std(0, dtype=np.float64)
    alive = deviation > 1e-9 * np.maximum(np.abs(mean), 1e-3)  # rounding noise of a constant is no signal
    return [(part[:, alive] - mean[alive]) / deviation[alive] for part in (train, *others)]
