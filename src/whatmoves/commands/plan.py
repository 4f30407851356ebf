"""Choose commands through a model, and let the true world obey them: all tasks of a study, or one, to look at.

  whatmoves plan --dataset push_world --model cvae_push
  whatmoves plan --checkpoint CHECKPOINT --task 3 --out plan.gif

The second shows from left to right the clip that the task is cut from, what the model imagined, and what happened.
"""

import argparse
from pathlib import Path
from typing import Any

from whatmoves.by_seed import sweep
from whatmoves.commands.common import add_device, add_job, job, known, open_study
from whatmoves.errors import ConfigError
from whatmoves.gpus import take_gpu

HELP = "choose commands through a model, and let the true world obey them"

OUTPUTS = ("plan.json", "tasks.npz")
ALONE: dict[str, Any] = {
    "task": 0,
    "cost": "pixels",
    "out": Path("plan.gif"),
}  # what goes with --checkpoint, where it is not given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset`, one of `--model --floors --checkpoint`, `--device`; with the last `--task --cost --out`."""
    add_job(parser)
    add_device(parser)
    parser.add_argument("--dataset", help="data set to plan on (default: the study's first that can be planned on)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="name of the model in the study, trained before")
    what.add_argument("--floors", action="store_true", help="floors and ceilings, which need no trained model")
    what.add_argument("--checkpoint", type=Path, help="checkpoint.pt, or a folder of `whatmoves export`")
    alone = parser.add_argument_group("with --checkpoint")
    alone.add_argument("--task", type=int, help=f"number of the task (default: {ALONE['task']})")
    alone.add_argument(
        "--cost",
        choices=("pixels", "code", "content", "motion"),
        help=f"what is held against the goal (default: {ALONE['cost']})",
    )
    alone.add_argument("--out", type=Path, help=f".gif or .npz to write (default: {ALONE['out']})")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/plan/<dataset>/<model or floors>/, or one film."""
    study, layout = open_study(arguments)
    planned = study.planned_data()
    if not planned:
        raise ConfigError(f"{arguments.configfile}: nothing to plan on: no push_world, or planning.tasks is 0")
    dataset = known(arguments.dataset or planned[0], planned, "data set that can be planned on")
    if arguments.checkpoint is not None:
        take_gpu(arguments.device)
        from whatmoves.using.planned import film_of_plan

        asked = {name: getattr(arguments, name) for name in ALONE}
        task, cost, out = (ALONE[name] if value is None else value for name, value in asked.items())
        film_of_plan(study, dataset, arguments.checkpoint, task, cost, out, arguments.device)
        return
    if mixed := [name for name in ALONE if getattr(arguments, name) is not None]:
        raise ConfigError(f"--{mixed[0]} goes with --checkpoint; leave it out")
    from whatmoves.asked import planners
    from whatmoves.layout import PLANNED_FLOORS
    from whatmoves.provenance.jobs import fingerprint, short

    if arguments.floors:
        folder = layout.plans(dataset, PLANNED_FLOORS)
        outputs = [folder / name for name in OUTPUTS]
        with job(arguments, study, "plan_floors", {"dataset": dataset}, [], outputs, folder / "receipt.json"):
            from whatmoves.planning.plan import plan_floors

            plan_floors(study, dataset, folder)
        return
    model = known(arguments.model, planners(study, dataset), "model that reads actions")
    folder = layout.plans(dataset, model)
    outputs = [folder / name for name in OUTPUTS]
    checkpoints = {seed: layout.checkpoint(dataset, model, seed) for seed in study.seeds_of(model)}
    wildcards = {"dataset": dataset, "model": model}
    made_of = fingerprint(study, "plan", **wildcards).digest
    inputs = list(checkpoints.values())
    with job(arguments, study, "plan", wildcards, inputs, outputs, folder / "receipt.json") as sums:
        take_gpu(arguments.device)
        from whatmoves.planning.plan import plan

        work = layout.work_of_seeds("plan", dataset, model, f"{made_of}-{short(sums)}")
        plan(study, dataset, model, checkpoints, folder, arguments.device, work)
    sweep(work)
