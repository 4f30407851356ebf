import numpy as np
import pytest
from synthetic_codes import parted, rotation, uniform_factors

from whatmoves.codes.sap import sap

CONTINUOUS = ("continuous",) * 3


def scores(codes, factors, kinds=CONTINUOUS):
    return sap(*parted(codes, factors, 2000), kinds)


def test_a_code_that_is_the_factors():
    factors = uniform_factors(3000, 3)
    found = scores(factors, factors)
    assert found.r2 == pytest.approx(1, abs=0.01)
    # 20 equal steps over a uniform variable leave 1/20² of its variance.
    assert found.nonlinear == pytest.approx(1 - 1 / 400, abs=0.01)
    assert found.svm is None


def test_useless_and_dead_codes_score_zero():
    factors = uniform_factors(3000, 3)
    noise = scores(np.random.default_rng(1).normal(size=(3000, 4)), factors)
    assert noise.r2 < 0.005
    assert noise.nonlinear < 0.005
    dead = scores(np.zeros((3000, 4)), factors)
    assert (dead.r2, dead.nonlinear) == (0, 0)


def test_duplicated_and_rotated_codes_have_no_gap():
    factors = uniform_factors(3000, 3)
    doubled = scores(np.tile(factors, 2), factors)
    assert (doubled.r2, doubled.nonlinear) == pytest.approx((0, 0), abs=1e-12)
    assert scores(factors @ rotation(3, 3), factors).r2 < 0.5


def test_scores_are_out_of_sample():
    # 30 rows, 20 steps: in sample a step function explains most of pure noise.
    rng = np.random.default_rng(0)
    found = sap(*parted(rng.normal(size=(1030, 5)), rng.uniform(size=(1030, 3)), 30), CONTINUOUS)
    assert found.nonlinear < 0.02


def test_the_line_is_blind_to_a_folded_code_and_the_steps_are_not():
    factors = uniform_factors(3000, 3) - 0.5
    found = scores(np.abs(factors), factors**2)
    assert found.nonlinear > 0.95
    assert scores(np.abs(factors), factors).r2 < 0.01
    assert scores(factors, np.abs(factors)).r2 < 0.01
    assert scores(factors, np.abs(factors)).nonlinear > 0.95


def test_a_monotone_stretch_leaves_the_steps_alone():
    factors = uniform_factors(3000, 3)
    assert scores(np.exp(4 * factors), factors).nonlinear == pytest.approx(scores(factors, factors).nonlinear)


def test_units_and_offsets_change_no_form():
    factors = np.random.default_rng(0).integers(0, 4, size=(900, 2))
    codes = factors + 0.3 * np.random.default_rng(1).normal(size=(900, 2))
    kinds = ("discrete",) * 2
    plain, scaled = (sap(*parted(c, factors, 600), kinds) for c in (codes, 1000 * codes + 50))
    assert plain.svm > 0.1
    assert scaled.svm == pytest.approx(plain.svm, abs=0.005)
    assert scaled.r2 == pytest.approx(plain.r2)
    assert scaled.nonlinear == pytest.approx(plain.nonlinear)


def test_the_label_form_skips_continuous_factors():
    factors = np.column_stack([np.arange(900) % 3, uniform_factors(900, 1)])
    found = sap(*parted(factors, factors, 600), ("discrete", "continuous"))
    assert found.svm_per_factor.shape == (1,)
    assert found.svm == found.svm_per_factor[0] > 0.3
    assert found.nonlinear_per_factor == pytest.approx([1, 1], abs=0.01)
