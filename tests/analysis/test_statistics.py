import itertools

import numpy as np
import pytest

from whatmoves.analysis.statistics import (
    Sample,
    difference,
    hierarchical_bootstrap,
    holm,
    paired,
    paired_sign_flip,
    seeds_interval,
    stand,
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


def test_the_interval_over_seeds_is_students():
    assert seeds_interval(np.array([1.0, 2.0, 3.0])) == pytest.approx(
        (2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3
    )
    assert seeds_interval(np.array([0.4])) is None


def crossed(seeds, clips, of_seeds, of_clips, rest, generator):
    """`[S, N]`: all seeds are scored on the same clips."""
    table = of_seeds * generator.normal(size=(seeds, 1)) + of_clips * generator.normal(size=(1, clips))
    return table + rest * generator.normal(size=(seeds, clips))


def test_clips_that_are_hard_for_all_seeds_do_not_average_out():
    # Eight seeds that differ in nothing: their mean is as uncertain as one's, for its clips.
    clips = rng().normal(size=400)
    eight, one = interval_of([clips] * 8, 2000), interval_of([clips], 2000)
    assert eight.high - eight.low == pytest.approx(2 * 1.966 * clips.std(ddof=1) / 20, rel=1e-3)
    assert eight.high - eight.low == pytest.approx(one.high - one.low, rel=0.05)


def test_seeds_weigh_by_students_t():
    tables = [np.full(50, value) for value in (1.0, 2.0, 3.0)]
    assert interval_of(tables, 100) == pytest.approx(seeds_interval(np.array([1.0, 2.0, 3.0])))


@pytest.mark.parametrize("seeds", [2, 3, 8])
@pytest.mark.parametrize("noise", [(1.0, 0.5, 0.5), (0.02, 1.0, 0.5), (0.1, 1.0, 1.0)])
def test_intervals_cover_what_they_say(seeds, noise):
    generator = rng()
    covered, apart, false = 0, 0, 0
    for _ in range(400):
        first, second = (crossed(seeds, 60, *noise, generator) for _ in range(2))
        (found,) = hierarchical_bootstrap([clips[:, None] for clips in first], 100, generator)
        covered += found.low <= 0 <= found.high
        samples = [sample(*table) for table in (first, second)]
        ends = difference(*samples).interval
        apart += ends.low <= 0 <= ends.high
        false += stand(*samples) == ">"
    assert covered / 400 > 0.92
    assert apart / 400 > 0.92
    assert false / 400 < 0.05


def sample(*tables, constant=False):
    return Sample({str(seed): float(np.mean(table)) for seed, table in enumerate(tables)}, np.stack(tables), constant)


def numbers(*seeds, constant=False):
    return Sample({str(seed): float(value) for seed, value in enumerate(seeds)}, None, constant)


def test_shares_of_none_and_all_are_not_certain():
    none, every = interval_of([np.zeros(8)], 200), interval_of([np.ones(200)] * 3, 200)
    assert none == pytest.approx((0, 0.324), abs=1e-3)  # Wilson 1927: z² / (8 + z²)
    assert every == pytest.approx((1 - 0.0188, 1), abs=1e-3)
    most = interval_of([np.repeat([0.0, 1.0], [2, 38])], 2000)
    assert most.low > 0.8
    assert most.high < 1


def test_unequal_seeds_are_told_apart_and_one_run_is_no_constant():
    many, few = numbers(*np.linspace(5, 6, 8)), numbers(0, 0.5, 1)
    assert stand(many, few) == ">"
    assert stand(few, many) == "<"
    assert stand(many, numbers(0.0)) == stand(numbers(0.0), many) == "?"  # one trained run
    assert stand(many, numbers(0.0, constant=True)) == ">"
    assert difference(many, numbers(0.0)).interval is None


def test_clips_that_are_hard_for_both_do_not_blur_their_difference():
    hard = rng().normal(0, 10, size=100)
    first, second = sample(hard + 1, hard + 1.1), sample(hard, hard + 0.1)
    assert stand(first, second) == ">"
    assert difference(first, second).value == pytest.approx(1)
    assert stand(sample(hard + 1, hard + 1.1), sample(hard[::-1], hard[::-1] + 0.1)) == "="


def test_a_threshold_meets_the_noise_of_clips_too():
    clips = rng().normal(0.5, 3, size=40)
    assert difference(sample(clips, clips), numbers(0.0, constant=True)).interval.low < 0


def test_a_share_of_none_is_not_certain_against_a_threshold_either():
    none = sample(np.zeros(8), np.zeros(8), np.zeros(8))
    assert difference(none, numbers(0.2, constant=True)).interval == pytest.approx((-0.2, 0.124), abs=1e-3)
    assert difference(numbers(0.2, constant=True), none).interval == pytest.approx((-0.124, 0.2), abs=1e-3)


def test_the_exact_test_needs_six_seeds_in_common():
    assert paired(numbers(*range(6)), numbers(*range(1, 7))).tolist() == [-1] * 6
    assert paired(numbers(*range(5)), numbers(*range(5))) is None
    assert paired(numbers(*range(8)), numbers(0, 0, 0)) is None
    assert difference(numbers(*range(6)), numbers(*range(1, 7))).p == 2 / 2**6


def test_wide_clip_tables_are_redrawn_whole():
    # More clips than 16 bits can number: the last ones must be drawn too.
    clips = np.zeros(70_000)
    clips[65_536:] = 1
    found = interval_of([clips], 200)
    assert np.mean(found) == pytest.approx(clips.mean(), rel=0.03)


def test_measures_of_the_same_clips_are_redrawn_together():
    table = rng().normal(size=(300, 3))
    together = hierarchical_bootstrap([table], 900, rng())
    alone = [interval_of([column], 900) for column in table.T]
    assert np.array(together) == pytest.approx(np.array(alone), rel=1e-12)
