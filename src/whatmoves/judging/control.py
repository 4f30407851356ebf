"""What a trained model does when one half of a code is changed: kept, redrawn, or led from one clip to another.

The other half is redrawn from codes of training clips, not from the prior: a learned split has no prior, and a prior
that does not match the codes would count as entanglement.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from whatmoves.data.clips import to_bytes
from whatmoves.evaluation.swaps import Codes, Mixer, decoded
from whatmoves.judging.judge_scores import judge_scores
from whatmoves.judging.judges import Judged, digit_sets
from whatmoves.judging.path_errors import NEAR_PX, path_error
from whatmoves.judging.swap_scores import Intended
from whatmoves.judging.task import Task
from whatmoves.models.interface import Decodes

FEWEST_DRAWN = 100  # pairs half of whose code is redrawn; half of the pairs where that is more
LED_PAIRS = 12  # pairs whose codes are led from one to the other
STEPS = 7  # clips on each such way, both ends included
DRAW_SEED = 0

Judge = Callable[[NDArray[np.uint8]], Judged]


class Coder(NamedTuple):
    """A trained model with its codes of training and test clips, and how they are mixed."""

    model: Decodes
    mixer: Mixer
    train: Codes
    test: Codes
    device: torch.device

    def draw(self, codes: Codes, batch_size: int) -> NDArray[np.uint8]:
        """The clips of `codes`, uint8 `[N, T, C, H, W]`."""
        count = len(next(iter(codes.values())))
        with torch.inference_mode():
            parts = [
                to_bytes(decoded(self.model, rows_of(codes, slice(first, first + batch_size)), self.device))
                for first in range(0, count, batch_size)
            ]
        return np.concatenate(parts)


def own_reconstructions(coder: Coder, task: Task, judge: Judge, batch_size: int) -> dict[str, NDArray[np.float64]]:
    """How the same judges see the model's own reconstructions of the clips that give the content, per pair `[P]`.

    `own_content`: the digits are right; `own_motion`: the path is; `own_joint`: both. Nothing was swapped, so it is
    what swaps could reach if mixing lost nothing: a soft decoder is not taken for entanglement.
    """
    rows, where = np.unique(task.swaps.pairs[:, 0], return_inverse=True)
    judged = judge(coder.draw(rows_of(coder.test, rows), batch_size))
    right = (digit_sets(judged.digits, task.config.digits) == task.sets[rows]).all(1)[where]
    near = (path_error(judged.paths, task.paths[rows]) < NEAR_PX)[where]
    return {
        "own_content": right.astype(np.float64),
        "own_motion": near.astype(np.float64),
        "own_joint": (right & near).astype(np.float64),
    }


def resampled(coder: Coder, task: Task, judge: Judge, batch_size: int) -> dict[str, float]:
    """One half kept, the other from random training clips: is the kept one still seen, and is there any variety?

    With the content kept: the measures of the sequential-VAE line (`whatmoves.judging.judge_scores`), for one
    digit a clip. A model that ignores its motion code gets them all right; `resample_path_change_px`, the mean distance
    to the path before, says so. With the motion kept: the share of clips that keep their path.
    """
    content_rows, motion_rows = task.swaps.pairs[: max(FEWEST_DRAWN, len(task.swaps.pairs) // 2)].T
    count = len(content_rows)
    rng = np.random.default_rng(DRAW_SEED)
    drawn = rows_of(coder.train, rng.integers(len(next(iter(coder.train.values()))), size=count))
    kept_content = judge(coder.draw(coder.mixer.mix(rows_of(coder.test, content_rows), drawn), batch_size))
    kept_motion = judge(coder.draw(coder.mixer.mix(drawn, rows_of(coder.test, motion_rows)), batch_size))
    truth = task.sets[content_rows]
    right = (digit_sets(kept_content.digits, task.config.digits) == truth).all(1)
    found = {
        "resample_accuracy": float(right.mean()),
        "resample_path_change_px": float(path_error(kept_content.paths, task.paths[content_rows]).mean()),
        "resample_motion_kept": float((path_error(kept_motion.paths, task.paths[motion_rows]) < NEAR_PX).mean()),
    }
    if task.config.digits == 1:
        scores = judge_scores(kept_content.digits, truth.argmax(1))
        found |= {
            "resample_inception": scores.inception_score,
            "resample_entropy_given_clip": scores.entropy_given_clip_nats,
            "resample_entropy_marginal": scores.entropy_marginal_nats,
        }
    return found


def led(coder: Coder, task: Task, judge: Judge, batch_size: int) -> dict[str, float]:
    """One half led in straight steps from A's to B's while the other stays A's; means over pairs.

    `*_monotone`: rank correlation, with the step, of what should change (chance of B's digits less that of A's;
    nearness to B's path), 1 is best and 0 chance. `*_drift`: how much of what should stay does not (path: distance in
    pixels from that of the first step; digits: share of steps that no longer show the first step's). `*_smoothness`: 1
    when every step changes the picture equally, 0 when one step changes it all.
    """
    pairs = task.swaps.pairs[:LED_PAIRS]
    intended = task.intended(pairs)
    start, end = (rows_of(coder.test, rows) for rows in pairs.T)
    weights = np.linspace(0, 1, STEPS, dtype=np.float32)
    way = {
        block: ((1 - weights)[:, None] * start[block][:, None] + weights[:, None] * end[block][:, None]).reshape(
            -1, start[block].shape[1]
        )
        for block in start
    }
    still = {block: values.repeat(STEPS, axis=0) for block, values in start.items()}
    found: dict[str, float] = {}
    for name, mixed in (("content", coder.mixer.mix(way, still)), ("motion", coder.mixer.mix(still, way))):
        video = coder.draw(mixed, batch_size)
        judged = judge(video)
        digits = judged.digits.reshape(len(pairs), STEPS, -1)
        paths = judged.paths.reshape(len(pairs), STEPS, *judged.paths.shape[1:])
        rising, drift = _content(digits, paths, intended) if name == "content" else _motion(digits, paths, intended)
        found[f"led_{name}_monotone"] = float(np.mean([_rank_correlation(row) for row in rising]))
        found[f"led_{name}_drift"] = drift
        found[f"led_{name}_smoothness"] = smoothness(video.reshape(len(pairs), STEPS, -1))
    return found


def smoothness(steps: NDArray[np.uint8]) -> float:
    """1 - (largest step's share of the whole change - even share) / (1 - even share) of pictures `[P, S, pixels]`.

    Mean over the P ways; one that never changes counts as 0: nothing was led anywhere.
    """
    change = np.abs(np.diff(steps.astype(np.int16), axis=1)).sum(2, dtype=np.float64)  # [P, S − 1]
    total = change.sum(1)
    even = 1 / change.shape[1]
    share = np.divide(change.max(1), total, out=np.ones(len(total)), where=total > 0)
    return float((1 - (share - even) / (1 - even)).mean())


def rows_of(codes: Codes, rows: NDArray[np.int64] | slice) -> Codes:
    """Some rows of every block."""
    return {block: values[rows] for block, values in codes.items()}


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
