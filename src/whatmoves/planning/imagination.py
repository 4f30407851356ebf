"""What a model imagines of a plan: its own prediction, from the frames up to the beginning and the plan's commands.

The command of frame t leads to frame t + 1, so the first of a plan is that of the last given frame. States of frames to
come are held at the last known one. A model that is told them in training (`reads_future_states`) is told where the
commands lead the effector, as who moves an arm knows where it goes; nothing that it touches changes its way.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.models.interface import Future, Predicts
from whatmoves.planning.costs import Imagine, Imagined
from whatmoves.planning.search import Plans
from whatmoves.planning.simulator import obeyed
from whatmoves.planning.tasks import Tasks, states_of

ROWS_ON_A_CPU, ROWS_ON_A_GPU = 128, 4096  # plans predicted in one call


def obstacle(model: nn.Module) -> str | None:
    """Why a model cannot be planned with; None if it can."""
    if not isinstance(model, Predicts):
        return "it does not predict frames"
    return None if getattr(model, "reads_actions", False) else "it reads no actions"


def imagined(model: Any, tasks: Tasks, device: torch.device) -> Imagine:
    """The imagination of a model that predicts, in evaluation mode; of one that draws at random, its mean."""
    past = torch.from_numpy(tasks.past).to(device).float().div_(255)
    at_once = ROWS_ON_A_CPU if device.type == "cpu" else ROWS_ON_A_GPU

    def imagine(plans: Plans) -> Iterator[Imagined]:
        count, samples, commands, _ = plans.shape
        states = _states(model, tasks, plans)
        for first in range(0, count * samples, at_once):
            rows = slice(first, min(first + at_once, count * samples))
            task = np.arange(rows.start, rows.stop) // samples
            frames = _predicted(
                model, past[task], tasks.actions[task], plans.reshape(-1, commands, 4)[rows], states[rows]
            )
            yield Imagined(rows, frames[:, -1])

    return imagine


def film(model: Any, tasks: Tasks, plans: NDArray[np.float32], device: torch.device) -> Tensor:
    """All frames `[N, commands, C, H, W]` that a model imagines of one plan a task, `[N, commands, A]`."""
    past = torch.from_numpy(tasks.past).to(device).float().div_(255)
    with torch.inference_mode():
        return _predicted(model, past, tasks.actions, plans, _states(model, tasks, plans[:, None]))


def _predicted(
    model: Any, past: Tensor, before: NDArray[np.float32], plans: NDArray[np.float32], states: NDArray[np.float32]
) -> Tensor:
    """Frames `[R, commands, C, H, W]` in [0, 1] after R pasts with R plans."""
    after = np.zeros_like(plans[:, :1])  # the action of the last frame leads nowhere
    actions = torch.from_numpy(np.concatenate((before, plans, after), axis=1))
    future = Future(actions.to(past), torch.from_numpy(states).to(past))
    frames: Tensor = model.predict(past, plans.shape[1], future)
    return frames.float().clamp(0, 1)


def _states(model: Any, tasks: Tasks, plans: Plans) -> NDArray[np.float32]:
    """What a model may know of the effector, `[N · S, P + commands, 3]`."""
    samples, commands = plans.shape[1:3]
    known = np.repeat(tasks.states, samples, axis=0)
    if getattr(model, "reads_future_states", False):
        return np.concatenate((known, states_of(obeyed(tasks, plans).effector[:, 1:])), axis=1)
    return np.concatenate((known, np.repeat(known[:, -1:], commands, axis=1)), axis=1)
