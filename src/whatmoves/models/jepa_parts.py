"""The networks of the video JEPA: residual encoder, predicting UNet, projector, and the two probes."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from whatmoves.models.pointwise import PointwiseConv2d

Norm = Literal["batch", "group"]


def make_norm(kind: Norm, channels: int) -> nn.Module:
    """Batch norm, or group norm with 16 channels a group, which knows neither other clips nor running statistics.

    Both have 2 · channels parameters and take `[N, channels, H, W]`.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(channels // 16 if channels % 16 == 0 else 1, channels)


class ResidualBlock(nn.Module):
    """`[N, before, H, W]` → `[N, after, H/stride, W/stride]`, ≥ 0: two 3×3 convolutions beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
            make_norm(norm, after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            make_norm(norm, after),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(PointwiseConv2d(before, after, stride), make_norm(norm, after))

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.path(maps) + self.shortcut(maps))


def _stem(before: int, after: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), make_norm(norm, after), nn.ReLU(inplace=True)
    )


class Encoder(nn.Module):
    """Frames `[N, C, H, W]` → latent maps `[N, latent, H/s, W/s]`, ≥ 0, where s is the product of the strides."""

    def __init__(self, channels: int, width: int, latent: int, strides: tuple[int, int, int], norm: Norm) -> None:
        super().__init__()
        widths = (width, width, 2 * width, latent)
        blocks = (ResidualBlock(widths[i], widths[i + 1], strides[i], norm) for i in range(3))
        self.layers = nn.Sequential(_stem(channels, width, norm), *blocks)

    def forward(self, frames: Tensor) -> Tensor:
        latents: Tensor = self.layers(frames)
        return latents


class Predictor(nn.Module):
    """Latent maps of two frames, older first, `[N, 2 · latent, h, w]` → those of the next `[N, latent, h, w]`.

    A UNet of residual blocks that halves `levels` times. Its head is linear: unlike the encoder it can go below 0.
    """

    def __init__(self, latent: int, width: int, levels: int, norm: Norm) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        self.stem = nn.Sequential(_stem(2 * latent, width, norm), ResidualBlock(width, width, 1, norm))
        self.down = nn.ModuleList(ResidualBlock(widths[i], widths[i + 1], 2, norm) for i in range(levels))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(widths[i + 1], widths[i], 2, stride=2) for i in reversed(range(levels))
        )
        self.merge = nn.ModuleList(ResidualBlock(2 * widths[i], widths[i], 1, norm) for i in reversed(range(levels)))
        self.head = nn.Conv2d(width, latent, 1)

    def forward(self, pairs: Tensor) -> Tensor:
        maps = self.stem(pairs)
        kept = []
        for down in self.down:
            kept.append(maps)
            maps = down(maps)
        for up, merge in zip(self.up, self.merge, strict=True):
            maps = merge(torch.cat((up(maps), kept.pop()), dim=1))
        following: Tensor = self.head(maps)
        return following


class Projector(nn.Module):
    """Latent maps `[N, latent, h, w]` → rows `[N · h · w, width]` in which latents are compared: a two-layer MLP."""

    def __init__(self, latent: int, width: int, norm: Norm) -> None:
        super().__init__()
        # 1×1 convolutions are the MLP at every place, without a copy to rows first.
        self.layers = nn.Sequential(
            nn.Conv2d(latent, width, 1),
            make_norm(norm, width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1, bias=False),
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps: Tensor = self.layers(latents)
        return maps.movedim(1, 3).flatten(0, 2)


class PixelProbe(nn.Module):
    """Latent maps `[N, latent, h, w]` → frames `[N, C, h · stride, w · stride]`, not bounded: two 3×3 convolutions.

    Under a strided encoder a place draws all its stride² pixels; at stride 1 this is the plain probe.
    """

    def __init__(self, latent: int, hidden: int, channels: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(latent, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels * stride**2, 3, padding=1),
            nn.PixelShuffle(stride),
        )
        self.apply(_start_small)

    def forward(self, latents: Tensor) -> Tensor:
        frames: Tensor = self.layers(latents)
        return frames


class DetectionProbe(nn.Module):
    """Latent maps `[N, latent, h, w]` → logits `[N, grid, grid]` that an object's centre lies in a cell."""

    def __init__(self, latent: int, hidden: int, grid: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(grid),
            nn.Conv2d(latent, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, 1, 3, padding=1),
        )
        self.apply(_start_small)

    def forward(self, latents: Tensor) -> Tensor:
        logits: Tensor = self.layers(latents)
        return logits.squeeze(1)


def _start_small(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        assert layer.bias is not None
        nn.init.trunc_normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
