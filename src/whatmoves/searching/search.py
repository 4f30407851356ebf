"""A fair search: as many points, the same clips and the same kind of score for every model, chosen on validation clips.

The grid is small enough to be tried whole. Each trial is kept as soon as it is done, so that an interrupted search
loses one at most.
"""

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from whatmoves import plugins
from whatmoves.data.clips import Batch, past_of
from whatmoves.errors import ConfigError
from whatmoves.models.interface import Future
from whatmoves.searching.record import Score, Trial
from whatmoves.searching.space import Space, changed
from whatmoves.study import Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.train import train

log = logging.getLogger(__name__)


def search(
    study: Study,
    space: Space,
    model: str,
    score: Score,
    dataset: str,
    data_folder: Path,
    device: str,
    done: Sequence[Trial] = (),
    keep: Callable[[Sequence[Trial]], None] = lambda trials: None,
) -> tuple[Trial, ...]:
    """All trials of one model, finalists first, each best first; those in `done` are not run again.

    `keep` gets all trials so far after each. Raises `ConfigError` where `done` holds a point that is not declared.
    """
    points, first = space.points(model), str(space.seeds[0])
    _refuse_foreign(space, model, done)
    tried = {points.index(trial.point): dict(trial.validation_mse_pixel) for trial in done}
    runs = len(points) + min(space.finalists, len(points)) * (len(space.seeds) - 1)

    def run(index: int, seed: int) -> None:
        number = sum(len(errors) for errors in tried.values()) + 1
        log.info("%s: run %d of %d: %s, seed %d", model, number, runs, points[index], seed)
        error = _error(changed(study, model, points[index]), model, seed, score, dataset, data_folder, device)
        log.info("%s: squared error of its %s %.5f", model, score, error)
        tried.setdefault(index, {})[str(seed)] = error
        keep(_ordered(points, tried, space))

    for index in range(len(points)):
        if first not in tried.get(index, {}):
            run(index, space.seeds[0])
    for index in sorted(tried, key=lambda index: tried[index][first])[: space.finalists]:
        for seed in space.seeds[1:]:
            if str(seed) not in tried[index]:
                run(index, seed)
    return _ordered(points, tried, space)


def is_complete(space: Space, model: str, trials: Sequence[Trial]) -> bool:
    """Whether nothing is left to run; raises `ConfigError` where a trial is of a point that is not declared."""
    _refuse_foreign(space, model, trials)
    seeds, points = {str(seed) for seed in space.seeds}, space.points(model)
    finalists = [trial for trial in trials if seeds <= set(trial.validation_mse_pixel)]
    return len(trials) == len(points) and len(finalists) >= min(space.finalists, len(points))


def _refuse_foreign(space: Space, model: str, trials: Sequence[Trial]) -> None:
    """Raise `ConfigError` for a trial of a point that the search does not declare."""
    points = space.points(model)
    for trial in trials:
        if trial.point not in points:
            raise ConfigError(
                f"the record of {model} holds {trial.point}, which the search no longer declares; "
                f"take {model} out of the record to search it anew"
            )


def _ordered(points: Sequence[Any], tried: dict[int, dict[str, float]], space: Space) -> tuple[Trial, ...]:
    """Finalists by the mean over their seeds, then the others by the first seed."""
    first = str(space.seeds[0])
    trials = [Trial(point=points[index], validation_mse_pixel=errors) for index, errors in tried.items()]
    trials.sort(key=lambda trial: trial.validation_mse_pixel[first])
    finalists, others = trials[: space.finalists], trials[space.finalists :]
    return (*sorted(finalists, key=lambda trial: trial.mean_error), *others)


def _error(study: Study, model: str, seed: int, score: Score, dataset: str, data_folder: Path, device: str) -> float:
    """Train once, and draw the validation clips: mean squared error per pixel of what the score names."""
    with tempfile.TemporaryDirectory(prefix="whatmoves-search-") as name:
        folder = Path(name)
        train(study, dataset, model, seed, data_folder, folder / "out", folder / "work", device)
        network: Any = load_checkpoint(folder / "out/checkpoint.pt", device="cpu").model
    entry = study.data[dataset]
    split = plugins.open_source(entry.kind, entry.options, data_folder, f"data.{dataset}").split("validation")
    past = past_of(entry.past_frames, split.video.shape[1])
    errors = []
    with torch.inference_mode():
        for first in range(0, len(split.video), study.evaluation.batch_size):
            batch = split.batch(slice(first, first + study.evaluation.batch_size), torch.device("cpu"))
            drawn, truth = _drawn(network, batch, score, past)
            errors.append((drawn - truth).square().mean((1, 2, 3, 4)).numpy())
    return float(np.concatenate(errors).mean())


def _drawn(network: Any, batch: Batch, score: Score, past: int) -> tuple[Tensor, Tensor]:
    """What is scored, and the truth: clips reconstructed, or their frames after the first `past` predicted in closed
    loop; a model that draws at random is asked for what it predicts without drawing."""
    if score == "reconstruction":
        return network.reconstruct(batch.video), batch.video
    given, truth = batch.video[:, :past], batch.video[:, past:]
    return network.predict(given, truth.shape[1], Future(batch.actions, batch.states)), truth
