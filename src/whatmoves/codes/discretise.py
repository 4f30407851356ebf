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
ROUNDING_NATS = 1e-12  # sums of some hundred terms are exact to 1e-14; independent columns show 1/2N and more


def equal_width(values: NDArray[Any], bins: int) -> NDArray[np.int64]:
    """Bin numbers `[N, D]` from 0: `bins` equal-width bins between each column's own minimum and maximum.

    A constant column falls into one bin, and so does one whose minimum and maximum have fewer floats between them than
    edges are needed: what is left of it is rounding. The edges are NumPy's histogram edges in the dtype of `values`, as
    in the common reference implementation, so that a value on an edge lands on the same side.
    """
    return np.stack([np.digitize(column, _left_edges(column, bins)) - 1 for column in values.T], axis=1).astype(
        np.int64
    )


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


def factor_classes(
    factors: NDArray[Any], kinds: Sequence[str], bins: int, names: Sequence[str] | None = None
) -> NDArray[np.int64]:
    """Factors `[N, K]` as class numbers: discrete ones relabelled, continuous ones in `bins` equal-frequency bins.

    Raises `DataError` for a factor that never changes, before or after cutting: nothing can be known about it.
    Its name there is from `names` `[K]`, or its column number.
    """
    called = names if names is not None else range(factors.shape[1])
    for k in np.flatnonzero(np.ptp(factors, axis=0) == 0).tolist():
        raise DataError(
            f"factor {called[k]} is {factors[0, k]:g} in all {len(factors)} rows; a factor must vary: drop it"
        )
    columns = [
        labels(column) if kind == "discrete" else equal_frequency(column[:, None], bins)[:, 0]
        for column, kind in zip(factors.T, kinds, strict=True)
    ]
    for k, column in enumerate(columns):
        if np.ptp(column) == 0:
            raise DataError(
                f"factor {called[k]} is {factors[:, k].min():g} in most of {len(factors)} rows, so {bins} "
                "equal-frequency classes are only one; mark it discrete or drop it"
            )
    return np.stack(columns, axis=1)


def check_classes(known: NDArray[np.int64], unseen: NDArray[np.int64], names: Sequence[str] | None = None) -> None:
    """Refuse factors that no classifier could be fitted or scored on.

    `known` `[N, K]` and `unseen` `[M, K]` are the class numbers of training and test rows; `names` `[K]` are the column
    numbers when absent. Raises `DataError` for a factor of one class among the training rows, and for one without a
    class of the training part that some and not all test rows have.
    """
    for k, name in enumerate(names if names is not None else range(known.shape[1])):
        if np.ptp(known[:, k]) == 0:
            raise DataError(
                f"factor {name} has one class in all {len(known)} training rows; a factor must vary there: shuffle the "
                "rows, take out outliers that widen its range, or drop its column"
            )
        if not len(scored_classes(known[:, k], unseen[:, k])):
            raise DataError(
                f"factor {name} has no class of the {len(known)} training rows in some and not all of the "
                f"{len(unseen)} test rows; one is needed to score: shuffle the rows, take out outliers that widen its "
                "range, or drop its column"
            )


def scored_classes(known: NDArray[np.int64], unseen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Classes of the training column `known` `[N]` that some and not all rows of the test column `unseen` `[M]` have.

    Only these can be told from the rest on test rows by a model that was fitted on training rows.
    """
    both = np.intersect1d(known, unseen)
    return both if len(np.unique(unseen)) > 1 else both[:0]


def entropy_nats(classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Plug-in entropy of each column of class numbers `[N, K]`, in nats."""
    shares = [np.bincount(column)[np.bincount(column) > 0] / len(column) for column in classes.T]
    return np.array([-np.sum(share * np.log(share)) for share in shares])


def mutual_information_nats(codes: NDArray[np.int64], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Plug-in mutual information `[D, K]`, in nats, of every binned code dimension with every class factor.

    `codes` `[N, D]` and `factors` `[N, K]` hold class numbers from 0. A constant column has exactly 0, and what cannot
    be told from rounding is 0 too: scores that divide by the information would make much of it.
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
        information[:, k] = (joint * np.log(ratio)).sum((1, 2)) / count
    information[codes.min(0) == codes.max(0)] = 0.0
    return np.where(information > ROUNDING_NATS, information, 0.0)


def plug_in_bias_nats(codes: NDArray[np.int64], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Expected plug-in information `[D, K]` of columns that are in truth independent: (b_z - 1)(b_f - 1) / 2N.

    Counts occupied bins only (Miller 1955; first order in 1/N).
    """
    occupied = [np.array([len(np.unique(column)) for column in table.T]) for table in (codes, factors)]
    return np.outer(occupied[0] - 1, occupied[1] - 1) / (2 * len(codes))


def _left_edges(column: NDArray[Any], bins: int) -> NDArray[Any]:
    try:
        edges: NDArray[Any] = np.histogram_bin_edges(column, bins)
        return edges[:-1]
    except ValueError:
        if np.ptp(column) <= 2 * bins * np.spacing(np.abs(column).max()):
            return np.array([column.min()])
        raise
