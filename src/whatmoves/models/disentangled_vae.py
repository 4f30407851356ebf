"""Content/motion VAE: one code for what is shown, read from the mean frame, one for how it moves, from frame changes.

Original: the repository disentangled-VAE (m3hmetkoc, 2025); in the line of Li and Mandt, Disentangled Sequential
Autoencoder, 2018.

    video [B,T,C,H,W] → mean over T [B,C,H,W] → frame features [B,512] → content [B,128]
    video → frame changes [B,T−1,C,H,W] → light frame features [B,T−1,512] → bidirectional LSTM [B,512] → motion [B,128]
    [content, motion] → first states of an LSTM that reads its own output [B,T,256] → features [B,T,512]
    [features, content] at every frame → frames [B,T,C,H,W]

Full size at 20×1×64×64: 12,934,625 parameters. The mean frame holds the smeared path and frame changes hold the
object's outline: some leakage between the codes is built in. Repaired: free bits act here too (the original reads the
setting for its other two models only), the loss is a sum in nats per clip with β explicit, and β is at its full value
wherever progress is 1 (validation).
"""

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.blocks import (
    FrameDecoder,
    FrameEncoder,
    GaussianHead,
    Posterior,
    SequenceDecoder,
    SequenceEncoder,
    VAESettings,
    Widths,
    check_stages,
    standard_normal,
)
from whatmoves.models.interface import Step
from whatmoves.models.losses.independence import squared_cross_correlation
from whatmoves.models.losses.kl import kl_nats, kl_with_free_bits
from whatmoves.models.losses.reconstruction import reconstruction_nats, temporal_nats
from whatmoves.models.losses.schedules import kl_ramp, kl_settled

SOURCE = "content/motion VAE (m3hmetkoc/disentangled-VAE)"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(VAESettings):
    """Sizes and loss of the content/motion VAE."""

    motion_channels: Widths = Field((16, 32), min_length=1, description="Widths of the motion path's convolutions.")
    content_dim: int = Field(128, gt=0, description="Width of the content code.")
    motion_dim: int = Field(128, gt=0, description="Width of the motion code.")
    hidden: int = Field(256, gt=0, description="Width of each LSTM direction.")
    layers: int = Field(1, gt=0, description="LSTM layers of the motion encoder and of the decoder.")
    content_kl_weight: float = Field(1.0, ge=0, description="Factor on β for the content code.")
    motion_kl_weight: float = Field(1.0, ge=0, description="Factor on β for the motion code.")
    independence_weight: float = Field(
        0.02, ge=0, description="Weight of the squared correlation (0 … 1) between the codes."
    )
    temporal_weight: float = Field(0.05, ge=0, description="Weight of the error of frame-to-frame changes.")


class Model(nn.Module):
    """The content/motion VAE. Abilities: encode, decode, reconstruct, sample."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        check_stages("disentangled_vae.channels", config.channels, shape)
        check_stages("disentangled_vae.motion_channels", config.motion_channels, shape)
        if shape.frames < 2:
            raise ConfigError(
                f"disentangled_vae: clips have {shape.frames} frame; motion needs ≥ 2. Set the data's frames to ≥ 2."
            )
        self.config, self.shape = config, shape
        both = config.content_dim + config.motion_dim
        self.content_encoder = FrameEncoder(shape, config.channels, config.features)
        self.content_head = GaussianHead(config.features, config.content_dim)
        self.change_encoder = FrameEncoder(shape, config.motion_channels, config.features)
        self.motion_encoder = SequenceEncoder(config.features, config.hidden, config.layers)
        self.motion_head = GaussianHead(2 * config.hidden, config.motion_dim)
        self.sequence_decoder = SequenceDecoder(both, config.hidden, config.layers, config.features)
        self.frame_decoder = FrameDecoder(
            shape, config.channels, config.features + config.content_dim, config.initial_intensity
        )

    def _posteriors(self, video: Tensor) -> tuple[Posterior, Posterior]:
        content: Posterior = self.content_head(self.content_encoder(video.mean(1)))
        changes = video.diff(dim=1)  # [B, T − 1, C, H, W]
        features = self.change_encoder(changes.flatten(0, 1)).unflatten(0, changes.shape[:2])
        motion: Posterior = self.motion_head(self.motion_encoder(features))
        return content, motion

    def _logits(self, content: Tensor, motion: Tensor) -> Tensor:
        features = self.sequence_decoder(torch.cat((content, motion), dim=1), self.shape.frames)
        repeated = content.unsqueeze(1).expand(-1, self.shape.frames, -1)
        inputs = torch.cat((features, repeated), dim=2)  # [B, T, features + content_dim]
        logits: Tensor = self.frame_decoder(inputs.flatten(0, 1)).float()
        return torch.unflatten(logits, 0, inputs.shape[:2])

    @property
    def settled(self) -> float:
        """The fraction of the budget from which the KL terms have their full weight."""
        return kl_settled(self.config.kl_schedule, self.config.kl_start, self.config.kl_warmup)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Unweighted terms and the weighted `total`, nats per clip but for `independence` (0 … 1, no unit).

        `reconstruction_nats`, `kl_content_nats` and `kl_motion_nats` (without free bits), `temporal_nats`,
        `independence` (of the drawn codes).
        """
        c = self.config
        content_posterior, motion_posterior = self._posteriors(batch.video)
        content, motion = content_posterior.draw(), motion_posterior.draw()
        logits = self._logits(content, motion)
        reconstruction = reconstruction_nats(c.reconstruction, logits, batch.video, c.pixel_variance)
        temporal = temporal_nats(logits.sigmoid(), batch.video, c.pixel_variance)
        independence = squared_cross_correlation(content, motion)
        beta = c.beta * kl_ramp(c.kl_schedule, step.progress, c.kl_start, c.kl_warmup)
        return {
            "reconstruction_nats": reconstruction,
            "kl_content_nats": kl_nats(*content_posterior),
            "kl_motion_nats": kl_nats(*motion_posterior),
            "temporal_nats": temporal,
            "independence": independence,
            "total": reconstruction
            + beta * c.content_kl_weight * kl_with_free_bits(*content_posterior, c.free_bits)
            + beta * c.motion_kl_weight * kl_with_free_bits(*motion_posterior, c.free_bits)
            + c.temporal_weight * temporal
            + c.independence_weight * independence,
        }

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """Posterior means `content` `[B, content_dim]` and `motion` `[B, motion_dim]` of `video` `[B, T, C, H, W]`."""
        content, motion = self._posteriors(video)
        return {"content": content.mean, "motion": motion.mean}

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        """Video `[B, T, C, H, W]` in [0, 1] of the blocks `content` and `motion`."""
        return self._logits(code["content"], code["motion"]).sigmoid()

    def reconstruct(self, video: Tensor) -> Tensor:
        """The clip drawn from its posterior means, `[B, T, C, H, W]`."""
        return self.decode(self.encode(video))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        """`count` clips `[count, T, C, H, W]` drawn from the prior, content and motion independently."""
        weight = self.frame_decoder.foot.weight
        content = standard_normal(count, self.config.content_dim, weight, generator)
        motion = standard_normal(count, self.config.motion_dim, weight, generator)
        return self.decode({"content": content, "motion": motion})
