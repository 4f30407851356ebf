"""Floor: the last seen frame. A prediction that does not beat it knows nothing of motion.

past [B,T,C,H,W] → its frame T, at every time to come. Reconstruction: every frame as the one before it. No trained
parameters.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.models.interface import UNKNOWN, Future
from whatmoves.settings import Settings

SOURCE = "floor: the last seen frame"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(Settings):
    """Copying has nothing to set."""


class Model(nn.Module):
    """The last seen frame. Abilities: reconstruct, predict."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        self.config, self.shape = config, shape

    def fit(self, batches: Iterable[Batch]) -> None:
        """Nothing to learn: no batch is read."""

    def reconstruct(self, video: Tensor) -> Tensor:
        """Every frame of `video` `[B, T, C, H, W]` drawn as the one before it; the first, without one, as the second.

        Persistence, one step at a time: sharp, of true content, and late. (One frame held throughout would be exact
        once a clip, and that one perfect frame would rule every mean of decibels.) One frame alone stays as it is.
        """
        if video.shape[1] == 1:
            return video
        return torch.cat((video[:, 1:2], video[:, :-1]), dim=1)

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """The last frame of `past` `[B, T, C, H, W]`, `horizon` times: `[B, horizon, C, H, W]`."""
        return past[:, -1:].repeat(1, horizon, 1, 1, 1)
