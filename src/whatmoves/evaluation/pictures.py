"""What readers see of a model: clips nobody chose, from the seed in the middle.

Shown are the first test clips of different classes, of the seed whose validation loss is the median (the lower one of
an even number; the first seed where nothing was trained).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.data.clips import Split, to_bytes
from whatmoves.errors import ConfigError
from whatmoves.evaluation.factors import classes
from whatmoves.evaluation.prediction import forecast, one_step
from whatmoves.evaluation.swaps import BLOCKS, Mixer, Swaps, swap, swap_obstacle
from whatmoves.models.interface import Attends, Decodes, Detects, Predicts, Reconstructs, Samples

STEPS = 7  # of an interpolation, both ends included
SAMPLE_SEED = 0


def median_seed(losses: Mapping[int, float | None]) -> int:
    """The seed whose loss is the (lower) median; the first seed where any loss is missing."""
    if any(loss is None for loss in losses.values()):
        return next(iter(losses))
    ranked = sorted(losses, key=lambda seed: (losses[seed], seed))
    return ranked[(len(ranked) - 1) // 2]


def shown_rows(test: Split, count: int) -> list[int]:
    """The first `count` rows of the test split that differ in class, filled with the next rows if classes run out."""
    shown = classes(test.factors)
    rows: list[int] = []
    if shown is not None:
        seen = set()
        for row, key in enumerate(map(tuple, shown.tolist())):
            if key not in seen and len(rows) < count:
                seen.add(key)
                rows.append(row)
    rest = [row for row in range(len(test.video)) if row not in rows]
    return sorted(rows + rest[: count - len(rows)])


def pictures(
    model: nn.Module,
    test: Split,
    codes: Mapping[str, NDArray[np.float32]] | None,
    mixer: Mixer | None,
    swaps: Swaps | None,
    count: int,
    past_frames: int,
    device: torch.device,
) -> dict[str, NDArray[np.uint8]]:
    """Pictures of one trained model, uint8; what the model cannot make is absent.

    `truth`, `reconstruction` and `samples` `[n, T, C, H, W]`; `interpolation_content`, `interpolation_motion` (from the
    first shown clip's code to the second's in that block alone), `interpolation_both` (whole code) `[7, T, C, H, W]`;
    `swap_content_source`, `swap_motion_source`, `swap_model`, `swap_truth` `[n, T, C, H, W]` of the first pairs;
    `prediction_past` `[n, past_frames, C, H, W]`, `prediction_truth`, `prediction` (closed loop) and
    `prediction_one_step` (each frame from the true ones before it) of the rest; `detection_truth` and `detection`
    `[n, horizon, g, g]`, where objects are and are foreseen to be from the first two frames on.
    `attention` `[n, windows, registers, h, w]`: where each register of the first block looks, 255 the most in a clip.
    `codes` are the blocks `[N, D]` of all test clips, and `mixer` how they are mixed.
    """
    rows = shown_rows(test, count)
    result = {"truth": test.video[rows]}
    with torch.inference_mode():
        if isinstance(model, Reconstructs):
            video = torch.from_numpy(test.video[rows]).to(device).float().div_(255)
            result["reconstruction"] = to_bytes(model.reconstruct(video))
        if isinstance(model, Predicts):
            result |= _predictions(model, test, rows, past_frames, device)
        if isinstance(model, Detects):
            result |= _detections(model, test, rows, device)
        if isinstance(model, Attends):
            result["attention"] = _attention(model, test, rows, device)
        if isinstance(model, Samples):
            generator = torch.Generator().manual_seed(SAMPLE_SEED)
            result["samples"] = to_bytes(model.sample(count, generator))
        if codes is not None and isinstance(model, Decodes) and len(rows) > 1:
            result |= _interpolations(model, codes, rows, device)
        if swaps is not None and swap_obstacle(model, mixer) is None:
            assert isinstance(model, Decodes)
            assert codes is not None
            assert mixer is not None
            pairs = swaps.pairs[:count]
            result["swap_content_source"], result["swap_motion_source"] = (
                test.video[pairs[:, 0]],
                test.video[pairs[:, 1]],
            )
            result["swap_model"], result["swap_truth"] = (
                to_bytes(swap(model, codes, mixer, pairs, device)),
                swaps.truth[:count],
            )
    return result


def _predictions(
    model: Predicts, test: Split, rows: Sequence[int], past_frames: int, device: torch.device
) -> dict[str, NDArray[np.uint8]]:
    batch = test.batch(rows, device)
    try:
        drawn, stepwise = forecast(model, batch, past_frames), one_step(model, batch, past_frames)
    except ConfigError:  # a past that is too short for it: the record of its measures says so
        return {}
    return {
        "prediction_past": test.video[rows, :past_frames],
        "prediction_truth": test.video[rows, past_frames:],
        "prediction": to_bytes(drawn),
        "prediction_one_step": to_bytes(stepwise),
    }


def _detections(model: Detects, test: Split, rows: Sequence[int], device: torch.device) -> dict[str, NDArray[np.uint8]]:
    """Maps of frames 2 … T − 1; the last horizon of each frame is the whole rollout from frames 0 and 1."""
    batch = test.batch(rows, device)
    ahead = model.detect_ahead(batch.video)
    foreseen = torch.cat([maps[:, :1] for maps in ahead], dim=1)  # horizon h at frame h + 1
    return {
        "detection_truth": to_bytes(model.detection_targets(batch)[:, 2:]),
        "detection": to_bytes(foreseen),
    }


def _attention(model: Attends, test: Split, rows: Sequence[int], device: torch.device) -> NDArray[np.uint8]:
    """Of the first block: what registers of the last one see is read by nothing, so it is not learnt."""
    batch = test.batch(rows, device)
    windows = batch.video.shape[1] - model.config.past_frames + 1
    actions = None if batch.actions is None else batch.actions[:, -windows:]
    looks: Tensor = model.attention(batch.video, actions)[:, :, 0]
    return to_bytes(looks / looks.amax((1, 3, 4), keepdim=True))


def _interpolations(
    model: Decodes, codes: Mapping[str, NDArray[np.float32]], rows: Sequence[int], device: torch.device
) -> dict[str, NDArray[Any]]:
    ends = {block: torch.from_numpy(values[list(rows[:2])]).to(device) for block, values in codes.items()}
    weight = torch.linspace(0, 1, STEPS, device=device)[:, None]
    paths = {block: torch.lerp(end[:1], end[1:], weight) for block, end in ends.items()}  # [7, D]
    still = {block: end[:1].expand(STEPS, -1) for block, end in ends.items()}
    moving = {"both": set(codes)}
    if set(BLOCKS) <= set(codes):
        moving |= {block: {block} for block in BLOCKS}
    return {
        f"interpolation_{name}": to_bytes(
            model.decode({block: paths[block] if block in changed else still[block] for block in codes})
        )
        for name, changed in moving.items()
    }
