"""Video JEPA: predict the next frame's latent map from the last two, with latents kept from collapsing by their spread.

Original: eb_jepa's video example (Meta, EB-JEPA, arXiv 2602.03604); the spread terms after VICReg (Bardes et al. 2022).

    frames [B·T,C,H,W] → encoder → latent maps [B,T,16,h,w]
    maps of two adjacent frames [·,32,h,w] → predictor UNet → map of the next frame [·,16,h,w]; k times on its own maps
    maps → projector → rows [B·T·h·w,64]: spread of the true ones, squared error of the predicted against them
    detached maps → pixel probe → frames; detached maps → detection probe → where objects are [B,T,8,8]

Full size at 10×1×64×64 (h = 64): encoder 89,280, predictor 2,032,496, projector 5,312 parameters, and 7,394 in the
probes. No target network and no stopped gradient: spread alone prevents collapse. Repaired: the encoder runs once a
step (three times in the original, each feeding the running statistics), predictions and targets are projected
together, so that batch norm cannot make equal latents differ, the two given frames do not thin out the prediction
error, probes are part of the model and its checkpoint, and the longest horizon is scored.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.detection_targets import from_centres, from_contours
from whatmoves.models.interface import UNKNOWN, Future, Step
from whatmoves.models.jepa_parts import DetectionProbe, Encoder, Norm, PixelProbe, Predictor, Projector
from whatmoves.models.losses.vicreg import covariance_penalty, variance_hinge
from whatmoves.settings import Settings

SOURCE = "video JEPA (facebookresearch/eb_jepa)"
FULL_SHAPE = ClipShape(frames=10, channels=1, height=64, width=64)

Rollout = Literal["parallel", "textbook"]
Stride = Annotated[int, Field(ge=1, le=4)]


class Config(Settings):
    """Sizes and loss of the video JEPA; the weights are the original code's defaults."""

    encoder_width: int = Field(32, gt=0, description="Width of the encoder's first maps.")
    latent_channels: int = Field(16, gt=0, description="Channels of a latent map.")
    strides: tuple[Stride, Stride, Stride] = Field((1, 1, 1), description="Strides of the encoder's residual blocks.")
    predictor_width: int = Field(32, gt=0, description="Width of the predictor's finest maps.")
    predictor_levels: int = Field(3, ge=1, le=5, description="Times that the predictor halves a map.")
    projector_width: int = Field(64, ge=2, description="Features in which latents are compared.")
    norm: Norm = Field("batch", description="Batch norm, or group norm, which is the same in training and evaluation.")
    steps: int = Field(4, ge=1, description="Times that the predictor is applied to its own output in training.")
    rollout: Rollout = Field(
        "parallel",
        description="Later steps read two predictions of one age, or (textbook) what an unrolling from k frames "
        "earlier would read.",
    )
    projector_statistics: Literal["shared", "separate"] = Field(
        "shared", description="Batch statistics of the projector over targets and predictions together, or of each."
    )
    count_given_frames: bool = Field(False, description="The two given frames count as predicted, at error 0.")
    std_weight: float = Field(10.0, ge=0, description="Weight of the spread of each feature.")
    cov_weight: float = Field(100.0, ge=0, description="Weight of the covariance of different features.")
    pixel_hidden: int = Field(16, gt=0, description="Hidden width of the pixel probe.")
    detection_grid: int = Field(8, gt=0, description="Cells along each side of a detection map.")
    detection_hidden: int = Field(32, gt=0, description="Hidden width of the detection probe.")
    targets: Literal["contours", "positions"] = Field(
        "contours", description="Detection targets: bright shapes found in the frames, or the generator's positions."
    )
    code_grid: int = Field(4, gt=0, description="Cells along each side that a latent map is averaged to in the code.")


class Model(nn.Module):
    """The video JEPA with its probes. Abilities: encode, reconstruct, predict, detect; also detect_ahead."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        _check(config, shape)
        self.config, self.shape = config, shape
        c = config
        stride = math.prod(c.strides)
        self.encoder = Encoder(shape.channels, c.encoder_width, c.latent_channels, c.strides, c.norm)
        self.predictor = Predictor(c.latent_channels, c.predictor_width, c.predictor_levels, c.norm)
        self.projector = Projector(c.latent_channels, c.projector_width, c.norm)
        self.pixel_probe = PixelProbe(c.latent_channels, c.pixel_hidden, shape.channels, stride)
        self.detection_probe = DetectionProbe(c.latent_channels, c.detection_hidden, c.detection_grid)

    def _latents(self, video: Tensor) -> Tensor:
        """`[B, T, C, H, W]` → `[B, T, latent, h, w]`."""
        latents: Tensor = self.encoder(video.flatten(0, 1))
        return torch.unflatten(latents, 0, video.shape[:2])

    def _following(self, older: Tensor, newer: Tensor) -> Tensor:
        """The maps after pairs of adjacent frames, each `[B, T, latent, h, w]`; one pair knows nothing of another."""
        following: Tensor = self.predictor(torch.cat((older, newer), dim=2).flatten(0, 1))
        return torch.unflatten(following, 0, older.shape[:2])

    def _iterations(self, latents: Tensor, count: int, rollout: Rollout) -> Iterator[Tensor]:
        """`[B, T, latent, h, w]` once an iteration k = 1 … `count`: frame t as foreseen min(k, t − 1) frames ahead.

        Frames 0 and 1 are the true ones. `parallel` reads both frames of a pair from iteration k − 1, although the
        truth of the older one was known k frames before t; `textbook` reads the older one from iteration k − 2, which
        is the ordinary unrolling from t − k. Either equals the unrolling from frames 0 and 1 after T − 2 iterations.
        """
        # Frames 0 … k, unrolled from the first two, stay as they are; batch statistics alone would still move them.
        stay = not (self.training and self.config.norm == "batch")
        before, last = latents, latents
        for k in range(1, count + 1):
            older, settled = last if rollout == "parallel" else before, k + 1 if stay else 2
            following = self._following(older[:, settled - 2 : -2], last[:, settled - 1 : -1])
            before, last = last, torch.cat((last[:, :settled], following), dim=1)
            yield last

    def _unrolled(self, latents: Tensor, horizon: int) -> Tensor:
        """`horizon` maps after the last two of `latents`, each from the two before it: `[B, horizon, latent, h, w]`."""
        maps = [latents[:, -2:-1], latents[:, -1:]]
        for _ in range(horizon):
            maps.append(self._following(maps[-2], maps[-1]))
        return torch.cat(maps[2:], dim=1)

    def _pixels(self, latents: Tensor) -> Tensor:
        frames: Tensor = self.pixel_probe(latents.flatten(0, 1)).float()
        return torch.unflatten(frames, 0, latents.shape[:2])

    def _detection_logits(self, latents: Tensor) -> Tensor:
        logits: Tensor = self.detection_probe(latents.flatten(0, 1)).float()
        return torch.unflatten(logits, 0, latents.shape[:2])

    def _project(self, latents: Tensor, foreseen: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Rows `[B, T, h · w, width]` of the true latents and of every iteration's."""
        sequences = torch.stack([latents, *foreseen])  # [1 + steps, B, T, latent, h, w]
        if self.config.projector_statistics == "shared":
            rows = self.projector(sequences.flatten(0, 2))
        else:
            rows = torch.cat([self.projector(sequence.flatten(0, 1)) for sequence in sequences])
        projected = torch.unflatten(rows.float(), 0, (*sequences.shape[:3], -1)).unbind()
        return projected[0], list(projected[1:])

    def _prediction_error(self, truth: Tensor, foreseen: list[Tensor]) -> Tensor:
        """Squared error of projected rows `[B, T, h · w, width]`: mean over rows and features, then over steps."""
        first = 0 if self.config.count_given_frames else 2
        return torch.stack([(rows - truth)[:, first:].square().mean() for rows in foreseen]).mean()

    def detection_targets(self, batch: Batch) -> Tensor:
        """Maps `[B, T, grid, grid]`, 0 or 1, that `detect` and `detect_ahead` should give for a batch."""
        c = self.config
        if c.targets == "contours":
            return from_contours(batch.video, c.detection_grid)
        if batch.centres_px is None:
            raise ConfigError(
                "jepa.targets is 'positions', but this data set gives no centres_px with its batches; "
                "write targets: contours"
            )
        return from_centres(batch.centres_px, self.shape.height, self.shape.width, c.detection_grid)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Unweighted terms and the weighted `total`.

        `std`, `cov`: spread of the projected true latents (0 … 1; squared projected units); `prediction`: squared error
        of foreseen against true ones, projected, mean over features, places, frames, clips and steps; `pixel`: mean
        squared error per pixel and channel of the pixel probe; `detection`: binary cross-entropy of the detection
        probe, nats per cell. The probes read detached latents, so their terms teach nobody but themselves.
        """
        c = self.config
        latents = self._latents(batch.video)
        truth, foreseen = self._project(latents, list(self._iterations(latents, c.steps, c.rollout)))
        rows = truth.flatten(0, 2)
        std, cov = variance_hinge(rows), covariance_penalty(rows)
        prediction = self._prediction_error(truth, foreseen)
        probed = latents.detach()
        pixel = F.mse_loss(self._pixels(probed), batch.video)
        detection = F.binary_cross_entropy_with_logits(self._detection_logits(probed), self.detection_targets(batch))
        return {
            "std": std,
            "cov": cov,
            "prediction": prediction,
            "pixel": pixel,
            "detection": detection,
            "total": c.std_weight * std + c.cov_weight * cov + prediction + pixel + detection,
        }

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """`clip` `[B, T · latent · g · g]`: latent maps averaged to g × g cells (`code_grid`), one after the other in
        time, so that the code holds the path and not its blur.
        """
        latents = self._latents(video)
        cells = F.adaptive_avg_pool2d(latents.flatten(0, 1).float(), self.config.code_grid)
        return {"clip": torch.unflatten(cells, 0, latents.shape[:2]).flatten(1)}

    def reconstruct(self, video: Tensor) -> Tensor:
        """`[B, T, C, H, W]`: what the pixel probe reads in the latents of `video`."""
        return self._pixels(self._latents(video)).clamp(0, 1)

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """`[B, horizon, C, H, W]` after `past` `[B, ≥ 2, C, H, W]`, of which the last two frames are read.

        The pixel probe draws the latents of an ordinary unrolling; no frame is encoded again. Raises `ConfigError` for
        a past of one frame.
        """
        if past.shape[1] < 2:
            raise ConfigError("jepa: prediction starts from 1 frame; must be ≥ 2. Give more past frames.")
        return self._pixels(self._unrolled(self._latents(past[:, -2:]), horizon)).clamp(0, 1)

    def detect(self, video: Tensor) -> Tensor:
        """Probabilities `[B, T, grid, grid]` that an object's centre lies in a cell, from the frames themselves.

        Those of frames 1 … T − 1 − h are persistence, the floor of `detect_ahead` at horizon h.
        """
        return self._detection_logits(self._latents(video)).sigmoid()

    def detect_ahead(self, video: Tensor, rollout: Rollout | None = None) -> list[Tensor]:
        """Probabilities from foreseen latents: item h − 1 is `[B, T − 1 − h, grid, grid]`, frames h + 1 … T − 1 as
        foreseen h frames ahead, for every h = 1 … T − 2, the last included. `rollout`: default the trained one.
        """
        latents = self._latents(video)
        iterations = self._iterations(latents, video.shape[1] - 2, rollout or self.config.rollout)
        return [self._detection_logits(maps[:, h + 1 :]).sigmoid() for h, maps in enumerate(iterations, start=1)]


def _check(c: Config, shape: ClipShape) -> None:
    """Raise `ConfigError` where clips are too short for the steps or frames cannot be halved as often as asked."""
    if shape.frames < 3:
        raise ConfigError(f"jepa: clips have {shape.frames} frames; must be ≥ 3: two that are given, one that follows.")
    if c.steps > shape.frames - 2:
        raise ConfigError(
            f"jepa.steps is {c.steps}, but clips of {shape.frames} frames have {shape.frames - 2} after the two given; "
            f"must be ≤ {shape.frames - 2}. More steps would repeat the last."
        )
    stride = math.prod(c.strides)
    whole = stride * 2**c.predictor_levels
    if shape.height % whole or shape.width % whole:
        raise ConfigError(
            f"jepa.strides are {list(c.strides)} and predictor_levels {c.predictor_levels}, but frames are "
            f"{shape.height}×{shape.width}; height and width must be divisible by {whole}. Stride or halve less."
        )
