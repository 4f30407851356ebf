"""List the shipped studies, check one study file to the last option, estimate how long its training takes, or say which
seed its data has for clips that no one saw before the hypotheses were declared."""

import argparse
import json
import logging
import math
import os
import sys
from pathlib import Path
from typing import Any

from whatmoves.commands.common import add_study, open_study

HELP = "list studies and what they cost, or check one"

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--check --hours --expected --seed-of --json --folder`."""
    add_study(parser)
    parser.add_argument("--check", action="store_true", help="build every data set's and model's settings and shapes")
    parser.add_argument(
        "--hours",
        type=float,
        nargs="?",
        const=0.0,
        metavar="MORE_THAN",
        help="say how many hours its training takes without a GPU; with a number, only if they are more than that",
    )
    parser.add_argument(
        "--expected", action="store_true", help="print as JSON how many seconds each job should take on this machine"
    )
    parser.add_argument(
        "--seed-of", type=Path, metavar="HYPOTHESES", help="print the data seed of the commit that declared this file"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--folder", type=Path, default=Path("config"), help="where study files are (default: config)")


def run(arguments: argparse.Namespace) -> None:
    """Print the studies; or check one, or print the hours its training would take on this CPU, or a seed."""
    if arguments.check:
        _check(arguments.configfile)
        return
    if arguments.hours is not None:
        _say_hours(arguments)
        return
    if arguments.expected:
        study, _ = open_study(arguments)
        from whatmoves.machines.expected import expected

        json.dump(expected(study), sys.stdout)
        return
    if arguments.seed_of is not None:
        from whatmoves.provenance.closure import source_folder
        from whatmoves.provenance.declared import seed_of

        print(seed_of(source_folder().parent, arguments.seed_of))
        return
    _list(arguments)


def _list(arguments: argparse.Namespace) -> None:
    """Print each study as soon as it is known: counting the operations of one takes a second or two."""
    from whatmoves.loading import load_study
    from whatmoves.machines.cost import MEASURED, measured_on_gpu, timed
    from whatmoves.machines.job_times import read_job_times
    from whatmoves.provenance.closure import source_folder

    measured = source_folder().parent / MEASURED
    times, gpu = read_job_times(measured), measured_on_gpu(measured.parent)
    rows = []
    for path in sorted(arguments.folder.glob("*.yaml")):
        study = load_study(path)
        jobs = timed(study, times)
        on_gpu = [job for job in jobs if job.gpu]
        row = {
            "configfile": str(path),
            "study": study.study,
            "description": study.description,
            "data": list(study.data),
            "models": list(study.models),
            "runs": len(study.runs()),
            "jobs": len(jobs),
            "gpu_jobs": len(on_gpu),
            "cpu_hours": sum(job.cpu_s for job in jobs) / 3600,
            "network_operations": sum(job.operations for job in jobs),
            "gpu_hours": sum(job.gpu_s(gpu[1]) for job in on_gpu) / 3600 if gpu else None,
        }
        rows.append(row)
        if not arguments.json:
            _print(row)
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return
    on = f"on one {gpu[0]}, by the mean speed of its trainings" if gpu else "not measured (whatmoves gpu-check)"
    print(f"CPU-hours: without a GPU, {times.machine}. GPU-hours: {on}. An order of magnitude (docs/cluster.md).")


def _print(row: dict[str, Any]) -> None:
    on_gpu = "unmeasured" if row["gpu_hours"] is None else _rounded(row["gpu_hours"])
    print(f"{row['configfile']}: {row['description']}")
    print(
        f"    {row['runs']} runs, {row['jobs']} jobs, {row['gpu_jobs']} of them for a GPU where there is one; "
        f"CPU-hours {_rounded(row['cpu_hours'])}, GPU-hours {on_gpu}",
        flush=True,
    )


def _rounded(hours: float) -> str:
    """Two digits that count."""
    digits = 1 - math.floor(math.log10(hours)) if hours > 0 else 0
    return f"{round(hours, digits):,.{max(0, digits)}f}"


def _check(configfile: Path) -> None:
    """Raise the first error that a job would meet later: options that do not fit together, or not the clips.

    Each step is named before it is taken: whoever started this knows where it was, even if it dies by a signal.
    """
    from whatmoves.analysis import needs as of_analysis
    from whatmoves.data import needs as of_data
    from whatmoves.evaluation import needs as of_evaluation
    from whatmoves.loading import STEP, load_study
    from whatmoves.paper import needs as of_paper
    from whatmoves.planning import needs as of_planning
    from whatmoves.plugins import open_source
    from whatmoves.training import needs as of_training
    from whatmoves.training.estimate import try_on_shapes

    study, shapes = load_study(configfile), {}
    for name, dataset in study.data.items():
        log.info("%sdata.%s", STEP, name)
        source = open_source(dataset.kind, dataset.options, Path("unused"), where=f"{configfile}: data.{name}")
        shapes[name] = source.shape
        for model, entry in study.models.items():
            if name in entry.trains_on:
                log.info("%smodels.%s on %s", STEP, model, name)
                clips, centres = study.training_of(model).batch_size, getattr(source, "has_centres", True)
                try_on_shapes(entry, source.shape, clips, f"{configfile}: models.{model}", centres)
    for stage in (of_data, of_training, of_evaluation, of_planning, of_analysis, of_paper):
        log.info("%s%s", STEP, stage.__name__)
        stage.check(study, shapes, str(configfile))
    print(f"{configfile}: every stage can do what this study asks of it")


def _say_hours(arguments: argparse.Namespace) -> None:
    """Print the hours that training takes without a GPU, if they are more than asked for; then, as a warning."""
    study, _ = open_study(arguments)
    import torch

    from whatmoves.training.estimate import cpu_hours

    torch.set_num_threads(1)  # it runs beside jobs
    hours = cpu_hours(study)
    if hours > arguments.hours:
        print(
            f"{'WARNING: ' if arguments.hours else ''}training study {study.study} without a GPU, on this machine's "
            f"{os.cpu_count()} processors, takes about {hours:,.{0 if hours >= 10 else 1}f} hours; "
            "use a GPU, or a cluster (snakemake --workflow-profile profiles/slurm)"
        )
