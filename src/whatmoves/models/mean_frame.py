"""Floor: the mean frame of the training set, at every time. What a model adds to it, it has learned of a clip.

video [B,T,C,H,W] → mean frame [C,H,W] of all training clips and frames, T times. No trained parameters.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import DataError
from whatmoves.models.interface import UNKNOWN, Future
from whatmoves.settings import Settings

SOURCE = "floor: the mean frame of the training clips"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(Settings):
    """The mean frame has nothing to set."""


class Model(nn.Module):
    """The mean frame. Abilities: reconstruct, predict."""

    mean: Tensor

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        self.config, self.shape = config, shape
        self.register_buffer("mean", torch.zeros(shape.channels, shape.height, shape.width))

    def fit(self, batches: Iterable[Batch]) -> None:
        """Store the mean over all clips and frames; how clips fall into batches changes nothing but rounding."""
        clips = 0
        self.mean.zero_()
        for batch in batches:
            clips += len(batch.video)
            self.mean += (batch.video.mean((0, 1)) - self.mean) * (len(batch.video) / clips)
        if clips == 0:
            raise DataError("mean_frame: got no training clips; expected ≥ 1. Raise the training budget.")

    def reconstruct(self, video: Tensor) -> Tensor:
        """The mean frame in the shape of `video` `[B, T, C, H, W]`."""
        return self.mean.repeat(*video.shape[:2], 1, 1, 1)

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """The mean frame `[B, horizon, C, H, W]`, whatever the past `[B, T, C, H, W]`."""
        return self.mean.repeat(len(past), horizon, 1, 1, 1)
