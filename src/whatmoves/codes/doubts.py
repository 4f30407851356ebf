"""What scores and yet misleads: sentences that stand beside the scores of a user's codes.

No row is dropped and none clipped: the measures are the field's, and which rows belong to the data is for their owner
to say. But a score near 0 that one row makes is not a fact about the code, so it is never given without a word.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from whatmoves.codes.discretise import entropy_nats, equal_width, mutual_information_nats, plug_in_bias_nats
from whatmoves.codes.units import steps

FEW = 0.2  # of the rows, at least one: outliers, and whatever number stands for "no value"
FAR = 10.0  # times the range of all other rows: in 20 equal-width bins these share two
HIDDEN = 0.1  # of a factor's entropy, that binned information gains without the rows far out
MOST = 0.5  # of a factor's squared deviation
UNSEEN = 0.02  # of the rows of a part, whose classes the rows before it lack
UNLIKE_SHARE, UNLIKE_P = 0.2, 1e-6  # of rows that would have to change; beyond what splitting by chance does
ROUNDING_STEPS = 4  # of a constant that was computed: what moves by more is held to mean it
COARSE_STEPS = 20


def hiding_codes(given: NDArray[Any], codes: NDArray[Any], classes: NDArray[np.int64], bins: int) -> list[str]:
    """A sentence if a few rows of `codes` `[N, D]` lie so far out that equal-width bins hide what the others tell.

    `given` holds the values as the user knows them, `classes` `[N, K]` the factors as class numbers. Rows far out that
    are told apart rightly, as those of a rare class, are no case: without them the code would tell less.
    """
    found = {}
    entropy = entropy_nats(classes)
    for d in range(codes.shape[1]):
        far = far_rows(codes[:, d])
        if not far.any():
            continue
        binned = [equal_width(codes[rows, d : d + 1], bins) for rows in (slice(None), ~far)]
        told = [mutual_information_nats(*pair) for pair in zip(binned, (classes, classes[~far]), strict=True)]
        bias = plug_in_bias_nats(binned[1], classes[~far])
        if np.any(told[1] - bias - told[0] > HIDDEN * entropy):
            found[d] = far
    spoilt = "equal-width bins hold nearly all others in one, and squared errors are its own"
    return _sentences(found, given, lambda row, d: f"codes[{row}, {d}]", spoilt)


def ruling_factors(given: NDArray[Any], factors: NDArray[Any], kinds: Sequence[str], names: Sequence[str]) -> list[str]:
    """A sentence if a few rows of a continuous factor of `factors` `[N, K]`, far from all others, have most of its
    squared deviation. `given` holds the values as the user knows them.
    """
    found = {}
    for k in (k for k, kind in enumerate(kinds) if kind == "continuous"):
        far = far_rows(factors[:, k])
        squares = np.square(factors[:, k] - np.median(factors[:, k]))
        if squares[far].sum() > MOST * squares.sum():
            found[k] = far
    return _sentences(found, given, lambda row, k: f"factor {names[k]} of row {row}", "squared errors are its own")


def resting_dimensions(codes: NDArray[Any], fitted: int) -> list[str]:
    """A sentence for the dimensions of `codes` `[N, D]` that never change in the first `fitted` rows and do later."""
    still = codes[:fitted].min(axis=0) == codes[:fitted].max(axis=0)
    found = np.flatnonzero(still & (codes.min(axis=0) < codes.max(axis=0))).tolist()
    if not found:
        return []
    named = f"dimension {found[0]} of codes" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
    return [
        f"{named} is {codes[0, found[0]]:g} in all {fitted} rows that probes are fitted on and changes later: "
        "nothing learns to read it. Are the rows sorted? Shuffle codes and factors alike"
    ]


def far_rows(column: NDArray[Any]) -> NDArray[np.bool_]:
    """Which few rows of a column `[N]` lie many ranges of all others away; none where the others never change.

    Of a column that most rows share one value of, such as the zero of a sparse code, the few are few of the others.
    """
    middle = float(np.median(column))
    values = np.sort(column.astype(np.float64))
    if np.mean(values == middle) > 1 / 2:
        values = values[values != middle]
    few = max(1, int(FEW * len(values)))
    if len(values) <= few:
        return np.zeros(len(column), bool)
    windows = values[len(values) - few - 1 :] - values[: few + 1]  # ranges without `few` values, those of either end
    first = int(windows.argmin())
    low, high = min(values[first], middle), max(values[first + len(values) - few - 1], middle)
    if not 0 < FAR * (high - low) < values[-1] - values[0]:
        return np.zeros(len(column), bool)
    return np.asarray(np.abs(column - (low + high) / 2) > FAR / 2 * (high - low))


def unlike_parts(classes: NDArray[np.int64], names: Sequence[str], fitted: int, train_count: int) -> list[str]:
    """A sentence for each factor whose classes `[N, K]` are new in a part, or spread otherwise than chance would do.

    The parts are the first `fitted` rows, those up to `train_count` (there may be none), and the rest.
    """
    found = []
    for name, column in zip(names, classes.T, strict=True):
        for one, other, part in (
            (column[:train_count], column[train_count:], f"{len(column) - train_count} test rows"),
            (column[:fitted], column[fitted:train_count], f"{train_count - fitted} rows that choose among probes"),
        ):
            if not len(other):
                continue
            counts = np.stack([np.bincount(rows, minlength=int(column.max()) + 1) for rows in (one, other)])
            counts = counts[:, counts.any(axis=0)]
            unseen = int(counts[1][counts[0] == 0].sum())
            if unseen > UNSEEN * len(other):
                found.append(
                    f"factor {name}: {unseen} of the {part} have values that none of the {len(one)} rows before them "
                    "has: nothing learns to tell these. Are the rows sorted? Shuffle codes and factors alike"
                )
                break
            moved = float(np.abs(counts[0] / len(one) - counts[1] / len(other)).sum() / 2)
            if moved > UNLIKE_SHARE and chi2_contingency(counts).pvalue < UNLIKE_P:
                found.append(
                    f"factor {name}: the {part} hold other values than the {len(one)} rows before them "
                    f"({moved:.0%} of them would have to change): what is fitted on these says little of those. "
                    "Are the rows sorted? Shuffle codes and factors alike"
                )
                break
    return found


def rounded_dimensions(codes: NDArray[Any]) -> list[int]:
    """Dimensions of `codes` `[N, D]` that move by no more than the rounding of a constant."""
    moving = codes.min(axis=0) < codes.max(axis=0)
    return list(np.flatnonzero(moving & (steps(codes) <= ROUNDING_STEPS)).tolist())


def coarse(codes: NDArray[Any], factors: NDArray[Any], kinds: Sequence[str], names: Sequence[str]) -> list[str]:
    """A sentence for each dimension of `codes` `[N, D]` and continuous factor `[N, K]` with few steps of its precision
    between its ends.
    """
    found = []
    for table, called in ((codes, None), (factors, names)):
        low, high, numbers = table.min(axis=0), table.max(axis=0), steps(table)
        for k in np.flatnonzero((low < high) & (numbers < COARSE_STEPS)).tolist():
            if called is not None and kinds[k] == "discrete":
                continue
            what = f"dimension {k} of codes" if called is None else f"factor {called[k]}"
            kept = called is not None or numbers[k] > ROUNDING_STEPS
            found.append(
                f"{what} is {low[k]:.9g} … {high[k]:.9g}: {table.dtype} has {numbers[k]:.0f} steps there, "
                f"{'to which it is rounded' if kept else 'so it is taken for constant'}. "
                "If it means more, take its offset out before you save it"
            )
    return found


def _sentences(
    found: Mapping[int, NDArray[np.bool_]], given: NDArray[Any], place: Callable[[int, int], str], spoilt: str
) -> list[str]:
    """What to say of the rows `found` in some columns of `given` `[N, D]`: the worst in numbers, the others counted."""
    if not found:
        return []

    def ratio(column: int) -> float:
        values = given[:, column].astype(np.longdouble)
        low, high = values[~found[column]].min(), values[~found[column]].max()
        return float(np.maximum(low - values, values - high).max() / (high - low))

    d = max(found, key=ratio)
    values, far = given[:, d].astype(np.longdouble), found[d]
    low, high = values[~far].min(), values[~far].max()
    row = int(np.maximum(low - values, values - high).argmax())
    others = f", {far.sum() - 1} more row{'s' * bool(far.sum() > 2)} as well" if far.sum() > 1 else ""
    columns = f" (and so in {len(found) - 1} more column{'s' * (len(found) > 2)})" if len(found) > 1 else ""
    return [
        f"{place(row, d)} is {given[row, d]:g}, {ratio(d):.2g} times the range of the other rows ({low:g} … {high:g}) "
        f"away{others}{columns}. Beside it {spoilt}: a score near 0 says nothing. Take such rows out if they are errors"
    ]
