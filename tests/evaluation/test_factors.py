"""Targets of several objects: the same in every order, enough to give two paths back, and none where more is known."""

from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest

from whatmoves.data import moving_digits, push_world
from whatmoves.data.moving_digits import FACTOR_ROLES, Config
from whatmoves.evaluation.factors import Targets, of_parts, primary, short

MOTION = ("start_y", "start_x", "velocity_y", "velocity_x")


def drawn(digits: int, clips: int = 300) -> pd.DataFrame:
    config = Config(digits=digits, image_px=16, digit_px=8, frames=2)
    return moving_digits.MovingDigits(config, None).train_split(clips).factors  # type: ignore[arg-type]


def reordered(table: pd.DataFrame, order: tuple[int, ...]) -> pd.DataFrame:
    """The table with the columns of object `order[k]` as those of object k + 1."""
    names = {f"{name[:-2]}_{k}": name for name in table for k, of in enumerate(order, 1) if name.endswith(f"_{of}")}
    return pd.DataFrame({name: table[names[name]] for name in table})


def found(table: pd.DataFrame) -> Targets:
    targets = primary(table, FACTOR_ROLES)
    assert targets is not None
    return targets


@pytest.mark.parametrize("digits", [2, 3])
def test_the_order_of_objects_changes_no_target(digits: int) -> None:
    table = drawn(digits)
    first = found(table)
    for order in permutations(range(1, digits + 1)):
        other = found(reordered(table, order))
        assert other[1:] == first[1:]
        np.testing.assert_array_equal(other.values, first.values)  # to the last bit


def test_by_hand() -> None:
    rows = {"class": (3, 7), "start_y": (2.0, 6.0), "start_x": (9.0, 1.0), "velocity_y": (1.0, 1.0)}
    again = {"class": (3, 3), "start_y": (0.0, 1.0), "start_x": (0.0, 1.0), "velocity_y": (0.0, 4.0)}
    table = pd.DataFrame(
        [{f"{name}_{o + 1}": values[o] for name, values in row.items() for o in (0, 1)} for row in (rows, again)]
    )
    targets = found(table)
    named = dict(zip(targets.names, targets.values.T.tolist(), strict=True))
    assert named == {  # a 3 is always shown: constant, dropped
        "shows_7": [1, 0],
        "mean_start_y": [4, 0.5],
        "spread_start_y": [2, 0.5],
        "mean_start_x": [5, 0.5],
        "spread_start_x": [4, 0.5],
        "mean_velocity_y": [1, 2],
        "spread_velocity_y": [0, 2],
        "covariance_start_y_start_x": [-8, 0.25],
        "covariance_start_x_velocity_y": [0, 1],
    }
    assert targets.kinds == ("discrete",) + 8 * ("continuous",)
    assert targets.content == (True,) + 8 * (False,)


def test_two_paths_can_be_had_back_from_their_targets() -> None:
    table = drawn(2)
    targets = found(table)
    known = dict(zip(targets.names, targets.values.T, strict=True))
    signs = [np.ones(len(table))]  # of object 1 against the mean, from factor to factor; the first is free
    for one, other in pairwise(MOTION):
        signs.append(signs[-1] * np.sign(known[f"covariance_{one}_{other}"]))
    steps = np.column_stack([sign * known[f"spread_{name}"] for sign, name in zip(signs, MOTION, strict=True)])
    mean = np.column_stack([known[f"mean_{name}"] for name in MOTION])
    truth = [table[[f"{name}_{o}" for name in MOTION]].to_numpy() for o in (1, 2)]
    errors = [
        np.maximum(abs(mean + steps - truth[a]), abs(mean - steps - truth[b])).max(1) for a, b in ((0, 1), (1, 0))
    ]
    assert np.minimum(*errors).max() < 1e-9


def test_one_object_is_asked_its_own_columns() -> None:
    table = drawn(1)
    targets = found(table)
    names = ("class_1", *(f"{name}_1" for name in MOTION))
    assert targets.names == names
    np.testing.assert_array_equal(targets.values, table[list(names)].to_numpy(float))
    assert targets.kinds == ("discrete",) + 4 * ("continuous",)
    assert targets.content == (True,) + 4 * (False,)
    assert primary(table.iloc[:1], FACTOR_ROLES) is None


def test_objects_with_other_looks_than_a_class_have_no_targets() -> None:
    config = push_world.Config(objects=2, image_px=16, frames=2, validation_clips=4, test_clips=4, novel_clips=1)
    table = push_world._drawn_split(config, "test", 20).factors
    assert primary(table, push_world.FACTOR_ROLES) is None
    of_objects = table[[name for name in table if name[-1].isdigit()]]
    assert primary(of_objects, push_world.FACTOR_ROLES) is None
    mixed = drawn(2, 20).assign(effector_y=np.arange(20.0))
    assert primary(mixed, FACTOR_ROLES | {"effector_y": push_world.FACTOR_ROLES["effector_y"]}) is None


def test_parts_keep_what_varies_in_all_of_them() -> None:
    table = drawn(2)
    without = table[(table[["class_1", "class_2"]] != 4).all(axis=1)]
    parts = of_parts({"train": table, "test": without}, FACTOR_ROLES)
    assert parts is not None
    assert parts["train"].names == parts["test"].names == tuple(n for n in found(table).names if n != "shows_4")
    assert parts["train"].values.shape == (len(table), 20)
    assert of_parts({"train": table, "test": table.iloc[:1]}, FACTOR_ROLES) is None


def test_short_names_lose_the_number_of_the_only_object_and_not_a_class() -> None:
    assert [short(name) for name in ("class_1", "shows_1", "mean_start_y")] == ["class", "shows_1", "mean_start_y"]
