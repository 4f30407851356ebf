"""One training run, from a study to files: what `whatmoves train` does.

`out_folder` gets, all at the end:

- `checkpoint.pt`: the best weights and what they are of (`whatmoves.training.checkpoint.load_checkpoint` reads it);
- `history.csv`: losses over clips, without wall times;
- `timings.json`: seconds, speed, memory and machine, which differ from run to run.

`work_folder` holds the resumable state and a lock while the run lasts, and is gone after success.
"""

import logging
import math
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from whatmoves import plugins
from whatmoves.blame import place_of
from whatmoves.data.clips import Batch, Source, past_of
from whatmoves.errors import ConfigError
from whatmoves.files import write_json
from whatmoves.models.answers import require_answers
from whatmoves.models.interface import Fits, Trains
from whatmoves.study import Study
from whatmoves.training import runtime
from whatmoves.training.checkpoint import Progress, save_checkpoint
from whatmoves.training.history import write_history
from whatmoves.training.loop import Run, train_by_gradient
from whatmoves.training.optimiser import learning_rate
from whatmoves.training.validation import collapsed_terms

log = logging.getLogger(__name__)

TRIED_CLIPS = 2  # that a model answers of before it is trained
FIT_CLIPS = 20_000
"""Most clips that a model without gradients is fitted on."""


def train(
    study: Study,
    dataset: str,
    model: str,
    seed: int,
    data_folder: Path,
    out_folder: Path,
    work_folder: Path,
    device: str = "auto",
    inputs: Mapping[str, Any] | None = None,
) -> None:
    """Train one model of a study on one of its data sets with one seed, or go on where a killed run left off.

    `data_folder` is the folder of this data set's stored splits. `inputs` (JSON) identifies the files that are read:
    state is resumed on these alone. Raises `ConfigError`, `DataError`, `CheckpointError` (state of other settings or
    inputs in `work_folder`) or `TrainingError`, and `Interrupted` (exit code 130 or 143) after
    Ctrl-C or SIGTERM, with the state saved.
    """
    for name, known, key in ((dataset, study.data, "data"), (model, study.models, "models")):
        if name not in known:
            raise ConfigError(f"{key}.{name} is not in study {study.study}; known: {', '.join(sorted(known))}")
    entry, data, training = study.models[model], study.data[dataset], study.training_of(model)
    learning_rate(training, 0.0)  # refuses impossible schedules before any work
    config = plugins.model_config(entry.kind, entry.options, f"models.{model}")
    chosen = runtime.choose_device(device)
    runtime.prepare(chosen, training.threads, study.arithmetic)
    runtime.require_writable(out_folder)

    with runtime.locked(work_folder), runtime.stop_signals() as stop:
        source = plugins.open_source(data.kind, data.options, data_folder, f"data.{dataset}")
        torch.manual_seed(seed)
        net = plugins.build_model(entry.kind, entry.options, source.shape, f"models.{model}")
        parameters = sum(p.numel() for p in net.parameters())
        log.info("device: %s, %d of %s threads", runtime.describe_device(chosen), training.threads, os.cpu_count())
        log.info("parameters: %s", f"{parameters:,}")

        meta: dict[str, Any] = {
            "kind": entry.kind,
            "options": config.model_dump(mode="json"),
            "shape": source.shape._asdict(),
            "model": model,
            "dataset": dataset,
            "seed": seed,
        }
        settings = {"data": data.model_dump(mode="json"), "training": training.model_dump(mode="json")}
        run = Run(
            name=f"{dataset}/{model}/seed-{seed}",
            training=training,
            seed=seed,
            device=chosen,
            state_file=work_folder / "state.pt",
            events_folder=out_folder / "tensorboard",
            identity={**meta, **settings, "inputs": inputs},
            loss=place_of(net.loss) if isinstance(net, Trains) else "",
        )
        if not (isinstance(net, Fits) or run.state_file.exists()):  # before hours of training, not after
            past_frames = past_of(data.past_frames, source.shape.frames)
            require_answers(net.to(chosen).eval(), source.train_batch(seed, 0, TRIED_CLIPS, chosen), past_frames)
        if isinstance(net, Fits):
            progress = _fit(run, net, source, stop)
        elif parameters:
            progress = train_by_gradient(run, net, source, stop)
        else:
            progress = Progress(rows=[{"clips": 0}])

        write_history(out_folder / "history.csv", progress.rows)
        write_json(out_folder / "timings.json", _timings(run, progress, parameters))
        validated = math.isfinite(progress.best_loss)
        meta |= {
            "clips_seen": progress.clips_seen,
            "stopped_early": progress.stopped_early,
            "best_clips": progress.best_clips if validated else None,
            "best_validation": progress.best_loss if validated else None,
            "validation": progress.best_terms,
            "collapsed": collapsed_terms(progress.best_terms),
        }
        save_checkpoint(out_folder / "checkpoint.pt", net, meta)


def _fit(run: Run, model: nn.Module, source: Source, stop: runtime.StopSignal) -> Progress:
    """Show a model without gradients the training stream once."""
    clips, size = min(run.training.clips, FIT_CLIPS), run.training.batch_size

    def batches() -> Iterator[Batch]:
        for first in range(0, clips, size):
            stop.raise_if_set()
            yield source.train_batch(run.seed, first, min(size, clips - first), run.device)

    log.info("budget: %s clips", f"{clips:,}")
    started = time.perf_counter()
    with torch.no_grad():
        model.to(run.device)
        assert isinstance(model, Fits)
        model.fit(batches())
    return Progress(clips_seen=clips, rows=[{"clips": clips}], elapsed_s=time.perf_counter() - started)


def _timings(run: Run, progress: Progress, parameters: int) -> dict[str, Any]:
    return {
        "seconds": progress.elapsed_s,
        "clips": progress.clips_seen,
        "clips_per_s": progress.clips_seen / progress.elapsed_s if progress.elapsed_s else None,
        "interruptions": progress.interruptions,
        "parameters": parameters,
        "peak_memory_mib": runtime.peak_memory_mib(run.device),
        "device": runtime.describe_device(run.device),
        "threads": run.training.threads,
        "host_threads": os.cpu_count(),
        "torch": torch.__version__,
    }
