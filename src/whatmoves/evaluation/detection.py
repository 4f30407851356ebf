"""Detection: does a cell of a coarse grid hold an object's centre, h frames ahead of the last frame that was seen?

Average precision (the step-wise sum of precision times recall gained) of all cells of all test clips together, at each
horizon h = 1 … T − 2, the last included:

    detection_ap_<h>        of what is foreseen h frames ahead; h = 0: of the frames themselves, the head's own ceiling
    detection_map           the mean over horizons from 1 on, detection_ap_late from 2 on
    detection_persistence   the same maps h frames late: the head on the last true frame. Its mean: …_persistence_map
    detection_chance        the share of cells that hold an object: what a constant scores. Its mean: …_chance_map
    detection_gain          detection_map − detection_persistence_map
    detection_nats          binary cross-entropy on the frames themselves, nats per cell

The original (eb_jepa) averages the precision of batches of its validation clips, and never scores the last horizon.
Average precision mixes the error of the predictor with the strangeness of its latents to a head trained on true ones.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from whatmoves.data.clips import Split
from whatmoves.models.interface import Detects


class Detected(NamedTuple):
    """Numbers by name, and curves over the horizons 1 … T − 2."""

    values: dict[str, float]
    curves: dict[str, list[float]]


def detected(model: Detects, split: Split, batch_size: int, device: torch.device) -> Detected:
    """Everything about the detections of one model with `detect`, `detect_ahead` and `detection_targets`."""
    targets, now, ahead = _maps(model, split, batch_size, device)
    horizons = range(1, len(ahead) + 1)
    truths = [targets[:, h + 1 :] for h in horizons]
    precision = [average_precision(truth, maps) for truth, maps in zip(truths, ahead, strict=True)]
    late = [average_precision(truth, now[:, 1:-h]) for h, truth in zip(horizons, truths, strict=True)]
    chance = [float(truth.mean()) for truth in truths]
    cells = torch.from_numpy(now).clamp(1e-7, 1 - 1e-7)
    values = {
        "detection_ap_0": average_precision(targets, now),
        **{f"detection_ap_{h}": value for h, value in zip(horizons, precision, strict=True)},
        "detection_map": float(np.mean(precision)),
        "detection_persistence_map": float(np.mean(late)),
        "detection_chance_map": float(np.mean(chance)),
        "detection_gain": float(np.mean(precision) - np.mean(late)),
        "detection_nats": float(functional.binary_cross_entropy(cells, torch.from_numpy(targets))),
    }
    if len(precision) > 1:
        values["detection_ap_late"] = float(np.mean(precision[1:]))
    curves = {"detection_ap": precision, "detection_persistence": late, "detection_chance": chance}
    return Detected(values, curves)


def average_precision(truth: NDArray[np.float32], scores: NDArray[np.float32]) -> float:
    """Average precision of `scores` for the cells of `truth` (0 or 1) of the same shape; 0 where no cell is 1."""
    from sklearn.metrics import average_precision_score  # takes a second, which other models need not pay

    return float(average_precision_score(truth.ravel(), scores.ravel())) if truth.any() else 0.0


def _maps(
    model: Detects, split: Split, batch_size: int, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[NDArray[np.float32]]]:
    """Targets and detections `[N, T, g, g]` of the true frames, and foreseen ones `[N, T − 1 − h, g, g]` for each h."""
    targets, now = [], []
    ahead: list[list[torch.Tensor]] = []
    for first in range(0, len(split.video), batch_size):
        batch = split.batch(slice(first, min(first + batch_size, len(split.video))), device)
        targets.append(model.detection_targets(batch).cpu())
        now.append(model.detect(batch.video).cpu())
        ahead.append([maps.cpu() for maps in model.detect_ahead(batch.video)])
    return (
        torch.cat(targets).numpy(),
        torch.cat(now).numpy(),
        [torch.cat(maps).numpy() for maps in zip(*ahead, strict=True)],
    )
