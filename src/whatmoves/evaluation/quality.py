"""Picture quality of clips against the truth, each convention under its own name, from one pass.

With p the prediction and y the truth, both `[B, T, C, H, W]` with y in [0, 1] (never uint8: differences would wrap):

    mse_frame      Σ over c, h, w of (p − y)², mean over frames: squared intensity per frame, before clipping
    mse_pixel      mse_frame / (C·H·W)
    mae_pixel      mean |p − y|, before clipping
    psnr_frame     −10 log10 of each frame's MSE, then the mean over frames (dB)
    psnr_channel   the same of each channel of each frame, averaged in dB
    psnr_pooled    −10 log10 of the mean MSE: of a clip here, of all clips in `summary`; never above psnr_frame
    ssim_*         see `whatmoves.evaluation.ssim`
    temporal_error mean |(p[t+1] − p[t]) − (y[t+1] − y[t])|: motion against the true motion, so a still video scores
                   the truth's own movement instead of a perfect 0; absent where T = 1
    legacy_temporal_consistency   mean |p[t+1] − p[t]|, the content/motion VAE's original form, which asks nothing of
                   the truth and, read as "lower is better", is won by a still video; absent where T = 1

PSNR and SSIM are of p clipped to [0, 1]. PSNR puts a floor of 1e-10 under the MSE, so equal pictures score 100 dB
instead of infinity, which would swallow any mean. Everything is computed in float32, outside autocast.
"""

from collections.abc import Iterable, Mapping
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.blame import blaming, place_of
from whatmoves.errors import DataError, ModelError
from whatmoves.evaluation.ssim import GAUSS11, UNIFORM7, ssim

MSE_FLOOR = 1e-10
Own = Mapping[str, ModuleType]  # a study's own measures by name: `whatmoves.plugins.measures`
NONE: Own = {}
SWAPPED = ("psnr_frame", "ssim_gauss11", "mse_pixel")  # of these, what is also said of swaps


def frame_quality(prediction: Tensor, truth: Tensor, own: Own = NONE) -> dict[str, Tensor]:
    """Every metric above but psnr_pooled, per frame: `[B, T]`, those of changes `[B, T-1]`, a study's own `[B, 1]`.

    Raises:
        ModelError: a measure of the study's own fails or gives back something else than a finite number a clip.
        DataError: unequal shapes, integer pictures, values that are not finite or of another scale than [0, 1].
    """
    _check(prediction, truth)
    B, T, C, H, W = truth.shape
    with torch.no_grad(), torch.autocast(truth.device.type, enabled=False):
        p, y = prediction.float(), truth.float()
        error = p - y
        clipped = p.clamp(0, 1)
        squared_pixel = error.square().mean((2, 3, 4))
        channel_mse = (clipped - y).square().mean((3, 4))  # [B, T, C]
        frames = clipped.reshape(B * T, C, H, W), y.reshape(B * T, C, H, W)
        uniform = ssim(*frames, UNIFORM7, (1.0, 2.0))
        result = {
            "mse_frame": squared_pixel * (C * H * W),
            "mse_pixel": squared_pixel,
            "mae_pixel": error.abs().mean((2, 3, 4)),
            "psnr_frame": psnr(channel_mse.mean(2)),
            "psnr_channel": psnr(channel_mse).mean(2),
            "ssim_gauss11": ssim(*frames, GAUSS11)[0].reshape(B, T),
            "ssim_u7_dr1": uniform[0].reshape(B, T),
            "ssim_u7_dr2": uniform[1].reshape(B, T),
        }
        if T > 1:
            result["temporal_error"] = error.diff(dim=1).abs().mean((2, 3, 4))
            result["legacy_temporal_consistency"] = p.diff(dim=1).abs().mean((2, 3, 4))
        return result | {name: asked(module, clipped, y) for name, module in own.items()}


def asked(module: ModuleType, answer: Tensor, truth: Tensor) -> Tensor:
    """What a measure of the study's own gives, `[B, 1]`; raises `ModelError` with its file and the fix."""
    given = f"two videos {list(truth.shape)}"
    with blaming(module.measure, given):
        values = module.measure(answer, truth)
    place = f"{place_of(module.measure)} of {given} returns"
    if not isinstance(values, Tensor) or values.shape != truth.shape[:1]:
        said = f"a tensor {list(values.shape)}" if isinstance(values, Tensor) else f"a {type(values).__name__}"
        raise ModelError(f"{place} {said}; must be a tensor [{len(truth)}], one number a clip: .mean((1, 2, 3, 4))")
    if not values.isfinite().all():
        raise ModelError(
            f"{place} values that are not finite; mend what makes them (a division by 0, a logarithm of 0)"
        )
    return values.float()[:, None]


def psnr(mse: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB for a peak of 1, elementwise; MSE below 1e-10 counts as 1e-10 (100 dB)."""
    return -10 * mse.clamp_min(MSE_FLOOR).log10()


def quality(
    batches: Iterable[tuple[Tensor, Tensor]], own: Own = NONE
) -> tuple[dict[str, NDArray[np.float64]], dict[str, list[float]]]:
    """All metrics over batches of (prediction, truth): values per clip `[N]`, and the mean curve over frame index.

    The result does not depend on how clips are divided into batches.
    """
    # Kept as numbers: small tensors left between the large ones of each batch would keep their memory from the next.
    parts = [{name: values.tolist() for name, values in frame_quality(*batch, own).items()} for batch in batches]
    per_frame = {name: np.concatenate([np.array(part[name]) for part in parts]) for name in parts[0]}
    clips = {name: values.mean(1) for name, values in per_frame.items()}
    pooled_mse = np.asarray(10 ** (-per_frame["psnr_frame"] / 10)).mean(1)
    clips["psnr_pooled"] = -10 * np.log10(pooled_mse)
    curves = {name: [float(value) for value in values.mean(0)] for name, values in per_frame.items()}
    return clips, curves


def summary(clips: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """One number per metric: the mean over clips `[N]`, except *psnr_pooled, which pools the MSE of all clips."""
    return {
        name: float(-10 * np.log10((10 ** (-clip / 10)).mean()) if name.endswith("psnr_pooled") else clip.mean())
        for name, clip in clips.items()
    }


def swap_quality(batches: Iterable[tuple[Tensor, Tensor]], own: Own = NONE) -> dict[str, NDArray[np.float64]]:
    """Quality per pair `[P]` of (swap, rendered true swap), as `swap_psnr_frame` and so on: `SWAPPED` and `own`."""
    clips, _ = quality(batches, own)
    return {f"swap_{name}": clips[name] for name in (*SWAPPED, *own)}


def blurred(video: Tensor, sigma_px: float = 1.0) -> Tensor:
    """The video `[B, T, C, H, W]` under a Gaussian blur (cut at 4 σ, borders replicated): a "right but soft" floor."""
    radius = round(4 * sigma_px)
    offsets = torch.arange(-radius, radius + 1, device=video.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / sigma_px) ** 2)
    kernel = kernel / kernel.sum()
    B, T, C, H, W = video.shape
    frames = torch.nn.functional.pad(video.reshape(B * T * C, 1, H, W), (radius,) * 4, mode="replicate")
    frames = torch.nn.functional.conv2d(frames, kernel.reshape(1, 1, 1, -1))
    frames = torch.nn.functional.conv2d(frames, kernel.reshape(1, 1, -1, 1))
    return frames.reshape(B, T, C, H, W).clamp(0, 1)


def _check(prediction: Tensor, truth: Tensor) -> None:
    if prediction.shape != truth.shape or truth.ndim != 5:
        raise DataError(
            f"quality: prediction {list(prediction.shape)} and truth {list(truth.shape)} must both be [B, T, C, H, W]"
        )
    for name, video, low, high in (("truth", truth, 0.0, 1.0), ("prediction", prediction, -1.0, 2.0)):
        if not video.is_floating_point():
            raise DataError(f"quality: {name} is {video.dtype}; expected float in [0, 1]; divide bytes by 255 first")
        least, most = video.min().item(), video.max().item()
        if not (low <= least and most <= high):  # also true of NaN
            raise DataError(
                f"quality: {name} runs from {least:.3g} to {most:.3g}; expected intensities in [0, 1]"
                + ("" if name == "truth" else " (a little outside is clipped; this is another scale, or NaN)")
            )
