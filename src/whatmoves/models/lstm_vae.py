"""LSTM-VAE: one code per clip, read and drawn by recurrent networks.

Original: the content/motion VAE repository disentangled-VAE (m3hmetkoc, 2025), its LSTM-VAE; sequence autoencoding
after Srivastava et al. 2015.

    video [B,T,C,H,W] → frame features [B,T,512] → bidirectional LSTM, last states [B,512] → clip [B,256]
    clip [B,256] → first states of an LSTM that reads its own output [B,T,256] → features [B,T,512] → frames

Full size at 20×1×64×64: 10,441,857 parameters with 2 layers (the published weights), 8,206,977 with 1. Repaired: the
loss is a sum in nats per clip with β explicit, and β is at its full value wherever progress is 1 (validation).
"""

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.models.blocks import (
    FrameDecoder,
    FrameEncoder,
    GaussianHead,
    Posterior,
    SequenceDecoder,
    SequenceEncoder,
    VAESettings,
    check_stages,
    standard_normal,
)
from whatmoves.models.interface import Step
from whatmoves.models.losses.kl import kl_nats, kl_with_free_bits
from whatmoves.models.losses.reconstruction import reconstruction_nats, temporal_nats
from whatmoves.models.losses.schedules import kl_ramp, kl_settled

SOURCE = "LSTM-VAE of the content/motion VAE (m3hmetkoc/disentangled-VAE)"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(VAESettings):
    """Sizes and loss of the LSTM-VAE."""

    latent_dim: int = Field(256, gt=0, description="Width of the clip code.")
    hidden: int = Field(256, gt=0, description="Width of each LSTM direction.")
    layers: int = Field(2, gt=0, description="LSTM layers of the encoder and of the decoder.")
    temporal_weight: float = Field(0.0, ge=0, description="Weight of the error of frame-to-frame changes.")


class Model(nn.Module):
    """The LSTM-VAE. Abilities: encode, decode, reconstruct, sample."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        check_stages("lstm_vae.channels", config.channels, shape)
        self.config, self.shape = config, shape
        self.frame_encoder = FrameEncoder(shape, config.channels, config.features)
        self.sequence_encoder = SequenceEncoder(config.features, config.hidden, config.layers)
        self.posterior_head = GaussianHead(2 * config.hidden, config.latent_dim)
        self.sequence_decoder = SequenceDecoder(config.latent_dim, config.hidden, config.layers, config.features)
        self.frame_decoder = FrameDecoder(shape, config.channels, config.features, config.initial_intensity)

    def _posterior(self, video: Tensor) -> Posterior:
        features = self.frame_encoder(video.flatten(0, 1)).unflatten(0, video.shape[:2])
        posterior: Posterior = self.posterior_head(self.sequence_encoder(features))
        return posterior

    def _logits(self, clip: Tensor) -> Tensor:
        features = self.sequence_decoder(clip, self.shape.frames)  # [B, T, features]
        logits: Tensor = self.frame_decoder(features.flatten(0, 1)).float()
        return torch.unflatten(logits, 0, features.shape[:2])

    @property
    def settled(self) -> float:
        """The fraction of the budget from which the KL terms have their full weight."""
        return kl_settled(self.config.kl_schedule, self.config.kl_start, self.config.kl_warmup)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """`reconstruction_nats`, `kl_nats` (without free bits), `temporal_nats`, weighted `total`; nats per clip."""
        c = self.config
        posterior = self._posterior(batch.video)
        logits = self._logits(posterior.draw())
        reconstruction = reconstruction_nats(c.reconstruction, logits, batch.video, c.pixel_variance)
        temporal = temporal_nats(logits.sigmoid(), batch.video, c.pixel_variance)
        beta = c.beta * kl_ramp(c.kl_schedule, step.progress, c.kl_start, c.kl_warmup)
        return {
            "reconstruction_nats": reconstruction,
            "kl_nats": kl_nats(*posterior),
            "temporal_nats": temporal,
            "total": reconstruction + beta * kl_with_free_bits(*posterior, c.free_bits) + c.temporal_weight * temporal,
        }

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """Posterior mean `clip` `[B, latent_dim]` of `video` `[B, T, C, H, W]`."""
        return {"clip": self._posterior(video).mean}

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        """Video `[B, T, C, H, W]` in [0, 1] of the block `clip`."""
        return self._logits(code["clip"]).sigmoid()

    def reconstruct(self, video: Tensor) -> Tensor:
        """The clip drawn from its posterior mean, `[B, T, C, H, W]`."""
        return self.decode(self.encode(video))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        """`count` clips `[count, T, C, H, W]` drawn from the prior."""
        weight = self.frame_decoder.foot.weight
        return self.decode({"clip": standard_normal(count, self.config.latent_dim, weight, generator)})
