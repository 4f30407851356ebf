"""The networks of the conditional VAE: VGG encoder and decoder with skips, and the recurrent ones between them."""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from whatmoves.data.clips import ClipShape
from whatmoves.models.doubling import convolve_doubled, doubled_kernel

Widths = tuple[int, ...]
States = tuple[Tensor, Tensor] | None


class Gaussian(NamedTuple):
    """A diagonal Gaussian over the latents of S steps: mean and log-variance, both `[B, S, D]` and float32."""

    mean: Tensor
    logvar: Tensor

    def draw(self, noise: Tensor) -> Tensor:
        """Mean + noise · deviation, all `[B, S, D]`."""
        return self.mean + noise * (0.5 * self.logvar).exp()


def _norm(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.LeakyReLU(0.2, inplace=True)


def _vgg_layers(widths: Widths) -> list[nn.Module]:
    """3×3 convolutions from each width to the next, each with batch norm and leaky ReLU."""
    return [layer for a, b in pairwise(widths) for layer in (nn.Conv2d(a, b, 3, padding=1), *_norm(b))]


class FrameEncoder(nn.Module):
    """Frames `[N, C, H, W]` → codes `[N, code_width]` in −1 … 1, and the maps that a decoder skips from, finest first.

    Stage s has `depths[s]` convolutions of `widths[s]` channels at 1/2^s of the frame's sides; what is left after the
    last halving is read whole.
    """

    def __init__(self, shape: ClipShape, widths: Widths, depths: Widths, code_width: int) -> None:
        super().__init__()
        befores = (shape.channels, *widths[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(*_vgg_layers((before, *(own,) * depth)))
            for before, own, depth in zip(befores, widths, depths, strict=True)
        )
        grid = (shape.height >> len(widths), shape.width >> len(widths))
        self.head = nn.Sequential(nn.Conv2d(widths[-1], code_width, grid), nn.BatchNorm2d(code_width), nn.Tanh())

    def forward(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        # With one channel both layouts look alike, and all maps after it would get the slow one.
        maps, skips = torch.empty_like(frames, memory_format=torch.channels_last).copy_(frames), []
        for stage in self.stages:
            skips.append(stage(maps))
            maps = F.max_pool2d(skips[-1], 2)
        return self.head(maps).flatten(1), skips


class FrameDecoder(nn.Module):
    """Codes `[N, code_width]` and skips → frames `[N, C, H, W]`, 0 … 1, float32: the mirror of the encoder.

    Each stage doubles the sides (nearest neighbour) and begins with a convolution over two things side by side: what
    rises from below, and the encoder's map of an earlier frame. That is the sum of a convolution of each, so the
    second is done once for a frame (`skip_inputs`), however many frames are drawn upon it, and the first before the
    sides are doubled (`rises`).
    """

    def __init__(self, shape: ClipShape, widths: Widths, depths: Widths, code_width: int) -> None:
        super().__init__()
        grid = (shape.height >> len(widths), shape.width >> len(widths))
        self.foot = nn.Sequential(nn.ConvTranspose2d(code_width, widths[-1], grid), *_norm(widths[-1]))
        self.rise, self.ground, self.stages = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for own, depth, last in zip(widths, depths, (shape.channels, *widths), strict=False):  # finest first
            outs = (*(own,) * (depth - 1), last)
            self.rise.append(nn.Conv2d(own, outs[0], 3, padding=1, bias=False))
            self.ground.append(nn.Conv2d(own, outs[0], 3, padding=1))
            layers = [*_norm(outs[0]), *_vgg_layers(outs)]
            self.stages.append(nn.Sequential(*layers if len(self.stages) else layers[:-2]))  # the frame itself is bare

    def set_grey(self, intensity: float) -> None:
        """Let the untrained decoder show `intensity`."""
        finest = (self.ground[0], *self.stages[0].modules())
        head = [layer for layer in finest if isinstance(layer, nn.Conv2d)][-1]
        assert head.bias is not None
        nn.init.constant_(head.bias, math.log(intensity / (1 - intensity)))

    def skip_inputs(self, skips: list[Tensor]) -> list[Tensor]:
        """What the maps of N frames add to the frames drawn upon them, one `[N, …]` each stage, finest first."""
        return [ground(maps) for ground, maps in zip(self.ground, skips, strict=True)]

    def rises(self) -> list[Tensor]:
        """The kernel with which maps rise to each stage, finest first: the same at every frame of a rollout."""
        return [doubled_kernel(rise.weight) for rise in self.rise if isinstance(rise, nn.Conv2d)]

    def forward(self, codes: Tensor, skip_inputs: list[Tensor], rises: list[Tensor]) -> Tensor:
        maps = self.foot(codes[:, :, None, None])
        for rise, ground, stage in zip(reversed(rises), reversed(skip_inputs), reversed(self.stages), strict=True):
            maps = stage(convolve_doubled(maps, rise) + ground)
        frames: Tensor = maps.float().sigmoid()
        return frames


class Recurrent(nn.Module):
    """Inputs of S steps `[B, S, inputs]` and the states before them → outputs `[B, S, hidden]` and the states after.

    A linear layer, then an LSTM; states None start at zero.
    """

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.foot = nn.Linear(inputs, hidden)
        self.lstm = nn.LSTM(hidden, hidden, layers, batch_first=True)

    def forward(self, signal: Tensor, states: States) -> tuple[Tensor, States]:
        outputs, after = self.lstm(self.foot(signal), states)
        return outputs, after


class Predictor(nn.Module):
    """`[B, S, inputs]` → codes of the next frames `[B, S, code_width]` in −1 … 1, and states; batch norm if `norm`."""

    def __init__(self, inputs: int, hidden: int, layers: int, code_width: int, norm: bool) -> None:
        super().__init__()
        self.recurrent = Recurrent(inputs, hidden, layers)
        self.head = nn.Linear(hidden, code_width)
        self.norm = nn.BatchNorm1d(code_width) if norm else nn.Identity()

    def forward(self, signal: Tensor, states: States) -> tuple[Tensor, States]:
        outputs, after = self.recurrent(signal, states)
        codes = self.norm(self.head(outputs).flatten(0, 1)).tanh()
        return torch.unflatten(codes, 0, outputs.shape[:2]), after


class GaussianNetwork(nn.Module):
    """Frame codes `[B, S, inputs]` → a Gaussian for each step, given the codes so far, and states."""

    def __init__(self, inputs: int, hidden: int, layers: int, latent_dim: int) -> None:
        super().__init__()
        self.recurrent = Recurrent(inputs, hidden, layers)
        self.mean, self.logvar = nn.Linear(hidden, latent_dim), nn.Linear(hidden, latent_dim)

    def forward(self, codes: Tensor, states: States) -> tuple[Gaussian, States]:
        outputs, after = self.recurrent(codes, states)
        return Gaussian(self.mean(outputs).float(), self.logvar(outputs).float()), after


class StandardNormal(nn.Module):
    """N(0, I) for each step, whatever the codes: the prior that learns nothing."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    def forward(self, codes: Tensor, states: States) -> tuple[Gaussian, States]:
        zeros = codes.new_zeros(*codes.shape[:2], self.latent_dim, dtype=torch.float32)
        return Gaussian(zeros, zeros), None


def start_as_the_original(layer: nn.Module) -> None:
    """Weights N(0, 0.02²) and biases 0; scales of batch norm N(1, 0.02²), offsets 0. An LSTM keeps its own start."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
    else:
        return
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
