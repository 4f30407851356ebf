"""What–where VAE, our own: motion says where, content says what, and the decoder cannot mix them.

    video [B,T,C,H,W] → poses of K slots in every frame [B,K,T,P] (`localisation`): the path
    path → motion [B,K,Dm]                                    crops along the path → features, mean over T → content [B,K,Dc]
    motion → path of the whole clip [B,K,T,P]                 content → picture in its own frame [B,K,C,d,d]
    picture placed along the path by a spatial transformer [B,K,T,C,H,W] → maximum over slots → video

Motion code and path decoder never see a pixel, and the picture never moves: what remains of leakage is what a path
tells of its object and a crop of its place. A slot's whole path comes from one code, so slots cannot swap midway. Kin:
AIR (Eslami et al. 2016) and SQAIR (Kosiorek et al. 2018) for pictures that are placed, DrNet (Denton and Birodkar 2017)
for the split; here one code holds the motion of a whole clip. Black background: outside its pictures it draws nothing.

The path is itself a hidden variable: given the motion code it is Gaussian around the decoded path, so its KL to what
the localiser found is `path_nats`. `prediction_nats` asks the same of a path decoded from only the first frames.
"""

from typing import Literal, NamedTuple

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
    VAESettings,
    Widths,
    check_stages,
    standard_normal,
)
from whatmoves.models.interface import Step
from whatmoves.models.localisation import Localiser
from whatmoves.models.losses.kl import kl_nats, kl_with_free_bits
from whatmoves.models.losses.reconstruction import gaussian_nats, reconstruction_nats
from whatmoves.models.losses.schedules import kl_ramp
from whatmoves.models.placement import crop, paste

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
    prediction_weight: float = Field(0.1, ge=0, description="Weight of prediction_nats.")


class PathEncoder(nn.Module):
    """First P of T poses `[…, P, D]` → features `[…, hidden]`. Unseen frames are zeros, and a flag says so."""

    def __init__(self, frames: int, pose: int, hidden: int) -> None:
        super().__init__()
        self.frames = frames
        self.layers = nn.Sequential(
            nn.Linear(frames * (pose + 1), hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )

    def forward(self, path: Tensor) -> Tensor:
        flagged = nn.functional.pad(3 * path, (0, 1), value=1.0)
        whole = nn.functional.pad(flagged, (0, 0, 0, self.frames - path.shape[-2]))
        features: Tensor = self.layers(whole.flatten(-2))
        return features


class PathDecoder(nn.Module):
    """Code `[…, inputs]` → poses of all frames `[…, T, D]`."""

    def __init__(self, inputs: int, hidden: int, frames: int, pose: int) -> None:
        super().__init__()
        self.size = (frames, pose)
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, frames * pose)
        )

    def forward(self, code: Tensor) -> Tensor:
        poses: Tensor = self.layers(code).float()
        return torch.unflatten(poses, -1, self.size)


class BroadcastDecoder(nn.Module):
    """Content and pose `[N, inputs]` on every cell of a grid with its coordinates → logits of frames `[N, C, H, W]`.

    After Watters et al., Spatial Broadcast Decoder, 2019, but broadcast to the coarse grid that `FrameDecoder` begins with.
    """

    coordinates: Tensor

    def __init__(self, shape: ClipShape, widths: Widths, inputs: int, initial_intensity: float) -> None:
        super().__init__()
        self.decoder = FrameDecoder(shape, widths, 1, initial_intensity)
        _, rows, columns = self.decoder.grid
        self.decoder.foot = nn.Identity()
        self.mix = nn.Sequential(nn.Conv2d(inputs + 2, widths[-1], 1), nn.ReLU(), nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        y, x = torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns)
        self.register_buffer("coordinates", torch.stack(torch.meshgrid(y, x, indexing="ij"))[None], persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        N, (_, _, rows, columns) = len(codes), self.coordinates.shape
        tiled = codes[:, :, None, None].expand(-1, -1, rows, columns)
        logits: Tensor = self.decoder.convolutions(self.mix(torch.cat((tiled, self.coordinates.expand(N, -1, -1, -1)), 1)))
        return logits


class Model(nn.Module):
    """The what–where VAE. Abilities: encode, decode, reconstruct, sample, predict."""

    pose_px: Tensor

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        c, T = config, shape.frames
        window = shape._replace(height=c.window_px, width=c.window_px)
        seen = window if c.content_input == "crops" else shape
        check_stages("what_where_vae.channels", c.channels, seen)
        drawn = window if c.placement == "spatial_transformer" else shape
        check_stages("what_where_vae.channels", c.channels, drawn)
        if T < 2:
            raise ConfigError(
                f"what_where_vae: clips have {T} frame; motion needs ≥ 2. Set the data's frames to ≥ 2."
            )
        self.config, self.shape = config, shape
        pose = 2 + c.scale + c.rotation
        self.localiser = Localiser(shape.channels, shape.height, shape.width, c.localiser_channels, c.slots, pose - 2)
        self.path_encoder = PathEncoder(T, pose, c.hidden)
        self.content_encoder = FrameEncoder(seen, c.channels, c.features)
        if c.split:
            content, motion = c.content_dim, c.motion_dim
            self.content_head, self.motion_head = GaussianHead(c.features, content), GaussianHead(c.hidden, motion)
        else:
            content = motion = c.content_dim + c.motion_dim
            self.clip_head = GaussianHead(c.features + c.hidden, content)
        self.path_decoder = PathDecoder(motion, c.hidden, T, pose)
        if c.placement == "spatial_transformer":
            self.picture_decoder: nn.Module = FrameDecoder(drawn, c.channels, content, c.initial_intensity)
        else:
            self.picture_decoder = BroadcastDecoder(drawn, c.channels, content + pose, c.initial_intensity)
        half = torch.tensor([shape.height - 1, shape.width - 1, *[c.window_px] * (pose - 2)]) / 2
        self.register_buffer("pose_px", half, persistent=False)

    def _path(self, video: Tensor) -> Tensor:
        if self.config.motion_input == "differences":
            changes = video.diff(dim=1)
            video = torch.cat((changes, changes[:, -1:]), dim=1)  # frame t shows what changes until t + 1
        poses: Tensor = self.localiser(video)
        return poses

    def _content_features(self, video: Tensor, path: Tensor) -> Tensor:
        """Features `[B, K, features]`, mean over frames."""
        K = self.config.slots
        if self.config.content_input == "mean_frame":
            return self.content_encoder(video.mean(1))[:, None].expand(-1, K, -1)
        if self.config.content_input == "frames":
            features = self.content_encoder(video.flatten(0, 1)).unflatten(0, video.shape[:2])
            return features.mean(1)[:, None].expand(-1, K, -1)
        frames = video[:, None].expand(-1, K, -1, -1, -1, -1)
        crops = crop(frames.flatten(0, 2), path.flatten(0, 2), self.config.window_px, self.config.rotation)
        features = self.content_encoder(crops).unflatten(0, path.shape[:3])
        mean: Tensor = features.mean(2)
        return mean

    def _posteriors(self, content_features: Tensor, path: Tensor) -> dict[str, Posterior]:
        """Posteriors of all slots side by side, `[B, K · D]` a block."""
        motion_features = self.path_encoder(path)
        if self.config.split:
            slots = {"content": self.content_head(content_features), "motion": self.motion_head(motion_features)}
        else:
            slots = {"clip": self.clip_head(torch.cat((content_features, motion_features), dim=-1))}
        return {name: Posterior(mean.flatten(1), logvar.flatten(1)) for name, (mean, logvar) in slots.items()}

    def _by_slot(self, code: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What the picture decoder and the path decoder read, `[B, K, D]` each."""
        blocks = {name: block.unflatten(1, (self.config.slots, -1)) for name, block in code.items()}
        return (blocks["content"], blocks["motion"]) if self.config.split else (blocks["clip"], blocks["clip"])

    def _draw(self, content: Tensor, path: Tensor) -> Tensor:
        """Video `[B, T, C, H, W]` of content `[B, K, D]` along a path `[B, K, T, P]` of any length."""
        B, K, T, _ = path.shape
        C, H, W = self.shape[1:4]
        if self.config.placement == "broadcast":
            codes = torch.cat((content[:, :, None].expand(-1, -1, T, -1), path), dim=-1)
            frames = self.picture_decoder(codes.flatten(0, 2)).float().sigmoid()
        else:
            pictures = self.picture_decoder(content.flatten(0, 1)).float().sigmoid()  # [B · K, C, d, d]
            repeated = pictures[:, None].expand(-1, T, -1, -1, -1).flatten(0, 1)
            frames = paste(repeated, path.flatten(0, 2), H, W, self.config.rotation)
        return frames.view(B, K, T, C, H, W).amax(1)

    def _path_nats(self, path: Tensor, code: dict[str, Tensor]) -> Tensor:
        decoded = self.path_decoder(self._by_slot(code)[1])
        return gaussian_nats(decoded * self.pose_px, path * self.pose_px, self.config.path_deviation_px**2)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        c, T = self.config, self.shape.frames
        path = self._path(batch.video)
        content_features = self._content_features(batch.video, path)
        posteriors = self._posteriors(content_features, path)
        code = {name: posterior.draw() for name, posterior in posteriors.items()}
        content, motion = self._by_slot(code)
        decoded = self.path_decoder(motion)
        drawn = self._draw(content, decoded)
        reconstruction = reconstruction_nats(
            c.reconstruction, drawn.logit(LOGIT_MARGIN), batch.video, c.pixel_variance
        )
        path_nats = self._path_nats(path.detach(), code)
        past = int(torch.randint(1, T, ()))
        early = self._posteriors(content_features.detach(), path[:, :, :past].detach())
        prediction = self._path_nats(path.detach(), {name: p.mean for name, p in early.items()})
        beta = c.beta * kl_ramp(c.kl_schedule, step.progress, c.kl_start, c.kl_warmup)
        weights = {"content": c.content_kl_weight, "motion": c.motion_kl_weight, "clip": 1.0}
        total = reconstruction + c.path_weight * path_nats + c.prediction_weight * prediction
        for name, posterior in posteriors.items():
            total = total + beta * weights[name] * kl_with_free_bits(*posterior, c.free_bits)
        return {
            "reconstruction_nats": reconstruction,
            **{f"kl_{name}_nats": kl_nats(*posterior) for name, posterior in posteriors.items()},
            "path_nats": path_nats,
            "prediction_nats": prediction,
            "total": total,
        }

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        path = self._path(video)
        posteriors = self._posteriors(self._content_features(video, path), path)
        return {name: posterior.mean for name, posterior in posteriors.items()}

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        content, motion = self._by_slot(code)
        return self._draw(content, self.path_decoder(motion))

    def reconstruct(self, video: Tensor) -> Tensor:
        return self.decode(self.encode(video))
