"""What–where VAE, our own: motion says where, content says what, and the decoder cannot mix them.

    video [B,T,C,H,W] → poses of K slots in every frame, the path [B,K,T,P]
    path → motion [B,K,Dm] → path [B,K,T,P]
    crops along the path [B,K,T,C,d,d] → features, mean over T → content [B,K,Dc] → picture in its own frame [B,K,C,d,d]
    picture placed along the decoded path [B,K,T,C,H,W] → maximum over slots → video

Motion code and path decoder never see a pixel, and the picture never moves: what remains of leakage is what a path
tells of its object and a crop of its place. A slot's whole path comes from one code, so slots cannot swap midway. Kin:
AIR (Eslami et al. 2016) and SQAIR (Kosiorek et al. 2018) for pictures that are placed, DrNet (Denton and Birodkar 2017)
for the split; here one code holds the motion of a whole clip. Black background: outside its pictures it draws nothing.

The path is itself a hidden variable: given the motion code it is Gaussian around the decoded path, so its KL to what
the localiser found is `path_nats`. `prediction_nats` asks the same of paths decoded from only the first frames.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.aggregate import AggregatePosterior
from whatmoves.models.blocks import (
    FrameDecoder,
    FrameEncoder,
    GaussianHead,
    Posterior,
    VAESettings,
    Widths,
    check_stages,
    standard_normal,
)
from whatmoves.models.interface import UNKNOWN, Future, Step
from whatmoves.models.localisation import Localiser
from whatmoves.models.losses.kl import kl_nats, kl_with_free_bits
from whatmoves.models.losses.reconstruction import gaussian_nats, reconstruction_nats
from whatmoves.models.losses.schedules import kl_ramp, kl_settled
from whatmoves.models.path_codes import PathDecoder, PathEncoder
from whatmoves.models.placement import BroadcastDecoder, crop, paste

SOURCE = "what–where VAE (ours)"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)
LOGIT_MARGIN = 1e-4  # keeps the Bernoulli likelihood of exact black finite


class Config(VAESettings):
    """Sizes and loss of the what–where VAE. `channels` and `features` are those of crop encoder and picture decoder."""

    channels: Widths = Field((64, 128, 256), min_length=1, description="Widths of the stride-2 crop convolutions.")
    slots: int = Field(1, ge=1, description="Objects that a clip is drawn from.")
    window_px: int = Field(32, gt=1, description="Side of an object's own square frame, pixels.")
    localiser_channels: Widths = Field((32, 32), min_length=1, description="Widths of the localising convolutions.")
    content_dim: int = Field(64, gt=0, description="Width of a slot's content code.")
    motion_dim: int = Field(32, gt=0, description="Width of a slot's motion code.")
    hidden: int = Field(256, gt=0, description="Width of the path encoder and of the path decoder.")
    scale: bool = Field(False, description="Poses have a scale.")
    rotation: bool = Field(False, description="Poses have an angle.")
    content_input: Literal["crops", "frames", "mean_frame"] = Field(
        "crops", description="Content from crops along the path, from whole frames (not aligned), or the mean frame."
    )
    motion_input: Literal["path", "differences"] = Field(
        "path", description="Localise in frames, or only in their changes."
    )
    placement: Literal["spatial_transformer", "broadcast"] = Field(
        "spatial_transformer", description="Place a picture, or let convolutions draw from code, pose and coordinates."
    )
    split: bool = Field(True, description="Two blocks of code; false: one of the same width for everything.")
    content_kl_weight: float = Field(1.0, ge=0, description="Factor on β for the content code.")
    motion_kl_weight: float = Field(1.0, ge=0, description="Factor on β for the motion code.")
    path_deviation_px: float = Field(0.5, gt=0, description="Standard deviation of a path around its code's, pixels.")
    path_weight: float = Field(1.0, ge=0, description="Weight of path_nats.")
    prediction_weight: float = Field(1.0, ge=0, description="Weight of prediction_nats.")
    sample_from: Literal["codes", "prior"] = Field(
        "codes", description="Draw samples from a Gaussian fitted to the training's codes, or from the prior N(0, I)."
    )


class Model(nn.Module):
    """The what–where VAE. Abilities: encode, decode, reconstruct, sample, predict; and `path`."""

    pose_px: Tensor

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        c = config
        window = shape._replace(height=c.window_px, width=c.window_px)
        seen = window if c.content_input == "crops" else shape
        drawn = window if c.placement == "spatial_transformer" else shape
        stride = 2 ** len(c.channels)
        if window in (seen, drawn) and c.window_px % stride:
            raise ConfigError(
                f"what_where_vae.window_px is {c.window_px}, but what_where_vae.channels has {len(c.channels)} "
                f"stride-2 stages; it must be divisible by {stride}. "
                f"Set window_px to {-(-c.window_px // stride) * stride} or give fewer widths."
            )
        for size in (seen, drawn):
            check_stages("what_where_vae.channels", c.channels, size)
        if min(c.localiser_channels) < 1:
            raise ConfigError(
                f"what_where_vae.localiser_channels is {list(c.localiser_channels)}; widths must be ≥ 1. "
                f"Remove or mend the width {min(c.localiser_channels)}."
            )
        if shape.frames < 2:
            raise ConfigError(
                f"what_where_vae: clips have {shape.frames} frame; motion needs ≥ 2. Set the data's frames to ≥ 2."
            )
        self.config, self.shape = config, shape
        pose = 2 + c.scale + c.rotation
        self.localiser = Localiser(shape, c.localiser_channels, c.slots, pose)
        self.content_encoder = FrameEncoder(seen, c.channels, c.features)
        self.path_encoder = PathEncoder(shape.frames, pose, c.hidden)
        if c.split:
            content, motion = c.content_dim, c.motion_dim
            self.content_head, self.motion_head = GaussianHead(c.features, content), GaussianHead(c.hidden, motion)
        else:
            content = motion = c.content_dim + c.motion_dim
            self.clip_head = GaussianHead(c.features + c.hidden, content)
        widths = {"content": content, "motion": motion} if c.split else {"clip": content}
        self.aggregates = nn.ModuleDict({name: AggregatePosterior(width) for name, width in widths.items()})
        self.path_decoder = PathDecoder(motion, c.hidden, shape.frames, pose)
        self.picture_decoder: FrameDecoder | BroadcastDecoder
        if c.placement == "spatial_transformer":
            self.picture_decoder = FrameDecoder(drawn, c.channels, content, c.initial_intensity)
        else:
            self.picture_decoder = BroadcastDecoder(drawn, c.channels, content + pose, c.initial_intensity)
        # Pixels that a picture's centre, or for scale and angle its edge, moves by when a pose changes by 1.
        pixels = torch.tensor([shape.height - 1, shape.width - 1, *[c.window_px] * (pose - 2)]) / 2
        self.register_buffer("pose_px", pixels, persistent=False)

    def _path(self, video: Tensor) -> Tensor:
        """Poses `[B, K, T, P]` of the slots, from the left by their x at the first frame."""
        if self.config.motion_input == "differences":
            changes = video.diff(dim=1) if video.shape[1] > 1 else torch.zeros_like(video)
            video = torch.cat((changes, changes[:, -1:]), dim=1)[:, : video.shape[1]]  # at t, what changes until t + 1
        path: Tensor = self.localiser(video)
        return path

    def _content_features(self, video: Tensor, path: Tensor) -> Tensor:
        """What is shown, `[B, K, features]`, mean over frames."""
        B, K, T, _ = path.shape
        if self.config.content_input == "crops":
            frames = video[:, None].expand(-1, K, -1, -1, -1, -1).flatten(0, 2)
            seen = crop(frames, path.flatten(0, 2), self.config.window_px, self.config.rotation)
            features: Tensor = self.content_encoder(seen)
            return features.view(B, K, T, -1).mean(2)
        if self.config.content_input == "frames":
            shared: Tensor = self.content_encoder(video.flatten(0, 1)).view(B, T, -1).mean(1)
        else:
            shared = self.content_encoder(video.mean(1))
        return shared[:, None].expand(-1, K, -1)

    def _posteriors(self, content_features: Tensor, path: Tensor) -> dict[str, Posterior]:
        """Posterior of each block, all slots side by side: `[B, K · D]`."""
        path_features = self.path_encoder(path)
        if self.config.split:
            blocks = {"content": self.content_head(content_features), "motion": self.motion_head(path_features)}
        else:
            blocks = {"clip": self.clip_head(torch.cat((content_features, path_features), dim=-1))}
        return {name: Posterior(mean.flatten(1), logvar.flatten(1)) for name, (mean, logvar) in blocks.items()}

    def _early_motion(self, content_features: Tensor, path: Tensor) -> Tensor:
        """Mean motion code of every beginning of a path, from 2 frames to all but the last: `[B, K, pasts, D]`."""
        path_features = self.path_encoder.beginnings(path, min(2, self.shape.frames - 1))
        if self.config.split:
            motion: Tensor = self.motion_head(path_features).mean
            return motion
        content = content_features[:, :, None].expand(-1, -1, path_features.shape[2], -1)
        clip: Tensor = self.clip_head(torch.cat((content, path_features), dim=-1)).mean
        return clip

    def _by_slot(self, code: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Content and motion `[B, K, D]`; unsplit, both are the whole code."""
        blocks = {name: torch.unflatten(block, 1, (self.config.slots, -1)) for name, block in code.items()}
        return (blocks["content"], blocks["motion"]) if self.config.split else (blocks["clip"], blocks["clip"])

    def _aggregates(self) -> Iterator[tuple[str, AggregatePosterior]]:
        for name, aggregate in self.aggregates.items():
            assert isinstance(aggregate, AggregatePosterior)
            yield name, aggregate

    def _draw(self, content: Tensor, path: Tensor) -> Tensor:
        """Video `[B, T, C, H, W]` of content `[B, K, D]` along a path `[B, K, T, P]` of any length."""
        B, K, T, _ = path.shape
        _, C, H, W = self.shape[:4]
        if self.config.placement == "spatial_transformer":
            pictures = self.picture_decoder(content.flatten(0, 1)).float().sigmoid()
            pictures = pictures[:, None].expand(-1, T, -1, -1, -1).flatten(0, 1)
            frames = paste(pictures, path.flatten(0, 2), H, W, self.config.rotation)
        else:
            codes = torch.cat((content[:, :, None].expand(-1, -1, T, -1), path), dim=-1)
            frames = self.picture_decoder(codes.flatten(0, 2)).float().sigmoid()
        return frames.view(B, K, T, C, H, W).amax(1)

    def _path_nats(self, decoded: Tensor, path: Tensor) -> Tensor:
        return gaussian_nats(decoded * self.pose_px, path * self.pose_px, self.config.path_deviation_px**2)

    @property
    def settled(self) -> float:
        """The fraction of the budget from which the KL terms have their full weight."""
        return kl_settled(self.config.kl_schedule, self.config.kl_start, self.config.kl_warmup)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Unweighted terms and the weighted `total`, nats per clip.

        `reconstruction_nats`; `kl_content_nats` and `kl_motion_nats`, or `kl_clip_nats` of an unsplit code (without
        free bits); `path_nats`, the localised path under the decoded one; `prediction_nats`, the same under paths
        decoded from its first 2, 3, … frames, mean over these.
        """
        c = self.config
        path = self._path(batch.video)
        content_features = self._content_features(batch.video, path)
        posteriors = self._posteriors(content_features, path)
        code = {name: posterior.draw() for name, posterior in posteriors.items()}
        if self.training:  # for `sample`; no term of the loss reads it
            for name, aggregate in self._aggregates():
                aggregate.update(code[name].view(-1, len(aggregate.mean)))  # slots share one Gaussian
        content, motion = self._by_slot(code)
        decoded = self.path_decoder(motion)
        drawn = self._draw(content, decoded)
        reconstruction = reconstruction_nats(c.reconstruction, drawn.logit(LOGIT_MARGIN), batch.video, c.pixel_variance)
        # As a target the found path is fixed: drawn towards the path decoder, the localiser finds all in the middle.
        found = path.detach()
        path_nats = self._path_nats(decoded, found)
        predicted = self.path_decoder(self._early_motion(content_features.detach(), found))
        pasts = predicted.shape[2]
        prediction_nats = self._path_nats(predicted, found[:, :, None].expand_as(predicted)) / pasts
        beta = c.beta * kl_ramp(c.kl_schedule, step.progress, c.kl_start, c.kl_warmup)
        kl_weights = {"content": c.content_kl_weight, "motion": c.motion_kl_weight, "clip": 1.0}
        kl = sum(kl_weights[name] * kl_with_free_bits(*block, c.free_bits) for name, block in posteriors.items())
        return {
            "reconstruction_nats": reconstruction,
            **{f"kl_{name}_nats": kl_nats(*block) for name, block in posteriors.items()},
            "path_nats": path_nats,
            "prediction_nats": prediction_nats,
            "total": reconstruction + beta * kl + c.path_weight * path_nats + c.prediction_weight * prediction_nats,
        }

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """Posterior means `content` `[B, K · content_dim]` and `motion` `[B, K · motion_dim]` of `[B, T, C, H, W]`.

        Unsplit: `clip` `[B, K · (content_dim + motion_dim)]`. Slots stand side by side, from the left by their x at the
        first frame.
        """
        path = self._path(video)
        return _means(self._posteriors(self._content_features(video, path), path))

    def path(self, video: Tensor) -> Tensor:
        """Centres (y, x) `[B, K, T, 2]` of the slots in `[B, T, C, H, W]` in pixels; the first pixel's centre is 0.

        A picture need not sit in the middle of its own frame, so all may be off by the same small shift.
        """
        centres: Tensor = (self._path(video)[..., :2] + 1) * self.pose_px[:2]
        return centres

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        """Video `[B, T, C, H, W]` in [0, 1] of a code; the same for slots in any order, if both blocks share it."""
        content, motion = self._by_slot(code)
        return self._draw(content, self.path_decoder(motion))

    def reconstruct(self, video: Tensor) -> Tensor:
        """The clip drawn from its posterior means, `[B, T, C, H, W]`."""
        return self.decode(self.encode(video))

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        """`count` clips `[count, T, C, H, W]`: slots and blocks drawn independently, from where `sample_from` says.

        Codes keep a few nats a dimension and do not fill the prior, so most of its codes stand for nothing ever seen;
        the Gaussian of the training's codes (`whatmoves.models.aggregate`) is nearer to them, and not the prior.
        """
        slots, code = self.config.slots, dict[str, Tensor]()
        for name, aggregate in self._aggregates():
            if self.config.sample_from == "codes":
                drawn = aggregate.draw(count * slots, generator)
            else:
                drawn = standard_normal(count * slots, len(aggregate.mean), self.pose_px, generator)
            code[name] = drawn.view(count, -1)
        return self.decode(code)

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """The `horizon` frames `[B, horizon, C, H, W]` after `past` `[B, P, C, H, W]`; nothing is drawn at random.

        The found path is continued by decoding a clip whose first frames it is. Where that is not far enough, the last
        poses, at least half a clip of them, begin another clip.
        """
        path = self._path(past)
        T, P = self.shape.frames, past.shape[1]
        content_features = self._content_features(past, path)
        content, _ = self._by_slot(_means(self._posteriors(content_features, path[:, :, -T:])))
        while path.shape[2] < P + horizon:
            missing = P + horizon - path.shape[2]
            first = path[:, :, -max(T // 2, T - missing) :]
            _, motion = self._by_slot(_means(self._posteriors(content_features, first)))
            path = torch.cat((path, self.path_decoder(motion)[:, :, first.shape[2] :][:, :, :missing]), dim=2)
        return self._draw(content, path[:, :, P:])


def _means(posteriors: dict[str, Posterior]) -> dict[str, Tensor]:
    return {name: posterior.mean for name, posterior in posteriors.items()}
