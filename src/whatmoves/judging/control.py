"""What a trained model does when one half of a code is changed: kept, redrawn, or led from one clip to another.

From what the judges said of it (`whatmoves.judging.asking`) to numbers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from whatmoves.judging.judge_scores import judge_scores
from whatmoves.judging.judged import STEPS, Judged, answer, digit_sets, drawn_pairs, kappa, led_pairs
from whatmoves.judging.path_errors import NEAR_PX, path_error
from whatmoves.judging.swap_scores import Intended, SwapScores, intervention, swap_scores
from whatmoves.judging.task import Facts

Arrays = Mapping[str, NDArray[Any]]


PER_PAIR = ("content_a", "content_b", "motion_b", "motion_a", "joint", "identity", "path_error_px")


def judged_swaps(answers: Arrays, facts: Facts) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """Everything about the swaps of one trained model: arrays per pair, and numbers."""
    of_pairs, numbers = scored(answer(answers, "swapped"), facts)
    own = own_reconstructions(answer(answers, "own"), facts)
    of_pairs |= own
    numbers |= {name: float(array.mean()) for name, array in own.items()}
    if numbers["own_joint"] > 0:  # otherwise nothing is recognised, swapped or not, and there is no ratio
        numbers["swap_joint_relative"] = numbers["swap_joint"] / numbers["own_joint"]
    return of_pairs, numbers | resampled(answers, facts) | led(answers, facts)


def scored(judged: Judged, facts: Facts) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """What both judges say of clips that should be the swaps: `swap_*` per pair `[P]`, and numbers."""
    assert judged.second_digits is not None
    intended = facts.intended(facts.pairs)
    scores: SwapScores = swap_scores(judged, intended)
    of_pairs = {f"swap_{name}": getattr(scores, name) for name in PER_PAIR}
    first, second = digit_sets(judged.digits, facts.digits), digit_sets(judged.second_digits, facts.digits)
    by_second = (second == facts.sets[facts.pairs[:, 0]]).all(1) & (scores.motion_b > 0)
    numbers = {name: float(array.mean()) for name, array in of_pairs.items()}
    numbers |= {
        "swap_motion_r2": scores.r2,
        "swap_intervention": intervention(scores, intended),
        "swap_joint_second": float(by_second.mean()),
        "swap_judges_kappa": kappa(first, second),
    }
    return of_pairs, numbers


def own_reconstructions(judged: Judged, facts: Facts) -> dict[str, NDArray[np.float64]]:
    """How the judges see the model's own reconstructions of the clips that give the content, per pair `[P]`.

    `own_content`: the digits are right; `own_motion`: the path is; `own_joint`: both. Nothing was swapped, so it is
    what swaps could reach if mixing lost nothing: a soft decoder is not taken for entanglement.
    """
    rows, where = np.unique(facts.pairs[:, 0], return_inverse=True)
    right = (digit_sets(judged.digits, facts.digits) == facts.sets[rows]).all(1)[where]
    near = (path_error(judged.paths, facts.paths[rows]) < NEAR_PX)[where]
    return {
        "own_content": right.astype(np.float64),
        "own_motion": near.astype(np.float64),
        "own_joint": (right & near).astype(np.float64),
    }


def resampled(answers: Arrays, facts: Facts) -> dict[str, float]:
    """One half kept, the other from random training clips: is the kept one still seen, and is there any variety?

    With the content kept: the measures of the sequential-VAE line (`whatmoves.judging.judge_scores`), for one
    digit a clip. A model that ignores its motion code gets them all right; `resample_path_change_px`, the mean distance
    to the path before, says so. With the motion kept: the share of clips that keep their path.
    """
    content_rows, motion_rows = drawn_pairs(facts.pairs).T
    kept_content, kept_motion = answer(answers, "kept_content"), answer(answers, "kept_motion")
    truth = facts.sets[content_rows]
    right = (digit_sets(kept_content.digits, facts.digits) == truth).all(1)
    found = {
        "resample_accuracy": float(right.mean()),
        "resample_path_change_px": float(path_error(kept_content.paths, facts.paths[content_rows]).mean()),
        "resample_motion_kept": float((path_error(kept_motion.paths, facts.paths[motion_rows]) < NEAR_PX).mean()),
    }
    if facts.digits == 1:
        scores = judge_scores(kept_content.digits, truth.argmax(1))
        found |= {
            "resample_inception": scores.inception_score,
            "resample_entropy_given_clip": scores.entropy_given_clip_nats,
            "resample_entropy_marginal": scores.entropy_marginal_nats,
        }
    return found


def led(answers: Arrays, facts: Facts) -> dict[str, float]:
    """One half led in straight steps from A's to B's while the other stays A's; means over pairs.

    `*_monotone`: rank correlation, with the step, of what should change (chance of B's digits less that of A's;
    nearness to B's path), 1 is best and 0 chance. `*_drift`: how much of what should stay does not (path: distance in
    pixels from that of the first step; digits: share of steps that no longer show the first step's). `*_smoothness`: 1
    when every step changes the picture equally, 0 when one step changes it all.
    """
    pairs = led_pairs(facts.pairs)
    intended = facts.intended(pairs)
    found: dict[str, float] = {}
    for name in ("content", "motion"):
        judged = answer(answers, f"led_{name}")
        digits = judged.digits.reshape(len(pairs), STEPS, -1)
        paths = judged.paths.reshape(len(pairs), STEPS, *judged.paths.shape[1:])
        rising, drift = _content(digits, paths, intended) if name == "content" else _motion(digits, paths, intended)
        found[f"led_{name}_monotone"] = float(np.mean([_rank_correlation(row) for row in rising]))
        found[f"led_{name}_drift"] = drift
        found[f"led_{name}_smoothness"] = smoothness(answers[f"led_{name}_changes"])
    return found


def smoothness(change: NDArray[np.float64]) -> float:
    """1 - (largest step's share of the whole change - even share) / (1 - even share) of `change` `[P, S − 1]`: how much
    each step changes the picture.

    Mean over the P ways; one that never changes counts as 0: nothing was led anywhere.
    """
    total = change.sum(1)
    even = 1 / change.shape[1]
    share = np.divide(change.max(1), total, out=np.ones(len(total)), where=total > 0)
    return float((1 - (share - even) / (1 - even)).mean())


def _content(
    digits: NDArray[np.float64], paths: NDArray[np.float64], intended: Intended
) -> tuple[NDArray[np.float64], float]:
    """What should rise `[P, S]` while the content is led, and the mean drift of the path in pixels."""
    target, source = (chosen[:, None].astype(np.float64) for chosen in (intended.content_b, intended.content_a))
    rising = (digits * target).sum(2) / target.sum(2) - (digits * source).sum(2) / source.sum(2)
    drift = [path_error(steps[1:], np.repeat(steps[:1], len(steps) - 1, axis=0)).mean() for steps in paths]
    return rising, float(np.mean(drift))


def _motion(
    digits: NDArray[np.float64], paths: NDArray[np.float64], intended: Intended
) -> tuple[NDArray[np.float64], float]:
    """What should rise `[P, S]` while the motion is led, and the share of steps whose digits are others."""
    ways = zip(paths, intended.path_b, strict=True)
    rising = np.stack([-path_error(steps, np.repeat(goal[None], len(steps), axis=0)) for steps, goal in ways])
    shown = digit_sets(digits, paths.shape[3])
    return rising, float((shown[:, 1:] != shown[:, :1]).any(2).mean())


def _rank_correlation(row: NDArray[np.float64]) -> float:
    """Spearman's correlation with 0, 1, 2, …; 0 for a row that never changes."""
    return 0.0 if np.ptp(row) == 0 else float(spearmanr(np.arange(len(row)), row).statistic)
