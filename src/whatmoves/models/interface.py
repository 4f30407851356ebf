"""What every model shares: a typed config, a loss with named terms, and the abilities it may have.

A model file `whatmoves/models/<kind>.py` defines `Config` (a `whatmoves.settings.Settings`) and `Model(nn.Module)` with

    Model(config, shape)                     shape: ClipShape
    loss(batch, step) -> dict[str, Tensor]   unweighted named terms (nats per clip or as documented) and "total"

or, where nothing is trained by gradients, `fit(batches) -> None` instead of `loss`; and any of the abilities

    encode(video) -> dict[str, Tensor]       named blocks `[B, D]`, posterior means ("content", "motion", or "clip")
    decode(code) -> video                    the inverse border of encode, `[B, T, C, H, W]` in [0, 1]
    reconstruct(video) -> video
    sample(count, generator) -> video
    predict(past, horizon, actions, states, generator) -> video   `[B, horizon, C, H, W]`
    detect(video) -> maps                    and with it detect_ahead(video), detection_targets(batch)

`predict` gets P past frames and, where the data set has them, the actions `[B, P + horizon, A]` and states
`[B, P + horizon, S]` of all frames; whether it draws at random is told by the model's attribute `stochastic`, and
whether it reads actions by `reads_actions` (either is False where it is missing).

A model whose loss weighs its terms by a schedule says in `settled` from which fraction of the budget on the weights are
their last (0 where it is missing): the best weights and patience count from there, because a loss that is validated
at full weight rises while one is trained at less.

Evaluation asks `abilities(model)`, never a model's name.
"""

from typing import NamedTuple

from torch import nn

ABILITIES = ("encode", "decode", "reconstruct", "sample", "predict", "detect")


class Step(NamedTuple):
    """Where a training run stands, in clips: schedules read this and nothing else."""

    clips_seen: int
    clips_total: int

    @property
    def progress(self) -> float:
        """Fraction of the budget spent, 0 … 1."""
        return min(1.0, self.clips_seen / self.clips_total)


def abilities(model: nn.Module | type[nn.Module]) -> tuple[str, ...]:
    """The abilities a model (or its class) has, in the fixed order of `ABILITIES`."""
    return tuple(name for name in ABILITIES if callable(getattr(model, name, None)))
