"""Did the swap work? What judges say of a clip that should show the digits of A on the paths of B.

A model that ignores one block, or copies a source, gets one half right and the joint success wrong; that is why the
joint success is the headline. It is chance where the digits are guessed or the path is not followed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.judging.judge_scores import intervention_score_rescaled
from whatmoves.judging.judged import CLASSES, Judged, digit_sets
from whatmoves.judging.path_errors import NEAR_PX, path_error, path_r2


class Intended(NamedTuple):
    """The two sources of P swaps: digit sets `[P, 10]` and paths `[P, T, O, 2]` of A (content) and B (motion). B's path
    is that of A's digits: where they are of another size, they meet the walls elsewhere than B's own."""

    content_a: NDArray[np.bool_]
    content_b: NDArray[np.bool_]
    path_a: NDArray[np.float64]
    path_b: NDArray[np.float64]


class SwapScores(NamedTuple):
    """Per pair `[P]`, 0 or 1: `content_a` (want 1), `content_b` (want chance), `motion_b` (want 1), `motion_a` (want
    chance) and their conjunction `joint`; `identity` is the share of frames that agree with the clip's usual digits.
    `r2` is the variance of B's paths explained over all pairs; `path_error_px` `[P]` the distance to B's path."""

    content_a: NDArray[np.float64]
    content_b: NDArray[np.float64]
    motion_b: NDArray[np.float64]
    motion_a: NDArray[np.float64]
    joint: NDArray[np.float64]
    identity: NDArray[np.float64]
    path_error_px: NDArray[np.float64]
    r2: float


def swap_scores(judged: Judged, intended: Intended) -> SwapScores:
    """Scores of judged clips; a path is followed when its mean distance is below 2 px."""
    digits = intended.path_b.shape[2]
    shown = digit_sets(judged.digits, digits)
    content_a = (shown == intended.content_a).all(1)
    error = path_error(judged.paths, intended.path_b)
    motion_b = error < NEAR_PX
    return SwapScores(
        content_a.astype(np.float64),
        (shown == intended.content_b).all(1).astype(np.float64),
        motion_b.astype(np.float64),
        (path_error(judged.paths, intended.path_a) < NEAR_PX).astype(np.float64),
        (content_a & motion_b).astype(np.float64),
        identity_consistency(judged.frame_digits, digits),
        error,
        path_r2(judged.paths, intended.path_b),
    )


def intervention(scores: SwapScores, intended: Intended) -> float:
    """The intervention score of the MSD benchmark for swaps, at chance 0 and perfect 1 (`judge_scores`).

    Wanted are A's digits and B's path; B's digits and A's path as often as the true swaps of these pairs show them.
    """
    alike = (intended.content_a == intended.content_b).all(1)
    near = path_error(intended.path_a, intended.path_b) < NEAR_PX
    with np.errstate(divide="ignore"):  # no pair is alike: as many classes as one likes
        classes = 1 / np.array([alike.mean(), near.mean()])
    on_target = np.array([scores.content_a.mean(), scores.motion_b.mean()])
    off_target = np.array([scores.content_b.mean(), scores.motion_a.mean()])
    return intervention_score_rescaled(on_target, off_target, classes)


def identity_consistency(frame_digits: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Share `[N]` of a clip's frames whose judged digits are the clip's most frequent ones; chances `[N, T, 10]`."""
    named = digit_sets(frame_digits, digits) @ 2 ** np.arange(CLASSES)  # [N, T]
    return np.array([np.unique(row, return_counts=True)[1].max() / len(row) for row in named])
