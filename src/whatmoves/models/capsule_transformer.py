"""Capsule transformer: capsules of every past frame, attention over time, one pooled vector, the next frame.

Original: the repository SACap (mmheydari97, 2025, in JAX); squash after Sabour et al., Dynamic Routing Between
Capsules, 2017, attention after Vaswani et al. 2017.

    windows of P past frames [B,P,C,H,W], −1 … 1 → capsules [B,P,H/2,W/2,16,8] → frame features [B,P,F]
    + learned positions → attention blocks over the P frames [B,P,F] → weights over time → pooled vector [B,F]
    → [B,256] → [B,32,H/4,W/4] → transposed convolutions → next frame [B,C,H,W]

Full size at 16 + 1 frames of 1×32×32, F = 32,768: 30,713,410 parameters. What the original calls capsules is a
squashed convolution without routing; `routing` adds it. Borders in the original's arithmetic: a stride-2 convolution
pads right and below only, and the transposed ones mirror it. One pooled vector carries the whole past, so frames come
out soft; `skip` lets a pixel be taken from the last frame instead.
"""

import itertools
import math
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.interface import UNKNOWN, Future, Step
from whatmoves.models.losses.reconstruction import gaussian_nats
from whatmoves.models.routing import RoutedCapsules, squash
from whatmoves.settings import Settings

SOURCE = "capsule transformer (mmheydari97/SACap)"
FULL_SHAPE = ClipShape(frames=17, channels=1, height=32, width=32)
LAYER_NORM_EPSILON = 1e-6
TRUNCATED_DEVIATION = 0.8796256610342398  # of a standard normal cut at ±2


class Config(Settings):
    """Sizes and loss of the capsule transformer. The original's other settings are the training's: Adam at 1e-4,
    constant, batches of 16, clip_value 1 and then clip_norm 1.
    """

    past_frames: int = Field(16, ge=1, description="Frames that the next one is predicted from.")
    windows: Literal["all", "first"] = Field(
        "all", description="Train on every window of past_frames + 1 frames of a clip, or on its first only."
    )
    resize_px: int | None = Field(
        None, gt=0, description="Side of the square that frames are shrunk to by area averaging; null: as they are."
    )
    capsules: int = Field(16, gt=0, description="Capsules at each place.")
    capsule_dim: int = Field(8, gt=0, description="Numbers in a capsule.")
    routing: Literal["none", "dynamic", "em"] = Field(
        "none", description="Leave capsules as they are, or route them to routed_capsules."
    )
    routing_iterations: int = Field(3, ge=1, description="Iterations of the routing.")
    routed_capsules: int = Field(32, gt=0, description="Capsules of a frame after routing.")
    routed_dim: int = Field(16, ge=2, description="Numbers in a routed capsule.")
    blocks: int = Field(1, ge=1, description="Attention blocks over time.")
    heads: int = Field(2, gt=0, description="Attention heads.")
    head_dim: int = Field(16, gt=0, description="Width of a head.")
    feedforward: int = Field(256, gt=0, description="Hidden width of a block's feed-forward part.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Fraction dropped of what each part of a block adds.")
    decoder_hidden: int = Field(256, gt=0, description="Hidden width of the decoder's linear layers.")
    decoder_channels: tuple[int, ...] = Field(
        (32, 16, 8), min_length=2, description="Widths of the decoder's maps; each step doubles their side."
    )
    initial_intensity: float = Field(0.5, gt=0, lt=1, description="Grey the untrained decoder shows.")
    skip: bool = Field(False, description="A drawn mask takes pixels from the last frame instead.")
    pixel_variance: float = Field(0.05, gt=0, description="Variance behind prediction_nats, squared intensity.")

    @model_validator(mode="after")
    def _widths_are_positive(self) -> "Config":
        if min(self.decoder_channels) < 1:
            raise ValueError(f"decoder_channels is {list(self.decoder_channels)}; widths must be ≥ 1")
        return self


class Model(nn.Module):
    """The capsule transformer. Abilities: encode, predict."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        _check(config, shape)
        self.config, self.shape = config, shape
        c = config
        self.height, self.width = (shape.height, shape.width) if c.resize_px is None else (c.resize_px, c.resize_px)
        self.encoder = CapsuleEncoder(c, shape.channels)
        if c.routing == "none":
            features = (self.height // 2) * (self.width // 2) * c.capsules * c.capsule_dim
        else:
            features = c.routed_capsules * c.routed_dim
        self.positions = nn.Parameter(torch.randn(c.past_frames, features) * 0.02)
        self.norm = nn.LayerNorm(features, LAYER_NORM_EPSILON)
        self.blocks = nn.ModuleList(AttentionBlock(c, features) for _ in range(c.blocks))
        self.pooling = nn.Linear(features, 1)
        self.decoder = NextFrameDecoder(c, features, shape.channels, self.height, self.width)
        for layer in self.modules():
            _start_as_the_original(layer)
        self.decoder.set_grey(c.initial_intensity)

    def _shrunk(self, video: Tensor) -> Tensor:
        """Frames at the model's own size, −1 … 1: the border on the way in."""
        if self.config.resize_px is not None:
            frames = F.interpolate(video.flatten(0, 1), (self.height, self.width), mode="area")
            video = torch.unflatten(frames, 0, video.shape[:2])
        return 2 * video - 1

    def _frame_features(self, signed: Tensor) -> Tensor:
        """`[B, T, C, h, w]` in −1 … 1 → `[B, T, F]`; the same encoder for every frame."""
        features: Tensor = self.encoder(signed.flatten(0, 1))
        return torch.unflatten(features, 0, signed.shape[:2])

    def _pooled(self, features: Tensor) -> Tensor:
        """Features of windows `[…, past_frames, F]` → what they say together `[N, F]`."""
        signal = self.norm((features + self.positions).flatten(0, -3))  # [N, past_frames, F]
        for block in self.blocks:
            signal = block(signal)
        weights = self.pooling(signal).float().softmax(1)  # [N, past_frames, 1]
        pooled: Tensor = (weights * signal).sum(1)
        return pooled

    def _next_frames(self, signed: Tensor) -> Tensor:
        """The frame after every window: `[B, T, C, h, w]` → `[B, T − past_frames + 1, C, h, w]`, all in −1 … 1."""
        P = self.config.past_frames
        features = self._frame_features(signed).unfold(1, P, 1).movedim(3, 2)  # [B, windows, P, F]
        # Windows share frames: made one tensor before the positions are added they would be held in memory twice.
        drawn: Tensor = self.decoder(self._pooled(features), signed[:, P - 1 :].flatten(0, 1))
        return torch.unflatten(drawn, 0, features.shape[:2])

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """`mse_signed` is also the `total`: mean over windows, channels and pixels of the squared error of intensities
        in −1 … 1, as in the original; a quarter of it is the error in [0, 1].

        `prediction_nats`: the same as Gaussian nats per predicted frame, Σ (x̂ − x)² / (2 σ²) with intensities in
        [0, 1], mean over windows and clips.
        """
        P = self.config.past_frames
        video = batch.video[:, : P + 1] if self.config.windows == "first" else batch.video
        signed = self._shrunk(video)
        drawn, truth = self._next_frames(signed[:, :-1]), signed[:, P:]
        mse = (drawn - truth).square().mean()
        nats = gaussian_nats(drawn.flatten(0, 1) / 2, truth.flatten(0, 1) / 2, self.config.pixel_variance)
        return {"mse_signed": mse, "prediction_nats": nats, "total": mse}

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """`clip` `[B, F]`: the temporally pooled vector of the first `past_frames` frames of `video`.

        The first window holds a clip's start, and is what the original cuts a clip to. What comes later in a longer
        clip is not in the code.
        """
        return {"clip": self._pooled(self._frame_features(self._shrunk(video[:, : self.config.past_frames])))}

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """`[B, horizon, C, H, W]` after `past` `[B, ≥ past_frames, C, H, W]`, of which the last frames are read.

        One frame after the other, each from its own predictions; those are at the model's size throughout and, where
        it is smaller, enlarged bilinearly at the end. Raises `ConfigError` where `past` is too short.
        """
        P = self.config.past_frames
        if past.shape[1] < P:
            raise ConfigError(
                f"capsule_transformer.past_frames is {P}, but prediction starts from {past.shape[1]} frames; "
                f"set past_frames to ≤ {past.shape[1]} or give more frames"
            )
        signed = self._shrunk(past[:, -P:])
        features = self._frame_features(signed)
        frame, drawn = signed[:, -1], []
        for _ in range(horizon):
            frame = self.decoder(self._pooled(features), frame)
            drawn.append(frame)
            features = torch.cat((features[:, 1:], self._frame_features(frame.unsqueeze(1))), dim=1)
        frames = (torch.cat(drawn) + 1) / 2  # [horizon · B, C, h, w]
        if self.config.resize_px is not None:
            frames = F.interpolate(frames, (self.shape.height, self.shape.width), mode="bilinear")
        return torch.unflatten(frames, 0, (horizon, len(past))).transpose(0, 1)


class CapsuleEncoder(nn.Module):
    """Frames `[N, C, H, W]` in −1 … 1 → features `[N, F]`: one stride-2 convolution, squashed capsule by capsule."""

    def __init__(self, c: Config, channels: int) -> None:
        super().__init__()
        self.capsules = c.capsules
        self.convolution = nn.Conv2d(channels, c.capsules * c.capsule_dim, 3, stride=2)
        self.routed = None
        if c.routing != "none":
            sizes = c.capsules, c.capsule_dim, c.routed_capsules, c.routed_dim
            self.routed = RoutedCapsules(*sizes, c.routing, c.routing_iterations)

    def forward(self, frames: Tensor) -> Tensor:
        maps = self.convolution(F.pad(frames, (0, 1, 0, 1))).unflatten(1, (self.capsules, -1))
        capsules = squash(maps.permute(0, 3, 4, 1, 2))  # [N, H/2, W/2, capsules, capsule_dim]
        if self.routed is None:
            return capsules.flatten(1)
        features: Tensor = self.routed(capsules)
        return features


class AttentionBlock(nn.Module):
    """`[N, T, F]` → `[N, T, F]`: attention over time, then feed-forward; each is added and then normalised."""

    def __init__(self, c: Config, features: int) -> None:
        super().__init__()
        self.heads = c.heads
        self.queries_keys_values = nn.Linear(features, 3 * c.heads * c.head_dim)
        self.mix = nn.Linear(c.heads * c.head_dim, features)
        self.attention_norm = nn.LayerNorm(features, LAYER_NORM_EPSILON)
        self.feedforward = nn.Sequential(
            nn.Linear(features, c.feedforward), nn.GELU("tanh"), nn.Linear(c.feedforward, features)
        )
        self.feedforward_norm = nn.LayerNorm(features, LAYER_NORM_EPSILON)
        self.drop = nn.Dropout(c.dropout)

    def forward(self, signal: Tensor) -> Tensor:
        parts = self.queries_keys_values(signal).unflatten(2, (3, self.heads, -1))
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)  # each [N, heads, T, head_dim]
        seen = F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        signal = self.attention_norm(signal + self.drop(self.mix(seen)))
        result: Tensor = self.feedforward_norm(signal + self.drop(self.feedforward(signal)))
        return result


class NextFrameDecoder(nn.Module):
    """Pooled vectors `[N, F]` and last frames `[N, C, H, W]` → frames `[N, C, H, W]`, −1 … 1, float32."""

    def __init__(self, c: Config, features: int, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.channels, self.skip = channels, c.skip
        widths = c.decoder_channels
        stride = 2 ** (len(widths) - 1)
        self.grid = (widths[0], height // stride, width // stride)
        self.foot = nn.Sequential(
            nn.Linear(features, c.decoder_hidden), nn.GELU("tanh"), nn.Linear(c.decoder_hidden, math.prod(self.grid))
        )
        self.stages = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 3, stride=2) for before, after in itertools.pairwise(widths)
        )
        self.head = nn.Conv2d(widths[-1], channels + c.skip, 3, padding=1)

    def set_grey(self, intensity: float) -> None:
        """Let the untrained decoder show `intensity`."""
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias[: self.channels], math.atanh(2 * intensity - 1))

    def forward(self, pooled: Tensor, last: Tensor) -> Tensor:
        maps = self.foot(pooled).unflatten(1, self.grid)
        for stage in self.stages:
            maps = F.gelu(stage(maps)[..., :-1, :-1], approximate="tanh")  # 2n + 1 → 2n: the encoder's border, mirrored
        drawn: Tensor = self.head(maps).float()
        if not self.skip:
            return drawn.tanh()
        mask = drawn[:, self.channels :].sigmoid()
        return mask * last + (1 - mask) * drawn[:, : self.channels].tanh()


def _start_as_the_original(layer: nn.Module) -> None:
    """Weights truncated normal with variance 1 / inputs (LeCun), biases 0."""
    if not isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        return
    weight = layer.weight
    inputs = weight[0].numel() if not isinstance(layer, nn.ConvTranspose2d) else weight[:, 0].numel()
    deviation = 1 / (TRUNCATED_DEVIATION * math.sqrt(inputs))
    nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def _check(c: Config, shape: ClipShape) -> None:
    """Raise `ConfigError` where clips are too short or frames cannot be halved and doubled evenly."""
    if shape.frames <= c.past_frames:
        raise ConfigError(
            f"capsule_transformer.past_frames is {c.past_frames}, but clips have {shape.frames} frames; must be "
            f"≤ {shape.frames - 1}, for one to predict. Lower past_frames or raise the data's frames."
        )
    if c.resize_px is not None and c.resize_px > min(shape.height, shape.width):
        raise ConfigError(
            f"capsule_transformer.resize_px is {c.resize_px}, but frames are {shape.height}×{shape.width}; it only "
            f"shrinks. Set it to ≤ {min(shape.height, shape.width)} or null."
        )
    height, width = (shape.height, shape.width) if c.resize_px is None else (c.resize_px, c.resize_px)
    stride = 2 ** (len(c.decoder_channels) - 1)
    if height % stride or width % stride:
        raise ConfigError(
            f"capsule_transformer.decoder_channels has {len(c.decoder_channels) - 1} doublings, but frames are "
            f"{height}×{width}; height and width must be divisible by {stride}. Give fewer widths or set resize_px."
        )
