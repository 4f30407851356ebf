"""Conditional VAE: the next frame from the last one, a latent for what cannot be known, and the commands given.

Original: Lightweight Video Prediction Using Enhanced CVAE (Benson5376, 2024), on Denton and Fergus, Stochastic Video
Generation with a Learned Prior (SVG), 2018, sections 3 and 4; annealing after Fu et al. 2019, teacher forcing after
Bengio et al. 2015.

    frames [B·T,C,H,W] → VGG encoder → codes [B,T,128], and maps for skips
    codes of frames 1 … T−1 → posterior LSTM → a Gaussian each, latents [B,T−1,64]
    code of frame t−1, latent t, actions and states of frame t−1 [B,T−1,128+64+7] → predictor LSTM → codes [B,T−1,128]
    → VGG decoder, on the maps of a given frame → frames 1 … T−1 [B,T−1,C,H,W]

Full size at 12×3×64×64 with 4 actions and 3 states: 22,241,539 parameters. Repaired: β multiplies the annealing, skips
come from the last given frame, given frames stay true where predictions are fed back, teacher forcing does decay, and
states of frames to come are not told, for who gives commands does not know them.
Frames known at once share one call, and so their batch statistics; the original has those of each frame in turn.
"""

from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.cvae_parts import (
    FrameDecoder,
    FrameEncoder,
    Gaussian,
    GaussianNetwork,
    Predictor,
    StandardNormal,
    States,
    Widths,
    start_as_the_original,
)
from whatmoves.models.interface import UNKNOWN, Future, Step
from whatmoves.models.losses.kl import kl_between
from whatmoves.models.losses.schedules import cycled_ramp, cycled_settled, teacher_forcing
from whatmoves.settings import Settings

SOURCE = "lightweight CVAE (Benson5376), after SVG (edenton/svg)"
FULL_SHAPE = ClipShape(frames=12, channels=3, height=64, width=64, actions=4, states=3)


class Config(Settings):
    """Sizes and loss of the conditional VAE; epochs of the original's 40 are fractions of the budget here."""

    past_frames: int = Field(2, ge=1, description="Frames of a training clip that count as given.")
    channels: Widths = Field((64, 128, 256, 512), min_length=1, description="Widths; each stage halves the frame.")
    depths: Widths = Field((2, 2, 3, 3), min_length=1, description="Convolutions of each stage.")
    code_width: int = Field(128, gt=0, description="Width of a frame's code.")
    latent_dim: int = Field(64, gt=0, description="Width of a step's latent.")
    hidden: int = Field(256, gt=0, description="Width of the LSTMs.")
    posterior_layers: int = Field(1, ge=1, description="LSTM layers of the posterior.")
    predictor_layers: int = Field(2, ge=1, description="LSTM layers of the frame predictor.")
    predictor_norm: bool = Field(True, description="Batch norm at the frame predictor's end; SVG has none.")
    prior: Literal["fixed", "learned"] = Field(
        "fixed", description="N(0, I), or a Gaussian from the frames so far, by an LSTM of its own."
    )
    prior_layers: int = Field(1, ge=1, description="LSTM layers of a learned prior.")
    conditions: Literal["both", "actions", "states", "none"] = Field(
        "both", description="What the frame predictor is told of the frame before, where the data set has it."
    )
    future_states: Literal["held", "true"] = Field(
        "held",
        description="States after the given frames: the last known one, held; or the true ones, as in the original.",
    )
    skip_from: Literal["last_given", "before_last_given", "previous"] = Field(
        "last_given",
        description="Latest frame to draw upon: the last given one; the one before it, as in the original; or none: "
        "always the previous frame, true or predicted.",
    )
    initial_intensity: float = Field(0.5, gt=0, lt=1, description="Grey the untrained decoder shows.")
    beta: float = Field(1e-4, ge=0, description="Weight of the KL term after the annealing.")
    ignore_beta: bool = Field(False, description="Let the annealing end at weight 1 whatever beta, as in the original.")
    kl_annealing: Literal["cyclical", "monotonic", "none"] = Field(
        "cyclical", description="Weight of the KL term: up in every cycle, up once, or constant."
    )
    kl_cycles: int = Field(2, ge=1, description="Cycles of the cyclical annealing.")
    kl_ratio: float = Field(0.5, gt=0, le=1, description="Fraction of a cycle over which the weight rises.")
    forcing: float = Field(1.0, ge=0, le=1, description="Probability at first that a batch is teacher-forced.")
    forcing_start: float = Field(0.375, ge=0, le=1, description="Fraction of the budget before it decays.")
    forcing_lower: float = Field(0.0, ge=0, le=1, description="Probability at the end.")
    forcing_decay: float = Field(
        1.0, ge=0, description="Steepness of the decay, 1: reaches forcing_lower at the end, 0: never decays."
    )
    replace_past: bool = Field(
        False, description="Where a batch is not teacher-forced, predictions replace the given frames too."
    )

    @model_validator(mode="after")
    def _stages_and_probabilities_agree(self) -> "Config":
        for name, sizes in (("channels", self.channels), ("depths", self.depths)):
            if min(sizes) < 1:
                raise ValueError(f"{name} is {list(sizes)}; each must be ≥ 1")
        if len(self.channels) != len(self.depths):
            raise ValueError(
                f"channels has {len(self.channels)} stages and depths {len(self.depths)}; give both of one length"
            )
        if self.forcing_lower > self.forcing:
            raise ValueError(f"forcing_lower is {self.forcing_lower:g}; must be ≤ forcing, {self.forcing:g}")
        return self


class Model(nn.Module):
    """The conditional VAE. Abilities: encode, predict."""

    stochastic = True

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        _check(config, shape)
        self.config, self.shape = config, shape
        c = config
        self.reads_actions = c.conditions in ("both", "actions") and shape.actions > 0
        self.reads_states = c.conditions in ("both", "states") and shape.states > 0
        self.reads_future_states = self.reads_states and c.future_states == "true"
        conditions = shape.actions * self.reads_actions + shape.states * self.reads_states
        self.encoder = FrameEncoder(shape, c.channels, c.depths, c.code_width)
        self.posterior = GaussianNetwork(c.code_width, c.hidden, c.posterior_layers, c.latent_dim)
        self.prior = (
            StandardNormal(c.latent_dim)
            if c.prior == "fixed"
            else GaussianNetwork(c.code_width, c.hidden, c.prior_layers, c.latent_dim)
        )
        inputs = c.code_width + c.latent_dim + conditions
        self.predictor = Predictor(inputs, c.hidden, c.predictor_layers, c.code_width, c.predictor_norm)
        self.decoder = FrameDecoder(shape, c.channels, c.depths, c.code_width)
        self.apply(start_as_the_original)
        self.decoder.set_grey(c.initial_intensity)

    def _encoded(self, video: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Codes `[B, T, code_width]` and maps, each `[B, T, h, w, c]`, of all frames in one call."""
        codes, skips = self.encoder(video.flatten(0, 1))
        return torch.unflatten(codes, 0, video.shape[:2]), [_by_frame(maps, len(video)) for maps in skips]

    def _conditions(
        self, actions: Tensor | None, states: Tensor | None, like: Tensor, past: int, frames: int
    ) -> Tensor:
        """Actions and states that are read, side by side and raw: `[B, frames, conditions]`. Raises `ConfigError`.

        States of the frames from `past` on are the last one before, unless the true ones are asked for.
        """
        parts = [like.new_zeros(len(like), frames, 0)]
        for name, values, width, read in (
            ("actions", actions, self.shape.actions, self.reads_actions),
            ("states", states, self.shape.states, self.reads_states),
        ):
            if not read:
                continue
            found = "none" if values is None else list(values.shape)
            if values is None or values.shape != (len(like), frames, width):
                raise ConfigError(
                    f"cvae.conditions is {self.config.conditions!r}, but {name} are {found}; must be "
                    f"{[len(like), frames, width]}, one for each frame, given or to be predicted. Give them, or train "
                    "with conditions: none"
                )
            if name == "states" and self.config.future_states == "held":
                values = torch.cat((values[:, :past], values[:, past - 1 : past].expand(-1, frames - past, -1)), dim=1)
            parts.append(values)
        return torch.cat(parts, dim=2)

    def _rollout(
        self, codes: Tensor, skips: list[Tensor], past: int, latents: Tensor, noise: Tensor, conditions: Tensor,
        undrawn: int = 0,
    ) -> tuple[Tensor, Gaussian]:  # fmt: skip
        """Frames 1 + undrawn … S `[B, S − undrawn, C, H, W]`, and the prior of each step `[B, S, latent]`.

        codes `[B, K, code_width]` are of the true frames 0 … K − 1, K ≤ S; a later step reads the encoding of the
        prediction before it. skips: maps of at least the frames below `past`, or of all K where the previous frame is
        drawn upon. The first L latents `[B, L, latent]` are given, the S − L others drawn from the prior with `noise`
        `[B, S − L, latent]`. conditions: `[B, ≥ S, conditions]`. The first `undrawn` < K steps are made but not drawn.
        """
        K, L = codes.shape[1], latents.shape[1]
        S = L + noise.shape[1]
        latest = {"last_given": past - 1, "before_last_given": max(past - 2, 0), "previous": K - 1}
        end = min(S, latest[self.config.skip_from] + 1)
        start = min(undrawn, end - 1)
        skip_inputs = self._skip_inputs([maps[:, start:end] for maps in skips])
        rises = self.decoder.rises()
        states: States = None
        prior_states: States = None
        frames: list[Tensor] = []
        priors: list[Gaussian] = []
        read = codes
        for first, last in [(0, K), *((step, step + 1) for step in range(K, S))]:
            if first:
                read, maps = self._encoded(frames[-1][:, -1:])
                if self.config.skip_from == "previous":
                    skip_inputs = self._skip_inputs(maps)
            prior, prior_states = self.prior(read, prior_states)
            given = latents[:, first:last]
            free = Gaussian(*(values[:, given.shape[1] :] for values in prior))
            latent = torch.cat((given, free.draw(noise[:, max(0, first - L) : max(0, last - L)])), dim=1)
            features, states = self.predictor(torch.cat((read, latent, conditions[:, first:last]), dim=2), states)
            steps = range(max(first, undrawn), last)
            features = features[:, steps.start - first :]
            of_steps = (skip_inputs[min(step - start, len(skip_inputs) - 1)] for step in steps)
            stages = [_in_a_row(torch.stack(stage, dim=1)) for stage in zip(*of_steps, strict=True)]
            pictures = self.decoder(features.flatten(0, 1), stages, rises)
            frames.append(torch.unflatten(pictures, 0, features.shape[:2]))
            priors.append(prior)
        return torch.cat(frames, dim=1), Gaussian(*(torch.cat(parts, dim=1) for parts in zip(*priors, strict=True)))

    def _skip_inputs(self, skips: list[Tensor]) -> list[tuple[Tensor, ...]]:
        """What the decoder's stages add for each frame of `skips` (`[B, F, h, w, c]`): F tuples of `[B, h, w, c]`."""
        stages = self.decoder.skip_inputs([_in_a_row(maps) for maps in skips])
        return list(zip(*(_by_frame(maps, len(skips[0])).unbind(1) for maps in stages), strict=True))

    @property
    def settled(self) -> float:
        """The fraction of the budget from which the KL term has its full weight."""
        c = self.config
        cycles = c.kl_cycles if c.kl_annealing == "cyclical" else 1
        return 0.0 if c.kl_annealing == "none" else cycled_settled(cycles, c.kl_ratio)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Unweighted terms and the weighted `total`, on the original's scale.

        `mse_sum`: squared error, mean over pixels, channels and clips, sum over the T − 1 predicted frames, those of
        the past included; `kl_nats`: sum over latent dimensions and steps, mean over clips. One coin a batch, from the
        global generator, decides whether the predictor reads true frames throughout or its own after the past.
        """
        c, video = self.config, batch.video
        frames = video.shape[1]
        if self.training and len(video) < 2:
            raise ConfigError("cvae: a batch has 1 clip; batch norm needs ≥ 2. Set training.batch_size to 2 or more.")
        probability = teacher_forcing(step.progress, c.forcing, c.forcing_start, c.forcing_lower, c.forcing_decay)
        forced = bool(torch.rand((), device="cpu") < probability)
        true = frames - 1 if forced else 1 if c.replace_past else c.past_frames
        conditions = self._conditions(batch.actions, batch.states, video, c.past_frames, frames)
        codes, skips = self._encoded(video)
        posterior, _ = self.posterior(codes[:, 1:], None)
        latents = posterior.draw(torch.randn_like(posterior.mean))
        prediction, prior = self._rollout(codes[:, :true], skips, c.past_frames, latents, latents[:, :0], conditions)
        mse = (prediction - video[:, 1:]).square().mean((0, 2, 3, 4)).sum()
        kl = kl_between(posterior.mean, posterior.logvar, prior.mean, prior.logvar).sum((1, 2)).mean()
        cycles = c.kl_cycles if c.kl_annealing == "cyclical" else 1
        ramp = 1.0 if c.kl_annealing == "none" else cycled_ramp(step.progress, cycles, c.kl_ratio)
        return {"mse_sum": mse, "kl_nats": kl, "total": mse + (1.0 if c.ignore_beta else c.beta) * ramp * kl}

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """`clip` `[B, (T − 1) · latent]`: posterior means of frames 1 … T − 1 of `video`, one after the other in time.

        What a latent need not tell, because the frame before or a skip does, is not in the code.
        """
        codes, _ = self._encoded(video)
        posterior, _ = self.posterior(codes[:, 1:], None)
        return {"clip": posterior.mean.flatten(1)}

    def predict(self, past: Tensor, horizon: int, future: Future = UNKNOWN) -> Tensor:
        """`[B, horizon, C, H, W]` after `past` `[B, P ≥ 1, C, H, W]`, each frame from the prediction before it.

        Latents are posterior means while frames are given, then draws from the prior: made where the generator lives,
        so that one seed gives one future on every machine; without a generator the prior's means. Actions and states
        of the last frame are not read, nor are states after `past` where they are held. Raises `ConfigError` where
        they are missing and the model reads them.
        """
        P = past.shape[1]
        conditions = self._conditions(future.actions, future.states, past, P, P + horizon)
        codes, skips = self._encoded(past)
        size, generator = (len(past), horizon, self.config.latent_dim), future.generator
        noise = (
            torch.zeros(size) if generator is None else torch.randn(size, generator=generator, device=generator.device)
        )
        noise = noise.to(past)
        latents = noise[:, :0]
        if P > 1:
            latents = self.posterior(codes[:, 1:], None)[0].mean
        return self._rollout(codes, skips, P, latents, noise, conditions, undrawn=P - 1)[0]


def _by_frame(maps: Tensor, clips: int) -> Tensor:
    """`[B · T, c, h, w]` → `[B, T, h, w, c]`. Channels go last because there they lie in memory: a slice's gradient is
    laid out as its tensor is written, and a wrong layout costs more than the convolution it belongs to.
    """
    return torch.unflatten(maps.permute(0, 2, 3, 1), 0, (clips, -1))


def _in_a_row(maps: Tensor) -> Tensor:
    """`[B, T, h, w, c]` → `[B · T, c, h, w]`, the inverse of `_by_frame`."""
    return maps.flatten(0, 1).permute(0, 3, 1, 2)


def _check(c: Config, shape: ClipShape) -> None:
    """Raise `ConfigError` where clips are too short or frames cannot be halved as often as asked."""
    if shape.frames <= c.past_frames:
        raise ConfigError(
            f"cvae.past_frames is {c.past_frames}, but clips have {shape.frames} frames; must be ≤ {shape.frames - 1}, "
            "for one to predict. Lower past_frames or raise the data's frames."
        )
    whole = 2 ** len(c.channels)
    if shape.height % whole or shape.width % whole:
        raise ConfigError(
            f"cvae.channels has {len(c.channels)} stages, but frames are {shape.height}×{shape.width}; height and "
            f"width must be divisible by {whole}. Give fewer widths and depths, or another frame size."
        )
