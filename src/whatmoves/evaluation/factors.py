"""Which columns of a factor table are what, as the data kind says in its `FACTOR_ROLES`.

Columns end in `_1`, `_2`, … for the object they speak of. A data kind without `FACTOR_ROLES` has no known factors, and
whatever needs them is absent for it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves.evaluation.blocks import Roles
from whatmoves.evaluation.legacy import direction_bins


class Role(Protocol):
    """What a data kind says of a factor column."""

    @property
    def role(self) -> str:
        """`content`, `motion` or `derived`."""

    @property
    def kind(self) -> str:
        """`discrete` or `continuous`."""


class Targets(NamedTuple):
    """Factors `[N, K]` that metrics of codes are asked about, their names and kinds, and which are content."""

    values: NDArray[np.float64]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    content: tuple[bool, ...]

    def roles(self) -> Roles:
        """The columns by role; what is not content is motion."""
        content = [k for k, is_content in enumerate(self.content) if is_content]
        return Roles(content, [k for k, is_content in enumerate(self.content) if not is_content])


def primary(table: pd.DataFrame, roles: Mapping[str, Role]) -> Targets | None:
    """Content class and motion factors of clips with one object; None where there are none or several objects.

    Several objects are exchangeable: nothing tells a code which of them is the first. Instances are left out, being
    as many as pictures, and derived factors because they are functions of the others.
    """
    columns = [name for name in table.columns if name in roles and roles[name].role in ("content", "motion")]
    columns = [name for name in columns if not name.startswith("instance_")]
    if not columns or any(name.endswith("_2") for name in columns):
        return None
    values = table[columns].to_numpy(np.float64)
    varying = [k for k in range(len(columns)) if np.unique(values[:, k]).size > 1]
    if not varying:
        return None
    names = tuple(columns[k] for k in varying)
    return Targets(
        values[:, varying],
        names,
        tuple(roles[name].kind for name in names),
        tuple(roles[name].role == "content" for name in names),
    )


def class_columns(table: pd.DataFrame) -> list[str]:
    """Columns that name the class of each object."""
    return [name for name in table.columns if name.startswith("class_")]


def classes(table: pd.DataFrame) -> NDArray[Any] | None:
    """Sorted classes of each clip's objects `[N, O]`, or None where the table has none; equal rows look alike."""
    columns = class_columns(table)
    return np.sort(table[columns].to_numpy(), axis=1) if columns else None


def legacy_labels(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """The original's labels: class and initial direction (8 bins) of the first object, `[N]` each."""
    if not {"class_1", "velocity_x_1", "velocity_y_1"} <= set(table.columns):
        return None
    directions = direction_bins(table["velocity_x_1"].to_numpy(float), table["velocity_y_1"].to_numpy(float))
    return table["class_1"].to_numpy(np.int64), directions
