"""Identity switches and ID F1: closed forms, crossings, and a model's paths against a data set's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data import moving_digits
from whatmoves.data.moving_digits import Config, make, open_source
from whatmoves.judging.path_errors import true_paths
from whatmoves.judging.tracks import found_paths, id_f1, scores, switches, track_scores

NEAR = 3.0


def lanes(clips: int = 1, objects: int = 2, frames: int = 8) -> NDArray[np.float64]:
    """Objects side by side, 20 px apart, that fly to the right: `[N, O, T, 2]`."""
    place = np.zeros((clips, objects, frames, 2))
    place[..., 0] = 20.0 * np.arange(objects)[:, None]
    place[..., 1] = np.arange(frames)
    return place


def with_exchange(truth: NDArray[np.float64], *frames: int) -> NDArray[np.float64]:
    """Slots 0 and 1 change places at each of `frames`."""
    found = truth.copy()
    for frame in frames:
        found[:, [0, 1], frame:] = found[:, [1, 0], frame:]
    return found


def test_the_truth_has_no_switch_whatever_the_order_of_its_slots() -> None:
    truth = lanes(clips=3, objects=3)
    for order in ([0, 1, 2], [2, 0, 1]):
        assert scores(truth[:, order] + 0.5, truth, NEAR) == (0.0, 0.0, 1.0)


def test_slots_that_change_places_switch_once_for_each_object() -> None:
    truth = lanes(clips=4)
    found = truth.copy()
    found[1:2] = with_exchange(truth[1:2], 6)
    found[3:4] = with_exchange(truth[3:4], 2, 4)
    assert switches(found, truth, NEAR).tolist() == [0, 2, 0, 4]
    # Agreeing frames of 8: all, the first 6, all, all but the 2 between.
    assert scores(found, truth, NEAR) == pytest.approx((1.5, 0.5, (8 + 6 + 8 + 6) / 32))


def test_objects_that_meet_are_no_switch_but_slots_that_bounce_there_are() -> None:
    frames = 9
    truth = np.zeros((1, 2, frames, 2))
    truth[0, :, :, 1] = np.arange(frames) * 4.0
    truth[0, 0, :, 0], truth[0, 1, :, 0] = np.linspace(0, 24, frames), np.linspace(24, 0, frames)
    noise = np.random.default_rng(0).uniform(-1.4, 1.4, truth.shape)
    assert scores(truth + noise, truth, NEAR) == (0.0, 0.0, 1.0)
    bounced = with_exchange(truth, 5)
    assert switches(bounced, truth, NEAR).tolist() == [2]
    assert id_f1(bounced, truth, NEAR) == pytest.approx(5 / 9)  # before; or those after and the one where they meet


def test_a_lost_object_that_its_own_slot_finds_again_has_not_switched() -> None:
    truth = lanes()
    found = truth.copy()
    found[:, 0, 3:5] += 100.0
    assert switches(found, truth, NEAR).tolist() == [0]
    assert id_f1(found, truth, NEAR) == pytest.approx((8 + 6) / 16)
    found[:, [0, 1], 5:] = found[:, [1, 0], 5:]
    assert switches(found, truth, NEAR).tolist() == [2]


def test_slots_too_few_or_too_many() -> None:
    truth = lanes()
    assert scores(truth[:, :1], truth, NEAR) == pytest.approx((0.0, 0.0, 2 * 8 / (8 + 16)))
    spare = np.concatenate((truth, truth[:, :1] + 200), axis=1)
    assert scores(spare, truth, NEAR) == pytest.approx((0.0, 0.0, 2 * 16 / (24 + 16)))


def test_near_is_a_distance_along_both_axes_at_once() -> None:
    truth = lanes()
    for shift, right in ((np.array([1.8, 2.3]), 1.0), (np.array([1.8, 2.5]), 0.0)):  # 2.92 and 3.08
        assert id_f1(truth + shift, truth, NEAR) == right


def test_other_frames_are_refused() -> None:
    with pytest.raises(ValueError, match=r"found paths are \(1, 2, 8, 2\), true ones \(1, 2, 7, 2\); clips and"):
        switches(lanes(), lanes(frames=7), NEAR)


def test_paths_of_a_model_against_those_of_the_data(tmp_path: Path) -> None:
    config = Config(digits=2, validation_clips=1, test_clips=5)
    make(config, tmp_path)
    split = open_source(config, tmp_path).split("test")
    truth = moving_digits.positions(config, split.factors) + 6.5  # centres of squares of 14
    answers = torch.from_numpy(truth).float().flip(1)
    given = iter((answers[:2], answers[2:4], answers[4:]))

    def path(video: Tensor) -> Tensor:
        places: Tensor = next(given)
        assert video.shape == (len(places), 12, 1, 32, 32)
        return places

    found = found_paths(path, split, 2, torch.device("cpu"))
    assert track_scores(found, true_paths(moving_digits, config, split.factors), NEAR) == (0.0, 0.0, 1.0)
