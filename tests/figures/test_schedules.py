"""The schedules drawn are those of the losses: what a model multiplies its KL term by, read off its own total."""

from types import SimpleNamespace

import pytest
import torch

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.figures.schedules import POINTS, schedules_of
from whatmoves.models.interface import Step
from whatmoves.plugins import build_model, model_config

SHAPE = ClipShape(frames=3, channels=1, height=8, width=8)
SMALL = {"channels": (4, 8), "features": 8, "free_bits": 0.0}
MODELS = {
    "baseline_vae": {**SMALL, "latent_dim": 4, "kl_schedule": "cosine"},
    "lstm_vae": {**SMALL, "latent_dim": 4, "hidden": 4, "layers": 1, "kl_start": 0.25, "kl_warmup": 0.5},
    "cvae": {"channels": (4, 8), "depths": (1, 1), "code_width": 4, "latent_dim": 4, "hidden": 4, "beta": 0.5},
}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("at", [0.1, 0.5, 0.6, 1.0])
def test_the_drawn_weight_is_that_of_the_loss(kind: str, at: float) -> None:
    pytest.importorskip(f"whatmoves.models.{kind}")
    torch.manual_seed(0)
    config = model_config(kind, MODELS[kind])
    model = build_model(kind, MODELS[kind], SHAPE)
    terms = model.loss(Batch(torch.rand(2, 3, 1, 8, 8)), Step(round(1000 * at), 1000))  # type: ignore[operator]
    error = terms.get("reconstruction_nats", terms.get("mse_sum"))
    weight = (terms["total"] - error) / terms["kl_nats"]
    schedule = next(schedule for schedule in schedules_of(config) if schedule.panel == 0)
    drawn = schedule.values[round(at * (POINTS - 1))]
    assert float(weight.detach()) == pytest.approx(config.beta * drawn, abs=1e-4)  # type: ignore[attr-defined]


def test_teacher_forcing_is_drawn_as_it_decays() -> None:
    told = {"forcing": 0.9, "forcing_start": 0.5, "forcing_lower": 0.1, "forcing_decay": 1.0}
    (schedule,) = schedules_of(SimpleNamespace(**told))
    assert schedule.panel == 1
    assert [schedule.values[place] for place in (0, POINTS // 2, -1)] == pytest.approx([0.9, 0.9, 0.1])
    assert schedule.values[POINTS * 3 // 4] == pytest.approx(0.5, abs=2e-3)
