"""The schedules drawn are those of the losses: what a model multiplies its KL term by, read off its own total."""

import pytest
import torch

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.figures.schedules import POINTS, schedules_of
from whatmoves.models.interface import Step
from whatmoves.plugins import build_model, model_config

SMALL = {"channels": (4, 8), "features": 8, "free_bits": 0.0}
VAES = {
    "baseline_vae": {**SMALL, "latent_dim": 4, "kl_schedule": "cosine"},
    "lstm_vae": {**SMALL, "latent_dim": 4, "hidden": 4, "layers": 1, "kl_start": 0.25, "kl_warmup": 0.5},
}


@pytest.mark.parametrize("kind", VAES)
@pytest.mark.parametrize("at", [0.1, 0.5, 0.6, 1.0])
def test_the_drawn_weight_is_that_of_the_loss(kind: str, at: float) -> None:
    torch.manual_seed(0)
    config = model_config(kind, VAES[kind])
    model = build_model(kind, VAES[kind], ClipShape(frames=3, channels=1, height=8, width=8))
    terms = model.loss(Batch(torch.rand(2, 3, 1, 8, 8)), Step(round(1000 * at), 1000))  # type: ignore[operator]
    weight = (terms["total"] - terms["reconstruction_nats"]) / terms["kl_nats"]
    (schedule,) = schedules_of(config)
    drawn = schedule.values[round(at * (POINTS - 1))]
    assert float(weight.detach()) == pytest.approx(config.beta * drawn, abs=1e-4)  # type: ignore[attr-defined]
