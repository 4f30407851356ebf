"""Shifted test sets: one thing changed, nothing else; a perfect model loses nothing, a constant one keeps nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.data import moving_digits, push_world
from whatmoves.data.clips import Split
from whatmoves.judging.path_errors import centroids
from whatmoves.shifts.sets import Opened, before_and_after, framed, packed, pairs_of, unpacked
from whatmoves.shifts.shift import MOTION, fitted, of_sets, probed

CONFIG = moving_digits.Config(validation_clips=20, test_clips=60)
COUNT = 60
SOURCE = moving_digits.open_source(CONFIG, Path())  # nothing stored is read
HOST = torch.device("cpu")


@pytest.fixture(scope="module")
def sets() -> dict[str, Split]:
    """The test set and every shifted one."""
    drawn = {name: moving_digits.shifted(CONFIG, name, COUNT) for name in moving_digits.SHIFTS}
    return {"test": moving_digits._drawn_split(CONFIG, "test", 0, COUNT), **drawn}


def test_one_thing_changes_and_the_rest_stays(sets: dict[str, Split]) -> None:
    test, tables = sets["test"], {name: split.factors for name, split in sets.items()}
    own = tables["test"]
    faster = tables["speed"]
    np.testing.assert_allclose(faster[["speed_1", "velocity_y_1"]], 1.5 * own[["speed_1", "velocity_y_1"]])
    assert (faster[["instance_1", "start_y_1"]] == own[["instance_1", "start_y_1"]]).all(axis=None)
    assert sets["size"].video.shape == test.video.shape
    assert sets["size"].video.mean() > 1.4 * test.video.mean()  # 1.3 on a side
    assert (tables["size"].instance_1 == own.instance_1).all()
    np.testing.assert_array_equal(sets["contrast"].video, test.video // 2)
    np.testing.assert_array_equal(sets["class"].video, test.video.swapaxes(-1, -2))
    np.testing.assert_array_equal(tables["class"].velocity_x_1, own.velocity_y_1)
    assert (sets["objects"].video >= test.video).all()  # the same digit, and another over it
    bank = moving_digits.load_bank("uci", CONFIG.digit_px)
    assert tables["hands"].instance_1.isin(bank.pools["train"]).all()
    assert (tables["hands"][list(MOTION)] == own[list(MOTION)]).all(axis=None)


def test_true_clips_are_drawn_as_the_sets_are(sets: dict[str, Split]) -> None:
    for name in ("test", "speed", "size", "contrast"):
        drawn = moving_digits.shifted_truth(CONFIG, name, sets[name].factors)
        np.testing.assert_array_equal(drawn, sets[name].video)


def test_true_swaps_of_digits_of_other_sizes_lie_where_they_are_said_to() -> None:
    config = CONFIG.model_copy(update={"size": (0.6, 1.3)})
    for name in ("test", "speed", "size"):
        split = moving_digits.shifted(config, name, COUNT)
        pairs = pairs_of(split)
        assert pairs is not None
        swapped = moving_digits.swap_factors(*(split.factors.iloc[rows].reset_index(drop=True) for rows in pairs.T))
        video = moving_digits.shifted_truth(config, name, swapped)
        said = moving_digits.shifted_centres(config, name, swapped) - 0.5
        offset = centroids(video) - said  # ink is not centred in its square, by the same in every frame
        assert np.abs(offset - offset.mean(1, keepdims=True)).max() < 0.1
        own = split.centres_px[pairs[:, 1]] - 0.5
        assert np.abs(own - said).max() > 2  # where a digit of the receiver's size is


def test_sets_come_back_as_they_were_stored(sets: dict[str, Split]) -> None:
    again = unpacked(packed(sets))
    assert list(again) == list(sets)
    for name, split in sets.items():
        np.testing.assert_array_equal(again[name].video, split.video)
        assert again[name].factors.equals(split.factors.reset_index(drop=True))


class Constant(nn.Module):
    """Answers with one picture, or with what it is shown."""

    def __init__(self, picture: NDArray[np.float64] | None) -> None:
        super().__init__()
        self.picture = picture

    def reconstruct(self, video: Tensor) -> Tensor:
        """The video, or the picture in its place."""
        return video if self.picture is None else torch.from_numpy(self.picture).float().expand_as(video)


@pytest.mark.parametrize("perfect", [True, False])
def test_perfect_reconstructions_lose_nothing_and_the_mean_frame_keeps_nothing(
    sets: dict[str, Split], perfect: bool
) -> None:
    mean = SOURCE.train_split(100).video.mean((0, 1))
    opened = Opened(moving_digits, CONFIG, SOURCE, 6, sets)
    frame = {name: framed(name, split, mean, opened, None, HOST) for name, split in sets.items()}
    found = of_sets(Constant(None if perfect else mean / 255), opened, frame, None, 30, HOST)
    for name in sets:
        assert found[f"shift_{name}_reconstruct"].mean() == pytest.approx(float(perfect), abs=1e-5), name
        if name != "test":
            assert found[f"shift_lost_{name}_reconstruct"].mean() == pytest.approx(0, abs=1e-5)
            assert "test" in before_and_after(name)


def test_a_code_of_the_true_factors_is_read_on_every_set(sets: dict[str, Split]) -> None:
    train = SOURCE.train_split(600)

    def codes(split: Split) -> dict[str, Any]:
        labels = np.eye(10)[split.factors.class_1.to_numpy()]
        return {"clip": np.concatenate([labels, split.factors[list(MOTION)]], axis=1).astype(np.float32)}

    probes = fitted(codes(train), train)
    for name, split in sets.items():
        found = {what: array.mean() for what, array in probed(codes(split), split, probes, name).items()}
        assert ("content" in found) == (name not in ("class", "objects"))
        assert ("motion" in found) == (name != "objects")
        assert all(value > 0.99 for value in found.values()), (name, found)


def test_push_world_is_shifted_one_thing_at_a_time() -> None:
    config = push_world.Config(image_px=32, frames=4)
    test = push_world._drawn_split(config, "test", 6)
    drawn = {name: push_world.shifted(config, name, 6) for name in push_world.SHIFTS}
    np.testing.assert_allclose(drawn["size"].factors.radius_1, push_world.LARGER * test.factors.radius_1)
    np.testing.assert_array_equal(drawn["contrast"].video, test.video // 2)
    assert "shape_4" in drawn["objects"].factors
    assert set(drawn["looks"].factors.shape_1) <= set(push_world.NOVEL[0])
