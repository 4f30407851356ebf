"""The training loop: learning rate, batch, loss, backward, clip, step; every so often log, validate, save.

Knows no model by name. What happens when depends on the clips seen and on nothing else, so a run that was interrupted
anywhere ends at the same bytes (on a CPU with the same number of threads).
"""

import contextlib
import logging
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from whatmoves.blame import blaming
from whatmoves.data.clips import Source
from whatmoves.errors import TrainingError
from whatmoves.models.answers import require_same_terms, require_terms
from whatmoves.models.interface import Step, Trains
from whatmoves.study import Training
from whatmoves.training.checkpoint import Progress, load_state, save_state
from whatmoves.training.failure import circumstances
from whatmoves.training.history import Row, open_tensorboard, write_tensorboard
from whatmoves.training.optimiser import clip_gradients, learning_rate, make_optimiser
from whatmoves.training.runtime import StopSignal, autocast, warn_if_slow
from whatmoves.training.validation import in_words, keep_if_best, require_finite, validate

log = logging.getLogger(__name__)


class Run(NamedTuple):
    """One training: what it is (`identity`: JSON that a resumed state must equal) and where its files stand."""

    name: str
    training: Training
    seed: int
    device: torch.device
    state_file: Path
    events_folder: Path
    identity: dict[str, Any]
    loss: str = "the loss"  # the file and the method that a message names


def train_by_gradient(run: Run, model: nn.Module, source: Source, stop: StopSignal) -> Progress:
    """Train `model` in place, from the start or from `run.state_file`; it ends with its best weights.

    The budget is rounded up to whole batches. Best is the lowest validation total, with all schedules at their end, of
    those from which on the loss that is trained is this one (`settled` in `whatmoves.models.interface`).
    Raises `TrainingError` when a loss or a weight is not finite, `Interrupted` after saving when a signal arrived.
    """
    assert isinstance(model, Trains)
    training, device, size = run.training, run.device, run.training.batch_size
    total = math.ceil(training.clips / size) * size
    _prepare(model, training, device)
    optimiser = make_optimiser(model, training, device)
    scaler = torch.amp.GradScaler(device.type, enabled=training.precision == "fp16")
    state = (model, optimiser, scaler)
    validation = source.split("validation")
    settled_clips = min(total, math.ceil(getattr(model, "settled", 0.0) * total))
    log.info("budget: %s clips in %s steps", f"{total:,}", f"{total // size:,}")

    progress = Progress()
    if run.state_file.exists():
        progress = load_state(run.state_file, run.identity, *state, device)
        log.info("resuming after %s clips", f"{progress.clips_seen:,}")
    events = open_tensorboard(run.events_folder, progress.clips_seen + 1) if training.tensorboard else None

    started, earlier_s, steps_here, estimated = time.perf_counter(), progress.elapsed_s, 0, False
    with _progress_bar(total, progress.clips_seen) as bar:
        while progress.clips_seen < total and progress.bad_validations < (training.patience or math.inf):
            step = Step(progress.clips_seen, total)
            # At the middle of the step: neither the first nor the last step has rate 0.
            rate = learning_rate(training, (step.clips_seen + size / 2) / total)
            for group in optimiser.param_groups:
                group["lr"] = rate

            batch = source.train_batch(run.seed, step.clips_seen, size, device)
            optimiser.zero_grad(set_to_none=True)  # before the loss: its activations can take the gradients' memory
            with autocast(device, training.precision), blaming(model.loss, f"video {list(batch.video.shape)}"):
                terms: dict[str, Tensor] = model.loss(batch, step)
            if steps_here == 0:
                require_terms(model, terms)
            scaler.scale(terms["total"]).backward()  # type: ignore[no-untyped-call]
            scaler.unscale_(optimiser)
            clip_gradients(model, training)
            scaler.step(optimiser)
            scaler.update()

            progress.terms = progress.terms or list(terms)
            require_same_terms(model, progress.terms, terms)
            # Stays on the device: reading a value here would make a GPU wait at every step.
            progress.window.append(torch.stack([value.detach().float() for value in terms.values()]))
            progress.clips_seen += size
            steps_here += 1
            here_s = time.perf_counter() - started
            progress.elapsed_s = earlier_s + here_s
            bar.update(size)

            logs, validates, saves = (
                progress.clips_seen == total or progress.clips_seen // every > step.clips_seen // every
                for every in (training.log_every, training.validate_every, training.checkpoint_every)
            )
            if logs or validates:
                means = _close_window(run, source, progress, rate)
                row: Row = {"clips": progress.clips_seen, "learning_rate": rate, **means}
                if validates:
                    scores = validate(model, validation, training, device)
                    require_finite(run.name, progress, scores, validation, training, run.loss)
                    row |= keep_if_best(run.name, model, progress, scores, total, settled_clips)
                progress.rows.append(row)
                _show(bar, row, total, steps_here * size / here_s)
                if events is not None:
                    write_tensorboard(events, row)
            if saves or stop.number:
                _read_window(run, source, progress, rate)
                _require_finite_weights(run, source, model, progress, rate)
                save_state(run.state_file, run.identity, *state, progress, device)
            if stop.number:
                log.info("stopped after %s clips; the same command resumes", f"{progress.clips_seen:,}")
                stop.raise_if_set()
            if not estimated and (steps_here == 20 or here_s > 30):
                estimated = True
                warn_if_slow(device, here_s / (steps_here * size) * (total - progress.clips_seen))

    progress.stopped_early = progress.clips_seen < total
    if progress.stopped_early:
        log.warning(
            "%s: stopped early, after %s of %s clips: %s validations in a row (training.patience) were no better than "
            "that after %s clips, whose weights are kept",
            run.name, f"{progress.clips_seen:,}", f"{total:,}", training.patience, f"{progress.best_clips:,}",
        )  # fmt: skip
    if events is not None:
        events.close()
    model.load_state_dict(progress.best_weights)
    return progress


def _prepare(model: nn.Module, training: Training, device: torch.device) -> None:
    model.to(device).train()
    if not training.channels_last:
        model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # models are built channels last
    else:
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    if training.compile:
        for child in model.children():  # schedules stay outside the graphs: a changing β must not compile again
            child.compile()


def _read_window(run: Run, source: Source, progress: Progress, rate: float) -> list[list[float]]:
    """Loss terms of each step since the last row, as `[steps][terms]`; raises where one is not finite."""
    if not progress.window:
        return []
    values: list[list[float]] = torch.stack(progress.window).tolist()
    for index, terms in enumerate(values):
        if not all(math.isfinite(value) for value in terms):
            step = progress.clips_seen // run.training.batch_size - len(values) + index + 1
            found = in_words(dict(zip(progress.terms, terms, strict=True)))
            raise _failure(run, source, step, f"gave {found}", rate)
    return values


def _close_window(run: Run, source: Source, progress: Progress, rate: float) -> Row:
    """Mean of each term since the last row; empties the window."""
    values = _read_window(run, source, progress, rate)
    progress.window = []
    means = (math.fsum(column) / len(values) for column in zip(*values, strict=True))
    return {f"train_{name}": mean for name, mean in zip(progress.terms, means, strict=True)}


def _require_finite_weights(run: Run, source: Source, model: nn.Module, progress: Progress, rate: float) -> None:
    """Refuse to save weights that a bad gradient has spoilt after the last finite loss."""
    if not torch.stack([p.detach().isfinite().all() for p in model.parameters()]).all():
        step = progress.clips_seen // run.training.batch_size
        raise _failure(run, source, step, "made weights not finite", rate)


def _failure(run: Run, source: Source, step: int, what: str, rate: float) -> TrainingError:
    """With all that is known of a step, counted from 1: its batch is made once more."""
    size = run.training.batch_size
    batch = source.train_batch(run.seed, (step - 1) * size, size, run.device)
    known = circumstances(run.training, batch, run.loss, moved=step > 1 or "weights" in what)
    return TrainingError(f"{run.name}: step {step} {what}, at learning rate {rate:.3g}, {known}")


@contextlib.contextmanager
def _progress_bar(total: int, done: int) -> "Iterator[tqdm[Any]]":
    """A bar where a person looks at a terminal; invisible in a log, which gets plain lines."""
    visible = sys.stderr.isatty()
    redirect = logging_redirect_tqdm() if visible else contextlib.nullcontext()
    with redirect, tqdm(total=total, initial=done, unit="clip", disable=not visible) as bar:
        yield bar


def _show(bar: "tqdm[Any]", row: Row, total: int, clips_per_s: float) -> None:
    shown = {n: float(v) for n, v in row.items() if n == "learning_rate" or n.startswith(("train_", "validation_"))}
    if bar.disable:
        log.info("%s/%s clips: %s, %.0f clips/s", f"{row['clips']:,}", f"{total:,}", in_words(shown), clips_per_s)
    else:
        bar.set_postfix_str(in_words({n: v for n, v in shown.items() if n.endswith("_total")}))
