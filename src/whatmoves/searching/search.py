"""A fair search: the same grid, the same clips and the same score for every model, chosen on validation clips.

Optuna walks the grid; what is searched is declared in a file beforehand, and the record keeps every trial.
"""

import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from pydantic import Field, ValidationError

from whatmoves import plugins
from whatmoves.errors import ConfigError
from whatmoves.settings import Settings
from whatmoves.study import Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.train import train


class Space(Settings):
    """What is searched. Keys are `training.<setting>` or `options.<setting>`; `with` adds what a choice brings.

    Every point is tried with the first seed, the `finalists` best with the others too: one run's luck decides nothing.
    """

    models: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    finalists: int = Field(2, ge=1)
    grid: dict[str, list[Any]] = Field(min_length=1)
    along: dict[str, dict[str, dict[str, Any]]] = Field({}, alias="with")

    def trials(self) -> list[dict[str, Any]]:
        """Every point of the grid, with what its choices bring along."""
        points = []
        for values in itertools.product(*self.grid.values()):
            point = dict(zip(self.grid, values, strict=True))
            for key, value in list(point.items()):
                point |= self.along.get(key, {}).get(str(value), {})
            points.append(point)
        return points


def load_space(path: Path) -> Space:
    """The declared search; raises `ConfigError` in one line."""
    try:
        return Space.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; a search is declared there") from None
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"{path}: not a search: {' '.join(str(error).split())}") from None


def changed(study: Study, model: str, point: Mapping[str, Any]) -> Study:
    """The study with one model's training and options as in `point`; raises `ConfigError` for an unknown model."""
    if model not in study.models:
        raise ConfigError(f"the search names {model!r}, which is no model of study {study.study}")
    raw = study.model_dump(mode="json")
    for key, value in point.items():
        section, _, name = key.partition(".")
        raw["models"][model][section][name] = value
    return Study.model_validate(raw)


def search(
    study: Study, space: Space, model: str, dataset: str, data_folder: Path, device: str
) -> list[dict[str, Any]]:
    """All trials of one model, finalists first, each best first.

    A trial holds its point and, by seed, its squared error per pixel on the validation clips.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    points = space.trials()
    trials: list[dict[str, Any]] = []

    def error(point: dict[str, Any], seed: int) -> float:
        return _error(changed(study, model, point), model, seed, dataset, data_folder, device)

    def objective(trial: "optuna.Trial") -> float:
        point = points[trial.suggest_int("point", 0, len(points) - 1)]
        trials.append({"point": point, "validation_mse_pixel": {str(space.seeds[0]): error(point, space.seeds[0])}})
        return mean_error(trials[-1])

    sampler = optuna.samplers.GridSampler({"point": list(range(len(points)))}, seed=0)
    optuna.create_study(sampler=sampler).optimize(objective, n_trials=len(points))
    trials.sort(key=mean_error)
    finalists, others = trials[: space.finalists], trials[space.finalists :]
    for trial in finalists:
        for seed in space.seeds[1:]:
            trial["validation_mse_pixel"][str(seed)] = error(trial["point"], seed)
    return [*sorted(finalists, key=mean_error), *others]


def mean_error(trial: Mapping[str, Any]) -> float:
    """The mean over its seeds."""
    return float(np.mean(list(trial["validation_mse_pixel"].values())))


def _error(study: Study, model: str, seed: int, dataset: str, data_folder: Path, device: str) -> float:
    """Train once and reconstruct the validation clips: mean squared error per pixel."""
    with tempfile.TemporaryDirectory(prefix="whatmoves-search-") as name:
        folder = Path(name)
        train(study, dataset, model, seed, data_folder, folder / "out", folder / "work", device)
        loaded = load_checkpoint(folder / "out/checkpoint.pt", device="cpu")
    entry = study.data[dataset]
    split = plugins.open_source(entry.kind, entry.options, data_folder, f"data.{dataset}").split("validation")
    network: Any = loaded.model
    errors = []
    with torch.inference_mode():
        for first in range(0, len(split.video), study.evaluation.batch_size):
            video = split.batch(slice(first, first + study.evaluation.batch_size), torch.device("cpu")).video
            errors.append((network.reconstruct(video) - video).square().mean((1, 2, 3, 4)).numpy())
    return float(np.concatenate(errors).mean())
