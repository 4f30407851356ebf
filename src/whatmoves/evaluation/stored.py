"""How an evaluation stores what judging reads: factor tables by part, and arrays by seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PARTS = ("train", "validation", "test")
FACTORS = "factors"

Arrays = dict[str, NDArray[Any]]


def by_seed(word: str, seed: int, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """The arrays of one seed under names that tell it: `<word><seed>_<name>`."""
    return {f"{word}{seed}_{name}": array for name, array in arrays.items()}


def of_seed(arrays: Mapping[str, NDArray[Any]], word: str, seed: int) -> Arrays:
    """The inverse of `by_seed`."""
    prefix = f"{word}{seed}_"
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def columns(part: str, table: pd.DataFrame) -> Arrays:
    """A factor table as arrays `factors_<part>_<column>` `[N]`, and `factor_names` in the order of the table."""
    arrays: Arrays = {f"{FACTORS}_{part}_{name}": table[name].to_numpy() for name in table.columns}
    return {"factor_names": np.array(list(table.columns), np.str_), **arrays}


def table(arrays: Mapping[str, NDArray[Any]], part: str) -> pd.DataFrame:
    """The inverse of `columns`."""
    return pd.DataFrame({name: arrays[f"{FACTORS}_{part}_{name}"] for name in arrays["factor_names"].tolist()})
