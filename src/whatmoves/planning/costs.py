"""How good a plan looks: the end that is imagined for it, held against the goal.

    places   squared distance of the objects from where the goal picture shows them, summed, and a tenth of the
             effector's (squared sides); only who knows where things truly are can tell it
    pixels   squared error of the last imagined picture against the goal picture, mean over pixels and channels
    code     squared distance of their codes, summed over dimensions; `content` and `motion`: of that block alone

A picture's code is that of a clip in which it stands still, for as many frames as the model starts from, two at least.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.models.interface import Encodes
from whatmoves.planning.search import Cost, Plans
from whatmoves.planning.simulator import obeyed, shown
from whatmoves.planning.tasks import Tasks

PIXELS, CODE, PLACES = "pixels", "code", "places"
PARTS = ("content", "motion")
COSTS = (PIXELS, CODE, *PARTS, PLACES)
EFFECTOR_WEIGHT = 0.1  # of the effector's squared distance: it breaks ties, and says where to push from
FEWEST_STILL_FRAMES = 2


class Imagined(NamedTuple):
    """The last frames `[R, C, H, W]` in [0, 1] imagined for some of N · S plans in a row, of which these are `rows`."""

    rows: slice
    frames: Tensor


Imagine = Callable[[Plans], Iterator[Imagined]]
"""From plans `[N, S, commands, A]` to the last frames of all, chunk by chunk."""


def places(tasks: Tasks) -> Cost:
    """The cost that the true simulator tells."""

    def cost(plans: Plans) -> NDArray[np.float64]:
        motion = obeyed(tasks, plans)
        count, samples = plans.shape[:2]
        centres = motion.centres[:, -1].reshape(count, samples, -1, 2) - tasks.goal_places.centres[:, None]
        effector = motion.effector[:, -1].reshape(count, samples, 4) - tasks.goal_places.effector[:, None]
        return np.asarray(np.square(centres).sum((2, 3)) + EFFECTOR_WEIGHT * np.square(effector[..., :2]).sum(2))

    return cost


def true_frames(tasks: Tasks, image_px: int) -> Imagine:
    """The imagination of the true simulator."""

    def imagine(plans: Plans) -> Iterator[Imagined]:
        motion = obeyed(tasks, plans)
        ends = motion._replace(effector=motion.effector[:, -1:], centres=motion.centres[:, -1:])
        frames = torch.from_numpy(shown(tasks, ends, image_px)[:, 0])
        yield Imagined(slice(0, len(frames)), frames.float().div_(255))

    return imagine


def pixels(imagine: Imagine, tasks: Tasks) -> Cost:
    """The squared error of the last picture."""
    goal = torch.from_numpy(tasks.goal).float().div_(255)
    return _of_features(imagine, goal, lambda frames: frames, lambda off: off.square().flatten(1).mean(1))


def codes(imagine: Imagine, tasks: Tasks, model: Encodes, device: torch.device) -> dict[str, Cost]:
    """The distance of the codes: of the whole and, where the code has both, of its content and its motion.

    Raises `ConfigError` where the model cannot encode so short a clip.
    """
    frames = max(FEWEST_STILL_FRAMES, getattr(getattr(model, "config", None), "past_frames", None) or 0)

    def coded(pictures: Tensor, blocks: tuple[str, ...] = ()) -> Tensor:
        code = model.encode(pictures[:, None].expand(-1, frames, -1, -1, -1))
        return torch.cat([code[name].float() for name in blocks or sorted(code)], dim=1)

    def cost(*blocks: str) -> Cost:
        goal = torch.from_numpy(tasks.goal).float().div_(255).to(device)
        with torch.inference_mode():
            aim = coded(goal, blocks)
        return _of_features(imagine, aim, lambda frames: coded(frames, blocks), lambda off: off.square().sum(1))

    first = torch.from_numpy(tasks.goal[:1]).float().div_(255).to(device)
    with torch.inference_mode():
        names = set(model.encode(first[:, None].expand(-1, frames, -1, -1, -1)))
    return {CODE: cost()} | ({part: cost(part) for part in PARTS} if names >= set(PARTS) else {})


def _of_features(
    imagine: Imagine, goal: Tensor, features: Callable[[Tensor], Tensor], size: Callable[[Tensor], Tensor]
) -> Cost:
    """A cost from what is read in pictures: `goal` `[N, …]` holds the same of the goal pictures."""

    def cost(plans: Plans) -> NDArray[np.float64]:
        count, samples = plans.shape[:2]
        found = np.empty(count * samples)
        with torch.inference_mode():
            for rows, frames in imagine(plans):
                task = torch.arange(rows.start, rows.stop) // samples
                off = features(frames) - goal[task.to(goal.device)].to(frames.device)
                found[rows] = size(off).double().cpu().numpy()
        return found.reshape(count, samples)

    return cost


def in_order(found: Mapping[str, Cost]) -> dict[str, Cost]:
    """Costs in the order of `COSTS`."""
    return {name: found[name] for name in COSTS if name in found}
