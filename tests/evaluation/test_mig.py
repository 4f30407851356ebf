import numpy as np
import pytest
from sklearn.metrics import mutual_info_score
from synthetic_codes import rotation, uniform_factors

from whatmoves.errors import DataError
from whatmoves.evaluation.discretise import (
    entropy_nats,
    equal_frequency,
    equal_width,
    mutual_information_nats,
    plug_in_bias_nats,
)
from whatmoves.evaluation.mig import mig

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


def test_a_constant_factor_is_refused():
    with pytest.raises(DataError, match="factor 1 is 3 in all 5 rows; a factor must vary: drop it"):
        mig(np.arange(10.0).reshape(5, 2), np.array([[0, 3], [1, 3], [0, 3], [1, 3], [2, 3]]), ("discrete",) * 2)
