"""What every model shares: a typed config, a loss with named terms, and the abilities it may have.

A model file `whatmoves/models/<kind>.py` defines `Config` (a `whatmoves.settings.Settings`) and `Model(nn.Module)` with

    Model(config, shape)                     shape: ClipShape
    loss(batch, step) -> dict[str, Tensor]   unweighted named terms (nats per clip or as documented) and "total"

or, where nothing is trained by gradients, `fit(batches) -> None` instead of `loss`; and any of the abilities

    encode(video) -> dict[str, Tensor]       named blocks `[B, D]`, posterior means ("content", "motion", or "clip")
    decode(code) -> video                    the inverse border of encode, `[B, T, C, H, W]` in [0, 1]
    reconstruct(video) -> video
    sample(count, generator) -> video
    predict(past, horizon, future) -> video  `[B, horizon, C, H, W]`
    detect(video) -> maps                    and with it detect_ahead(video), detection_targets(batch)

`predict` gets P past frames and what is known of the `Future`; whether it draws at random is told by the model's
attribute `stochastic`, and whether it reads actions by `reads_actions` (either is False where it is missing).

A model whose loss weighs its terms by a schedule says in `settled` from which fraction of the budget on the weights are
their last (0 where it is missing): the best weights and patience count from there, because a loss that is validated
at full weight rises while one is trained at less.

Evaluation asks what a model can do, never its name: `isinstance(model, Encodes)`, or `abilities(model)` for the names.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Generator, Tensor, nn

from whatmoves.data.clips import Batch

ABILITIES = ("encode", "decode", "reconstruct", "sample", "predict", "detect")


class Step(NamedTuple):
    """Where a training run stands, in clips: schedules read this and nothing else."""

    clips_seen: int
    clips_total: int

    @property
    def progress(self) -> float:
        """Fraction of the budget spent, 0 … 1."""
        return min(1.0, self.clips_seen / self.clips_total)


class Future(NamedTuple):
    """What is known of frames to come: where the data set has them, the `actions` `[B, P + horizon, A]` and `states`
    `[B, P + horizon, S]` of all frames, the P past ones first. A model that draws at random draws with `generator`;
    without one it says what it expects in the mean."""

    actions: Tensor | None = None
    states: Tensor | None = None
    generator: Generator | None = None


UNKNOWN = Future()
"""Nothing is known but the past."""


@runtime_checkable
class Trains(Protocol):
    """Learns by gradients."""

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Unweighted named terms and the weighted `total`."""


@runtime_checkable
class Fits(Protocol):
    """Learns without gradients, from one pass over training clips."""

    def fit(self, batches: Iterable[Batch]) -> None:
        """See all batches once."""


@runtime_checkable
class Encodes(Protocol):
    """Has a code."""

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        """Named blocks `[B, D]` of `video` `[B, T, C, H, W]`."""


@runtime_checkable
class Decodes(Protocol):
    """Draws clips from codes."""

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        """`[B, T, C, H, W]` of named blocks `[B, D]`."""


@runtime_checkable
class Reconstructs(Protocol):
    """Draws again what it has seen."""

    def reconstruct(self, video: Tensor) -> Tensor:
        """`[B, T, C, H, W]` of the same."""


@runtime_checkable
class Samples(Protocol):
    """Draws clips that nobody has shown it."""

    def sample(self, count: int, generator: Generator) -> Tensor:
        """`[count, T, C, H, W]`."""


@runtime_checkable
class Predicts(Protocol):
    """Draws the frames to come."""

    def predict(self, past: Tensor, horizon: int, future: Future) -> Tensor:
        """`[B, horizon, C, H, W]` after `past` `[B, P, C, H, W]`."""


@runtime_checkable
class Detects(Protocol):
    """Says where objects are and will be, as maps of `g × g` cells."""

    def detect(self, video: Tensor) -> Tensor:
        """`[B, T, g, g]`, chances that a cell holds an object's centre."""

    def detect_ahead(self, video: Tensor) -> list[Tensor]:
        """The same foreseen over 1, 2, … frames, each `[B, T − 1 − h, g, g]`."""

    def detection_targets(self, batch: Batch) -> Tensor:
        """The truth `[B, T, g, g]`, 0 or 1."""


@runtime_checkable
class Attends(Protocol):
    """Has registers, and shows where they look; a window is `config.past_frames` long."""

    config: Any

    def attention(self, video: Tensor, actions: Tensor | None = None) -> Tensor:
        """`[B, windows, blocks, registers, h, w]`."""


def abilities(model: nn.Module | type[nn.Module]) -> tuple[str, ...]:
    """The abilities a model (or its class) has, in the fixed order of `ABILITIES`."""
    return tuple(name for name in ABILITIES if callable(getattr(model, name, None)))
