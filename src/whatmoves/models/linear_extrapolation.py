"""Floor: every pixel goes on as it last changed. A prediction that does not beat it adds nothing to two frames.

past [B,T,C,H,W] → its frame T plus k times the last change, k frames ahead, clipped to [0, 1]. No trained parameters.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.models.interface import UNKNOWN, Future
from whatmoves.settings import Settings

SOURCE = "floor: linear extrapolation of every pixel"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(Settings):
    """Linear extrapolation has nothing to set."""


class Model(nn.Module):
    """Linear extrapolation. Ability: predict."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        self.config, self.shape = config, shape

    def fit(self, batches: Iterable[Batch]) -> None:
        """Nothing to learn: no batch is read."""

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """The last frame of `past` `[B, T, C, H, W]` and what the last change makes of it: `[B, horizon, C, H, W]`.

        From one frame alone nothing is known to change: it stays.
        """
        last = past[:, -1:]
        change = last - past[:, -2:-1] if past.shape[1] > 1 else torch.zeros_like(last)
        ahead = torch.arange(1, horizon + 1, device=past.device, dtype=past.dtype).view(1, -1, 1, 1, 1)
        return (last + ahead * change).clamp(0, 1)
