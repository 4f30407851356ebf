import numpy as np
import pytest
from sklearn.metrics import mutual_info_score
from synthetic_codes import rotation, uniform_factors

from whatmoves.codes.discretise import (
    entropy_nats,
    equal_frequency,
    equal_width,
    mutual_information_nats,
    plug_in_bias_nats,
)
from whatmoves.codes.mig import mig
from whatmoves.errors import DataError

LABELS = np.stack(np.meshgrid(np.arange(5), np.arange(4), np.arange(6)), axis=-1).reshape(-1, 3).repeat(20, axis=0)
DISCRETE = ("discrete",) * 3
RNG = np.random.default_rng


def test_a_code_that_is_the_factors_scores_one():
    # Every combination occurs equally often: the runner-up shares exactly nothing.
    assert mig(LABELS.astype(float), LABELS, DISCRETE).per_factor == pytest.approx([1, 1, 1], abs=1e-12)


def test_useless_codes_score_zero():
    assert mig(np.zeros((len(LABELS), 4)), LABELS, DISCRETE).score == 0
    assert mig(RNG(0).normal(size=(len(LABELS), 4)), LABELS, DISCRETE).score < 0.01


def test_a_factor_told_twice_has_no_gap():
    assert mig(np.tile(LABELS, 2).astype(float), LABELS, DISCRETE).score == 0


def test_dependent_factors_cap_even_a_perfect_code():
    # The second factor is the first in three of four rows, so the runner-up knows ln 2 − h(1/4).
    factors = np.array([[0, 0]] * 3 + [[0, 1]] + [[1, 1]] * 3 + [[1, 0]])
    expected = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))  # 0.811
    assert mig(factors.astype(float), factors, ("discrete",) * 2).per_factor == pytest.approx([expected] * 2)


def test_a_rotated_code_loses_its_gap():
    assert mig(LABELS @ rotation(3, 3), LABELS, DISCRETE).score < 0.35


def test_one_dimension_has_a_runner_up_of_nothing():
    assert mig(LABELS[:, :1].astype(float), LABELS[:, :1], ("discrete",)).score == pytest.approx(1)


def test_order_of_rows_scale_and_shift_change_nothing():
    codes = LABELS @ rotation(3, 4)
    order = RNG(1).permutation(len(codes))
    expected = mig(codes, LABELS, DISCRETE).per_factor
    # 2 and 8 are exact in binary, so that no value crosses a bin edge by rounding.
    assert mig(8 * codes[order], LABELS[order], DISCRETE).per_factor == pytest.approx(expected)


def test_continuous_factors_are_not_a_class_per_row():
    # With one class a row any code would share the whole entropy, ln N, and noise would score like the truth.
    factors = uniform_factors(3000, 3)
    kinds = ("continuous",) * 3
    assert mig(factors, factors, kinds).score > 0.9
    assert mig(RNG(1).normal(size=(3000, 3)), factors, kinds).score < 0.02


def test_the_units_of_a_continuous_factor_do_not_matter():
    factors = uniform_factors(3000, 2)
    kinds = ("continuous",) * 2
    assert mig(factors, np.exp(3 * factors), kinds).score == mig(factors, factors, kinds).score


def test_equal_width_code_bins_punish_a_stretched_code():
    # The known fault of the definition, kept: the stretched code tells as much.
    factors = uniform_factors(3000, 2)
    kinds = ("continuous",) * 2
    assert mig(np.exp(6 * factors), factors, kinds).score < mig(factors, factors, kinds).score - 0.2


def test_the_stated_bias_is_what_independent_codes_show():
    rng = RNG(0)
    codes, classes = rng.uniform(size=(1000, 40)), rng.integers(0, 10, size=(1000, 5))
    binned = equal_width(codes, 20)
    # (20 - 1)(10 - 1) / (2 · 1000) = 0.0855 nats; the estimate is of first order, so within a tenth.
    assert plug_in_bias_nats(binned, classes).max() == pytest.approx(0.0855)
    assert mutual_information_nats(binned, classes).mean() == pytest.approx(0.0855, rel=0.1)


def test_information_agrees_with_scikit_learn():
    rng = RNG(2)
    codes = equal_width(np.column_stack([rng.normal(size=(400, 3)), np.ones(400)]), 7)
    classes = np.column_stack([rng.integers(0, 4, 400), codes[:, 1] // 2])
    expected = [[mutual_info_score(z, f) for f in classes.T] for z in codes.T]
    assert mutual_information_nats(codes, classes) == pytest.approx(np.array(expected), abs=1e-12)
    assert mutual_information_nats(codes, classes)[3].tolist() == [0, 0]
    assert entropy_nats(classes) == pytest.approx([mutual_info_score(f, f) for f in classes.T])


def test_bins():
    column = np.array([[0.0], [1.0], [2.0], [10.0]])
    assert equal_width(column, 5)[:, 0].tolist() == [0, 0, 1, 4]
    assert equal_frequency(column, 2)[:, 0].tolist() == [0, 0, 1, 1]
    assert equal_width(np.full((3, 1), 7.0), 5)[:, 0].max() == equal_width(np.full((3, 1), 7.0), 5)[:, 0].min()


@pytest.mark.parametrize(
    "column",
    [
        np.full(50, 1e17),  # half a unit to either side is lost in rounding
        1e8 + 1e-9 * RNG(0).normal(size=50),
        1e8 + 3e-8 * RNG(0).normal(size=50),  # seven neighbouring floats
        -1e8 - 3e-8 * RNG(0).normal(size=50),
        np.float32(1000) + RNG(0).integers(0, 3, 50).astype(np.float32) * np.float32(6.2e-5),
    ],
)
def test_what_varies_by_rounding_alone_is_one_bin(column):
    table = np.column_stack([column, np.arange(50, dtype=column.dtype)])
    assert np.ptp(equal_width(table, 20), axis=0).tolist() == [0, 19]
    assert mutual_information_nats(equal_width(table, 20), equal_width(table, 2))[0].tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_ordinary_columns_are_cut_as_by_the_original(dtype):
    values = (100 * RNG(3).normal(size=(400, 3)) + [0, 1e4, -50]).astype(dtype)
    for column, found in zip(values.T, equal_width(values, 20).T, strict=True):
        assert found.tolist() == (np.digitize(column, np.histogram(column, 20)[1][:-1]) - 1).tolist()


def test_not_a_number_is_no_constant():
    with pytest.raises(ValueError, match="not finite"):
        equal_width(np.array([[1.0], [np.nan], [2.0]]), 20)


def test_independent_columns_share_exactly_nothing():
    # Every combination equally often, in thirds and sevenths that no float holds.
    grid = np.stack(np.meshgrid(np.arange(3), np.arange(7), np.arange(11)), axis=-1).reshape(-1, 3).repeat(9, axis=0)
    shared = mutual_information_nats(grid, grid)
    assert np.count_nonzero(shared) == 3
    assert np.diag(shared) == pytest.approx(np.log([3, 7, 11]))
    # One row too many in one of four equal cells: ½ · 4 · ¼² / 300,000 / 1,200,001 = 3.5e-13 nats, no knowledge.
    pairs = np.argwhere(np.ones((2, 2))).repeat([300_000, 300_000, 300_000, 300_001], axis=0)
    assert mutual_information_nats(pairs[:, :1], pairs[:, 1:])[0, 0] == 0


@pytest.mark.parametrize("seed", range(5))
def test_information_agrees_with_scikit_learn_on_skewed_classes(seed):
    rng = RNG(seed)
    codes = rng.geometric(0.3, size=(rng.integers(20, 3000), 4)) - 1
    codes[:, 3] = codes[:, 0] // 2
    expected = [[mutual_info_score(z, f) for f in codes.T] for z in codes.T]
    assert mutual_information_nats(codes, codes) == pytest.approx(np.array(expected), abs=1e-12)


def test_a_factor_that_is_nearly_always_at_its_minimum_is_refused():
    rare = np.column_stack([np.arange(100.0), np.repeat([0.0, 1.0, 2.0], [97, 2, 1])])
    message = (
        "factor 1 is 0 in most of 100 rows, so 10 equal-frequency classes are only one; mark it discrete or drop it"
    )
    with pytest.raises(DataError) as caught:
        mig(rare, rare, ("continuous",) * 2)
    assert str(caught.value) == message
    assert mig(rare, rare, ("continuous", "discrete")).score > 0


def test_a_constant_factor_is_refused():
    with pytest.raises(DataError, match="factor 1 is 3 in all 5 rows; a factor must vary: drop it"):
        mig(np.arange(10.0).reshape(5, 2), np.array([[0, 3], [1, 3], [0, 3], [1, 3], [2, 3]]), ("discrete",) * 2)
