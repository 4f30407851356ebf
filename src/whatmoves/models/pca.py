"""PCA: two linear codes, of the mean frame and of frame changes. How far preprocessing alone separates the two.

    video [B,T,C,H,W] → mean over T [B,C·H·W]    → leading principal components → content [B,content_dim]
    video → frame changes [B,(T−1)·C·H·W]        → leading principal components → motion [B,motion_dim]
    [content, motion] → mean frame and changes → frames that have this mean and these changes [B,T,C,H,W]

The inputs are those of the content/motion VAE (`disentangled_vae`), without anything learned by gradients: what that
model adds to this one, it has learned. With as many components as pixels the clip comes back exactly.
"""

from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError, DataError
from whatmoves.settings import Settings

SOURCE = "floor: principal components of the mean frame and of frame changes"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(Settings):
    """Sizes of the two codes and of the sample they are fitted on."""

    content_dim: int = Field(128, gt=0, description="Components of the mean frame.")
    motion_dim: int = Field(128, gt=0, description="Components of the frame changes.")
    clips: int = Field(1000, gt=1, description="Most training clips that the components are fitted on.")


class Model(nn.Module):
    """Two principal component analyses. Abilities: encode, decode, reconstruct."""

    content_mean: Tensor
    content_axes: Tensor
    motion_mean: Tensor
    motion_axes: Tensor

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        if shape.frames < 2:
            raise ConfigError(f"pca: clips have {shape.frames} frame; motion needs ≥ 2. Set the data's frames to ≥ 2.")
        self.config, self.shape = config, shape
        pixels = shape.channels * shape.height * shape.width
        for name, width, dim in (
            ("content", pixels, config.content_dim),
            ("motion", (shape.frames - 1) * pixels, config.motion_dim),
        ):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_axes", torch.zeros(dim, width))

    def fit(self, batches: Iterable[Batch]) -> None:
        """Find the components of the first `clips` clips; how they fall into batches changes nothing.

        Components that the clips do not have (fewer clips than components) stay zero. Raises `DataError` without clips.
        """
        videos: list[Tensor] = []
        for batch in batches:
            videos.append(batch.video[: self.config.clips - sum(map(len, videos))])
            if sum(map(len, videos)) == self.config.clips:
                break
        if not videos:
            raise DataError("pca: got no training clips; expected ≥ 2. Raise the training budget.")
        video = torch.cat(videos)
        for name, inputs in zip(("content", "motion"), _inputs(video), strict=True):
            mean, axes = getattr(self, f"{name}_mean"), getattr(self, f"{name}_axes")
            mean.copy_(inputs.mean(0))
            found = _leading_axes(inputs - mean, len(axes))
            axes.zero_()[: len(found)] = found

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """Components `content` `[B, content_dim]` and `motion` `[B, motion_dim]` of `video` `[B, T, C, H, W]`."""
        still, changes = _inputs(video)
        return {
            "content": (still - self.content_mean) @ self.content_axes.T,
            "motion": (changes - self.motion_mean) @ self.motion_axes.T,
        }

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        """Video `[B, T, C, H, W]` in [0, 1] whose mean frame and changes are those of the code."""
        T, *pixels = self.shape[:4]
        still = (code["content"] @ self.content_axes + self.content_mean).reshape(-1, 1, *pixels)
        changes = (code["motion"] @ self.motion_axes + self.motion_mean).reshape(-1, T - 1, *pixels)
        path = torch.cat([torch.zeros_like(still), changes.cumsum(1)], dim=1)  # each frame minus the first
        video: Tensor = still + path - path.mean(1, keepdim=True)
        return video.clamp(0, 1)

    def reconstruct(self, video: Tensor) -> Tensor:
        """The clip drawn from its own components, `[B, T, C, H, W]`."""
        return self.decode(self.encode(video))


def _inputs(video: Tensor) -> tuple[Tensor, Tensor]:
    """Mean frames `[B, C·H·W]` and frame changes `[B, (T − 1)·C·H·W]`."""
    return video.mean(1).flatten(1), video.diff(dim=1).flatten(1)


def _leading_axes(centred: Tensor, count: int) -> Tensor:
    """At most `count` orthonormal principal axes `[k, width]` of centred rows `[N, width]`, strongest first.

    From the N × N matrix of inner products, which is small where pixels are many. The sign of an axis makes its
    largest entry positive.
    """
    values, vectors = torch.linalg.eigh((centred @ centred.T).double())
    alive = values > 1e-6 * values[-1].clamp_min(1e-30)  # what rounding of 32 bits leaves stays well below
    scores = vectors[:, alive].flip(1)[:, :count].to(centred.dtype)
    axes = nn.functional.normalize(scores.T @ centred, dim=1)
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    return axes * largest.sign()
