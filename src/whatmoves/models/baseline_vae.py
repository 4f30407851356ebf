"""Baseline VAE: one code per clip and one drawn frame, shown at every time. By construction it cannot move.

Original: the content/motion VAE repository disentangled-VAE (m3hmetkoc, 2025), its baseline; VAE after Kingma and
Welling 2014, β after Higgins et al. 2017.

    video [B,T,C,H,W] → frame features [B,T,512] → per-frame mean and log-variance, averaged over T → clip [B,256]
    clip [B,256] → frame [B,C,H,W] → the same frame T times

Full size at 20×1×64×64: 4,791,681 parameters. Repaired: the loss is a sum in nats per clip with β explicit, and β
is at its full value wherever progress is 1 (validation).
"""

from pydantic import Field
from torch import Generator, Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.models.blocks import (
    FrameDecoder,
    FrameEncoder,
    GaussianHead,
    Posterior,
    VAESettings,
    check_stages,
    standard_normal,
)
from whatmoves.models.interface import Step
from whatmoves.models.losses.kl import kl_nats, kl_with_free_bits
from whatmoves.models.losses.reconstruction import reconstruction_nats
from whatmoves.models.losses.schedules import kl_ramp, kl_settled

SOURCE = "baseline of the content/motion VAE (m3hmetkoc/disentangled-VAE)"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(VAESettings):
    """Sizes and loss of the baseline VAE."""

    kl_warmup: float = Field(0.35, ge=0, le=1, description="Fraction of the budget of one KL warm-up (or cycle).")
    latent_dim: int = Field(256, gt=0, description="Width of the clip code.")


class Model(nn.Module):
    """The baseline VAE. Abilities: encode, decode, reconstruct, sample."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        check_stages("baseline_vae.channels", config.channels, shape)
        self.config, self.shape = config, shape
        self.frame_encoder = FrameEncoder(shape, config.channels, config.features)
        self.posterior_head = GaussianHead(config.features, config.latent_dim)
        self.frame_decoder = FrameDecoder(shape, config.channels, config.latent_dim, config.initial_intensity)

    def _posterior(self, video: Tensor) -> Posterior:
        features = self.frame_encoder(video.flatten(0, 1))
        mean, logvar = self.posterior_head(features)
        return Posterior(*(values.unflatten(0, video.shape[:2]).mean(1) for values in (mean, logvar)))

    def _logits(self, clip: Tensor) -> Tensor:
        frame: Tensor = self.frame_decoder(clip).float()  # [B, C, H, W]
        return frame.unsqueeze(1).expand(-1, self.shape.frames, -1, -1, -1)

    @property
    def settled(self) -> float:
        """The fraction of the budget from which the KL terms have their full weight."""
        return kl_settled(self.config.kl_schedule, self.config.kl_start, self.config.kl_warmup)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """`reconstruction_nats`, `kl_nats` (unweighted, without free bits) and the weighted `total`, nats per clip."""
        c = self.config
        posterior = self._posterior(batch.video)
        logits = self._logits(posterior.draw())
        reconstruction = reconstruction_nats(c.reconstruction, logits, batch.video, c.pixel_variance)
        beta = c.beta * kl_ramp(c.kl_schedule, step.progress, c.kl_start, c.kl_warmup)
        return {
            "reconstruction_nats": reconstruction,
            "kl_nats": kl_nats(*posterior),
            "total": reconstruction + beta * kl_with_free_bits(*posterior, c.free_bits),
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
