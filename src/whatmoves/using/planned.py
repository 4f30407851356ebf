"""One task planned through one trained model, as a film: the clip it is cut from, what was imagined, what happened."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from whatmoves.data.clips import to_bytes
from whatmoves.errors import CheckpointError, DataError
from whatmoves.planning.imagination import film
from whatmoves.planning.plan import plan_with
from whatmoves.planning.simulator import missed, obeyed, shown
from whatmoves.planning.tasks import tasks_of_study
from whatmoves.study import Study
from whatmoves.training.runtime import choose_device
from whatmoves.using.on_files import able, check_video_name, write_video

log = logging.getLogger(__name__)


def film_of_plan(
    study: Study, dataset: str, checkpoint: Path, task: int, cost: str, out: Path, device: str = "auto"
) -> None:
    """Plan task number `task` of a study through a checkpoint by `cost`, and write the three clips side by side.

    Raises `DataError` for a task that there is not and `CheckpointError` for a model that cannot plan so.
    """
    check_video_name(out)
    place = choose_device(device)
    model: Any = able(checkpoint, place, "predict").model
    tasks = tasks_of_study(study, dataset)
    if not 0 <= task < tasks.size:
        raise DataError(f"--task is {task}, but planning.tasks gives tasks 0 … {tasks.size - 1}; name one of them")
    expected = tuple(model.shape)[1:]
    found = (*tasks.past.shape[2:], tasks.drawn.shape[-1], tasks.states.shape[-1])
    if expected != found:
        raise CheckpointError(
            f"{checkpoint}: its frames, actions and states are {expected}; those of {dataset}: {found}"
        )
    one = tasks.rows(slice(task, task + 1))
    planned = plan_with(model, one, study.planning, place, np.array([task]), only=cost)
    if cost not in planned.plans:
        reason = planned.cannot.get("plan") or planned.cannot.get(cost) or f"its code has no {cost} of its own"
        raise CheckpointError(f"{checkpoint}: it cannot plan by {cost}: {reason}")
    plan = planned.plans[cost]
    image_px = tasks.goal.shape[-1]
    seen = one.past[:, :-1]

    def whole(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.concatenate((seen, frames), axis=1)

    drawn, happened = obeyed(one, one.drawn[:, None]), obeyed(one, plan[:, None])
    imagined = torch.cat((torch.from_numpy(one.past[:, -1:]).float() / 255, film(model, one, plan, place).cpu()), dim=1)
    write_video(
        out,
        {
            "truth": whole(shown(one, drawn, image_px)),
            "imagined": whole(to_bytes(imagined)),
            "happened": whole(shown(one, happened, image_px)),
        },
    )
    settings = study.planning
    off = float(missed(one, happened)[0, 0])
    frames = settings.rounds * settings.samples * settings.commands
    log.info(
        "task %d: object %d ends %.3f sides from its goal: %s; %d frames imagined in %.1f s",
        task, one.moved[0] + 1, off, "solved" if off <= settings.tolerance else "missed", frames, planned.seconds[cost],
    )  # fmt: skip
