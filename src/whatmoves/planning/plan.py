"""Plan with one model on one data set, all its seeds in one process; or with the floors and ceilings.

Written into the row's folder:

    plan.json      by seed `plan_success_<cost>`, the share of tasks whose object ends within `planning.tolerance` of
                   its goal in the true simulator, and `plan_distance_<cost>`, how far it ends from it in the mean
                   (sides); `plan_rank_<cost>`, how the cost ranks the search's first plans against where they truly
                   end; `frames_per_plan`, predicted for one plan; and what cannot be planned, with the reason
    tasks.npz      `seed<s>_<measure>` `[N]` by task, and `seed<s>_plan_<cost>` `[N, commands, 4]`, the plans
    timings.json   seconds a plan took, which differ from run to run

Of the floors the rows stand under `rows`, and in `tasks.npz` their names come first, `<row>_seed0_…`. What depends on
no cost stands there as `plan_success` and `plan_distance`, and `tolerance` beside them.
"""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import nn

from whatmoves.by_seed import kept
from whatmoves.errors import ConfigError
from whatmoves.files import write_arrays, write_json
from whatmoves.models import copy_last
from whatmoves.models.interface import Encodes
from whatmoves.planning.costs import CODE, PIXELS, PLACES, Imagine, codes, in_order, pixels, places, true_frames
from whatmoves.planning.imagination import imagined, obstacle
from whatmoves.planning.search import Cost, Plans, first_plans, noise, search
from whatmoves.planning.simulator import missed, obeyed
from whatmoves.planning.tasks import Tasks, tasks_of_study
from whatmoves.study import Planning, Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.runtime import choose_device, describe_device, tune_malloc

ACTIONS = 4
NO_CODE = "it has no code"


class Planned(NamedTuple):
    """What came of one row's plans: a number a measure, the same by task `[N]`, plans by cost, seconds a plan by cost,
    and what it cannot be planned by."""

    values: dict[str, float]
    tasks: dict[str, NDArray[np.float64]]
    plans: dict[str, Plans]
    seconds: dict[str, float]
    cannot: dict[str, str]


def plan(
    study: Study,
    dataset: str,
    model: str,
    checkpoints: Mapping[int, Path],
    out_folder: Path,
    device: str = "auto",
    work_folder: Path | None = None,
) -> None:
    """Plan with the `checkpoints` (by seed) of `model` and write the files above into `out_folder`.

    What is done of a seed is kept in `work_folder`, if there is one. Runs on one CPU thread, so that the same machine
    gives the same bytes. Raises `CheckpointError` or `ConfigError` for what is missing, damaged or impossible.
    """
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    tasks = tasks_of_study(study, dataset)

    def planned(path: Path) -> Planned:
        loaded = load_checkpoint(path, place, study.models[model].kind)
        return plan_with(loaded.model, tasks, study.planning, place)

    results = {seed: kept(work_folder, seed, partial(planned, path)) for seed, path in checkpoints.items()}
    cannot = {name: why for result in results.values() for name, why in result.cannot.items()}
    of = {"model": model, "kind": study.models[model].kind, "cannot": cannot}
    seeds = {str(seed): result.values for seed, result in results.items()}
    write_arrays(out_folder / "tasks.npz", _arrays({f"seed{seed}_": result for seed, result in results.items()}))
    write_json(out_folder / "plan.json", {**_record(study, dataset), **of, "seeds": seeds})
    seconds = {str(seed): result.seconds for seed, result in results.items()}
    write_json(out_folder / "timings.json", {"device": describe_device(place), "seconds_per_plan": seconds})


def plan_floors(study: Study, dataset: str, out_folder: Path) -> None:
    """Write the files above for no action, random actions, `copy_last` and the true simulator, but for the timings."""
    torch.set_num_threads(1)
    tasks = tasks_of_study(study, dataset)
    rows = floors(tasks, study.planning, tasks.goal.shape[-1])
    arrays = _arrays({f"{row}_seed0_": result for row, result in rows.items()})
    write_arrays(out_folder / "tasks.npz", {**arrays, "tolerance": np.array(study.planning.tolerance)})
    told = {row: {"seeds": {"0": result.values}, "cannot": result.cannot} for row, result in rows.items()}
    write_json(out_folder / "plan.json", {**_record(study, dataset), "rows": told})


def plan_with(
    model: nn.Module,
    tasks: Tasks,
    settings: Planning,
    device: torch.device,
    numbers: NDArray[np.int64] | None = None,
    only: str | None = None,
) -> Planned:
    """Plan tasks through a model by every cost that it has, or by one; `numbers` `[N]`: which they are, default 0 …"""
    reason = obstacle(model)
    if reason is not None:
        return Planned({}, {}, {}, {}, {"plan": reason})
    imagine = imagined(model, tasks, device)
    found, cannot = {PIXELS: pixels(imagine, tasks)}, {CODE: NO_CODE}
    if isinstance(model, Encodes):
        try:
            found |= codes(imagine, tasks, model, device)
            cannot = {}
        except ConfigError as error:
            cannot = {CODE: str(error)}
    try:
        asked = {name: cost for name, cost in found.items() if only in (None, name)}
        return searched(asked, tasks, settings, numbers)._replace(cannot=cannot)
    except ConfigError as error:  # such as a past that is too short for it
        return Planned({}, {}, {}, {}, {"plan": str(error)})


def floors(tasks: Tasks, settings: Planning, image_px: int) -> dict[str, Planned]:
    """The rows that frame the models', in the order of `whatmoves.floors`."""
    still = np.zeros((tasks.size, 1, settings.commands, ACTIONS), np.float32)
    copying = copy_last.Model(copy_last.Config(), copy_last.FULL_SHAPE)
    last = tasks._replace(past=tasks.past[:, -1:], actions=tasks.actions[:, :0], states=tasks.states[:, -1:])
    return {
        "no_action": _obeyed({"": still}, tasks, settings),
        "random_actions": _obeyed({"": _random(np.arange(tasks.size), settings)}, tasks, settings),
        "copy_last": searched({PIXELS: pixels(imagined(copying, last, torch.device("cpu")), tasks)}, tasks, settings),
        "simulator": with_simulator(tasks, settings, true_frames(tasks, image_px)),
    }


def with_simulator(tasks: Tasks, settings: Planning, imagine: Imagine) -> Planned:
    """The ceilings: the true places, and true pictures."""
    return searched({PLACES: places(tasks), PIXELS: pixels(imagine, tasks)}, tasks, settings)


def searched(
    found: Mapping[str, Cost], tasks: Tasks, settings: Planning, numbers: NDArray[np.int64] | None = None
) -> Planned:
    """Search by each cost, and what truly came of the plans."""
    numbers = np.arange(tasks.size) if numbers is None else numbers
    plans, seconds, ranks = {}, {}, {}
    ends = missed(tasks, obeyed(tasks, _random(numbers, settings)))
    for name, cost in in_order(found).items():
        start = time.perf_counter()
        best = search(cost, numbers, ACTIONS, settings)
        seconds[name] = (time.perf_counter() - start) / tasks.size
        plans[name] = best.plans[:, None]
        if np.ptp(best.first_costs, axis=1).any():  # otherwise it ranks nothing, everywhere
            ranks[f"plan_rank_{name}"] = ranked_alike(best.first_costs, ends)
    return _with(_obeyed(plans, tasks, settings), ranks)._replace(seconds=seconds)


def ranked_alike(costs: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's rank correlation `[N]` of costs with true distances, both `[N, S]`, over the S plans of each task.

    1: the cost knows which plan ends nearer; 0: it knows nothing, as does one that is the same for all plans.
    """
    off = [ranks - ranks.mean(1, keepdims=True) for ranks in (rankdata(costs, axis=1), rankdata(ends, axis=1))]
    scale = np.sqrt(np.square(off[0]).sum(1) * np.square(off[1]).sum(1))
    return np.asarray(np.divide((off[0] * off[1]).sum(1), scale, out=np.zeros(len(costs)), where=scale > 0))


def _obeyed(plans: Mapping[str, Plans], tasks: Tasks, settings: Planning) -> Planned:
    """What truly came of plans `[N, S, commands, 4]`, the mean over S of each task, by the cost they were made by."""
    by_task = {}
    for name, tried in plans.items():
        off = missed(tasks, obeyed(tasks, tried))
        end = f"_{name}" if name else ""
        by_task[f"plan_success{end}"] = (off <= settings.tolerance).mean(1)
        by_task[f"plan_distance{end}"] = off.mean(1)
    return _with(Planned({}, {}, {name: tried[:, 0] for name, tried in plans.items() if name}, {}, {}), by_task)


def _with(planned: Planned, by_task: dict[str, NDArray[np.float64]]) -> Planned:
    values = {name: float(numbers.mean()) for name, numbers in by_task.items()}
    return planned._replace(values=planned.values | values, tasks=planned.tasks | by_task)


def _random(numbers: NDArray[np.int64], settings: Planning) -> Plans:
    """What every search of these tasks tries first, `[N, S, commands, A]`."""
    return np.stack([first_plans(noise(int(task), ACTIONS, settings)[0]) for task in numbers])


def _record(study: Study, dataset: str) -> dict[str, Any]:
    settings = study.planning
    frames = settings.rounds * settings.samples * settings.commands
    return {"dataset": dataset, "tasks": settings.tasks, "frames_per_plan": frames}


def _arrays(results: Mapping[str, Planned]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for prefix, result in results.items():
        arrays |= {f"{prefix}{name}": numbers for name, numbers in result.tasks.items()}
        arrays |= {f"{prefix}plan_{name}": plans for name, plans in result.plans.items()}
    return arrays
