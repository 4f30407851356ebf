"""TinyDreams: the next frame from the last and the controls, by a transformer over patches and a convolutional head.

Original: tinyDreams (Nikims, 2025); patches after Dosovitskiy et al., An Image is Worth 16×16 Words, 2021, registers
after Darcet et al., Vision Transformers Need Registers, 2024, the task after Oh et al. 2015.

    past frames [N,P·C,H,W] → tokenizer, + learned positions → image tokens [N,h·w,dim]
    action of the last frame [N,A] → MLP → action token [N,1,dim]
    [registers, action, image] → transformer → image tokens [N,h·w,dim] → drawing head, sigmoid → next frame [N,C,H,W]

Full size at 3×256×256 with 4 actions (h = w = 8, dim 308): 26,192,494 parameters, interleaved 31,539,374. A pair never
crosses a clip's border. Repaired: zero controls are not taught to mean that nothing changes (`still_weight`), and the
interleaved form can ignore its one action token (`action_gate`). Not in the original: `past_frames` > 1, without which
no velocity is seen, `skip`, and the structural, perceptual and conditional adversarial terms of its wish list.
"""

from pathlib import Path
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.interface import UNKNOWN, Future, Step
from whatmoves.models.losses.adversarial import discriminator_nats, frozen, generator_nats
from whatmoves.models.losses.edges import sobel_l1
from whatmoves.models.losses.perceptual import feature_l1
from whatmoves.models.losses.similarity import WINDOW_PX, dissimilarity
from whatmoves.models.losses.spectrum import spectrum_l1
from whatmoves.models.picture_features import PictureFeatures, judge_features, random_features
from whatmoves.models.tinydreams_parts import (
    ActionToken,
    ConvTokenizer,
    Discriminator,
    DrawingHead,
    Norm,
    Transformer,
    learned,
)
from whatmoves.settings import Settings

SOURCE = "tinyDreams (Nikims/tinyDreams)"
FULL_SHAPE = ClipShape(frames=2, channels=3, height=256, width=256, actions=4)

Width = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]
Label = Annotated[float, Field(ge=0, le=1)]


class Config(Settings):
    """Sizes and loss of tinydreams. The original's other settings are the training's: AdamW at 6e-4, constant, weight
    decay 1e-5, batches of 36 pairs, 16-bit precision.
    """

    past_frames: int = Field(1, ge=1, description="Frames that the next one is drawn from, stacked as channels.")
    pairs_per_clip: int | None = Field(
        1, ge=1, description="Pairs of past and next frame drawn from each clip in training; null: all of them."
    )
    patch_px: int = Field(32, ge=2, description="Side of a patch, pixels; a power of 2.")
    dim: int = Field(308, gt=0, description="Width of a token.")
    depth: int = Field(14, ge=1, description="Transformer blocks.")
    heads: int = Field(14, gt=0, description="Attention heads.")
    feedforward_factor: int = Field(3, gt=0, description="Hidden width of a block's feed-forward part, in dims.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Fraction dropped of attention and of what each part adds.")
    registers: int = Field(12, ge=0, description="Learned tokens that stand for no place.")
    action_hidden: tuple[Width, ...] = Field((15, 31, 63), description="Hidden widths of the action's MLP.")
    attention: Literal["concatenated", "interleaved"] = Field(
        "concatenated", description="The action is one of the tokens, or every block looks at it from outside."
    )
    action_gate: bool = Field(True, description="Interleaved: a place may look at nothing instead of the action.")
    tokenizer: Literal["conv", "patch"] = Field("conv", description="Residual convolutions, or one linear layer.")
    tokenizer_channels: tuple[Width, ...] = Field(
        (64, 128, 256, 256), description="Widths of the convolutional tokenizer's stages before the last (dim)."
    )
    tokenizer_blocks: int = Field(2, ge=1, description="Residual blocks of a tokenizer stage.")
    decoder_channels: tuple[Width, ...] = Field(
        (240, 180, 96, 64, 48), min_length=1, description="Widths of the head's stages; each doubles the sides."
    )
    decoder_blocks: int = Field(2, ge=1, description="Residual blocks of a stage of the head.")
    norm: Norm = Field("instance", description="Instance norm, or batch norm, which does not lose brightness.")
    initial_intensity: float = Field(0.5, gt=0, lt=1, description="Grey the untrained head shows.")
    skip: bool = Field(False, description="A drawn mask takes pixels from the last frame instead.")
    token_noise: float = Field(
        0.0, ge=0, description="Noise on the tokens that are drawn from in training, in their deviations."
    )
    gradient_checkpointing: bool = Field(False, description="Compute each block again in the backward pass.")
    l1_weight: Weight = Field(1.0, description="Weight of the absolute error.")
    edge_weight: Weight = Field(0.0, description="Weight of the absolute error of Sobel slopes.")
    spectrum_weight: Weight = Field(0.0, description="Weight of the absolute error of Fourier magnitudes.")
    ssim_weight: Weight = Field(0.0, description="Weight of 1 − SSIM.")
    perceptual_weight: Weight = Field(0.0, description="Weight of the absolute error of a fixed network's features.")
    perceptual_judge: Path | None = Field(
        None, description="File of trained judges (judges.pt) whose features are compared; null: random filters."
    )
    still_weight: Weight = Field(
        0.0, description="Weight of the last frame drawn under zero actions (the original: 0.4)."
    )
    adversarial_weight: Weight = Field(0.0, description="Weight of what a discriminator says (the original's: 0.01).")
    adversarial_condition: Literal["none", "past"] = Field(
        "none", description="The discriminator sees a frame alone, or the past frames with it."
    )
    discriminator_channels: tuple[Width, ...] = Field(
        (32, 64, 128), min_length=1, description="Widths of the discriminator's stride-2 convolutions."
    )
    discriminator_hidden: tuple[Width, ...] = Field((512, 256), description="Hidden widths of its MLP.")
    real_labels: tuple[Label, Label] = Field((0.0, 0.2), description="Range of the labels of true frames.")
    made_labels: tuple[Label, Label] = Field((0.8, 1.0), description="Range of the labels of drawn frames.")
    label_noise: float = Field(0.05, ge=0, description="Deviation of the noise on a label, before it is cut to 0 … 1.")

    @model_validator(mode="after")
    def _values_fit_together(self) -> "Config":
        stages = self.patch_px.bit_length() - 1
        if self.patch_px != 2**stages:
            raise ValueError(f"patch_px is {self.patch_px}; must be a power of 2: {2**stages} or {2 ** (stages + 1)}")
        if self.dim % self.heads:
            raise ValueError(f"dim is {self.dim} and heads {self.heads}; dim must be divisible by heads")
        if len(self.decoder_channels) != stages:
            raise ValueError(
                f"decoder_channels has {len(self.decoder_channels)} widths; patch_px {self.patch_px} needs {stages}"
            )
        if self.tokenizer == "conv" and len(self.tokenizer_channels) != stages - 1:
            raise ValueError(
                f"tokenizer_channels has {len(self.tokenizer_channels)} widths; patch_px {self.patch_px} needs "
                f"{stages - 1}, since the last stage has dim"
            )
        for name, (low, high) in (("real_labels", self.real_labels), ("made_labels", self.made_labels)):
            if low > high:
                raise ValueError(f"{name} is [{low:g}, {high:g}]; must be [lowest, highest]")
        return self


class Model(nn.Module):
    """TinyDreams. Abilities: encode, predict; also attention."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        _check(config, shape)
        self.config, self.shape = config, shape
        c = config
        inputs = c.past_frames * shape.channels
        if c.tokenizer == "conv":
            self.tokenizer: nn.Module = ConvTokenizer(
                inputs, (*c.tokenizer_channels, c.dim), c.tokenizer_blocks, c.norm
            )
        else:
            self.tokenizer = nn.Conv2d(inputs, c.dim, c.patch_px, stride=c.patch_px)
        self.positions = learned(c.dim, shape.height // c.patch_px, shape.width // c.patch_px)
        self.action_token = ActionToken(shape.actions, c.action_hidden, c.dim) if self.reads_actions else None
        outside = self.reads_actions and c.attention == "interleaved"
        self.transformer = Transformer(
            c.dim, c.depth, c.heads, c.feedforward_factor * c.dim, c.dropout, c.registers,
            c.action_gate if outside else None, c.gradient_checkpointing,
        )  # fmt: skip
        self.head = DrawingHead(
            c.dim, c.decoder_channels, c.decoder_blocks, c.norm, shape.channels, c.initial_intensity, c.skip
        )
        self.discriminator = None
        if c.adversarial_weight:
            judged = shape.channels * (1 + (c.past_frames if c.adversarial_condition == "past" else 0))
            self.discriminator = Discriminator(judged, c.discriminator_channels, c.discriminator_hidden)
        self._features: list[PictureFeatures] = []  # no part of the model: never trained, stored or counted

    @property
    def reads_actions(self) -> bool:
        """Whether a prediction depends on actions: where the data set has them, it does."""
        return self.shape.actions > 0

    def _actions(self, actions: Tensor | None, count: int) -> Tensor | None:
        """The first `count` actions `[B, count, A]`, or None where the model reads none; raises if they are missing."""
        if not self.reads_actions:
            return None
        if actions is None or actions.shape[1] < count or actions.shape[2] != self.shape.actions:
            found = "none are given" if actions is None else f"they are {list(actions.shape)}"
            raise ConfigError(
                f"tinydreams: it reads actions [clips, {count}, {self.shape.actions}], but {found}. Give the actions "
                f"of all frames, past and to come, or train it on a data set without any."
            )
        return actions[:, :count]

    def _image(self, past: Tensor) -> Tensor:
        """Past frames `[N, P, C, H, W]` as image tokens `[N, h · w, dim]`."""
        maps: Tensor = self.tokenizer(past.flatten(1, 2)) + self.positions
        return maps.flatten(2).transpose(1, 2)

    def _action(self, actions: Tensor | None) -> Tensor | None:
        """Actions `[N, A]` as one token each `[N, 1, dim]`; None where the model reads none."""
        return None if self.action_token is None or actions is None else self.action_token(actions)

    def _tokens(self, past: Tensor, actions: Tensor | None) -> Tensor:
        """Image tokens after the last block, `[N, h · w, dim]`."""
        tokens: Tensor = self.transformer(self._image(past), self._action(actions))
        return tokens

    def _drawn(self, past: Tensor, actions: Tensor | None, image: Tensor | None = None) -> Tensor:
        """The frames `[N, C, H, W]` after pasts `[N, P, C, H, W]` under the actions `[N, A]` of their last frames.

        image: the tokens of `past` `[N, h · w, dim]`, where they are made already.
        """
        tokens: Tensor = self.transformer(self._image(past) if image is None else image, self._action(actions))
        if self.training and self.config.token_noise:
            deviation = tokens.detach().float().std((0, 1))
            tokens = tokens + self.config.token_noise * deviation * torch.randn_like(tokens)
        maps = torch.unflatten(tokens.transpose(1, 2), 2, self.positions.shape[1:])
        frames: Tensor = self.head(maps, past[:, -1])
        return frames

    def _pairs(self, batch: Batch) -> tuple[Tensor, Tensor | None, Tensor]:
        """Pasts `[N, P, C, H, W]`, actions `[N, A]` and next frames `[N, C, H, W]` out of a batch, N = B · pairs.

        Pairs of a clip are different ones, drawn from the global generator.
        """
        P, (B, T) = self.config.past_frames, batch.video.shape[:2]
        actions = self._actions(batch.actions, T)
        wanted = self.config.pairs_per_clip
        if wanted is None:
            first = torch.arange(T - P, device=batch.video.device).expand(B, -1)
        else:
            first = torch.rand(B, T - P, device=batch.video.device).topk(wanted).indices  # [B, pairs]
        clips = torch.arange(B, device=batch.video.device)[:, None]
        frames = torch.stack([batch.video[clips, first + offset] for offset in range(P + 1)], dim=2).flatten(0, 1)
        chosen = None if actions is None else actions[clips, first + P - 1].flatten(0, 1)
        return frames[:, :P], chosen, frames[:, P]

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Unweighted terms and the weighted `total`; a term without weight is neither computed nor named.

        `l1`: absolute error of the next frame, mean over pixels, channels and pairs; `edges`, `spectrum`,
        `dissimilarity`, `features`: see `losses`; `still`: absolute error of the last frame drawn under zero actions.
        `generator_nats` and `discriminator_nats`: both sides of the adversarial game. In evaluation they are no part of
        the total, because a total that a better discriminator raises cannot choose the best weights.
        """
        c = self.config
        past, actions, truth = self._pairs(batch)
        image = self._image(past)
        drawn = self._drawn(past, actions, image)
        terms = {"l1": F.l1_loss(drawn, truth)}
        total = c.l1_weight * terms["l1"]
        if c.edge_weight:
            terms["edges"] = sobel_l1(drawn, truth)
            total = total + c.edge_weight * terms["edges"]
        if c.spectrum_weight:
            terms["spectrum"] = spectrum_l1(drawn, truth)
            total = total + c.spectrum_weight * terms["spectrum"]
        if c.ssim_weight:
            terms["dissimilarity"] = dissimilarity(drawn, truth)
            total = total + c.ssim_weight * terms["dissimilarity"]
        if c.perceptual_weight:
            terms["features"] = feature_l1(self._fixed_features(drawn.device), drawn, truth)
            total = total + c.perceptual_weight * terms["features"]
        if c.still_weight and actions is not None:
            terms["still"] = F.l1_loss(self._drawn(past, torch.zeros_like(actions), image), past[:, -1])
            total = total + c.still_weight * terms["still"]
        if self.discriminator is not None:
            terms["generator_nats"], terms["discriminator_nats"] = self._game(self.discriminator, past, drawn, truth)
            if self.training:
                total = total + c.adversarial_weight * terms["generator_nats"] + terms["discriminator_nats"]
        return {**terms, "total": total}

    def _game(self, discriminator: nn.Module, past: Tensor, drawn: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """What the generator and the discriminator lose; gradients of one never reach the parameters of the other."""
        c = self.config

        def judged(frames: Tensor) -> Tensor:
            return torch.cat((past.flatten(1, 2), frames), dim=1) if c.adversarial_condition == "past" else frames

        lost = generator_nats(frozen(discriminator, judged(drawn)), c.real_labels, c.label_noise)
        real, made = discriminator(judged(truth)), discriminator(judged(drawn.detach()))
        return lost, discriminator_nats(real, made, (c.real_labels, c.made_labels), c.label_noise)

    def _fixed_features(self, device: torch.device) -> PictureFeatures:
        """The network of the perceptual term, read when a loss first asks for it: prediction needs no file."""
        if not self._features:
            path = self.config.perceptual_judge
            made = random_features(self.shape.channels) if path is None else judge_features(path)
            self._features.append(made.to(device))
        return self._features[0]

    def _windows(self, video: Tensor) -> tuple[Tensor, Tensor | None]:
        """Every `past_frames` frames of a clip as the model sees them `[B · windows, P, C, H, W]`, and zero actions."""
        P = self.config.past_frames
        if video.shape[1] < P:
            raise ConfigError(_too_short(P, "the video has", video.shape[1]))
        windows = video.unfold(1, P, 1).movedim(5, 2).flatten(0, 1)
        return windows, windows.new_zeros(len(windows), self.shape.actions) if self.reads_actions else None

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """`clip` `[B, 2 · dim]`: image tokens of the last block, mean over places, under zero actions; their mean over
        all windows of `past_frames` frames, then those of the last window.
        """
        pooled = self._tokens(*self._windows(video)).float().mean(1)
        tokens = torch.unflatten(pooled, 0, (len(video), -1))
        return {"clip": torch.cat((tokens.mean(1), tokens[:, -1]), dim=1)}

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """`[B, horizon, C, H, W]` after `past` `[B, T ≥ past_frames, C, H, W]`, of which the last frames are read.

        One frame after the other, each from its own predictions, in full precision. Of the actions the
        first T + horizon − 1 are read. Raises `ConfigError` where the past is too short or actions are missing.
        """
        P, T = self.config.past_frames, past.shape[1]
        if T < P:
            raise ConfigError(_too_short(P, "prediction starts from", T))
        known = self._actions(future.actions, T + horizon - 1)
        frames = list(past[:, T - P :].unbind(1))
        for t in range(T - 1, T + horizon - 1):
            frames.append(self._drawn(torch.stack(frames[-P:], dim=1), None if known is None else known[:, t]))
        return torch.stack(frames[P:], dim=1)

    def attention(self, video: Tensor, actions: Tensor | None = None) -> Tensor:
        """Where each register looks: `[B, windows, depth, registers, h, w]`, mean over heads, from a place's share of
        that register's attention. `actions` `[B, windows, A]`: of each window's last frame; None: zero.

        Shares of the other registers and of an action token among the tokens are missing to 1.
        """
        windows, still = self._windows(video)
        chosen = still if actions is None or still is None else actions.flatten(0, 1)
        seen: Tensor = self.transformer.attention(self._image(windows), self._action(chosen))
        places = self.positions.shape[1:]
        shares = seen[:, :, : self.config.registers, -places.numel() :]
        return torch.unflatten(torch.unflatten(shares, 3, places), 0, (len(video), -1))


def _too_short(past_frames: int, what: str, found: int) -> str:
    return (
        f"tinydreams.past_frames is {past_frames}, but {what} {found} frames; set past_frames to ≤ {found} or give "
        f"more frames"
    )


def _check(c: Config, shape: ClipShape) -> None:
    """Raise `ConfigError` where clips are too short, frames not whole patches, or a term impossible on these data."""
    pairs = shape.frames - c.past_frames
    if pairs < 1:
        raise ConfigError(
            f"tinydreams.past_frames is {c.past_frames}, but clips have {shape.frames} frames; must be "
            f"≤ {shape.frames - 1}, for one to predict. Lower past_frames or raise the data's frames."
        )
    if c.pairs_per_clip is not None and c.pairs_per_clip > pairs:
        raise ConfigError(
            f"tinydreams.pairs_per_clip is {c.pairs_per_clip}, but clips have {pairs} pairs; must be ≤ {pairs}, or "
            f"null for all"
        )
    if shape.height % c.patch_px or shape.width % c.patch_px:
        raise ConfigError(
            f"tinydreams.patch_px is {c.patch_px}, but frames are {shape.height}×{shape.width}; height and width must "
            f"be divisible by it. Set a smaller patch."
        )
    if c.ssim_weight and min(shape.height, shape.width) < WINDOW_PX:
        raise ConfigError(
            f"tinydreams.ssim_weight is {c.ssim_weight:g}, but frames are {shape.height}×{shape.width}; SSIM needs "
            f"≥ {WINDOW_PX} px on each side. Set it to 0."
        )
    if c.still_weight and not shape.actions:
        raise ConfigError(
            f"tinydreams.still_weight is {c.still_weight:g}, but this data set has no actions: the same past would "
            f"have to become its last frame and the next. Set it to 0."
        )
