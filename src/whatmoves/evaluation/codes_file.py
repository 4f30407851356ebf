"""The file of `whatmoves score`: read and checked in full before anything is computed.

Whatever is missing, not finite, constant, too short or out of range raises one `DataError` that names it, its value and
what to do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError
from whatmoves.evaluation.blocks import Blocks, Roles
from whatmoves.evaluation.discretise import KINDS, check_classes, factor_classes
from whatmoves.evaluation.rows import Rows
from whatmoves.files import read_arrays

CODE_BINS = 20
FACTOR_BINS = 10
TRAIN_SHARE = 2 / 3  # of the rows, when the file does not say
VALIDATION_SHARE = 1 / 5  # of the training rows, the last ones
FEWEST_TEST_ROWS = 20
WORST_BIAS = 0.5  # of a factor's entropy: beyond it, a code that knows nothing looks as if it knew half
LARGEST = 1e30  # trees and probes hold codes in single precision, which ends at 3e38; their sums need room
SMALLEST_RANGE = 1e-30  # of a factor: the squares of smaller ones leave double precision


class Coded(NamedTuple):
    """A checked file: all rows, how many are for training, and what the optional arrays say."""

    rows: Rows
    train_count: int
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    blocks: Blocks | None
    roles: Roles | None

    @property
    def halves(self) -> tuple[Rows, Rows]:
        """Training and test rows, in the order of the file."""
        count = self.train_count
        codes, factors = self.rows
        return Rows(codes[:count], factors[:count]), Rows(codes[count:], factors[count:])

    @property
    def parts(self) -> tuple[Rows, Rows, Rows]:
        """Training, validation and test rows, in the order of the file."""
        fitted = self.train_count - round(self.train_count * VALIDATION_SHARE)
        borders = ((0, fitted), (fitted, self.train_count), (self.train_count, len(self.rows.codes)))
        train, validation, test = (Rows(self.rows.codes[a:b], self.rows.factors[a:b]) for a, b in borders)
        return train, validation, test


def read_codes(path: Path) -> Coded:
    """The checked contents of `path`; raises `DataError` in one line that says what is wrong and how to mend it."""
    arrays = read_arrays(path)
    for name in ("codes", "factors", "factor_kinds"):
        if name not in arrays:
            raise DataError(
                f"{path}: array '{name}' is missing; expected codes [N, D], factors [N, K], factor_kinds [K]"
            )
    codes, factors = _table(path, "codes", arrays["codes"]), _table(path, "factors", arrays["factors"])
    if len(codes) != len(factors):
        raise DataError(f"{path}: codes has {len(codes)} rows and factors {len(factors)}; both need one row a sample")
    kinds = tuple(str(kind) for kind in np.atleast_1d(arrays["factor_kinds"]))
    names = tuple(str(name) for name in np.atleast_1d(arrays.get("factor_names", np.arange(factors.shape[1]))))
    for label, found in (("factor_kinds", kinds), ("factor_names", names)):
        if len(found) != factors.shape[1]:
            raise DataError(
                f"{path}: {label} has {len(found)} entries; expected {factors.shape[1]}, one a factor column"
            )
    for name, kind in zip(names, kinds, strict=True):
        if kind not in KINDS:
            raise DataError(f"{path}: factor_kinds of factor {name} is '{kind}'; expected one of {', '.join(KINDS)}")
    train_count = _train_count(path, arrays, len(codes))
    _check_factors(path, factors, kinds, names, train_count)
    roles = _roles(path, arrays, names)
    return Coded(Rows(codes, factors), train_count, kinds, names, _blocks(path, arrays, codes.shape[1], roles), roles)


def _table(path: Path, name: str, table: NDArray[Any]) -> NDArray[Any]:
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "fiub":
        raise DataError(
            f"{path}: {name} is {table.dtype} {list(table.shape)}; expected a table of numbers, one row a sample"
        )
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f"{path}: {name}[{row}, {column}] is {table[row, column]}, the first of {len(bad)} such values; "
            "every value must be finite: drop those rows"
        )
    large = np.argwhere(np.abs(table) > LARGEST) if table.dtype.kind == "f" else bad
    if len(large):
        row, column = large[0]
        raise DataError(
            f"{path}: {name}[{row}, {column}] is {table[row, column]:g}; every value must be within ±{LARGEST:g}: "
            "give the column in larger units"
        )
    return table.astype(np.float64) if table.dtype.kind in "iub" else table


def _train_count(path: Path, arrays: dict[str, NDArray[Any]], rows: int) -> int:
    count = int(np.asarray(arrays.get("n_train", round(rows * TRAIN_SHARE))).reshape(-1)[0])
    if not 0 < count <= rows - FEWEST_TEST_ROWS:
        raise DataError(
            f"{path}: n_train is {count} of {rows} rows; "
            f"expected some training rows and at least {FEWEST_TEST_ROWS} test rows"
        )
    return count


def _check_factors(
    path: Path, factors: NDArray[Any], kinds: Sequence[str], names: Sequence[str], train_count: int
) -> None:
    for part, rows in (("training", factors[:train_count]), ("test", factors[train_count:])):
        for k in np.flatnonzero(np.ptp(rows, axis=0) == 0).tolist():
            raise DataError(
                f"{path}: factor {names[k]} is {rows[0, k]:g} in all {len(rows)} {part} rows; "
                "a factor must vary: drop its column or shuffle the rows"
            )
        for k in np.flatnonzero(np.ptp(rows, axis=0) < SMALLEST_RANGE).tolist():
            raise DataError(
                f"{path}: factor {names[k]} has a range of {np.ptp(rows[:, k]):g} in the {part} rows; "
                f"at least {SMALLEST_RANGE:g} is needed: give it in smaller units"
            )
    with named(path):
        classes = factor_classes(factors, kinds, FACTOR_BINS, names)
    for k, column in enumerate(classes[:train_count].T):
        shares = np.bincount(column)[np.bincount(column) > 0] / train_count
        bias, entropy = (CODE_BINS - 1) * (len(shares) - 1) / (2 * train_count), -float(np.sum(shares * np.log(shares)))
        if bias > WORST_BIAS * entropy:
            needed = int(np.ceil((CODE_BINS - 1) * (len(shares) - 1) / (2 * WORST_BIAS * entropy)))
            raise DataError(
                f"{path}: {train_count} training rows are too few for factor {names[k]} with {len(shares)} classes: "
                f"a useless code would show {bias:.2f} of its {entropy:.2f} nats; give {needed} rows or more, "
                "or mark a factor of many values continuous"
            )
    with named(path):
        check_classes(classes[:train_count], classes[train_count:], names)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the file's name before the message of a `DataError` that was raised where only arrays are known."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _indices(path: Path, name: str, values: NDArray[Any], size: int, names: Sequence[str]) -> NDArray[np.int64]:
    values = np.atleast_1d(values)
    if values.dtype.kind == "U":
        unknown = [str(value) for value in values if str(value) not in names]
        if unknown:
            raise DataError(f"{path}: {name} names '{unknown[0]}'; expected one of {', '.join(names)}")
        return np.array([names.index(str(value)) for value in values], dtype=np.int64)
    if values.dtype.kind not in "iu" or values.size == 0 or len(np.unique(values)) != values.size:
        raise DataError(f"{path}: {name} is {values.tolist()}; expected one or more different whole numbers")
    if values.min() < 0 or values.max() >= size:
        raise DataError(f"{path}: {name} holds {values.tolist()}; every index must be in 0…{size - 1}")
    return values.astype(np.int64)


def _pair(
    path: Path, arrays: dict[str, NDArray[Any]], what: str, size: int, names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """The arrays `content_<what>` and `motion_<what>`, or None when both are absent."""
    wanted = (f"content_{what}", f"motion_{what}")
    given = [name for name in wanted if name in arrays]
    if not given:
        return None
    if len(given) == 1:
        raise DataError(f"{path}: {given[0]} is there without its other half; give both of {' and '.join(wanted)}")
    content, motion = (_indices(path, name, arrays[name], size, names) for name in wanted)
    both = np.intersect1d(content, motion)
    if len(both):
        raise DataError(f"{path}: {int(both[0])} is in both {wanted[0]} and {wanted[1]}; each index has one role")
    return content, motion


def _roles(path: Path, arrays: dict[str, NDArray[Any]], names: Sequence[str]) -> Roles | None:
    pair = _pair(path, arrays, "factors", len(names), names)
    return None if pair is None else Roles(pair[0].tolist(), pair[1].tolist())


def _blocks(path: Path, arrays: dict[str, NDArray[Any]], width: int, roles: Roles | None) -> Blocks | None:
    pair = _pair(path, arrays, "dims", width, ())
    if pair is not None and roles is None:
        raise DataError(f"{path}: content_dims needs content_factors and motion_factors, to know what belongs where")
    return None if pair is None else Blocks(*pair)
