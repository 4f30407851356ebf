"""What is searched, declared in a file beforehand: a grid for each model, all of the same number of points."""

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from whatmoves import plugins
from whatmoves.errors import ConfigError
from whatmoves.searching.record import Score
from whatmoves.settings import Settings
from whatmoves.study import Study
from whatmoves.yaml_files import read_yaml

DEFAULT_GRID = "default"


class Space(Settings):
    """The search. Keys of a grid are `training.<setting>` or `options.<setting>`; `with` adds what a choice brings.

    Every point is tried with the first seed, the `finalists` best with the others too: one run's luck decides nothing.
    Each run takes `share` of its model's clips.
    """

    models: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    finalists: int = Field(2, ge=1)
    share: float = Field(1.0, gt=0, le=1)
    grids: dict[str, dict[str, list[Any]]] = Field(min_length=1)
    scores: dict[str, Score] = Field({})
    along: dict[str, dict[str, dict[str, Any]]] = Field({}, alias="with")

    @model_validator(mode="after")
    def _every_model_is_treated_alike(self) -> "Space":
        for names, known, key in (
            (self.grids, {*self.models, DEFAULT_GRID}, "grids"),
            (self.scores, set(self.models), "scores"),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(f"{key}.{name} is of no model of this search; known: {', '.join(sorted(known))}")
        for name, grid in self.grids.items():
            for key, values in grid.items():
                if key.partition(".")[0] not in ("training", "options") or not key.partition(".")[2]:
                    raise ValueError(f"grids.{name}.{key}: a key must be training.<setting> or options.<setting>")
                if any(value in values[:place] for place, value in enumerate(values)):
                    raise ValueError(f"grids.{name}.{key} is {values}, with a value twice; name each once")
        lacking = [model for model in self.models if model not in self.grids and DEFAULT_GRID not in self.grids]
        if lacking:
            raise ValueError(f"grids has none for {lacking[0]} and no {DEFAULT_GRID}; add one of them")
        counts = {model: math.prod(len(values) for values in self.grid_of(model).values()) for model in self.models}
        if len(set(counts.values())) > 1 or not all(counts.values()):
            listed = ", ".join(f"{model} {count}" for model, count in counts.items())
            raise ValueError(f"grids differ in their number of points ({listed}); give every model the same number")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds is {list(self.seeds)}, with a seed twice; name each seed once")
        for key, choices in self.along.items():
            known = {_spelled(value) for grid in self.grids.values() for value in grid.get(key, [])}
            for choice in choices:
                if known and choice not in known:
                    listed = ", ".join(sorted(known))
                    raise ValueError(f"with.{key}.{choice} is no value that a grid gives to {key}; known: {listed}")
        return self

    def grid_of(self, model: str) -> dict[str, list[Any]]:
        """A model's own grid, or the one for all that have none."""
        return self.grids.get(model, self.grids.get(DEFAULT_GRID, {}))

    def clips_of(self, study: Study, model: str) -> int:
        """Clips that each run of a model trains on: the study's, or a share of them in whole batches."""
        training = study.training_of(model)
        if self.share == 1:
            return training.clips
        return max(1, round(self.share * training.clips / training.batch_size)) * training.batch_size

    def points(self, model: str) -> list[dict[str, Any]]:
        """Every point of a model's grid, with what its choices bring along."""
        grid = self.grid_of(model)
        points = []
        for values in itertools.product(*grid.values()):
            point = dict(zip(grid, values, strict=True))
            for key, value in list(point.items()):
                point |= self.along.get(key, {}).get(_spelled(value), {})
            points.append(point)
        return points


def _spelled(value: Any) -> str:
    """A value of a grid as `with` names it: `true`, `0.001`, `mse`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def load_space(path: Path) -> Space:
    """The declared search; raises `ConfigError` in one line."""
    raw = read_yaml(path, "no such file; a search is declared there", "`models`, `seeds` and `grids`")
    try:
        return Space.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(plugins.one_line(error, f"{path}:", Space)) from None


def changed(study: Study, model: str, point: Mapping[str, Any]) -> Study:
    """The study with one model's training and options as in `point`; raises `ConfigError` for an unknown model."""
    if model not in study.models:
        raise ConfigError(f"the search names {model!r}, which is no model of study {study.study}")
    raw = study.model_dump(mode="json")
    for key, value in point.items():
        section, _, name = key.partition(".")
        raw["models"][model][section][name] = value
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"the search: {plugins.one_line(error, '', Study)}") from None


def score_of(study: Study, space: Space, model: str) -> Score:
    """What a model is scored by: as declared, else its reconstruction or, where it has none, its prediction.

    Raises `ConfigError` before any work for a model that cannot do it and for a point that is none of its settings.
    """
    for point in space.points(model):
        entry = changed(study, model, point).models[model]
        plugins.model_config(entry.kind, entry.options, f"the search: models.{model}")
    kind = study.models[model].kind
    able = plugins.model_module(kind).Model
    ways: dict[Score, str] = {"reconstruction": "reconstruct", "prediction": "predict"}
    can = [score for score, ability in ways.items() if callable(getattr(able, ability, None))]
    wanted = space.scores.get(model)
    if not can or (wanted and wanted not in can):
        raise ConfigError(f"the search: {model} gives no {wanted or 'reconstruction or prediction'} to be scored by")
    return wanted or can[0]
