"""How near the processor's peak the trainings of `quick` are: their seconds beside those of matrix products alone.

For each model that learns by gradients: whole steps (clips drawn, loss, gradients, optimiser) at the study's own batch,
level and one thread, and between them products of two large matrices, whose speed no convolution can be expected to
pass. Counted operations at that speed, and everything else for nothing, are the least that the training could cost
without doing less.

    python benchmarks/peak.py            # a minute of one core
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import tempfile
from pathlib import Path

from rows import keep_table, seconds_of_both

from whatmoves.arithmetic.level import set_level
from whatmoves.loading import load_study

ROOT = Path(__file__).parents[1]
STUDY = load_study(ROOT / "config/config.yaml")
set_level(STUDY.arithmetic)  # before PyTorch is imported

import torch

from whatmoves import plugins
from whatmoves.models.interface import Step, Trains
from whatmoves.training import runtime
from whatmoves.training.estimate import operations_per_clip
from whatmoves.training.loop import _prepare
from whatmoves.training.optimiser import make_optimiser

CPU = torch.device("cpu")
TURNS, SIDE = 15, 1024


def measured(model: str, dataset: str, folder: Path) -> tuple[float, float, float]:
    """Operations of a step, and of the processor the seconds that it takes and that they take as a matrix product."""
    data, entry, training = STUDY.data[dataset], STUDY.models[model], STUDY.training_of(model)
    source = plugins.open_source(data.kind, data.options, folder)
    torch.manual_seed(0)
    net = plugins.build_model(entry.kind, entry.options, source.shape)
    assert isinstance(net, Trains)
    _prepare(net, training, CPU)
    optimiser = make_optimiser(net, training, CPU)
    size, matrix = training.batch_size, torch.rand(SIDE, SIDE)

    clips_seen = itertools.count(step=size)

    def step() -> None:
        net.train()
        seen = next(clips_seen)
        batch = source.train_batch(0, seen, size, CPU)
        optimiser.zero_grad(set_to_none=True)
        net.loss(batch, Step(seen, training.clips))["total"].backward()
        optimiser.step()

    step_s, product_s = seconds_of_both(step, lambda: matrix @ matrix, TURNS)
    operations = operations_per_clip(entry, source.shape, f"models.{model}") * size
    return operations, step_s, operations * product_s / (2 * SIDE**3)


def main() -> None:
    """Print and keep a line for each training, and one for all of them with all their seeds."""
    runtime.prepare(CPU, 1, STUDY.arithmetic)
    cells, all_s, all_least_s = [], 0.0, 0.0
    with tempfile.TemporaryDirectory() as name:
        for dataset, data in STUDY.data.items():
            folder = Path(name) / dataset
            folder.mkdir()
            plugins.data_module(data.kind).make(plugins.data_config(data.kind, data.options), folder)
            for model, entry in STUDY.models.items():
                if dataset not in entry.trains_on or not issubclass(plugins.model_module(entry.kind).Model, Trains):
                    continue
                training = STUDY.training_of(model)
                operations, step_s, least_s = measured(model, dataset, folder)
                steps = training.clips / training.batch_size
                all_s += step_s * steps * len(STUDY.seeds_of(model))
                all_least_s += least_s * steps * len(STUDY.seeds_of(model))
                cells.append(row(f"{model} on {dataset}", operations / 1e9, step_s * steps, least_s * steps))
    cells.append(row("all of them, each with its seeds", None, all_s, all_least_s))
    how = f"Of the processor, at the `{STUDY.arithmetic}` level, one thread; steps and products by turns."
    keep_table("peak", ("training of `quick`", "10⁹ operations a step", "seconds", "at least", "share"), cells, how)


def row(what: str, operations: float | None, took_s: float, least_s: float) -> list[str]:
    """Cells of the table, printed."""
    cells = [what, "" if operations is None else f"{operations:.2f}", f"{took_s:,.0f}", f"{least_s:,.0f}"]
    cells.append(f"{least_s / took_s:.0%}")
    print(" | ".join(cells), flush=True)
    return cells


if __name__ == "__main__":
    main()
