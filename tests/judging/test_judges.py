"""From scores of frames to chances of a clip."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from whatmoves.data import moving_digits
from whatmoves.data.moving_digits import Config
from whatmoves.judging.drawing import Geometry
from whatmoves.judging.judged import CLASSES, answer, digit_sets, stored
from whatmoves.judging.judges import Judges, load_judges, save_judges
from whatmoves.judging.networks import Read
from whatmoves.judging.train_judges import ceilings, trained

CPU = torch.device("cpu")


class Says(nn.Module):
    """Scores each frame by its first ten pixels, -1 … 1 from black to white times 4."""

    def forward(self, frames: Tensor) -> Read:
        return Read(frames.flatten(1)[:, :CLASSES] * 8 - 4, frames)


def judged(digits: int, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Chances of clips and of their frames, for frames `[N, T, 10]` of grey levels."""
    judges = Judges(Geometry(16, 8, digits))
    judges.first = Says()  # type: ignore[assignment]
    video = np.zeros((*grey.shape[:2], 1, 16, 16), np.uint8)
    video[:, :, 0, 0, :CLASSES] = grey
    found = judges.judge(video, CPU)
    return found.digits, found.frame_digits


def test_of_several_digits_those_are_there_that_the_frames_make_likelier_than_before() -> None:
    # Two random digits leave a class out with 0.9² = 0.81. Odds below 1 may thus still speak for it.
    prior = math.log(0.19 / 0.81)
    scores = np.full((1, 4, CLASSES), -4.0)
    scores[..., 2] = [4.0, 4.0, -4.0, -4.0]
    scores[..., 7] = prior + 0.3  # never likely, but always likelier than before
    scores[..., 8] = prior - 0.3
    of_clip, of_frames = judged(2, np.rint((scores + 4) / 8 * 255).astype(np.uint8))
    assert np.flatnonzero(digit_sets(of_clip, 2)[0]).tolist() == [2, 7]
    assert of_clip[0, 2] == pytest.approx(1 / (1 + math.exp(prior)), abs=0.01)
    assert of_clip[0, 8] < 0.5
    assert np.flatnonzero(of_frames[0, 0] > 0.5).tolist() == [2]  # a single frame is asked for its own odds
    assert (of_frames[0, 2] < 0.5).all()


def test_of_one_digit_the_chances_are_those_of_the_mean_score() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (3, 5, CLASSES))
    of_clip, of_frames = judged(1, grey.astype(np.uint8))
    odds = np.exp((grey / 255 * 8 - 4).mean(1))
    np.testing.assert_allclose(of_clip, odds / odds.sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(of_frames.sum(2), 1.0)


def test_sizes_are_read_where_they_differ_and_kept_with_the_judges(tmp_path: Path) -> None:
    config = Config(image_px=16, digit_px=8, frames=3, size=(0.7, 1.5), test_clips=60)
    judges = trained(config, 4_000, CPU)
    test = moving_digits._drawn_split(config, "test", 0, config.test_clips)
    read = judges.judge(test.video, CPU)
    assert read.sizes is not None
    assert np.corrcoef(read.sizes, test.factors.size_1)[0, 1] > 0.8
    assert np.abs(read.sizes - test.factors.size_1).mean() < 0.1  # to guess the middle is 0.2 off
    assert ceilings(judges, config, moving_digits, test, CPU)["size_error"] == pytest.approx(
        np.abs(read.sizes - test.factors.size_1).mean()
    )
    save_judges(tmp_path / "judges.pt", judges)
    again = load_judges(tmp_path / "judges.pt", CPU).judge(test.video, CPU)
    np.testing.assert_array_equal(answer(stored("all", again), "all").sizes, read.sizes)
    for other in (Config(image_px=16, digit_px=8), config.model_copy(update={"digits": 2})):
        assert trained(other, 64, CPU).judge(test.video[:2], CPU).sizes is None
