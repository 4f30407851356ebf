"""What judges must reach before a model is judged by them: they know true swaps, and no floor passes for one."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from whatmoves.data.moving_digits import Config, make
from whatmoves.judging.control import scored
from whatmoves.judging.floors import swap_floor
from whatmoves.judging.path_errors import NEAR_PX
from whatmoves.judging.swap_scores import swap_scores
from whatmoves.judging.task import open_task
from whatmoves.judging.train_judges import ceilings, trained
from whatmoves.study import Study

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
CLIPS = 500
MNIST = os.environ.get("WHATMOVES_MNIST")
NEEDS_MNIST = pytest.mark.skipif(MNIST is None, reason="no MNIST")
FULL = {"digit_bank": "mnist", "mnist_folder": MNIST, "image_px": 64, "digit_px": 28, "frames": 20, "speed_px": (2, 5)}


@pytest.mark.parametrize(
    ("options", "judge_frames", "least"),
    [
        pytest.param({}, 30_000, 0.85, id="one UCI digit"),
        pytest.param(FULL, 40_000, 0.95, id="one MNIST digit", marks=NEEDS_MNIST),
        pytest.param(FULL | {"digits": 2}, 80_000, 0.90, id="two MNIST digits", marks=NEEDS_MNIST),
    ],
)
def test_true_swaps_are_known_and_floors_are_not(
    options: dict[str, Any], judge_frames: int, least: float, tmp_path: Path
) -> None:
    study = Study.model_validate(
        {
            "study": "acceptance",
            "data": {"moving_digits": {"options": {**options, "validation_clips": 50, "test_clips": CLIPS}}},
            "models": {"mean_frame": {}},
            "evaluation": {"probe_clips": 50, "swap_pairs": CLIPS},
        }
    )
    config = Config(**study.data["moving_digits"].options)
    make(config, tmp_path)
    torch.set_num_threads(1)
    task = open_task(study, "moving_digits", tmp_path)
    judges = trained(config, judge_frames, CPU)

    found = ceilings(judges, config, task.module, task.clips.test, CPU)
    assert found["joint"] >= least
    assert found["kappa"] > 0.7
    assert found["path_error_px"] < NEAR_PX * 0.75
    if config.digits == 1:
        assert found["tracker_distance_centred_px"] < 0.3

    joint = {
        row: scored(judges.judge(swap_floor(row, task), CPU, ask_second=True), task.facts)[1]["swap_joint"]
        for row in ("true_render", "blank", "copy_content", "copy_motion")
    }
    # Chance: what the true swap of one pair gets when it is taken for the next one's.
    judged = judges.judge(task.swaps.truth, CPU)
    chance = swap_scores(judged, task.facts.intended(np.roll(task.swaps.pairs, 1, axis=0))).joint.mean()
    assert chance < 0.05
    assert joint["true_render"] >= least
    assert max(joint["blank"], joint["copy_content"], joint["copy_motion"]) <= chance + 0.05
