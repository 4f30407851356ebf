"""Swap success by a judge that is always right: a true swap wins, and copies, guesses and mixed-up answers do not."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from whatmoves.judging.judged import CLASSES, Judged, digit_sets, true_sets
from whatmoves.judging.swap_scores import Intended, SwapScores, identity_consistency, intervention, swap_scores

PAIRS, FRAMES = 40, 6
RNG = np.random.default_rng(0)
A, B = RNG.integers(0, 5, PAIRS), RNG.integers(5, 10, PAIRS)
PATH_A, PATH_B = RNG.uniform(0, 30, (2, PAIRS, FRAMES, 1, 2))
SETS = np.eye(CLASSES, dtype=bool)
INTENDED = Intended(SETS[A], SETS[B], PATH_A, PATH_B)


def seen(classes: NDArray[np.int64], paths: NDArray[np.float64]) -> SwapScores:
    """Scores of clips that a perfect judge sees to show `classes` on `paths`."""
    chances = SETS[classes] * 0.8 + 0.02
    judged = Judged(chances, None, np.repeat(chances[:, None], FRAMES, axis=1), paths)
    return swap_scores(judged, INTENDED)


@pytest.mark.parametrize(
    ("classes", "paths", "expected"),
    [
        (A, PATH_B, (1, 0, 1, 0, 1)),
        (A, PATH_A, (1, 0, 0, 1, 0)),  # A left as it is
        (B, PATH_B, (0, 1, 1, 0, 0)),  # B left as it is
        (B, PATH_A, (0, 1, 0, 1, 0)),  # the roles mixed up
        (A, PATH_B + np.array([1.0, 1.0]), (1, 0, 1, 0, 1)),  # 1.41 px off
        (A, PATH_B + np.array([2.01, 0.0]), (1, 0, 0, 0, 0)),
    ],
    ids=["swap", "copy A", "copy B", "mixed up", "near", "too far"],
)
def test_what_a_perfect_judge_says(classes, paths, expected) -> None:  # type: ignore[no-untyped-def]
    scores = seen(classes, paths)
    measures = ("content_a", "content_b", "motion_b", "motion_a", "joint")
    assert tuple(getattr(scores, name).mean() for name in measures) == expected


def test_joint_success_needs_both_in_the_same_clip() -> None:
    half = np.arange(PAIRS) < PAIRS // 2
    scores = seen(np.where(half, A, B), np.where(half[:, None, None, None], PATH_A, PATH_B))
    assert scores.content_a.mean() == 0.5
    assert scores.motion_b.mean() == 0.5
    assert scores.joint.mean() == 0.0


@pytest.mark.parametrize(
    ("classes", "paths", "expected"),
    [(A, PATH_B, 1.0), (A, PATH_A, 0.0), (B, PATH_B, 0.0), (B, PATH_A, -1.0)],
    ids=["swap", "copy A", "copy B", "mixed up"],
)
def test_the_intervention_score_tells_half_a_swap_from_a_whole_one(
    classes: NDArray[np.int64], paths: NDArray[np.float64], expected: float
) -> None:
    assert intervention(seen(classes, paths), INTENDED) == pytest.approx(expected)  # no pair is alike: chance 0


def test_distance_and_explained_variance_are_to_the_path_of_b() -> None:
    assert seen(A, PATH_B).r2 == 1.0
    assert seen(A, PATH_A).r2 < 0.2
    assert seen(A, PATH_B + np.array([3.0, 4.0])).path_error_px == pytest.approx([5.0] * PAIRS)


def test_identity_is_the_share_of_frames_with_the_usual_digit() -> None:
    frames = SETS[np.array([[3, 3, 4, 3], [1, 2, 1, 2], [7, 7, 7, 7]])] * 1.0
    assert identity_consistency(frames, 1).tolist() == [0.75, 0.5, 1.0]


def test_the_likeliest_set_of_digits() -> None:
    chances = np.full((4, CLASSES), 0.1)
    chances[0, 3] = 0.2  # nothing likely: the likeliest one
    chances[1, [2, 8]] = 0.9, 0.6
    chances[2, [2, 8, 9]] = 0.9, 0.6, 0.7  # at most two
    chances[3] = 0.4
    found = digit_sets(chances, 2)
    assert [np.flatnonzero(row).tolist() for row in found] == [[3], [2, 8], [2, 9], [0]]
    assert digit_sets(chances[1], 1).nonzero()[0].tolist() == [2]


def test_true_sets_count_a_repeated_digit_once() -> None:
    table = pd.DataFrame({"class_1": [3, 5], "class_2": [3, 1]})
    assert [np.flatnonzero(row).tolist() for row in true_sets(table)] == [[3], [1, 5]]
