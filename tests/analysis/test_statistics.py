import itertools

import numpy as np
import pytest

from whatmoves.analysis.statistics import (
    bootstrap_interval,
    effect,
    equivalence,
    hierarchical_bootstrap,
    holm,
    non_inferiority,
    paired_sign_flip,
)


def rng():
    return np.random.default_rng(0)


def interval_of(values, draws):
    (found,) = hierarchical_bootstrap([clips[:, None] for clips in values], draws, rng())
    return found


def test_sign_flip_is_the_share_of_all_patterns():
    differences = np.array([0.3, -0.1, 0.5, 0.2])
    sums = [np.dot(signs, differences) for signs in itertools.product((1, -1), repeat=4)]
    two_sided = np.mean([abs(s) >= 0.9 - 1e-12 for s in sums])
    one_sided = np.mean([s >= 0.9 - 1e-12 for s in sums])
    assert paired_sign_flip(differences) == two_sided == 0.25  # ±(all), ±(all but 0.1 as it stands)
    assert paired_sign_flip(differences, "greater") == one_sided == 0.125


@pytest.mark.parametrize(("seeds", "smallest"), [(1, 1.0), (3, 0.25), (5, 0.0625), (6, 0.03125), (8, 0.0078125)])
def test_smallest_p_of_so_many_seeds(seeds, smallest):
    assert paired_sign_flip(np.linspace(1, 2, seeds)) == smallest
    assert paired_sign_flip(-np.linspace(1, 2, seeds)) == smallest


def test_sign_flip_of_nothing_and_of_rounding():
    assert paired_sign_flip(np.zeros(4)) == 1
    # 0.1 + 0.2 and 0.3 differ in the last digit; the order of seeds may not decide.
    assert paired_sign_flip(np.array([0.1, 0.2, 0.3])) == paired_sign_flip(np.array([0.3, 0.2, 0.1])) == 0.25


def test_sign_flip_refuses_what_it_cannot_enumerate():
    with pytest.raises(ValueError, match="differences has 21 pairs; the exact test takes at most 20"):
        paired_sign_flip(np.ones(21))


def test_sign_flip_keeps_its_level():
    draws = rng().normal(size=(2000, 8))
    rejected = np.mean([paired_sign_flip(row) <= 0.05 for row in draws])
    assert rejected == pytest.approx(12 / 256, abs=0.015)  # the largest attainable level below 0.05


def test_holm():
    # Hand: sorted 0.01 ·3, 0.02 ·2, 0.04 ·1, running maximum 0.03, 0.04, 0.04.
    assert holm(np.array([0.04, 0.01, 0.02])) == pytest.approx([0.04, 0.03, 0.04])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])
    assert holm(np.array([0.03])) == pytest.approx([0.03])


def test_effect():
    found = effect(np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0]))
    assert found.mean_difference == 1.0
    # Of six pairs: 1<2, 1>0, 2=2, 2>0, 3>2, 3>0.
    assert found.probability_of_improvement == pytest.approx(4.5 / 6)


def test_bootstrap_interval_of_the_mean():
    points = rng().normal(3, 1, size=200)
    found = bootstrap_interval(points, 4000, rng())
    half = 1.96 * points.std() / np.sqrt(200)
    assert found == pytest.approx((points.mean() - half, points.mean() + half), abs=0.015)
    assert bootstrap_interval(np.array([0.4]), 100, rng()) == (0.4, 0.4)


def test_hierarchical_interval_holds_both_spreads():
    generator = rng()
    values = [generator.normal(centre, 1, size=50) for centre in np.linspace(-1, 1, 20)]
    found = interval_of(values, 4000)
    means = np.array([value.mean() for value in values])
    # Variance of the mean over 20 seeds: spread of seeds, plus clips' own error once more for redrawing them.
    half = 1.96 * np.sqrt((means.var() + np.mean([value.var() for value in values]) / 50) / 20)
    assert found == pytest.approx((means.mean() - half, means.mean() + half), abs=0.03)
    clips_only = bootstrap_interval(np.concatenate(values), 4000, rng())
    assert found.high - found.low > 1.5 * (clips_only.high - clips_only.low)


def test_hierarchical_interval_weighs_seeds_alike_whatever_their_clips():
    found = interval_of([np.zeros(1000), np.ones(10)], 2000)
    assert found == (0, 1)
    assert interval_of([np.array([2.0]), np.array([2.0])], 100) == (2, 2)
    one_model = interval_of([rng().normal(size=400)], 2000)
    assert one_model.high - one_model.low == pytest.approx(2 * 1.96 / 20, rel=0.1)


def test_wide_clip_tables_are_redrawn_whole():
    # More clips than 16 bits can number: the last ones must be drawn too.
    clips = np.zeros(70_000)
    clips[65_536:] = 1
    found = interval_of([clips], 200)
    assert np.mean(found) == pytest.approx(clips.mean(), rel=0.03)


def test_measures_of_the_same_clips_are_redrawn_together():
    # Together they get what each gets alone, from seeds of any lengths and over the borders of the chunks.
    tables = [rng().normal(size=(count, 3)) for count in (300, 70, 1)]
    together = hierarchical_bootstrap(tables, 900, rng())
    alone = [interval_of([table[:, column] for table in tables], 900) for column in range(3)]
    assert np.array(together) == pytest.approx(np.array(alone), rel=1e-12)


def test_margins():
    slightly_worse = np.array([-0.01, -0.02, 0.0, -0.015, -0.005, -0.01])
    inferior = non_inferiority(slightly_worse, 0.05, 2000, rng())
    assert inferior.holds
    assert inferior.p == 1 / 64
    assert not non_inferiority(slightly_worse, 0.005, 2000, rng()).holds
    assert equivalence(slightly_worse, 0.05, 2000, rng()).holds
    better = slightly_worse + 0.2
    assert non_inferiority(better, 0.05, 2000, rng()).holds
    assert not equivalence(better, 0.05, 2000, rng()).holds
    assert equivalence(better, 0.05, 2000, rng()).p == 1
    assert equivalence(better, 0.05, 2000, rng()) == equivalence(better, 0.05, 2000, rng())
    assert equivalence(-better, 0.05, 2000, rng()).p == 1
