"""What each stage costs as a study grows: exponents in clips, models, seeds, code width and image size, in a picture.

Small jobs of `quick`'s content/motion VAE (untrained: what is asked of its codes costs alike) are made larger along one
axis at a time, and their seconds of the processor measured; the exponent is the slope, in logarithms, between the
largest two: 1 doubles the cost when the axis doubles. Clips are all that evaluation and judging read: validation,
test and probe clips, and swapped pairs. Models are measured where they meet: elsewhere each has jobs of its own.

    python benchmarks/scale.py           # 4 minutes of one core; draws docs/images/scale.png
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported

import copy
import math
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from latency import ROOT, run, workflow
from matplotlib.figure import Figure
from rows import keep_table

from whatmoves import plugins
from whatmoves.analysis.statistics import hierarchical_bootstrap
from whatmoves.data.clips import Batch
from whatmoves.evaluation.evaluate import evaluate
from whatmoves.judging.judge import judge
from whatmoves.judging.train_judges import train_judges
from whatmoves.models.interface import Step
from whatmoves.study import Study
from whatmoves.training.checkpoint import save_checkpoint
from whatmoves.training.optimiser import make_optimiser

MODEL, DATA = "disentangled_vae", "moving_digits"
QUICK: dict[str, Any] = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
SMALLEST = {"clips": 50, "image": 32, "code": 32, "seeds": 1}
AXES: dict[str, tuple[int, ...]] = {
    "clips": (50, 100, 200),
    "image": (16, 32, 48),
    "code": (8, 32, 128),
    "seeds": (1, 3),
}
UNITS = {
    "clips": "clips",
    "image": "px a side",
    "code": "numbers a code",
    "seeds": "seeds",
    "models": "times quick's models",
}
COPIES = (1, 2, 3)  # of quick's models, for the plan
DRAWN = (1000, 2000, 4000)  # clips of each split, where nothing else is done with them
STEPS, BATCH = 6, 16

Found = dict[str, dict[str, list[tuple[float, float]]]]  # stage → axis → (size, seconds)


def cpu_s(call: Callable[[], object]) -> float:
    """Processor seconds of this process for a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def study_of(size: dict[str, int]) -> Study:
    """`quick` with one model, of this size."""
    clips, px, half = size["clips"], size["image"], size["code"] // 2
    data = {**QUICK["data"][DATA]["options"], "image_px": px, "digit_px": px * 7 // 16}
    data |= {"validation_clips": clips, "test_clips": clips, "speed_px": [px / 32, px * 3 / 32]}
    options = {**QUICK["models"][MODEL]["options"], "content_dim": half, "motion_dim": half}
    measured = {"probe_clips": 2 * clips, "swap_pairs": clips // 5, "permutations": 99, "judge_frames": 512}
    return Study.model_validate({
        "study": "scale", "seeds": list(range(size["seeds"])), "data": {DATA: {"options": data, "past_frames": 8}},
        "models": {MODEL: {"options": options}}, "evaluation": measured,
    })  # fmt: skip


def stages(size: dict[str, int], folder: Path) -> dict[str, float]:
    """Seconds of each stage of a study of this size."""
    study = study_of(size)
    entry, data = study.models[MODEL], study.data[DATA]
    module, config = plugins.data_module(data.kind), plugins.data_config(data.kind, data.options)
    module.make(config, folder / "data")
    found = {}
    source = module.open_source(config, folder / "data")
    checkpoints = {}
    for seed in study.seeds:
        torch.manual_seed(seed)
        network = plugins.build_model(entry.kind, entry.options, source.shape)
        meta = {"kind": entry.kind, "options": entry.options, "shape": source.shape._asdict(), "model": MODEL}
        meta |= {"dataset": DATA, "seed": seed, "clips_seen": 1, "best_clips": 1, "best_validation": 1.0}
        checkpoints[seed] = folder / f"{seed}.pt"
        save_checkpoint(checkpoints[seed], network, {**meta, "validation": {}, "collapsed": []})
    found["training"] = training_s(network, study, source.shape) * 100
    places = (folder / "data", folder / "evaluate", "cpu")
    found["evaluation"] = cpu_s(lambda: evaluate(study, DATA, MODEL, checkpoints, *places))
    train_judges(study, DATA, folder / "data", folder / "judges", "cpu")
    judged = (folder / "evaluate", folder / "judges/judges.pt", folder / "data", folder / "judge", "cpu")
    found["judging"] = cpu_s(lambda: judge(study, DATA, MODEL, checkpoints, *judged))
    return found


def data_s(size: dict[str, int], folder: Path) -> float:
    """Seconds to draw and store the splits of a study of this size."""
    data = study_of(size).data[DATA]
    module, config = plugins.data_module(data.kind), plugins.data_config(data.kind, data.options)
    return cpu_s(lambda: module.make(config, folder / "drawn"))


def training_s(network: torch.nn.Module, study: Study, shape: Any) -> float:
    """Seconds of a training step a clip."""
    training = study.training_of(MODEL)
    optimiser = make_optimiser(network, training, torch.device("cpu"))
    batch = Batch(torch.rand(BATCH, *shape[:4]))
    network.train()

    def steps() -> None:
        for _ in range(STEPS):
            optimiser.zero_grad(set_to_none=True)
            network.loss(batch, Step(0, BATCH))["total"].backward()  # type: ignore[operator]
            optimiser.step()

    steps()
    return cpu_s(steps) / STEPS / BATCH


def intervals_s(seeds: int, clips: int) -> float:
    """Seconds of the analysis' intervals for 20 measures, of one seed by redrawing, of more by their spread."""
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(clips, 20)) for _ in range(seeds)]
    return cpu_s(lambda: hierarchical_bootstrap(tables, 2000, rng))


def plan_s(copies: int, folder: Path) -> tuple[int, float]:
    """Jobs, and seconds of a dry run, of `quick` with every model so many times."""
    raw = copy.deepcopy(QUICK)
    raw["models"] = {
        name if not again else f"{name}_{again}": {"kind": name, **(entry or {}), "label": f"{name} {again}"}
        for name, entry in raw["models"].items()
        for again in range(copies)
    }
    configfile = folder / f"plan{copies}.yaml"
    configfile.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    command = workflow("config", "all", "--dry-run", folder=folder)
    command[-1] = str(configfile)
    run(*command, folder=folder)  # reads the sources
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = run(*command, folder=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    jobs = said.count("\n    jobid: ")
    return jobs, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(folder: Path) -> Found:
    """All stages along all axes."""
    found: Found = {}
    stages(SMALLEST, folder / "first")  # loads libraries
    known: dict[tuple[int, ...], dict[str, float]] = {}
    for axis, sizes in AXES.items():
        for number in sizes:
            size = {**SMALLEST, axis: number}
            key = tuple(size.values())
            if key not in known:
                known[key] = stages(size, folder / "-".join(map(str, key)))
                print(size, {stage: round(seconds, 2) for stage, seconds in known[key].items()}, flush=True)
            for stage, seconds in known[key].items():
                found.setdefault(stage, {}).setdefault(axis, []).append((number, seconds))
    data_s(SMALLEST, folder)  # reads the digits
    many = {**SMALLEST, "clips": DRAWN[0]}
    found["data"] = {"clips": [(clips, data_s({**SMALLEST, "clips": clips}, folder)) for clips in DRAWN]}
    found["data"]["image"] = [(px, data_s({**many, "image": px}, folder)) for px in AXES["image"]]
    del found["training"]["seeds"], found["training"]["clips"]
    intervals = found.setdefault("analysis (intervals)", {})
    intervals["clips"] = [(clips, intervals_s(1, clips)) for clips in (1000, 4000, 16000)]
    plan = found.setdefault("plan", {})
    plan["models"] = [(copies, plan_s(copies, folder)[1]) for copies in COPIES]
    return found


def exponent(points: list[tuple[float, float]]) -> float:
    """Slope in logarithms between the two largest sizes."""
    (small, cheap), (large, dear) = points[-2:]
    return math.log(dear / cheap) / math.log(large / small)


def draw(found: Found, path: Path) -> None:
    """A panel an axis: cost beside that of the smallest, with the line of a cost in proportion."""
    axes = [*AXES, "models"]
    figure = Figure(figsize=(9, 2.4), layout="constrained")
    for panel, axis in zip(figure.subplots(1, len(axes)), axes, strict=True):
        for place, (stage, by_axis) in enumerate(found.items()):
            if axis in by_axis:
                sizes, costs = (np.array(part) for part in zip(*by_axis[axis], strict=True))
                panel.plot(sizes / sizes[0], costs / costs[0], "o-", ms=3, lw=1.2, color=f"C{place}", label=stage)
        ends = np.array(panel.get_xlim())
        ends = np.array([1, ends[1]])
        panel.plot(ends, ends, ":", color="0.6", lw=1, zorder=0)
        panel.set(xscale="log", yscale="log", xlabel=UNITS[axis])
        panel.tick_params(labelsize=7, which="both")
        panel.xaxis.label.set_size(8)
    figure.axes[0].set_ylabel("cost, smallest = 1", fontsize=8)
    handles = {text: h for ax in figure.axes for h, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=6, fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure, print, draw and keep."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder))
    draw(found, ROOT / "docs/images/scale.png")
    axes = [*AXES, "models"]
    cells = []
    for stage, by_axis in found.items():
        cells.append([stage, *(f"{exponent(by_axis[axis]):.2f}" if axis in by_axis else "" for axis in axes)])
        print(" | ".join(cells[-1]))
    how = "Exponents between " + ", ".join(f"{UNITS[axis]} {sizes[-2]} and {sizes[-1]}" for axis, sizes in AXES.items())
    keep_table(
        "scale", ["stage", *axes], cells, f"{how}; of the plan, {COPIES[-2]} and {COPIES[-1]} times quick's models."
    )


if __name__ == "__main__":
    main()
