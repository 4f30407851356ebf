"""What a GPU does with this package, in one run of minutes: `whatmoves gpu-check`.

    data          the stored splits, without any download: scikit-learn's digits for MNIST's, at MNIST's size
    steps         the first training steps of every model in bf16, then in fp32: clips/s, step time, peak memory, host
                  syncs a step (none are allowed once it runs), the loss beside fp32's
    agreement     one step in fp32 on the CPU and on the GPU
    interruption  a training ended by SIGTERM and by SIGKILL, resumed, beside an unbroken one
    judged        `what_where_vae` and `disentangled_vae` for 60,000 clips each, evaluated and judged
    compiled      the steps in bf16 again, compiled: last, because compilers take what is left
    full          GPU-hours that all trainings of the study would take at these speeds

A bare CUDA image needs these wheels, in the versions of requirements.txt: torch built for CUDA (it brings Triton),
numpy, scipy, pandas, scikit-learn, pydantic, pyyaml, jsonschema, packaging, pillow, threadpoolctl and tqdm; and what is
compiled a C compiler. It needs neither Snakemake, LaTeX nor internet, and this package need not be installed:

    PYTHONPATH=src python3 -m whatmoves gpu-check

Each part runs in processes of its own, so an error of the GPU ends one part and not the check. Not compared here: the
training steps of the originals, which this tree does not ship.
"""

import json
import logging
import math
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whatmoves.errors import ConfigError
from whatmoves.files import read_json, write_json
from whatmoves.layout import Layout
from whatmoves.machines import checked_study as of
from whatmoves.machines.budget import (
    Budget,
    PartFailedError,
    Report,
    finish,
    part,
    python,
    run_together,
    start,
)  # fmt: skip
from whatmoves.machines.interruption import interrupt_and_resume
from whatmoves.study import Study

log = logging.getLogger(__name__)

THREADS = 8  # of the CPU's side of a comparison


def gpu_check(device: str, size: of.Size, root: Path, total_s: float) -> dict[str, Any]:
    """Run all parts and return the report as JSON: `failed` and `not_run` are empty where all is well.

    `device` is `cuda` or `cpu`; `root` holds `config/`. Parts share `total_s` as `size.seconds` share their sum.
    """
    budget, report = Budget(total_s), Report()
    scale = total_s / sum(size.seconds.values())
    shares = {name: scale * share for name, share in size.seconds.items()}
    from whatmoves.machines.steps import wanted

    study = of.checked(size, root)
    main, about = study.main_data(), _machine(device, root)
    log.info("%s; %.0f s in all", about["device"], total_s)
    with tempfile.TemporaryDirectory(prefix="whatmoves-gpu-check-") as name:
        work = Path(name)
        files = {kind.__name__: of.write_study(kind(size, study), work / f"{kind.__name__}.yaml")
                 for kind in (of.judged, of.interrupted)}  # fmt: skip
        whole = of.write_study(study, work / "checked.yaml")
        results = work / "results"
        plan: dict[str, Any] = {
            "study": str(whole), "data": str(Layout(results / of.NAME).data("x").parent), "device": device,
            "steps": size.steps, "warm_steps": size.warm_steps, "clips": size.agreement_clips,
            "threads": 1 if device == "cpu" else min(THREADS, os.cpu_count() or 1),
        }  # fmt: skip

        def command(verb: str, kind: str, *words: str, on: bool = True) -> list[str]:
            there = ["--configfile", str(files.get(kind, whole)), "--results", str(results)]
            return python("-m", "whatmoves", verb, *there, *words, *(["--device", device] if on else []))

        with part(report, budget, "data", shares["data"]) as (found, _):
            makers = {f"data {d}": command("data", "", "--dataset", d, on=False) for d in study.data}
            run_together(makers, work, budget, budget.started + total_s)  # nothing else goes without it
            found["made"] = sorted(study.data)
        if not report.found["data"]:
            report.not_run += [f"{name}: there is no data" for name in shares if name != "data"]
        else:
            with part(report, budget, "steps", shares["steps"]) as (found, deadline):
                found["rows"] = _lines(report, "steps", wanted(study, ["bf16", "fp32"]), plan, work, budget, deadline)
                _require_no_waiting(found["rows"])
            with part(report, budget, "agreement", shares["agreement"]) as (found, deadline):
                pairs = wanted(study, ["fp32"])
                found["rows"] = _lines(report, "agreement", pairs, plan, work, budget, deadline)
                if apart := [row["model"] for row in found["rows"] if not row["agrees"]]:
                    raise PartFailedError(f"a step differs from the CPU's by more than rounding: {', '.join(apart)}")
            with part(report, budget, "interruption", shares["interruption"]) as (found, deadline):
                found |= interrupt_and_resume(files["interrupted"], main, results, work, device, budget, deadline)
            with part(report, budget, "judged", shares["judged"]) as (found, deadline):
                on = ("--dataset", main)
                trained = {f"train {m}": command("train", "judged", *on, "--model", m) for m in of.JUDGED}
                judges = {"train judges": command("judge", "judged", *on, "--train")}
                run_together(trained | judges, work, budget, deadline)
                for verb in ("evaluate", "judge"):
                    commands = {f"{verb} {m}": command(verb, "judged", *on, "--model", m) for m in of.JUDGED}
                    run_together(commands, work, budget, deadline)
                found |= {model: _judgement(Layout(results / of.NAME), main, model) for model in of.JUDGED}
            with part(report, budget, "compiled", shares["compiled"]) as (found, deadline):
                compiled = wanted(study, ["bf16 compiled"])
                some = compiled[: size.compiled_models]
                left_out = compiled[len(some) :]
                report.not_run += [f"compiled: {m} on {d}: a quick check leaves it out" for d, m, _ in left_out]
                found["rows"] = _lines(report, "compiled", some, plan, work, budget, deadline)
                _require_no_waiting(found["rows"])

    rows = [row for name in ("steps", "compiled") for row in report.found.get(name, {}).get("rows", [])]
    _beside_fp32(rows)
    report.found["full"] = gpu_hours(study, rows)
    return {
        **about,
        "elapsed_s": round(budget.elapsed_s, 1),
        "configfile": size.configfile,
        "parts": finite(report.found),
        "seconds": report.seconds,
        "failed": report.failed,
        "not_run": report.not_run,
    }


def gpu_hours(study: Study, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Hours of one GPU for all trainings of a study, at the best measured speed of each model on each data set.

    JSON: `hours` by `dataset.model`, their `sum`, and the trainings that were `not_measured`, which it leaves out.
    """
    hours: dict[str, float] = {}
    speeds: dict[tuple[str, str], float] = {}
    for row in rows:
        if "clips_per_s" in row and row["way"] != "fp32":
            pair = row["dataset"], row["model"]
            speeds[pair] = max(speeds.get(pair, 0.0), row["clips_per_s"])
    missing = []
    for dataset, model in dict.fromkeys((dataset, model) for dataset, model, _ in study.runs()):
        clips = study.training_of(model).clips * len(study.seeds_of(model))
        if (dataset, model) in speeds:
            hours[f"{dataset}.{model}"] = clips / speeds[dataset, model] / 3600
        elif _learns(study, model):
            missing.append(f"{dataset}.{model}")
    return {"hours": hours, "sum": sum(hours.values()), "not_measured": missing}


def finite(value: Any) -> Any:
    """JSON without numbers that are none: null stands for them, or the report could not be written."""
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _learns(study: Study, model: str) -> bool:
    from whatmoves.loading import abilities_of

    return "loss" in abilities_of("models", study.models[model].kind)


def _lines(
    report: Report, name: str, wanted: list[tuple[str, str, str]], plan: dict[str, Any], work: Path, budget: Budget,
    deadline: float,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of what was `wanted`, from a process that is ended at the deadline; the report says which are missing."""
    lines, said = work / f"{name}.jsonl", work / f"{name}.plan.json"
    lines.touch()
    write_json(said, {**plan, "wanted": wanted, "folder": str(work / f"{name}.work")})
    module = "agreement" if name == "agreement" else "steps"
    process = start(python("-m", f"whatmoves.machines.{module}", str(said), str(lines)), None)
    code = finish(process, budget.left_s(deadline))
    rows = [json.loads(line) for line in lines.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
    reached = {(row["dataset"], row["model"], row["way"]) for row in rows}
    why = "out of time" if code is None else f"the process before it ended with exit code {code}"
    report.not_run += [f"{name}: {m} on {d}, {way}: {why}" for d, m, way in wanted if (d, m, way) not in reached]
    report.failed += [f"{name}: {row['model']}, {row['way']}: {row['error']}" for row in rows if "error" in row]
    if code not in (0, None):
        report.failed.append(f"{name}: its process ended with exit code {code}")
    return [row for row in rows if "error" not in row]


def _require_no_waiting(rows: list[dict[str, Any]]) -> None:
    waiting = [f"{row['model']} ({row['way']}: {row['syncs_per_step']:.2g})" for row in rows if row["syncs_per_step"]]
    if waiting:
        raise PartFailedError(f"the host waits for the GPU in a step: {', '.join(waiting)}; `syncs_at` says where")


def _beside_fp32(rows: list[dict[str, Any]]) -> None:
    """Put into each row the mean `loss` of its steps, and `loss_fp32` over the same first steps where fp32 was run."""
    exact = {(row["dataset"], row["model"]): row["losses"] for row in rows if row["way"] == "fp32"}
    for row in rows:
        beside = exact.get((row["dataset"], row["model"]), [])
        common = min(len(row["losses"]), len(beside)) or len(row["losses"])
        row["loss_steps"] = common
        row["loss"] = sum(row["losses"][:common]) / common
        row["loss_fp32"] = sum(beside[:common]) / common if beside else None
    for row in rows:
        del row["losses"]


def _judgement(layout: Layout, dataset: str, model: str) -> dict[str, Any]:
    times = read_json(layout.run(dataset, model, 0) / "timings.json")
    evaluated = read_json(layout.evaluation(dataset, model) / "quality.json")["seeds"]["0"]
    judged = read_json(layout.judgement(dataset, model) / "judgement.json")["seeds"]["0"]
    return {
        "clips": times["clips"],
        "training_s": times["seconds"],
        "clips_per_s": times["clips_per_s"],
        "peak_mib": times["peak_memory_mib"],
        "quality": evaluated,
        "judgement": judged,
    }


def _machine(device: str, root: Path) -> dict[str, Any]:
    """What this machine and its libraries are."""
    import platform

    import torch

    from whatmoves.arithmetic.report import report as arithmetic
    from whatmoves.provenance.receipts import git_state
    from whatmoves.training.runtime import choose_device, describe_device

    return {
        "device": describe_device(choose_device(device)),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "host_threads": os.cpu_count(),
        "arithmetic": arithmetic(),
        "git": git_state(root),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def require_gpu(device: str, quick: bool) -> str:
    """`cuda`, or `cpu` for a quick check; raises `ConfigError` where there is no such device to check."""
    import torch

    if device == "cpu":
        if not quick:
            raise ConfigError("--device cpu runs the check's code in a small form only: add --quick")
        return "cpu"
    if not torch.cuda.is_available():
        raise ConfigError(
            f"gpu-check needs an NVIDIA GPU, and PyTorch {torch.__version__} sees none here; run it where there is "
            "one, with a PyTorch that is built for CUDA, or try its code with --device cpu --quick"
        )
    return "cuda"
