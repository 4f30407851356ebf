import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from synthetic_codes import parted, rotation

from whatmoves.codes.explicitness import explicitness, explicitness_curve
from whatmoves.codes.rows import Rows
from whatmoves.errors import DataError

RNG = np.random.default_rng
CLASSES = RNG(0).integers(0, 4, size=(1500, 2))
INDICATORS = np.concatenate([np.eye(4)[column] for column in CLASSES.T], axis=1)
KINDS = ("discrete",) * 2


def run(codes, factors=CLASSES, kinds=KINDS):
    return explicitness(*parted(codes, factors, 1000), kinds).score


def test_perfect_useless_and_dead_codes():
    assert run(INDICATORS) == pytest.approx(1, abs=1e-9)
    assert run(RNG(1).normal(size=(1500, 6))) == pytest.approx(0.5, abs=0.03)
    assert run(np.zeros((1500, 6))) == 0.5


def test_any_turn_of_the_code_is_as_explicit():
    assert run(INDICATORS @ rotation(8, 3)) == pytest.approx(1, abs=1e-6)


def test_constant_dimensions_and_units_change_nothing():
    codes = INDICATORS + RNG(1).normal(size=INDICATORS.shape)
    changed = np.column_stack([100 * codes + 7, np.full(1500, 3.3)])
    assert run(changed) == pytest.approx(run(codes))


def test_a_code_read_only_by_a_curve_is_not_explicit():
    # The product of two signs: perfectly told, and no line says it better than chance.
    codes = RNG(2).normal(size=(1500, 2))
    assert run(codes, (codes.prod(1) > 0)[:, None].astype(int), ("discrete",)) == pytest.approx(0.5, abs=0.05)


def test_a_class_absent_from_the_test_part_is_left_out():
    keep = np.flatnonzero((np.arange(1500) < 1000) | (CLASSES != 3).all(1))
    train, test = parted(INDICATORS[keep], CLASSES[keep], 1000)
    found = explicitness(train, test, KINDS)
    assert found.score == pytest.approx(1)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([0.1, 0.1, 0.1, 0.1], 1),
        ([1.0, 1.0, 1.0, 0.0], 1 - 2 * 2.5 / 3),  # only at full capacity: area 1 + 1 + ½ of 3
        ([1.0, 0.0, 0.9, 0.5], 1 - 2 * 0.5 / 3),  # the best so far counts, later failures do not
        ([0.9, 0.6, 0.3, 0.0], 1 - 2 * 1.35 / 3),
    ],
)
def test_curve(losses, expected):
    assert explicitness_curve(np.arange(4.0), np.array(losses), blind=1.0) == pytest.approx(expected)
    assert explicitness_curve(10 * np.arange(4.0), 2.3 * np.array(losses), blind=2.3) == pytest.approx(expected)


def test_a_curve_needs_rising_capacities():
    with pytest.raises(ValueError, match="must be two or more that rise strictly"):
        explicitness_curve(np.array([1.0, 1.0]), np.array([1.0, 0.0]), 1.0)


def by_hand(train, test, k):
    """Mean one-vs-rest area of classes of both parts: by counting pairs of rows in the right order."""
    mean, deviation = train.codes.mean(0), train.codes.std(0)
    model = LogisticRegression().fit((train.codes - mean) / deviation, train.factors[:, k])
    chances = model.predict_proba((test.codes - mean) / deviation)
    areas = []
    for c, name in enumerate(model.classes_):
        own, others = (chances[test.factors[:, k] == name, c], chances[test.factors[:, k] != name, c])
        if len(own) and len(others):
            pairs = [(a > b) + 0.5 * (a == b) for a in own for b in others]
            areas.append(np.mean(pairs))
    return np.mean(areas)


@pytest.mark.parametrize("sides", ["test", "training", "both"])
def test_classes_of_one_part_alone_shift_no_column(sides):
    # Five classes with gaps and a sign; -4, the first, is missing in training and 12, the last, in the test part.
    rng = RNG(4)
    values = rng.choice([-4, 3, 7, 9, 12], size=(400, 1))
    codes = np.column_stack([values[:, 0], np.abs(values[:, 0] - 6)]) + 2.0 * rng.normal(size=(400, 2))
    train, test = parted(codes, values, 250)
    if sides in ("test", "both"):
        train = Rows(*(table[train.factors[:, 0] != -4] for table in train))
    if sides in ("training", "both"):
        test = Rows(*(table[test.factors[:, 0] != 12] for table in test))
    found = explicitness(train, test, ("discrete",)).score
    assert found == pytest.approx(by_hand(train, test, 0), abs=1e-9)
    assert 0.6 < found < 0.99


def test_parts_without_a_common_class_are_refused():
    train, test = parted(INDICATORS, np.repeat([[1, 0], [2, 1], [3, 0], [4, 1]], 375, axis=0), 750)
    with pytest.raises(DataError) as caught:
        explicitness(train, test, KINDS)
    assert str(caught.value) == (
        "factor 0 has no class of the 750 training rows in some and not all of the 750 test rows; one is needed to "
        "score: shuffle the rows, take out outliers that widen its range, or drop its column"
    )
    # The same where all test rows are of one class: nothing to tell it from.
    with pytest.raises(DataError, match="factor 1 has no class of the 750 training rows"):
        explicitness(*parted(INDICATORS, np.column_stack([np.arange(1500) % 2, np.arange(1500) < 700]), 750), KINDS)


def test_training_rows_of_one_class_are_refused():
    train, test = parted(INDICATORS, np.column_stack([np.arange(1500) % 2, np.arange(1500) > 1100]), 1000)
    with pytest.raises(DataError) as caught:
        explicitness(train, test, KINDS)
    assert str(caught.value) == (
        "factor 1 has one class in all 1000 training rows; a factor must vary there: shuffle the rows, take out "
        "outliers that widen its range, or drop its column"
    )
