"""Tables in units of their own: what a user's scale and offset cost in floating point is taken out.

A unit is no information, but trees hold codes in single precision, and probes call an axis dead by absolute bounds: the
same code in metres and in light years would score differently. Only what is out of the ordinary is changed, and scales
by a power of two, which changes no digit: ordinary codes score to the bit as those of the paper's models do.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.discretise import labels

FARTHEST = 1024  # ranges from zero: nearer, single precision keeps 14 binary digits of the range
WIDEST = 8  # binary orders of magnitude to either side: whitening calls an axis dead that is 17 below the largest
ORDINARY = 12  # binary orders of magnitude that ranges may lie from 1 before any bound of the measures is near
DOUBLE_ENDS = 500  # binary orders of magnitude from which squares leave double precision


def in_own_units(table: NDArray[Any], together: bool) -> NDArray[np.floating[Any]]:
    """`table` `[N, D]` of numbers as floats, with no column far from zero for its range, and ranges of ordinary size.

    `together` keeps the relative size of columns, which principal components look at, as far as precision allows;
    without it each column is on its own. Single precision stays single where nothing is changed.
    """
    if together and table.dtype.kind == "f":  # numbers whose squares leave double precision, all by one factor
        middle = int(np.median(np.frexp(np.abs(table).max(axis=0))[1]))
        table = np.ldexp(table, -middle) if abs(middle) > DOUBLE_ENDS else table
    near = [_near_zero(column) for column in table.T]
    single = table.dtype.kind == "f" and table.dtype.itemsize == 4
    if single and all(column is None for column in near):
        moved = table.astype(np.float32, order="C")  # in this machine's byte order
    else:
        columns = [table[:, d].astype(np.float64) if column is None else column for d, column in enumerate(near)]
        moved = np.stack(columns, axis=1)
    ranges = np.max(moved, axis=0).astype(np.float64) - np.min(moved, axis=0)  # [D]
    alive = ranges > 0
    orders = np.where(alive, np.frexp(ranges)[1], 0)
    if not alive.any() or (np.ptp(orders[alive]) <= 2 * WIDEST and np.abs(orders).max() <= ORDINARY):
        return moved
    middle = int(np.median(orders[alive])) if together else 0
    wanted = np.clip(orders - (middle if abs(middle) > WIDEST else 0), -WIDEST, WIDEST)
    return np.asarray(np.ldexp(moved.astype(np.float64), np.where(alive, wanted - orders, 0)), np.float64)


def own_factor(column: NDArray[Any], kind: str) -> NDArray[np.float64]:
    """A factor `[N]` in doubles: numbers in units of their own, class numbers as they are unless doubles merge them."""
    if kind == "continuous":
        return in_own_units(column[:, None], together=False)[:, 0].astype(np.float64)
    with np.errstate(over="ignore"):  # of numbers wider than doubles
        doubles = column.astype(np.float64)
    return doubles if np.all(np.abs(doubles) < 2**53) else labels(column).astype(np.float64)


def steps(table: NDArray[Any]) -> NDArray[np.float64]:
    """How many numbers of its own precision each column of a float `table` `[N, D]` has between its ends.

    Whole numbers are not rounded: infinitely many.
    """
    if table.dtype.kind != "f":
        return np.full(table.shape[1], np.inf)
    low, high = table.min(axis=0), table.max(axis=0)
    spacing = 2 * np.spacing(np.maximum(np.abs(low), np.abs(high)) / 2)  # of the largest double itself it is infinite
    return np.asarray(high / spacing - low / spacing, np.float64)


def _near_zero(column: NDArray[Any]) -> NDArray[np.float64] | None:
    """`column` `[N]` in doubles less its minimum; None where it lies near zero for its range, or never changes.

    The offset is taken out in the column's own precision: nanoseconds since 1970 do not fit into double precision,
    their differences do.
    """
    low, high = column.min(), column.max()
    if low == high or column.dtype.kind == "b":
        return None
    if column.dtype.kind in "iu":
        if max(abs(int(low)), abs(int(high))) <= FARTHEST * (int(high) - int(low)):
            return None
        # Modulo 2⁶⁴ every difference of whole numbers is exact.
        differences: NDArray[np.uint64] = np.subtract(column, low, dtype=np.uint64, casting="unsafe")
        return differences.astype(np.float64)
    wide: NDArray[Any] = column.astype(np.promote_types(column.dtype, np.float64))
    order = int(np.frexp(np.abs(wide).max())[1])
    if abs(order) > DOUBLE_ENDS:
        wide = np.ldexp(wide, -order)
    low, high = wide.min(), wide.max()
    far = max(abs(low), abs(high)) > FARTHEST * (high - low)
    if not far and abs(order) <= DOUBLE_ENDS:
        return None
    moved: NDArray[np.float64] = (wide - low if far else wide).astype(np.float64)
    return moved
