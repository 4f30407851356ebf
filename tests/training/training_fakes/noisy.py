"""A small model with everything a resume can get wrong: dropout, drawn noise, a convolution, a buffer that moves."""

import torch
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.models.interface import Step
from whatmoves.settings import Settings


class Config(Settings):
    width: int = 4
    kl_nats: float = 1.0
    breaks_at: int | None = None
    spoils_at: int | None = None


class Model(nn.Module):
    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        self.config = config
        self.net = nn.Sequential(
            nn.Conv2d(shape.channels, config.width, 3, padding=1),
            nn.BatchNorm2d(config.width),
            nn.Dropout(0.5),
            nn.Conv2d(config.width, shape.channels, 3, padding=1),
        )
        self.register_buffer("calls", torch.zeros(()))

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        frames = batch.video.flatten(0, 1)
        drawn = self.net(frames) + 0.1 * torch.randn_like(frames)
        error = (drawn - frames).square().sum((1, 2, 3)).mean()
        if self.training:
            self.calls += 1
        if step.clips_seen == self.config.breaks_at and self.training:
            error = error * torch.nan
        if step.clips_seen == self.config.spoils_at and self.training:
            error = error + 0 * (0 * error).sqrt()  # adds 0 with a gradient of 0 · ∞
        kl = torch.full((), self.config.kl_nats)
        return {"error": error, "kl_nats": kl, "beta": torch.tensor(step.progress), "total": error + kl}
