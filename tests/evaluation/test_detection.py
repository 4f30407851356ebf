"""Average precision of detections: by hand, for detectors that know, that lag, that guess; the last horizon counts."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from whatmoves.data.clips import Batch, Split
from whatmoves.evaluation.detection import average_precision, detected

N, T, GRID = 5, 6, 4


@pytest.fixture
def split() -> Split:
    """One bright pixel a frame that steps right along its row and wraps around."""
    video = np.zeros((N, T, 1, GRID, GRID), np.uint8)
    for clip in range(N):
        for frame in range(T):
            video[clip, frame, 0, clip % GRID, (clip + frame) % GRID] = 255
    return Split(video, None)  # type: ignore[arg-type]


class Seer(nn.Module):
    """Sees each frame perfectly, and `knows` the rule of motion or thinks that nothing moves."""

    def __init__(self, knows: bool) -> None:
        super().__init__()
        self.knows = knows

    def detection_targets(self, batch: Batch) -> Tensor:
        return batch.video[:, :, 0]

    def detect(self, video: Tensor) -> Tensor:
        return 0.1 + 0.8 * video[:, :, 0]

    def detect_ahead(self, video: Tensor) -> list[Tensor]:
        now = self.detect(video)
        return [now[:, 1:-h].roll(h if self.knows else 0, -1) for h in range(1, T - 1)]


def test_average_precision_by_hand() -> None:
    truth, scores = np.array([1, 0, 1, 0], np.float32), np.array([0.9, 0.8, 0.7, 0.1], np.float32)
    assert average_precision(truth, scores) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)  # recall ½ at 1, then 1 at ⅔
    assert average_precision(np.zeros(4, np.float32), scores) == 0


def test_who_knows_the_motion_is_perfect_at_every_horizon(split: Split) -> None:
    found = detected(Seer(True), split, 2, torch.device("cpu"))
    assert found.curves["detection_ap"] == [1.0] * (T - 2)
    assert found.values["detection_map"] == found.values["detection_ap_late"] == found.values["detection_ap_0"] == 1.0
    # late by h < 4 columns no cell is right, and what scores low holds every positive: 1 in 15 of the cells left; at 4
    # the row has come round
    assert found.curves["detection_persistence"] == pytest.approx([1 / 16, 1 / 16, 1 / 16, 1.0])
    assert found.curves["detection_chance"] == pytest.approx([1 / 16] * 4)
    assert found.values["detection_gain"] == pytest.approx(1 - (3 / 16 + 1) / 4)
    assert found.values["detection_nats"] == pytest.approx(-np.log(0.9), rel=1e-5)


def test_who_thinks_that_nothing_moves_is_persistence(split: Split) -> None:
    found = detected(Seer(False), split, N, torch.device("cpu"))
    assert found.curves["detection_ap"] == found.curves["detection_persistence"]
    assert found.values["detection_gain"] == 0
