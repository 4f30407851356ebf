"""Paths of digits: where they are, where a tracker without learning sees them, how far two paths lie apart."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NEAR_PX = 2.0  # a clip's path is right when its mean error is below this
CLIPS_AT_ONCE = 500


def true_paths(module: Any, config: Any, factors: pd.DataFrame) -> NDArray[np.float64]:
    """Centres (y, x) of the digits' squares in pixels, `[N, T, O, 2]`."""
    corners: NDArray[np.float64] = module.positions(config, factors)  # [N, O, T, 2]
    sides: NDArray[np.float64] = module.sides(config, factors)  # [N, O]
    centres: NDArray[np.float64] = corners.transpose(0, 2, 1, 3) + (sides[:, None, :, None] - 1) / 2
    return centres


def centroids(video: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The centre of intensity (y, x) of each frame as a path `[N, T, 1, 2]`; of a black frame, the frame's centre.

    Some clips at a time: a split in double precision takes eight times its own memory.
    """
    parts = [_centroids(video[first : first + CLIPS_AT_ONCE]) for first in range(0, len(video), CLIPS_AT_ONCE)]
    return np.concatenate(parts)


def _centroids(video: NDArray[np.uint8]) -> NDArray[np.float64]:
    light = video.mean(2, dtype=np.float64)  # [N, T, H, W]
    H, W = light.shape[2:]
    total = light.sum((2, 3))
    safe = np.where(total > 0, total, 1.0)
    y, x = light.sum(3) @ np.arange(H) / safe, light.sum(2) @ np.arange(W) / safe
    place = np.stack([y, x], axis=-1)
    place[total == 0] = (H - 1) / 2, (W - 1) / 2
    centres: NDArray[np.float64] = place[:, :, None]
    return centres


def matched(found: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """`found` `[N, T, O, 2]` with the O centres of each frame in the order that lies nearest to `truth`.

    Nearest by the sum of distances, over all O! orders (O ≤ 3): what the Hungarian method finds.
    """
    orders = [list(order) for order in itertools.permutations(range(found.shape[2]))]
    sums = np.stack([np.linalg.norm(found[:, :, order] - truth, axis=-1).sum(-1) for order in orders])  # [orders, N, T]
    index = np.array(orders)[sums.argmin(0)]  # [N, T, O]
    return np.take_along_axis(found, index[..., None], axis=2)


def path_error(found: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance in pixels `[N]` between two paths `[N, T, O, 2]`, over frames and digits, best order per frame."""
    distance: NDArray[np.float64] = np.linalg.norm(matched(found, truth) - truth, axis=-1).mean((1, 2))
    return distance


def path_r2(found: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Share of the variance of true centres, over all clips and frames, that `found` `[N, T, O, 2]` explains; ≤ 1."""
    error = np.square(matched(found, truth) - truth).sum()
    return float(1 - error / np.square(truth - truth.mean((0, 1, 2))).sum())
