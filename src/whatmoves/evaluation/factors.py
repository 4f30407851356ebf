"""Which columns of a factor table are what, as the data kind says in its `FACTOR_ROLES`.

Columns end in `_1`, `_2`, … for the object they speak of. Nothing tells a code which of several objects is the first,
so only what is the same in every order is a target. A data kind without `FACTOR_ROLES` has no known factors, and
whatever needs them is absent for it.
"""

from collections.abc import Container, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves.codes.rows import Roles
from whatmoves.evaluation.legacy import direction_bins

NO_TARGETS = "clips have no known factors, or several objects with more to them than a class and a path"
SHOWS = "shows_"  # begins the names of the targets that say whether a class is shown


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

    def only(self, names: Container[str]) -> "Targets":
        """The columns `names`, in the order they have here."""
        kept = [k for k, name in enumerate(self.names) if name in names]
        return Targets(
            self.values[:, kept],
            tuple(self.names[k] for k in kept),
            tuple(self.kinds[k] for k in kept),
            tuple(self.content[k] for k in kept),
        )


def primary(table: pd.DataFrame, roles: Mapping[str, Role]) -> Targets | None:
    """Content class and motion factors of clips; of several objects `unordered` ones. None where nothing varies.

    Instances are left out, being as many as pictures, and derived factors because they are functions of the others.
    """
    columns = [name for name in table.columns if name in roles and roles[name].role in ("content", "motion")]
    columns = [name for name in columns if not name.startswith("instance_")]
    if any(name.endswith("_2") for name in columns):
        return unordered(table, columns, roles)
    kinds, content = [roles[name].kind for name in columns], [roles[name].role == "content" for name in columns]
    return _varying(table[columns].to_numpy(np.float64), columns, kinds, content)


def unordered(table: pd.DataFrame, columns: Sequence[str], roles: Mapping[str, Role]) -> Targets | None:
    """What can be known of clips with several objects without knowing which is the first: the same in every order.

    Content: for each class c whether it is shown, `shows_c`. Motion: of each continuous factor the mean over objects
    and the deviation (of two: half their distance), and the covariance over objects of each factor with the next.

    Of two objects this fixes classes and paths up to the order: mean and deviation give both values of a factor, the
    chain of covariances which value of one goes with which of another. Which class goes along which path is not asked,
    being neither content nor motion. Deviations and covariances are curved functions of codes that hold one object
    after the other; probes read them all the same (BlockGap 0.99 from 2000 clips). Of three objects it is a summary.

    Discrete motion factors are left out. None where objects have other content than a class, or clips factors of no
    object: then these are not all there is to know.
    """
    names = [name.removesuffix("_1") for name in columns if name.endswith("_1")]
    objects = range(1, 1 + len(columns) // max(len(names), 1))
    numbered = {f"{name}_{number}" for name in names for number in objects}
    if set(columns) != numbered or [name for name in names if roles[f"{name}_1"].role == "content"] != ["class"]:
        return None

    def of_objects(name: str) -> NDArray[np.float64]:
        return table[[f"{name}_{number}" for number in objects]].to_numpy(np.float64)  # [N, O]

    shown = of_objects("class")
    content = {f"{SHOWS}{label:g}": (shown == label).any(1).astype(np.float64) for label in np.unique(shown)}
    moving = [name for name in names if (roles[f"{name}_1"].role, roles[f"{name}_1"].kind) == ("motion", "continuous")]
    motion: dict[str, NDArray[np.float64]] = {}
    centred: dict[str, NDArray[np.float64]] = {}  # [N, O] each
    for name in moving:
        motion[f"mean_{name}"] = _over_objects(of_objects(name))
        centred[name] = of_objects(name) - motion[f"mean_{name}"][:, None]
        motion[f"spread_{name}"] = np.sqrt(_over_objects(centred[name] ** 2))
    for one, other in pairwise(moving):
        motion[f"covariance_{one}_{other}"] = _over_objects(centred[one] * centred[other])
    return _varying(
        np.column_stack([*content.values(), *motion.values()]),
        [*content, *motion],
        ["discrete"] * len(content) + ["continuous"] * len(motion),
        [True] * len(content) + [False] * len(motion),
    )


def of_parts(tables: Mapping[str, pd.DataFrame], roles: Mapping[str, Role]) -> dict[str, Targets] | None:
    """`primary` of several parts, with the columns that vary in all of them; None where some part has none.

    A class may be shown in one part and not in a small other one: columns must mean the same in all.
    """
    found = {part: primary(table, roles) for part, table in tables.items()}
    targets = {part: target for part, target in found.items() if target is not None}
    shared = set.intersection(*(set(target.names) for target in targets.values())) if targets else set()
    if len(targets) < len(found) or not shared:
        return None
    return {part: target.only(shared) for part, target in targets.items()}


def short(name: str) -> str:
    """A target's name without the `_1` of a clip's only object; the 1 of `shows_1` is a class."""
    return name if name.startswith(SHOWS) else name.removesuffix("_1")


def _over_objects(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of rows `[N, O]`, summed in the order of the values: rounding must not tell the order of objects either."""
    return np.asarray(np.sort(values, axis=1).mean(1), np.float64)


def _varying(
    values: NDArray[np.float64], names: Sequence[str], kinds: Sequence[str], content: Sequence[bool]
) -> Targets | None:
    """The columns that are not constant, or None where all are."""
    varying = {names[k] for k in range(len(names)) if np.unique(values[:, k]).size > 1}
    return Targets(values, tuple(names), tuple(kinds), tuple(content)).only(varying) if varying else None


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
