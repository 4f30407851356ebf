"""Codes and factors as small integers, and the plug-in information between them.

The number of bins sets the value of every score built on binned information, so it is an argument everywhere and is
written into every result.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

Kind = Literal["discrete", "continuous"]
KINDS: tuple[str, ...] = get_args(Kind)


def equal_width(values: NDArray[Any], bins: int) -> NDArray[np.int64]:
    """Bin numbers `[N, D]` from 0: `bins` equal-width bins between each column's own minimum and maximum.

    A constant column falls into one bin. The edges are NumPy's histogram edges in the dtype of `values`, as in the
    common reference implementation, so that a value on an edge lands on the same side.
    """
    return np.stack(
        [np.digitize(column, np.histogram_bin_edges(column, bins)[:-1]) - 1 for column in values.T], axis=1
    ).astype(np.int64)


def equal_frequency(values: NDArray[Any], bins: int) -> NDArray[np.int64]:
    """Bin numbers `[N, K]` from 0: columns cut at their own quantiles, so that no monotone change moves them."""
    return np.stack(
        [np.searchsorted(inner_quantiles(column, bins), column, side="right") for column in values.T], axis=1
    ).astype(np.int64)


def inner_quantiles(column: NDArray[Any], bins: int) -> NDArray[np.float64]:
    """The `bins - 1` (fewer where values repeat) inner cut points of equal-frequency bins of one column `[N]`."""
    return np.unique(np.quantile(column, np.arange(1, bins) / bins))


def labels(column: NDArray[Any]) -> NDArray[np.int64]:
    """A discrete column `[N]` of any numbers as class numbers 0, 1, … in the order of the values."""
    return np.unique(column, return_inverse=True)[1].astype(np.int64).reshape(-1)


def factor_classes(factors: NDArray[Any], kinds: Sequence[str], bins: int) -> NDArray[np.int64]:
    """Factors `[N, K]` as class numbers: discrete ones relabelled, continuous ones in `bins` equal-frequency bins.

    Raises `DataError` for a factor that never changes: nothing can be known about it.
    """
    for k in np.flatnonzero(np.ptp(factors, axis=0) == 0).tolist():
        raise DataError(f"factor {k} is {factors[0, k]:g} in all {len(factors)} rows; a factor must vary: drop it")
    columns = [
        labels(column) if kind == "discrete" else equal_frequency(column[:, None], bins)[:, 0]
        for column, kind in zip(factors.T, kinds, strict=True)
    ]
    return np.stack(columns, axis=1)


def entropy_nats(classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Plug-in entropy of each column of class numbers `[N, K]`, in nats."""
    shares = [np.bincount(column)[np.bincount(column) > 0] / len(column) for column in classes.T]
    return np.array([-np.sum(share * np.log(share)) for share in shares])


def mutual_information_nats(codes: NDArray[np.int64], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Plug-in mutual information `[D, K]`, in nats, of every binned code dimension with every class factor.

    `codes` `[N, D]` and `factors` `[N, K]` hold class numbers from 0. A constant column has exactly 0.
    """
    count, width = codes.shape
    bins = int(codes.max()) + 1
    information = np.empty((width, factors.shape[1]))
    offsets = np.arange(width) * bins
    for k, column in enumerate(factors.T):
        classes = int(column.max()) + 1
        cells = ((codes + offsets) * classes + column[:, None]).ravel()
        joint = np.bincount(cells, minlength=width * bins * classes).reshape(width, bins, classes)
        outer = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)  # [D, bins, classes]
        ratio = np.where(joint > 0, joint * count / np.maximum(outer, 1), 1.0)
        information[:, k] = np.maximum((joint * np.log(ratio)).sum((1, 2)) / count, 0.0)
    information[codes.min(0) == codes.max(0)] = 0.0
    return information


def plug_in_bias_nats(codes: NDArray[np.int64], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Expected plug-in information `[D, K]` of columns that are in truth independent: (b_z - 1)(b_f - 1) / 2N.

    Counts occupied bins only (Miller 1955; first order in 1/N).
    """
    occupied = [np.array([len(np.unique(column)) for column in table.T]) for table in (codes, factors)]
    return np.outer(occupied[0] - 1, occupied[1] - 1) / (2 * len(codes))
