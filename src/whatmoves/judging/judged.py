"""What judges said of clips, as numbers that are read without a network: digit sets, agreement, how it is stored."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CLASSES = 10
FEWEST_DRAWN = 100  # pairs half of whose code is redrawn; half of the pairs where that is more
LED_PAIRS = 12  # pairs whose codes are led from one to the other
STEPS = 7  # clips on each such way, both ends included

Arrays = dict[str, NDArray[Any]]


class Judged(NamedTuple):
    """`digits` `[N, 10]` by the first judge, `second_digits` by the second (None if it was not asked), `frame_digits`
    `[N, T, 10]` of the first judge frame by frame, `paths` `[N, T, O, 2]`: centres (y, x) in pixels, and `sizes` `[N]`
    of the digit of each clip, None where digits have one size or clips several digits."""

    digits: NDArray[np.float64]
    second_digits: NDArray[np.float64] | None
    frame_digits: NDArray[np.float64]
    paths: NDArray[np.float64]
    sizes: NDArray[np.float64] | None = None


def stored(name: str, judged: Judged) -> Arrays:
    """What is judged as arrays `<name>_<field>`."""
    return {f"{name}_{field}": array for field, array in judged._asdict().items() if array is not None}


def answer(arrays: Mapping[str, NDArray[Any]], name: str) -> Judged:
    """The inverse of `stored`."""
    return Judged(*(arrays.get(f"{name}_{field}") for field in Judged._fields))  # type: ignore[arg-type]


def drawn_pairs(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The swaps half of whose code is also redrawn."""
    return pairs[: max(FEWEST_DRAWN, len(pairs) // 2)]


def led_pairs(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The swaps whose codes are also led from one to the other."""
    return pairs[:LED_PAIRS]


def digit_sets(chances: NDArray[np.float64], digits: int) -> NDArray[np.bool_]:
    """The likeliest set of 1 … `digits` classes `[…, 10]` for chances `[…, 10]`."""
    order = np.argsort(-chances, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    enough = (chances > 0.5) if digits > 1 else np.zeros(chances.shape, bool)
    chosen: NDArray[np.bool_] = (rank == 0) | (enough & (rank < digits))
    return chosen


def true_sets(factors: pd.DataFrame) -> NDArray[np.bool_]:
    """The classes a clip shows, `[N, 10]`."""
    shown = np.zeros((len(factors), CLASSES), bool)
    for column in (name for name in factors.columns if name.startswith("class_")):
        shown[np.arange(len(factors)), factors[column].to_numpy(np.int64)] = True
    return shown


def kappa(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Cohen's kappa between two judges' digit sets `[N, 10]`, each distinct set being a category."""
    from sklearn.metrics import cohen_kappa_score  # takes a second, which evaluations that only ask need not pay

    powers = 2 ** np.arange(first.shape[1])
    one, two = first @ powers, second @ powers
    if len(np.unique(np.concatenate([one, two]))) == 1:
        return 1.0  # both always say the same one thing; the formula would divide 0 by 0
    return float(cohen_kappa_score(one, two))
