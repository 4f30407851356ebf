"""The first training steps of models, as the training loop takes them: speed, memory, waiting, and the loss.

It is `whatmoves.training.loop` that runs, on the study's own clips, batch size and schedules; the data set is wrapped
to see each step begin, and asks the loop to stop as a signal would. The clock runs from one batch to a later one with
the GPU waited for at both ends, never between them.
"""

import gc
import json
import logging
import shutil
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from whatmoves import plugins
from whatmoves.data.clips import Batch, Source, Split
from whatmoves.errors import WhatMovesError
from whatmoves.loading import load_study
from whatmoves.study import Study
from whatmoves.training import runtime
from whatmoves.training.loop import Run, train_by_gradient

log = logging.getLogger(__name__)

WAYS = {
    "bf16": {"precision": "bf16", "compile": False},
    "fp32": {"precision": "fp32", "compile": False},
    "bf16 compiled": {"precision": "bf16", "compile": True},
}
SYNCHRONISING = "synchronizing CUDA operation"  # words of PyTorch's warning
WARM_S, SLOWEST_S = 2.0, 5.0
"""A model that has not taken its first or all its steps in this time is measured on those it took: of those that cost
most, 200 would take minutes."""


class Watched:
    """A `Source` that times the steps of whoever asks it for batches, and asks them to stop after `steps`."""

    def __init__(self, source: Source, steps: int, warm: int, stop: runtime.StopSignal, seen: list[Any]) -> None:
        self.source, self.shape = source, source.shape
        self.steps, self.warm, self.stop, self.seen = steps, warm, stop, seen
        self.asked, self.timed_from, self.timed_steps = 0, 0, 0
        self.begun_s, self.seconds, self.first_step_s, self.peak_mib = time.perf_counter(), 0.0, 0.0, 0.0

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """The batch; on the way the clock is started, read, or the loop asked to stop."""
        now_s = time.perf_counter()
        if self.asked == 1:
            _wait(device)
            self.first_step_s, self.begun_s = time.perf_counter() - self.begun_s, time.perf_counter()
        elif not self.timed_from and (self.asked == self.warm or (self.asked and now_s - self.begun_s > WARM_S)):
            self._begin(device)
        elif self.timed_from and (self.asked == self.steps or now_s - self.begun_s > SLOWEST_S):
            self._end(device)
        self.asked += 1
        return self.source.train_batch(seed, first, count, device)

    def _begin(self, device: torch.device) -> None:
        _wait(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            torch.cuda.set_sync_debug_mode("warn")
        self.seen.clear()
        self.timed_from, self.begun_s = self.asked, time.perf_counter()

    def _end(self, device: torch.device) -> None:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")
        _wait(device)
        self.seconds, self.timed_steps = time.perf_counter() - self.begun_s, self.asked - self.timed_from
        self.peak_mib = runtime.peak_memory_mib(device)
        self.stop.number = 1  # the loop takes this step too, saves its state, and raises

    def train_split(self, count: int) -> Split:
        """As the source."""
        return self.source.train_split(count)

    def split(self, name: str) -> Split:
        """As the source."""
        return self.source.split(name)


def measure(
    study: Study, dataset: str, model: str, way: str, data_folder: Path, folder: Path, device: torch.device,
    steps: int, warm: int,
) -> dict[str, Any]:  # fmt: skip
    """Take `steps` steps of a model in one of the `WAYS`, the first `warm` of them before the clock starts.

    Returns JSON: `clips_per_s`, `step_ms`, `first_step_s` (with compilation), `peak_mib`, `syncs_per_step` (null
    without CUDA) and where they were, `losses` (total of each step), `steps` that were timed.
    """
    entry, data = study.models[model], study.data[dataset]
    training = study.training_of(model).model_copy(update=WAYS[way])
    never = training.clips + training.batch_size
    training = training.model_copy(update={"log_every": never, "validate_every": never, "checkpoint_every": never})
    source = plugins.open_source(data.kind, data.options, data_folder / dataset, f"data.{dataset}")
    torch.manual_seed(0)
    network = plugins.build_model(entry.kind, entry.options, source.shape, f"models.{model}")
    stop, state_file = runtime.StopSignal(), folder / "state.pt"
    state_file.unlink(missing_ok=True)  # or it would go on from there
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        watched = Watched(source, steps, warm, stop, seen)
        try:
            train_by_gradient(Run(model, training, 0, device, state_file, folder, {}), network, watched, stop)
        except runtime.Interrupted:
            pass
        finally:
            if device.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")
    waits = [warning for warning in seen if SYNCHRONISING in str(warning.message)]
    places = Counter(f"{Path(warning.filename).name}:{warning.lineno}" for warning in waits)
    progress = torch.load(state_file, map_location="cpu", weights_only=True)["progress"]
    totals = torch.stack(progress["window"])[:, progress["terms"].index("total")]  # [steps]
    clips = watched.timed_steps * training.batch_size
    return {
        "dataset": dataset,
        "model": model,
        "way": way,
        "steps": watched.timed_steps,
        "clips_per_s": clips / watched.seconds,
        "step_ms": 1e3 * watched.seconds / watched.timed_steps,
        "first_step_s": watched.first_step_s,
        "peak_mib": watched.peak_mib,
        "syncs_per_step": len(waits) / watched.timed_steps if device.type == "cuda" else None,
        "syncs_at": dict(places.most_common(5)),
        "losses": totals.tolist(),
    }


def wanted(study: Study, ways: list[str]) -> list[tuple[str, str, str]]:
    """(data set, model, way) of all that learns by gradients, the first of each kind before the others."""
    trained = []
    for model, entry in study.models.items():
        if hasattr(plugins.model_module(entry.kind).Model, "loss"):
            trained += [(dataset, model) for dataset in entry.trains_on]
    kinds = [study.models[model].kind for _, model in trained]
    first = [pair for index, pair in enumerate(trained) if kinds.index(kinds[index]) == index]
    order = first + [pair for pair in trained if pair not in first]
    return [(*pair, way) for way in ways for pair in order]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main(plan_file: str, lines_file: str) -> None:
    """Measure what a plan names, in its order, and add one line of JSON to a file for each: the parent may end this at
    any moment, and reads what is there."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("whatmoves.training.loop").setLevel(logging.WARNING)
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    study, folder = load_study(Path(plan["study"])), Path(plan["folder"])
    device = runtime.choose_device(plan["device"])
    runtime.prepare(device, study.training.threads, study.arithmetic)
    with Path(lines_file).open("a", encoding="utf-8") as lines:
        for dataset, model, way in plan["wanted"]:
            try:
                row = measure(
                    study, dataset, model, way, Path(plan["data"]), folder, device, plan["steps"], plan["warm_steps"]
                )
                told = "" if row["syncs_per_step"] is None else f", {row['syncs_per_step']:.2g} syncs a step"
                log.info(
                    "  %-22s %-13s %8.0f clips/s %8.1f ms/step %7.0f MiB, last loss %.5g%s",
                    model, way, row["clips_per_s"], row["step_ms"], row["peak_mib"], row["losses"][-1], told,
                )  # fmt: skip
            except (WhatMovesError, RuntimeError, NotImplementedError) as error:  # the next may do well
                said = next(iter(str(error).splitlines()), type(error).__name__)
                row = {"dataset": dataset, "model": model, "way": way, "error": said}
                log.info("  %-22s %-13s failed: %s", model, way, said)
            lines.write(json.dumps(row) + "\n")
            lines.flush()
            shutil.rmtree(folder, ignore_errors=True)
            torch.compiler.reset()
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main(*sys.argv[1:])
