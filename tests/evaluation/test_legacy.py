"""The original's measures on codes and videos whose right answers are known."""

import numpy as np
import pytest

from whatmoves.evaluation import legacy

RNG = np.random.default_rng(5)
CLASSES = np.repeat(np.arange(4), 60)
DIRECTIONS = np.tile(np.arange(3), 80)
NOISE = 1e-3 * RNG.normal(size=(240, 2))


def coded(labels: np.ndarray) -> np.ndarray:
    """A code of two dimensions: the label, widely spaced, and a constant."""
    return np.stack([40.0 * labels + NOISE[:, 0], np.zeros(len(labels))], axis=1)


def test_direction_bins_are_eight_equal_sectors_of_x_and_y() -> None:
    angles = -np.pi + (np.arange(8) + 0.5) * np.pi / 4
    np.testing.assert_array_equal(legacy.direction_bins(3 * np.cos(angles), 3 * np.sin(angles)), np.arange(8))
    assert legacy.direction_bins(np.array([-1.0]), np.array([0.0])) == [0]


def test_perfect_blocks_and_swapped_roles() -> None:
    values = legacy.block_measures(coded(CLASSES), coded(DIRECTIONS), CLASSES, DIRECTIONS)
    # The label's dimension is always right; a constant guesses the commonest class: gap 1 − 1/4, and 1 − 1/3
    assert values["legacy_sap_cc"] == pytest.approx(0.75)
    assert values["legacy_sap_mm"] == pytest.approx(2 / 3)
    assert values["legacy_prediction_cc"] == values["legacy_prediction_mm"] == 1
    content, motion = (values[f"legacy_prediction_{name}"] for name in ("content", "motion"))
    assert values["legacy_prediction_overall"] == pytest.approx((content + motion) / 2)
    assert content == pytest.approx(1 - values["legacy_prediction_cm"])
    swapped = legacy.block_measures(coded(DIRECTIONS), coded(CLASSES), CLASSES, DIRECTIONS)
    assert swapped["legacy_sap_cm"] == values["legacy_sap_mm"]
    assert swapped["legacy_prediction_overall"] == pytest.approx(-values["legacy_prediction_overall"], abs=0.05)


def test_sap_of_duplicated_and_single_dimensions_is_zero() -> None:
    twice = coded(CLASSES)[:, [0, 0]]
    assert legacy.sap(twice, CLASSES) == 0
    assert legacy.sap(twice[:, :1], CLASSES) == 0


def test_sap_of_noise_is_small_and_prediction_near_chance() -> None:
    noise = RNG.normal(size=(240, 5))
    assert legacy.sap(noise, CLASSES) < 0.1
    assert legacy.prediction_accuracy(noise, CLASSES) < 0.5


def test_correlation_by_hand() -> None:
    x = np.array([1.0, -1.0, 1.0, -1.0])
    y = np.array([1.0, 1.0, -1.0, -1.0])
    # r of content (x, constant) with motion (−x, y, x + y): 1, 0, 1/√2; the constant gives 0 three times
    values = legacy.correlation(np.stack([x, 0 * x + 7], 1), np.stack([-x, y, x + y], 1))
    assert values["legacy_correlation_max"] == pytest.approx(1)
    assert values["legacy_correlation_mean"] == pytest.approx((1 + 2**-0.5) / 6)
    assert values["legacy_correlation_frobenius"] == pytest.approx(np.sqrt(1.5) / np.sqrt(2 * 3))


def test_swap_measures_by_hand() -> None:
    # Mean |frame difference| of b: .1, .3; of the swap: .2, .6 → r = 1. Time averages of a: .5, of the swap: .4
    a = np.full((1, 3, 1, 2, 2), 0.5)
    b = np.broadcast_to(np.array([0.0, 0.1, 0.4]).reshape(1, 3, 1, 1, 1), a.shape)
    swap = np.broadcast_to(np.array([0.0, 0.2, 0.8]).reshape(1, 3, 1, 1, 1), a.shape) + 0.2 / 3
    values = legacy.swap_measures(a, b, swap)
    assert values["legacy_content_preservation"] == pytest.approx(0.9)
    assert values["legacy_motion_correlation"] == pytest.approx(1)
    assert values["legacy_swap_quality"] == pytest.approx(0.95)
    # A mirrored series correlates negatively, which the quality counts as 0
    mirrored = legacy.swap_measures(a, b[:, ::-1], swap)
    assert mirrored["legacy_motion_correlation"] == pytest.approx(-1)
    assert mirrored["legacy_swap_quality"] == pytest.approx(mirrored["legacy_content_preservation"] / 2)


def test_still_swaps_have_no_motion_correlation() -> None:
    a = np.full((2, 3, 1, 2, 2), 0.5)
    assert set(legacy.swap_measures(a, RNG.random(a.shape), a)) == {"legacy_content_preservation"}
