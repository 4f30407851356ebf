"""Paths: distances in pixels, exchangeable digits, and the tracker that nothing has taught."""

import numpy as np
import pytest

from whatmoves.data import moving_digits
from whatmoves.data.moving_digits import Config, make, open_source
from whatmoves.judging.path_errors import centroids, matched, path_error, path_r2, true_paths


def test_a_path_off_by_three_and_four_pixels_is_off_by_five() -> None:
    truth = np.random.default_rng(0).uniform(0, 30, (4, 5, 1, 2))
    assert path_error(truth + np.array([3.0, -4.0]), truth) == pytest.approx([5.0] * 4)
    assert path_error(truth, truth).tolist() == [0.0] * 4


def test_digits_are_matched_frame_by_frame() -> None:
    truth = np.random.default_rng(1).uniform(0, 30, (2, 6, 3, 2))
    found = truth.copy()
    found[:, 3:] = truth[:, 3:][:, :, [2, 0, 1]]  # they change places half way
    assert path_error(found, truth) == pytest.approx([0.0, 0.0])
    np.testing.assert_array_equal(matched(found, truth), truth)
    found[0, 0, 0] += 6.0, 0.0
    assert path_error(found, truth)[0] == pytest.approx(6 / (6 * 3))


def test_explained_variance_is_one_for_the_truth_and_zero_for_its_mean() -> None:
    truth = np.random.default_rng(2).uniform(0, 30, (20, 5, 1, 2))
    assert path_r2(truth, truth) == 1.0
    assert path_r2(np.broadcast_to(truth.mean((0, 1, 2)), truth.shape), truth) == pytest.approx(0.0)
    assert path_r2(truth[::-1], truth) < 0


def test_the_tracker_finds_a_pixel_and_answers_a_black_frame_with_the_middle() -> None:
    video = np.zeros((1, 2, 1, 7, 9), np.uint8)
    video[0, 0, 0, 2, 6] = 200
    assert centroids(video)[0, :, 0].tolist() == [[2.0, 6.0], [3.0, 4.0]]


def test_true_paths_are_where_the_tracker_sees_one_digit_but_for_a_constant(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = Config(validation_clips=1, test_clips=6)
    make(config, tmp_path)
    test = open_source(config, tmp_path).split("test")
    truth = true_paths(moving_digits, config, test.factors)
    assert truth.shape == (6, 12, 1, 2)
    offset = centroids(test.video) - truth
    assert np.abs(offset).max() < 2.0
    assert np.abs(offset - offset.mean(1, keepdims=True)).max() < 0.05
