"""What the three VAEs of the content/motion trio share: settings, frame encoder and decoder, posterior, decoder LSTM.

Shared by right: the original builds all three from the same parts, and their parameter counts match only so.
"""

import math
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from whatmoves.data.clips import ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.losses.reconstruction import Likelihood
from whatmoves.models.losses.schedules import Ramp
from whatmoves.models.one_channel import DoublingConv2d, HalvingConv2d
from whatmoves.settings import Settings

Widths = tuple[int, ...]


class VAESettings(Settings):
    """Settings of all three. The original's command line, shipped configurations and report disagree; these are the
    shipped ones, with epochs turned into fractions of the budget.

    The default variance is 0.05 because the original's bare squared error means ½, where missing a white pixel wholly
    costs 1 nat and a short run at β = 4 collapses; at 0.05 it costs 10 nats, near what the Bernoulli likelihood asks.
    """

    channels: Widths = Field((32, 64, 128, 256), min_length=1, description="Widths of the stride-2 frame convolutions.")
    features: int = Field(512, gt=0, description="Width of the frame features.")
    initial_intensity: float = Field(
        0.05, gt=0, lt=1, description="Grey the untrained decoder shows; best near the mean of the data."
    )
    reconstruction: Likelihood = Field("bce", description="Likelihood: Bernoulli (bce) or Gaussian (mse).")
    pixel_variance: float = Field(
        0.05, gt=0, description="Variance of the Gaussian likelihood and of temporal_nats, squared intensity."
    )
    beta: float = Field(0.4, ge=0, description="Weight of the KL terms after the warm-up.")
    kl_schedule: Ramp = Field("linear", description="Shape of the KL warm-up.")
    kl_start: float = Field(0.1, ge=0, le=1, description="Fraction of the budget before the KL counts.")
    kl_warmup: float = Field(0.4, ge=0, le=1, description="Fraction of the budget of one KL warm-up (or cycle).")
    free_bits: float = Field(0.25, ge=0, description="Nats per code dimension below which the KL costs nothing more.")


class Posterior(NamedTuple):
    """A diagonal Gaussian over a code block: mean and log-variance, both `[B, D]`."""

    mean: Tensor
    logvar: Tensor

    def draw(self) -> Tensor:
        """One reparameterised draw per clip `[B, D]`, from the global generator: the caller seeds."""
        return self.mean + torch.randn_like(self.mean) * (0.5 * self.logvar).exp()


def check_stages(key: str, widths: Widths, shape: ClipShape) -> None:
    """Raise `ConfigError` unless frames can be halved once per width and every width is positive."""
    if min(widths) < 1:
        raise ConfigError(f"{key} is {list(widths)}; widths must be ≥ 1. Remove or mend the width {min(widths)}.")
    stride = 2 ** len(widths)
    if shape.height % stride or shape.width % stride:
        raise ConfigError(
            f"{key} has {len(widths)} stride-2 stages, but frames are {shape.height}×{shape.width}; height and width "
            f"must be divisible by {stride}. Give fewer widths or another frame size."
        )


def standard_normal(count: int, width: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draws from the prior `[count, width]` in the type and place of `like`.

    They are made where the generator lives, so one seed gives one set of codes on every machine.
    """
    place = None if generator is None else generator.device
    return torch.randn(count, width, generator=generator, device=place).to(like)


class FrameEncoder(nn.Module):
    """Frames `[N, C, H, W]` → features `[N, features]`: 4×4 stride-2 convolutions with batch norm, one linear layer."""

    def __init__(self, shape: ClipShape, widths: Widths, features: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for before, after in zip((shape.channels, *widths), widths, strict=False):
            stages += [
                HalvingConv2d(before, after),  # without bias: batch norm has it
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.convolutions = nn.Sequential(*stages)
        stride = 2 ** len(widths)
        cells = (shape.height // stride) * (shape.width // stride)
        self.head = nn.Sequential(nn.Linear(widths[-1] * cells, features), nn.LeakyReLU(0.2, inplace=True))

    def forward(self, frames: Tensor) -> Tensor:
        features: Tensor = self.head(self.convolutions(frames).flatten(1))
        return features


class FrameDecoder(nn.Module):
    """Codes `[N, inputs]` → logits of frames `[N, C, H, W]`, the mirror of `FrameEncoder`.

    The last bias starts at the logit of `initial_intensity`: on black backgrounds a decoder that starts at mid-grey
    spends the first part of a small budget on learning that the picture is dark.
    """

    def __init__(self, shape: ClipShape, widths: Widths, inputs: int, initial_intensity: float) -> None:
        super().__init__()
        stride = 2 ** len(widths)
        self.grid = (widths[-1], shape.height // stride, shape.width // stride)
        self.foot = nn.Linear(inputs, math.prod(self.grid))
        stages: list[nn.Module] = []
        for before, after in zip(widths[:0:-1], widths[-2::-1], strict=True):
            stages += [
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        last = DoublingConv2d(widths[0], shape.channels)
        assert last.bias is not None
        nn.init.constant_(last.bias, math.log(initial_intensity / (1 - initial_intensity)))
        self.convolutions = nn.Sequential(*stages, last)

    def forward(self, codes: Tensor) -> Tensor:
        logits: Tensor = self.convolutions(self.foot(codes).unflatten(1, self.grid))
        return logits


class GaussianHead(nn.Module):
    """Features `[N, inputs]` → mean and log-variance, each `[N, width]`, in float32 also under autocast."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * width)

    def forward(self, features: Tensor) -> Posterior:
        mean, logvar = self.linear(features).float().chunk(2, dim=-1)
        return Posterior(mean, logvar)


class SequenceEncoder(nn.Module):
    """Frame features `[B, T, inputs]` → last states of a bidirectional LSTM `[B, 2 · hidden]`, forward first."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True, bidirectional=True)

    def forward(self, features: Tensor) -> Tensor:
        _, (states, _) = self.lstm(features)  # [2 · layers, B, hidden], the top layer last
        return torch.cat((states[-2], states[-1]), dim=1)


class SequenceDecoder(nn.Module):
    """Codes `[B, inputs]` → frame features `[B, T, features]`: an LSTM that reads its own output.

    Its first states are linear in the code and its first input is learned. Since every input is the previous output,
    the loop over T frames is one cell call per layer and frame; the layer after it sees all frames at once.
    """

    def __init__(self, inputs: int, hidden: int, layers: int, features: int) -> None:
        super().__init__()
        self.first_states = nn.Linear(inputs, 2 * layers * hidden)
        self.first_input = nn.Parameter(torch.zeros(hidden))
        self.cells = nn.ModuleList(nn.LSTMCell(hidden, hidden) for _ in range(layers))
        self.head = nn.Sequential(nn.Linear(hidden, features), nn.LeakyReLU(0.2, inplace=True))

    def forward(self, codes: Tensor, frames: int) -> Tensor:
        states = self.first_states(codes).chunk(2 * len(self.cells), dim=1)  # h, c of each layer in turn
        hidden, memory = list(states[::2]), list(states[1::2])
        signal = self.first_input.to(hidden[0].dtype).expand(len(codes), -1)
        outputs = []
        for _ in range(frames):
            for layer, cell in enumerate(self.cells):
                hidden[layer], memory[layer] = cell(signal, (hidden[layer], memory[layer]))
                signal = hidden[layer]
            outputs.append(signal)
        features: Tensor = self.head(torch.stack(outputs, dim=1))
        return features
