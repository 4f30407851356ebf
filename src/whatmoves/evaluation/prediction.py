"""Prediction: the frames after a past, closed loop on the model's own predictions, against the truth.

Every measure is a mean over the steps of the horizon of the per-frame one of `whatmoves.evaluation.quality`, and its
curve the mean over clips step by step:

    predict_<measure>           of the prediction; of a model that draws at random, with its prior's mean
    predict_best_<measure>      of the best of K draws, chosen per clip and per measure by the mean over its steps (the
                                convention of Denton and Fergus 2018; different draws may win different measures)
    predict_shuffled_<measure>  of a model that reads actions, with those of another clip after the past
    action_cost_db              psnr_frame lost by that, per clip: what the model makes of its actions

A data kind may ask for more of `predict_<measure>` in its `CONVENTIONS`, those of the literature on it: any per-frame
measure of `whatmoves.evaluation.quality`, or `mae_frame`, the absolute error summed over a frame's pixels.

Reconstruction has seen the frames that it is asked for, prediction has not: the two are never ranked together.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data.clips import Batch, Split
from whatmoves.errors import ConfigError
from whatmoves.evaluation.quality import NONE, Own, frame_quality
from whatmoves.models.interface import Future, Predicts

MEASURES = ("mse_pixel", "mae_pixel", "psnr_frame", "psnr_channel", "ssim_gauss11")
LOWER_IS_BETTER = ("mse_pixel", "mae_pixel")
DRAW_SEED = 10_000  # of the first draw; the k-th has the k-th seed from here


class Predicted(NamedTuple):
    """Measures per clip `[N]` and mean curves over the steps of the horizon, by the names above."""

    clips: dict[str, NDArray[np.float64]]
    curves: dict[str, list[float]]


def predicted(
    model: Predicts,
    split: Split,
    past_frames: int,
    best_of: int,
    batch_size: int,
    device: torch.device,
    conventions: Sequence[str] = (),
    own: Own = NONE,
) -> Predicted:
    """Everything about the predictions of one model in evaluation mode; the rest of each clip is predicted.

    Raises `ConfigError` where the model cannot start from so short a past, or nothing is left to predict.
    """
    frames = split.video.shape[1]
    if past_frames >= frames:
        raise ConfigError(
            f"past_frames is {past_frames}, but clips have {frames} frames; must be ≤ {frames - 1}, to predict one"
        )
    plain = _per_frame(forecasts(model, split, past_frames, batch_size, device), conventions, own)
    result = _named("predict", plain)
    if getattr(model, "stochastic", False) and best_of > 1:
        draws = [
            _per_frame(forecasts(model, split, past_frames, batch_size, device, seed=DRAW_SEED + k))
            for k in range(best_of)
        ]
        _add(result, _named("predict_best", best_draws(draws)))
    if getattr(model, "reads_actions", False):
        shuffled = _per_frame(forecasts(model, split, past_frames, batch_size, device, shuffled=True))
        _add(result, _named("predict_shuffled", shuffled))
        cost = result.clips["predict_psnr_frame"] - result.clips["predict_shuffled_psnr_frame"]
        result.clips["action_cost_db"] = cost
    return result


def answers(prediction: Iterator[tuple[Tensor, Tensor]], conventions: Sequence[str] = (), own: Own = NONE) -> Predicted:
    """The same measures of given (prediction, truth) batches, such as a floor's."""
    return _named("predict", _per_frame(prediction, conventions, own))


def forecasts(
    model: Predicts,
    split: Split,
    past_frames: int,
    batch_size: int,
    device: torch.device,
    shuffled: bool = False,
    seed: int | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of (prediction, truth) `[B, horizon, C, H, W]`, predictions clipped to [0, 1].

    `shuffled`: actions after the past are those of the next clip (the last gets the first's), states are not touched.
    `seed`: draw at random with it; None takes the prior's mean.
    """
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    for first in range(0, len(split.video), batch_size):
        rows = slice(first, min(first + batch_size, len(split.video)))
        batch = split.batch(rows, device)
        if shuffled:
            batch = _with_other_actions(batch, split, rows, past_frames)
        yield forecast(model, batch, past_frames, generator), batch.video[:, past_frames:]


def forecast(model: Predicts, batch: Batch, past_frames: int, generator: torch.Generator | None = None) -> Tensor:
    """The rest of the clips of a batch, `[B, T − past_frames, C, H, W]` in [0, 1]."""
    horizon = batch.video.shape[1] - past_frames
    future = Future(batch.actions, batch.states, generator)
    video = model.predict(batch.video[:, :past_frames], horizon, future)
    return video.float().clamp(0, 1)


def one_step(model: Predicts, batch: Batch, past_frames: int) -> Tensor:
    """Each frame after the past from the true frames before it, `[B, T − past_frames, C, H, W]` in [0, 1]."""
    frames = []
    for seen in range(past_frames, batch.video.shape[1]):
        until = Batch(*(None if part is None else part[:, : seen + 1] for part in batch))  # type: ignore[arg-type]
        frames.append(forecast(model, until, seen))
    return torch.cat(frames, dim=1)


def best_draws(draws: list[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    """Per measure, the frames `[N, horizon]` of each clip's best draw, by its mean over the horizon."""
    best = {}
    for name in draws[0]:
        stacked = np.stack([draw[name] for draw in draws])  # [K, N, horizon]
        means = stacked.mean(2)
        winner = means.argmin(0) if name in LOWER_IS_BETTER else means.argmax(0)
        best[name] = stacked[winner, np.arange(stacked.shape[1])]
    return best


def _with_other_actions(batch: Batch, split: Split, rows: slice, past_frames: int) -> Batch:
    """The batch with the actions of the next clips, from the last past frame on."""
    assert batch.actions is not None, "a model reads actions that its data set has not"
    assert split.actions is not None
    others = np.roll(np.arange(len(split.video)), -1)[rows]
    other = torch.from_numpy(split.actions[others]).to(batch.actions)
    actions = torch.cat((batch.actions[:, : past_frames - 1], other[:, past_frames - 1 :]), dim=1)
    return batch._replace(actions=actions)


def _per_frame(
    batches: Iterator[tuple[Tensor, Tensor]], conventions: Sequence[str] = (), own: Own = NONE
) -> dict[str, NDArray[np.float64]]:
    """`MEASURES` and `conventions` of every predicted frame, `[N, horizon]`, and a study's own measures, `[N, 1]`."""
    parts, names = [], (*MEASURES, *conventions, *own)
    for prediction, truth in batches:
        part = frame_quality(prediction, truth, own)
        part["mae_frame"] = part["mae_pixel"] * truth[0, 0].numel()
        parts.append({name: part[name].tolist() for name in names})  # numbers, as in `quality`
    return {name: np.concatenate([np.array(part[name]) for part in parts]) for name in names}


def _named(prefix: str, per_frame: dict[str, NDArray[np.float64]]) -> Predicted:
    return Predicted(
        {f"{prefix}_{name}": values.mean(1) for name, values in per_frame.items()},
        {f"{prefix}_{name}": [float(value) for value in values.mean(0)] for name, values in per_frame.items()},
    )


def _add(result: Predicted, more: Predicted) -> None:
    result.clips.update(more.clips)
    result.curves.update(more.curves)
