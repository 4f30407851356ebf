import numpy as np
import pytest
from synthetic_codes import parted, rotation, uniform_factors

from whatmoves.codes.dci import completeness_from_importance, dci, disentanglement_from_importance

RNG = np.random.default_rng
TEN = np.eye(10)


def both(importance):
    return disentanglement_from_importance(importance), completeness_from_importance(importance)


@pytest.mark.parametrize(
    ("importance", "disentanglement", "completeness"),
    [
        (TEN, 1, 1),
        (np.zeros((10, 10)), 0, 0),
        (np.ones((6, 4)), 0, 0),
        (np.zeros((1, 4)), 0, 0),
        (np.zeros((4, 1)), 0, 0),
        (np.array([[0.3], [0.1], [0.0]]), 1, 1 - (np.log(4) - 0.75 * np.log(3)) / np.log(3)),  # one factor
        (np.array([[0.0, 0.0, 0.2]]), 1, 1),  # one dimension
        (np.array([[0.2]]), 1, 1),
        # Each factor in two of 20 dimensions: H = ln 2 of at most ln 20.
        (np.vstack([TEN, TEN]), 1, 1 - np.log(2) / np.log(20)),
        (np.vstack([np.eye(5), np.eye(5)]), 1, 1 - np.log(2) / np.log(10)),  # 0.699
        # Dimension 0 tells all of factors 0 and 1, the others nothing or one: 2/10 · 0.699 + 8/10 · 1.
        (np.column_stack([TEN[:, 0], TEN[:, 0], TEN[:, 2:]]), 1 - 0.2 * np.log(2) / np.log(10), 1),
        (np.array([[0.5, 0.5] + [0] * 8]), 1 - np.log(2) / np.log(10), 1),  # 0.699; one dimension is always complete
        (np.eye(10)[:4], 1, 1),  # missing dimensions
        # Hand: rows (3,1) and (0,4) weigh 4 and 4; 1 - h(1/4) / ln 2 = 0.18872, mean with 1.
        (np.array([[3.0, 1.0], [0.0, 4.0]]), (0.188722 + 1) / 2, (3 * 1 + 5 * (1 - 0.721928)) / 8),
    ],
)
def test_scores_of_bare_matrices(importance, disentanglement, completeness):
    assert both(importance) == pytest.approx((disentanglement, completeness), abs=1e-6)


def run(codes, factors, kinds, border=1400):
    return dci(*parted(codes, factors, border), kinds, RNG(0))


@pytest.mark.parametrize("shape", [(6, 4), (7, 3), (1, 3), (3, 1), (1, 1), (11, 13)])
def test_no_importance_is_exactly_zero_and_even_importance_never_below(shape):
    assert both(np.zeros(shape)) == (0, 0)
    assert min(both(np.full(shape, 0.1))) >= 0


LABELS = RNG(5).integers(0, 6, size=(2000, 4))
DISCRETE = ("discrete",) * 4
NUMBERS = uniform_factors(2000, 4)
CONTINUOUS = ("continuous",) * 4


@pytest.mark.parametrize(("factors", "kinds"), [(LABELS, DISCRETE), (NUMBERS, CONTINUOUS)])
def test_a_code_that_is_the_factors(factors, kinds):
    found = run(factors.astype(float), factors, kinds)
    assert found.disentanglement == pytest.approx(1, abs=0.01)
    assert found.completeness == pytest.approx(1, abs=0.01)
    assert found.informativeness == pytest.approx(1, abs=0.02)
    assert found.plain_informativeness == pytest.approx(1, abs=0.02)


def test_noise_knows_nothing():
    found = run(RNG(1).normal(size=(2000, 6)), LABELS, DISCRETE)
    assert found.informativeness < 0.01
    assert found.plain_informativeness < 0.25  # six classes: chance is 0.17
    assert found.disentanglement < 0.2


def test_a_dead_dimension_hides_none_that_comes_after_it():
    found = run(np.column_stack([np.zeros(2000), NUMBERS]), NUMBERS, CONTINUOUS)
    assert found.disentanglement == pytest.approx(1, abs=0.01)
    assert found.importances[0] == pytest.approx(0)


def test_a_dead_code_scores_zero():
    found = run(np.zeros((2000, 3)), LABELS, DISCRETE)
    assert (found.disentanglement, found.completeness) == pytest.approx((0, 0), abs=1e-12)
    assert found.informativeness == pytest.approx(0, abs=1e-12)


def test_factors_nobody_can_predict_have_no_say():
    # Two of four factors are perfectly coded and two absent; the plain form gives the absent ones equal weight.
    codes = np.column_stack([LABELS[:, :2], RNG(1).normal(size=(2000, 2))])
    found = run(codes, LABELS, DISCRETE)
    assert found.disentanglement == pytest.approx(1, abs=0.01)
    assert found.plain_disentanglement < 0.6
    assert found.per_factor == pytest.approx([1, 1, 0, 0], abs=0.02)


def test_noise_dimensions_get_no_importance_on_test_rows():
    codes = np.column_stack([NUMBERS + 0.25 * RNG(2).normal(size=NUMBERS.shape), RNG(1).normal(size=(2000, 6))])
    found = run(codes, NUMBERS, CONTINUOUS)
    assert found.importances[4:].sum() < 0.02 * found.importances.sum()
    assert found.disentanglement > 0.97 > found.plain_disentanglement


def test_duplicated_dimensions_are_not_complete():
    # Ties break at random: 1 - ln 2 / ln 8 when the twins share evenly.
    found = run(np.tile(LABELS, 2).astype(float), LABELS, DISCRETE)
    assert found.completeness == pytest.approx(1 - np.log(2) / np.log(8), abs=0.02)
    assert found.disentanglement == pytest.approx(1, abs=0.01)


def test_a_rotated_code_is_informative_and_not_disentangled():
    found = run(NUMBERS @ rotation(4, 3), NUMBERS, CONTINUOUS)
    assert found.disentanglement < 0.5
    assert found.informativeness > 0.85


def test_a_noisy_continuous_factor_is_read_as_a_number():
    # As ten classes the same code is right one time in four; R² says what it knows (0.57 at best here).
    codes = NUMBERS + 0.25 * RNG(2).normal(size=NUMBERS.shape)
    assert run(codes, NUMBERS, CONTINUOUS).informativeness == pytest.approx(0.55, abs=0.06)


def test_importances_of_a_factor_sum_to_what_is_known_of_it():
    found = run(NUMBERS @ rotation(4, 3), NUMBERS, CONTINUOUS)
    assert found.importances.sum(0) == pytest.approx(found.per_factor)


def test_equal_seeds_give_equal_scores():
    one, two = (run(NUMBERS @ rotation(4, 3), NUMBERS, CONTINUOUS) for _ in range(2))
    assert one.disentanglement == two.disentanglement
