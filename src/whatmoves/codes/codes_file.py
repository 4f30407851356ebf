"""The file of `whatmoves score`: read and checked in full before anything is computed.

Whatever is missing, not finite, constant, too short or out of range raises one `DataError` that names it, its value and
what to do. What scores and yet misleads is told in `Coded.warnings`.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.discretise import KINDS, check_classes, factor_classes
from whatmoves.codes.doubts import (
    coarse,
    hiding_codes,
    resting_dimensions,
    rounded_dimensions,
    ruling_factors,
    unlike_parts,
)
from whatmoves.codes.rows import Blocks, Roles, Rows
from whatmoves.codes.units import in_own_units, own_factor
from whatmoves.errors import DataError

NEEDED = ("codes", "factors", "factor_kinds")
ROLE_ARRAYS = ("content_factors", "motion_factors", "content_dims", "motion_dims")
KNOWN = (*NEEDED, "n_train", "factor_names", *ROLE_ARRAYS)
CODE_BINS = 20
FACTOR_BINS = 10
TRAIN_SHARE = 2 / 3  # of the rows, when the file does not say
VALIDATION_SHARE = 1 / 5  # of the training rows, the last ones
FEWEST_TEST_ROWS = 20
WORST_BIAS = 0.5  # of a factor's entropy: beyond it, a code that knows nothing looks as if it knew half


class Coded(NamedTuple):
    """A checked file: all rows, how many are for training, and what the optional arrays say.

    Codes and continuous factors are in units of their own (`whatmoves.codes.units`), `other_units` where some
    dimension had to be changed for that. `warnings` are sentences for the user.
    """

    rows: Rows
    train_count: int
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    blocks: Blocks | None
    roles: Roles | None
    other_units: bool
    warnings: tuple[str, ...]

    @property
    def halves(self) -> tuple[Rows, Rows]:
        """Training and test rows, in the order of the file."""
        count = self.train_count
        codes, factors = self.rows
        return Rows(codes[:count], factors[:count]), Rows(codes[count:], factors[count:])

    @property
    def parts(self) -> tuple[Rows, Rows, Rows]:
        """Training, validation and test rows, in the order of the file."""
        fitted = fitted_rows(self.train_count)
        borders = ((0, fitted), (fitted, self.train_count), (self.train_count, len(self.rows.codes)))
        train, validation, test = (Rows(self.rows.codes[a:b], self.rows.factors[a:b]) for a, b in borders)
        return train, validation, test


def fitted_rows(train_count: int) -> int:
    """How many of the training rows probes are fitted on, the first ones; the rest chooses among them."""
    return train_count - round(train_count * VALIDATION_SHARE)


def read_codes(path: Path) -> Coded:
    """The checked contents of `path`; raises `DataError` in one line that says what is wrong and how to mend it."""
    arrays, unknown = _arrays(path)
    given, told = _table(path, "codes", arrays["codes"]), _table(path, "factors", arrays["factors"])
    if len(given) != len(told):
        raise DataError(f"{path}: codes has {len(given)} rows and factors {len(told)}; both need one row a sample")
    kinds = _words(path, "factor_kinds", arrays["factor_kinds"])
    names = _words(path, "factor_names", arrays.get("factor_names", np.arange(told.shape[1])))
    for label, found in (("factor_kinds", kinds), ("factor_names", names)):
        if len(found) != told.shape[1]:
            raise DataError(f"{path}: {label} has {len(found)} entries; expected {told.shape[1]}, one a factor column")
    for k, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if kind not in KINDS:
            raise DataError(f"{path}: factor_kinds of factor {name} is '{kind}'; expected one of {', '.join(KINDS)}")
        if names.index(name) < k:
            raise DataError(
                f"{path}: factor_names has '{name}' for columns {names.index(name)} and {k}; "
                "every factor needs a name of its own"
            )
    train_count = _train_count(path, arrays, len(given))
    _check_varying(path, told, names, train_count)
    codes = in_own_units(given, together=True)
    codes[:, rounded_dimensions(given)] = 0
    factors = np.stack([own_factor(told[:, k], kind) for k, kind in enumerate(kinds)], axis=1)
    classes = _check_factors(path, told, factors, kinds, names, train_count)
    roles = _roles(path, arrays, names)
    with np.errstate(over="ignore"):  # of numbers wider than doubles
        other_units = not np.allclose(codes, given.astype(np.float64), rtol=1e-6, atol=0)
    warnings = (
        *unknown,
        *coarse(given, told, kinds, names),
        *hiding_codes(given, codes, classes, CODE_BINS),
        *ruling_factors(told, factors, kinds, names),
        *resting_dimensions(codes, fitted_rows(train_count)),
        *unlike_parts(classes, names, fitted_rows(train_count), train_count),
    )
    blocks = _blocks(path, arrays, codes.shape[1], roles)
    return Coded(Rows(codes, factors), train_count, kinds, names, blocks, roles, other_units, warnings)


def _arrays(path: Path) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The arrays of the file that have a meaning here, and a warning for each whose name is nearly one of theirs."""
    if not path.exists():
        raise DataError(f"{path}: no such file")
    if path.is_dir() or not zipfile.is_zipfile(path):
        what = "a folder" if path.is_dir() else "no .npz file, or only a part of one"
        raise DataError(f"{path}: is {what}; write it with numpy.savez(path, codes=…, factors=…, factor_kinds=…)")
    arrays: dict[str, NDArray[Any]] = {}
    name = ""
    try:
        with np.load(path, allow_pickle=False) as archive:
            held = list(archive.files)
            for name in KNOWN:
                if name in held:
                    arrays[name] = np.asarray(archive[name])
    except (
        ValueError,
        OSError,
        EOFError,
        MemoryError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = (
            "it holds Python objects"
            if "allow_pickle" in str(error)
            else " ".join(str(error).split()) or type(error).__name__
        )
        raise DataError(
            f"{path}: {f'array {name!r}' if name else 'the file'} is not readable ({reason}); "
            "save plain arrays of numbers or text with numpy.savez"
        ) from None
    for name in NEEDED:
        if name not in arrays:
            raise DataError(
                f"{path}: array '{name}' is missing; expected codes [N, D], factors [N, K], factor_kinds [K]; "
                f"the file holds {', '.join(held) or 'nothing'}"
            )
    absent = [name for name in KNOWN if name not in arrays]
    strangers = [(name, get_close_matches(name.lower(), absent, 1, 0.75)) for name in held if name not in KNOWN]
    return arrays, [f"array '{name}' is not read; was '{near[0]}' meant?" for name, near in strangers if near]


def _table(path: Path, name: str, table: NDArray[Any]) -> NDArray[Any]:
    if table.dtype.kind == "U":
        raise DataError(
            f"{path}: {name} holds text; expected numbers: numpy.unique(words, return_inverse=True)[1] "
            "numbers the words of a factor"
        )
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
    return table


def _words(path: Path, name: str, array: NDArray[Any]) -> tuple[str, ...]:
    """The entries of an array of text, one a factor."""
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"{path}: {name} holds bytes that are not UTF-8; save it as text") from None
    return tuple(" ".join(str(word).split()) for word in array.reshape(-1).tolist())


def _train_count(path: Path, arrays: dict[str, NDArray[Any]], rows: int) -> int:
    given = arrays.get("n_train")
    if given is None:
        count = round(rows * TRAIN_SHARE)
        if rows - count < FEWEST_TEST_ROWS:
            raise DataError(
                f"{path}: too few rows ({rows}): without n_train a third of them is for tests, "
                f"which takes {FEWEST_TEST_ROWS}; give {3 * FEWEST_TEST_ROWS} rows or more"
            )
        return count
    value = given.reshape(-1)[0] if given.size == 1 else None
    if value is None or given.dtype.kind not in "iuf" or not np.isfinite(value) or value % 1 != 0:
        shown = f"{given.dtype} {list(given.shape)}" if value is None else repr(given.reshape(-1).tolist()[0])
        raise DataError(
            f"{path}: n_train is {shown}; expected one whole number: how many of the rows, from the first, are for "
            "training"
        )
    count = int(value)
    if not 0 < count <= rows - FEWEST_TEST_ROWS:
        raise DataError(
            f"{path}: n_train is {count} of {rows} rows; "
            f"expected some training rows and at least {FEWEST_TEST_ROWS} test rows"
        )
    return count


def _check_varying(path: Path, factors: NDArray[Any], names: Sequence[str], train_count: int) -> None:
    """Refuse factors that never change in the rows of a part, nor in those of it that probes are fitted on."""
    fitted = fitted_rows(train_count)
    for rows, where in (
        (factors[:train_count], f"all {train_count} training rows"),
        (factors[train_count:], f"all {len(factors) - train_count} test rows"),
        (factors[:fitted], f"all {fitted} rows that probes are fitted on, the first of {train_count} training rows"),
    ):
        for k in np.flatnonzero(rows.min(axis=0) == rows.max(axis=0)).tolist():
            raise DataError(
                f"{path}: factor {names[k]} is {rows[0, k]:g} in {where}; "
                "a factor must vary: drop its column or shuffle the rows"
            )


def _check_factors(
    path: Path,
    given: NDArray[Any],
    factors: NDArray[np.float64],
    kinds: Sequence[str],
    names: Sequence[str],
    train_count: int,
) -> NDArray[np.int64]:
    """The class numbers `[N, K]` of factors that can be scored, as `given` and in units of their own."""
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
        between = (
            given[:, k][given[:, k] % 1 != 0] if kinds[k] == "discrete" and given.dtype.kind == "f" else given[:0, k]
        )
        if len(between):
            raise DataError(
                f"{path}: factor {names[k]} is discrete but holds {between.min():g}; "
                "number its classes 0, 1, …, or mark it continuous"
            )
    with named(path):
        check_classes(classes[:train_count], classes[train_count:], names)
    return classes


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the file's name before the message of a `DataError` that was raised where only arrays are known."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _indices(path: Path, name: str, values: NDArray[Any], size: int, names: Sequence[str]) -> NDArray[np.int64]:
    values = values.reshape(-1)
    if values.dtype.kind in "US":
        words = _words(path, name, values)
        unknown = [word for word in words if word not in names]
        if unknown:
            known = f"one of {', '.join(names)}" if names else "numbers of dimensions"
            raise DataError(f"{path}: {name} names '{unknown[0]}'; expected {known}")
        values = np.array([names.index(word) for word in words], dtype=np.int64)
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
