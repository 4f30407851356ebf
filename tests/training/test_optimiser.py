"""Learning rates worked out by hand, and gradients limited in the right order."""

import copy
import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from whatmoves.errors import ConfigError
from whatmoves.study import Training
from whatmoves.training.optimiser import clip_gradients, learning_rate, make_optimiser


@pytest.mark.parametrize(
    ("schedule", "at", "expected"),
    [
        ("constant", 0.1, 1.0),  # half of the warm-up over 0.2
        ("constant", 0.2, 2.0),
        ("constant", 1.0, 2.0),
        ("cosine", 0.2, 2.0),
        ("cosine", 0.6, 2 * (0.04 + 0.96 / 2)),  # half way of the rest: the middle of peak and end
        ("cosine", 0.4, 2 * (0.04 + 0.96 * (1 + math.sqrt(0.5)) / 2)),  # a quarter: cos 45°
        ("cosine", 1.0, 0.08),
        ("exponential", 0.6, 2 * 0.2),  # half way: √0.04
        ("exponential", 1.0, 0.08),
    ],
)
def test_learning_rate(schedule: str, at: float, expected: float) -> None:
    training = Training(learning_rate=2.0, schedule=schedule, warmup_fraction=0.2, final_fraction=0.04)
    assert learning_rate(training, at) == pytest.approx(expected, rel=1e-12)


def test_extremes_of_the_schedule() -> None:
    assert learning_rate(Training(warmup_fraction=0), 0.0) == 3e-4
    assert learning_rate(Training(warmup_fraction=1), 1.0) == 3e-4
    with pytest.raises(ConfigError, match=r"^training.final_fraction is 0; must be greater than 0"):
        learning_rate(Training(schedule="exponential", final_fraction=0), 0.0)


def test_elements_are_limited_before_the_norm() -> None:
    model = nn.Linear(2, 1, bias=False)
    model.weight.grad = torch.tensor([[30.0, 4.0]])
    clip_gradients(model, Training(clip_value=3.0, clip_norm=1.0))
    # (30, 4) → (3, 3) → norm √18 → (1, 1)/√2; the other order gives (0.991, 0.132)
    assert model.weight.grad[0].tolist() == pytest.approx([math.sqrt(0.5)] * 2, rel=1e-4)
    clip_gradients(model, Training())
    assert model.weight.grad[0].tolist() == pytest.approx([math.sqrt(0.5)] * 2, rel=1e-4)


@pytest.mark.parametrize(("name", "expected"), [("adamw", 0.9 * (1 - 0.1 * 0.5)), ("adam", 0.9 - 0.1)])
def test_weight_decay_is_decoupled_in_adamw_only(name: str, expected: float) -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.9)
    optimiser = make_optimiser(
        model, Training(optimizer=name, learning_rate=0.1, weight_decay=0.5), torch.device("cpu")
    )
    model.weight.grad = torch.zeros(1, 1)
    optimiser.step()  # Adam turns the decay into a gradient, and any gradient into a step of the learning rate
    assert model.weight.item() == pytest.approx(expected, rel=1e-5)


def test_frozen_parameters_are_left_out() -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    optimiser = make_optimiser(model, Training(), torch.device("cpu"))
    assert [p.shape for p in optimiser.param_groups[0]["params"]] == [(2, 2)]


def test_no_step_imports_a_compiler() -> None:
    script = """
import sys, torch
from whatmoves.study import Training
from whatmoves.training.optimiser import make_optimiser
model = torch.nn.Linear(2, 1)
optimiser = make_optimiser(model, Training(), torch.device("cpu"))
for _ in range(2):
    optimiser.zero_grad(set_to_none=True)
    model(torch.ones(3, 2)).sum().backward()
    optimiser.step()
optimiser.load_state_dict(optimiser.state_dict())
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_steps_are_those_of_pytorch_bit_for_bit(name: str) -> None:
    settings = Training(optimizer=name, learning_rate=0.1, weight_decay=0.5)
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    other = copy.deepcopy(model)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    ours = make_optimiser(model, settings, torch.device("cpu"))
    theirs = kind(other.parameters(), lr=0.1, weight_decay=0.5, fused=True)
    assert isinstance(ours, kind)
    for _ in range(3):
        for net, optimiser in ((model, ours), (other, theirs)):
            optimiser.zero_grad()
            net(torch.ones(4, 3)).square().sum().backward()
            optimiser.step()
    assert torch.equal(model.weight, other.weight)
