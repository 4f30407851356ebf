import numpy as np
import pytest
from scipy.spatial.distance import pdist
from synthetic_codes import rotation

from whatmoves.codes.dependence import (
    correlations,
    dependence,
    held_out_cca,
    paired_matrices,
)

RNG = np.random.default_rng
X, Y = RNG(0).normal(size=(700, 6)), RNG(1).normal(size=(700, 5))
NO_ORDERS = np.zeros((0, 700), dtype=int)


def run(x, y, permutations=199):
    return dependence(x, y, RNG(3), permutations)


def test_independent_blocks_are_at_the_floor():
    found = run(X, Y)
    assert abs(found.dcor.value) < 0.01
    assert abs(found.hsic.value) < 0.01
    assert abs(found.cca.value) < 0.15
    assert found.pairs_auc.value == pytest.approx(0.5, abs=0.04)
    assert min(measured.p for measured in found) > 0.01


@pytest.mark.slow
def test_p_values_of_independent_blocks_are_even():
    values = []
    for seed in range(40):
        rng = RNG(seed)
        found = dependence(rng.normal(size=(60, 3)), rng.normal(size=(60, 3)), rng, 99)
        values.append([found.mean_r.p, found.max_r.p, found.cca.p, found.dcor.p, found.hsic.p, found.pairs_auc.p])
    # Mean of 40 even values: ½ ± 0.046 in deviations; all but one in a thousand within three and a half.
    assert np.mean(values, axis=0) == pytest.approx(np.full(6, 0.5), abs=0.16)


def test_equal_blocks_are_at_the_top():
    found = run(X, X @ rotation(6, 2))
    assert found.dcor.value == pytest.approx(1)
    assert found.hsic.value == pytest.approx(1)
    assert found.cca.value > 0.95
    assert found.pairs_auc.value > 0.9
    assert [measured.p for measured in found] == [1 / 200] * 6


def test_a_leak_in_scale_is_missed_by_correlation_alone():
    # y is noise whose width follows the length of x.
    y = Y * np.square(X).sum(1, keepdims=True)
    found = run(X, y)
    assert found.cca.value < 0.3
    assert found.dcor.p <= 0.01
    assert found.hsic.p <= 0.01
    assert found.dcor.value > 0.02


def test_a_dead_block_is_independent_of_everything():
    found = run(X, np.ones((700, 5)))
    assert [measured.value for measured in found] == [0, 0, 0, 0, 0, 0.5]
    assert [measured.p for measured in found] == [1] * 6


def test_turning_blocks_moves_no_measure_but_the_pairwise_r():
    y = X[:, :5] + Y
    plain, turned = run(X, y), run(X @ rotation(6, 2), y @ rotation(5, 3))
    for name in ("cca", "dcor", "hsic"):
        assert getattr(turned, name).value == pytest.approx(getattr(plain, name).value, abs=1e-4)
    assert turned.pairs_auc.value == pytest.approx(plain.pairs_auc.value, abs=0.05)
    assert turned.mean_r.value > 1.3 * plain.mean_r.value


@pytest.mark.slow
def test_second_opinions():
    # Imported here: both compile for seconds.
    import dcor
    from hyppo.independence import Dcorr

    y = X[:, :5] + 2 * Y
    found = paired_matrices(pdist(X), pdist(y), NO_ORDERS).value
    assert found == pytest.approx(dcor.u_distance_correlation_sqr(X, y), abs=1e-5)
    assert found == pytest.approx(Dcorr(bias=False).statistic(X, y), abs=1e-5)
    # The plain form reads dependence into independent blocks.
    assert dcor.distance_correlation_sqr(X, Y) > 0.01 > abs(paired_matrices(pdist(X), pdist(Y), NO_ORDERS).value)


def test_the_permuted_statistic_is_the_statistic_of_permuted_rows():
    order = RNG(5).permutation(700)
    direct = paired_matrices(pdist(X[order]), pdist(X[:, :5] + Y), NO_ORDERS).value
    # One permutation that reaches the value gives p = (1 + 1) / 2; two below it give 1 / 3.
    orders = np.stack([order, RNG(6).permutation(700)])
    assert paired_matrices(pdist(X[np.argsort(order)]), pdist((X[:, :5] + Y)[np.argsort(order)]), orders).p == 1 / 3
    assert abs(direct) < 0.02


def test_correlations_agree_with_numpy():
    y = X[:, :2] + Y[:, :2]
    expected = np.abs(np.corrcoef(X, y, rowvar=False)[:6, 6:])
    mean_r, max_r = correlations(X, y, NO_ORDERS)
    assert mean_r.value == pytest.approx(expected.mean())
    assert max_r.value == pytest.approx(expected.max())


def test_canonical_correlation_is_held_out():
    # 60 + 60 noise dimensions on 100 rows: in sample the top canonical correlation is 1.
    x, y = RNG(7).normal(size=(400, 60)), RNG(8).normal(size=(400, 60))
    assert abs(held_out_cca(x[:100], y[:100], x[100:], y[100:], np.zeros((0, 300), dtype=int)).value) < 0.2
    assert abs(run(x[:200], y[:200], 99).cca.value) < 0.3


@pytest.mark.parametrize("unit", [2.0**-90, 2.0**-40, 2.0**40, 2.0**90])
def test_no_unit_leaves_the_range_of_single_precision(unit):
    rng = RNG(0)
    x = rng.normal(size=(60, 2))
    y = x + rng.normal(size=(60, 2))
    orders = np.stack([rng.permutation(60) for _ in range(50)])
    expected = paired_matrices(pdist(x), pdist(y), orders)
    assert expected.value > 0.2
    assert paired_matrices(unit * pdist(x), pdist(y) / unit, orders) == expected
