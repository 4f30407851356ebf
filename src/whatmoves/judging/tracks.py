"""Do slots keep their object? Found paths against true ones: identity switches, and ID F1.

CLEAR MOT's switches (Bernardin and Stiefelhagen 2008, section 2.1) and ID F1 (Ristani et al. 2016, eq. 11), of slots
that are there in every frame, as the objects are. Both ask only who is where within `near_px`, so a path that is a
pixel off costs nothing, and both leave slots in any order.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from whatmoves.data.clips import Split

Paths = NDArray[np.float64]
NOBODY = -1


class TrackScores(NamedTuple):
    """Of N clips: switches per clip, share of clips with a switch, ID F1 over all clips."""

    switches: float
    switched_clips: float
    id_f1: float


def found_paths(path: Callable[[Tensor], Tensor], split: Split, batch_size: int, device: torch.device) -> Paths:
    """What a model's `path` (video `[B, T, C, H, W]` → centres (y, x) `[B, K, T, 2]`, pixels) finds in a split of N
    clips, `[N, K, T, 2]`."""
    with torch.no_grad():
        parts = [
            path(split.batch(slice(first, first + batch_size), device).video).double().cpu()
            for first in range(0, len(split.video), batch_size)
        ]
    return torch.cat(parts).numpy()


def track_scores(found: Paths, truth: Paths, near_px: float) -> TrackScores:
    """Scores of `found` `[N, K, T, 2]` against `truth` `[N, T, O, 2]`."""
    return scores(found, truth.transpose(0, 2, 1, 3), near_px)


def scores(found: Paths, truth: Paths, near_px: float) -> TrackScores:
    """Scores of `found` `[N, K, T, 2]` against `truth` `[N, O, T, 2]`."""
    counts = switches(found, truth, near_px)
    return TrackScores(float(counts.mean()), float((counts > 0).mean()), id_f1(found, truth, near_px))


def switches(found: Paths, truth: Paths, near_px: float) -> NDArray[np.int64]:
    """How often in each clip `[N]` an object comes to be followed by another slot than the one that followed it last.

    A slot keeps its object while it stays within `near_px`, also where another comes nearer: objects that meet are no
    switch. What is left is paired anew in every frame, by the least sum of distances; nothing farther than `near_px`.
    """
    near = _distances(found, truth)
    return np.array([_switches(clip, near_px) for clip in near], np.int64)


def id_f1(found: Paths, truth: Paths, near_px: float) -> float:
    """Share of frames that agree when every object has one slot for a whole clip: 2 · agreeing / (K·T + O·T), 0 … 1.

    The pairing of each clip is the one with most frames within `near_px`. Chance is not 0: of two slots that change
    places half way, half the frames agree.
    """
    agreeing = (_distances(found, truth) <= near_px).sum(1)  # [N, K, O]
    best = sum(int(clip[linear_sum_assignment(-clip)].sum()) for clip in agreeing)
    clips, slots, frames, _ = found.shape
    return float(2 * best / (clips * frames * (slots + truth.shape[1])))


def _distances(found: Paths, truth: Paths) -> Paths:
    """Pixels between every slot and every object `[N, T, K, O]`; unequal clips or frames raise ValueError."""
    if found.shape[::2] != truth.shape[::2] or found.shape[3] != truth.shape[3]:
        raise ValueError(f"found paths are {found.shape}, true ones {truth.shape}; clips and frames must be the same")
    distance: Paths = np.linalg.norm(found[:, :, None] - truth[:, None], axis=-1)  # [N, K, O, T]
    return distance.transpose(0, 3, 1, 2)


def _switches(distance: Paths, near_px: float) -> int:
    """Switches of one clip from `distance` `[T, K, O]`."""
    slots, objects = distance.shape[1:]
    follower = np.full(objects, NOBODY)  # slot of each object in the frame before
    last = follower.copy()  # the same, or the last it had
    count = 0
    for frame in distance:
        kept = [o for o in range(objects) if follower[o] != NOBODY and frame[follower[o], o] <= near_px]
        taken = follower[kept]
        follower = np.full(objects, NOBODY)
        follower[kept] = taken
        free = np.setdiff1d(np.arange(slots), taken)
        lost = np.setdiff1d(np.arange(objects), kept)
        costs = frame[np.ix_(free, lost)]
        far = costs > near_px
        for k, o in zip(*linear_sum_assignment(np.where(far, frame.sum() + near_px, costs)), strict=True):
            if not far[k, o]:
                count += int(last[lost[o]] not in (NOBODY, free[k]))
                follower[lost[o]] = free[k]
        last = np.where(follower == NOBODY, last, follower)
    return count
