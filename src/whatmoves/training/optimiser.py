"""Optimiser, learning rate and gradient clipping, from the study's `Training`."""

import inspect
import math

import torch
from torch import nn

from whatmoves.errors import ConfigError
from whatmoves.study import Training


def make_optimiser(model: nn.Module, training: Training, device: torch.device) -> torch.optim.Optimizer:
    """Adam (weight decay as L2) or AdamW (decoupled) over the parameters that want a gradient."""
    kind = uncompiled(torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam)
    parameters = [p for p in model.parameters() if p.requires_grad]
    fused = device.type in ("cpu", "cuda")
    return kind(parameters, lr=training.learning_rate, weight_decay=training.weight_decay, fused=fused)


def uncompiled(kind: type[torch.optim.Adam]) -> type[torch.optim.Adam]:
    """The same optimiser without PyTorch's marks that its methods are not to be compiled: the first call of one imports
    the whole compiler, which costs every training a second and 60 MB. What is compiled here are models, never steps.
    """
    marked = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in marked}
    return type(kind.__name__, (kind,), {**methods, "step": torch.no_grad()(inspect.unwrap(kind.step))})


def learning_rate(training: Training, progress: float) -> float:
    """The learning rate after a fraction `progress` (0 … 1) of the budget.

    Rises linearly from 0 over `warmup_fraction`, then goes from the peak to `final_fraction` of it: not at all, along
    half a cosine, or by a constant factor per clip. Raises `ConfigError` where an exponential is to end at 0.
    """
    if training.schedule == "exponential" and training.final_fraction == 0:
        raise ConfigError(
            "training.final_fraction is 0; must be greater than 0 where training.schedule is 'exponential'"
        )
    if progress < training.warmup_fraction:
        return training.learning_rate * progress / training.warmup_fraction
    span = 1 - training.warmup_fraction
    after = (progress - training.warmup_fraction) / span if span > 0 else 0.0
    final = training.final_fraction
    factor = {
        "constant": lambda: 1.0,
        "cosine": lambda: final + (1 - final) * (1 + math.cos(math.pi * after)) / 2,
        "exponential": lambda: math.exp(after * math.log(final)),
    }[training.schedule]()
    return training.learning_rate * factor


def clip_gradients(model: nn.Module, training: Training) -> None:
    """Limit each gradient element, then the norm of all of them together; either where it is set."""
    if training.clip_value is not None:
        nn.utils.clip_grad_value_(model.parameters(), training.clip_value)
    if training.clip_norm is not None:
        nn.utils.clip_grad_norm_(model.parameters(), training.clip_norm)
