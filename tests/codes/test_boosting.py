import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from whatmoves.codes.boosting import boosted

RNG = np.random.default_rng
CLASSES = RNG(5).integers(0, 4, 400)
CODES = np.eye(4)[CLASSES] @ RNG(6).normal(size=(4, 3)) + 0.5 * RNG(7).normal(size=(400, 3))
TRAIN, TEST = slice(0, 250), slice(250, None)


@pytest.mark.parametrize(
    ("codes", "classes"),
    [
        (CODES, CLASSES),
        (CODES, CLASSES > 1),
        (np.round(2 * CODES), CLASSES),
        (np.column_stack([CODES[:, :2], np.full(400, 3.0)]), np.where(np.arange(400) == 7, 9, CLASSES)),
    ],
    ids=["four classes", "two classes", "few values", "a dead dimension, a rare class"],
)
def test_the_same_as_scikit_learn_but_for_ties(codes, classes):
    found = boosted(codes[TRAIN], classes[TRAIN], codes[TEST], RNG(0))
    model = GradientBoostingClassifier(random_state=0).fit(codes[TRAIN], classes[TRAIN])
    # Between seeds of scikit-learn, which draw among splits of equal gain, importances differ by 0.005.
    assert found.importances == pytest.approx(model.feature_importances_, abs=0.01)
    assert np.mean(found.predicted == model.predict(codes[TEST])) > 0.95
    assert np.isin(found.predicted, classes).all()


def test_equal_dimensions_share_by_chance():
    twice = CODES[:, [0, 1, 2, 0]]
    shares = np.array([boosted(twice[:100], CLASSES[:100], twice[:1], RNG(seed)).importances for seed in (0, 1)])
    assert (shares[:, [0, 3]] > 0.2 * shares[:, [0, 3]].sum(1, keepdims=True)).all()
    assert shares[0].tolist() != shares[1].tolist()


def test_a_label_as_a_code_takes_all():
    codes = np.column_stack([RNG(0).normal(size=400), CLASSES])
    found = boosted(codes[TRAIN], CLASSES[TRAIN], codes[TEST], RNG(0))
    assert found.importances == pytest.approx([0, 1], abs=1e-9)
    assert found.predicted.tolist() == CLASSES[TEST].tolist()


def test_values_nearer_than_a_cut_can_part_are_one():
    codes = np.column_stack([5e-8 * (CLASSES > 1), np.full(400, 2.5)])
    found = boosted(codes[TRAIN], CLASSES[TRAIN], codes[TEST], RNG(0))
    assert found.importances.tolist() == [0, 0]
    assert set(found.predicted) == {np.bincount(CLASSES[TRAIN]).argmax()}
