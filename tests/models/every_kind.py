"""Every model kind of the package at a small size, and with each of its options moved alone: found, not listed."""

import typing
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NamedTuple

import torch
from pydantic import BaseModel
from tools import ROOT

from whatmoves.data.clips import Batch, ClipShape, past_of
from whatmoves.errors import ConfigError
from whatmoves.loading import load_study
from whatmoves.models.interface import Step
from whatmoves.plugins import build_model, model_config, model_kinds, model_module, open_source
from whatmoves.study import Study, Training
from whatmoves.training.estimate import noise

KINDS = model_kinds()
CONTROLLED = ClipShape(frames=6, channels=3, height=16, width=16, actions=2, states=3)
HALFWAY = Step(1, 2)


class Entry(NamedTuple):
    """A model with the clips it is for, the frames its predictions start from, and how it is trained."""

    kind: str
    options: dict[str, Any]
    shape: ClipShape
    past: int
    training: Training

    @property
    def learns(self) -> bool:
        """Whether it is trained by gradients: floors and PCA are fitted, or know nothing."""
        return hasattr(model_module(self.kind).Model, "loss")

    def model(self) -> Any:
        """With fresh weights, the same every time."""
        torch.manual_seed(0)
        return build_model(self.kind, self.options, self.shape)

    def batch(self, count: int = 4) -> Batch:
        """Noise with all that the clips have, and the centres of one object; the same every time."""
        torch.manual_seed(1)
        return noise(self.shape, count)


def entries(study: Study) -> dict[str, Entry]:
    """The models of a study by name, each on its first data set, unless their settings are those of another."""
    found: dict[str, Entry] = {}
    for name, model in study.models.items():
        data = study.data[model.trains_on[0]]
        shape = open_source(data.kind, data.options, Path("unread")).shape
        past = past_of(data.past_frames, shape.frames)
        entry = Entry(model.kind, model.options, shape, past, study.training_of(name))
        if all((entry.kind, entry.options) != (other.kind, other.options) for other in found.values()):
            found[name] = entry
    return found


TINY = load_study(ROOT / "config" / "tiny.yaml")
SMALL = entries(TINY)
"""Small models of every kind. One that the tiny study has not comes as its original was."""
for _kind in set(KINDS) - {entry.kind for entry in SMALL.values()}:
    _shape = model_module(_kind).FULL_SHAPE
    SMALL[_kind] = Entry(_kind, {}, _shape, past_of(None, _shape.frames), TINY.training)


def moved_options(entry: Entry) -> Iterator[Entry]:
    """The entry with each option that switches something on or off or to another way, moved alone.

    Moved are yes-or-no options, options with named ways (to each of the others), optional numbers (given or taken
    away), and numbers that count or weigh nothing more than usual: a whole 1 becomes 2 and a real 0 becomes 1. Left out
    is what cannot stand alone on these clips: a config says so in one line.
    """
    config = model_config(entry.kind, entry.options)
    for name in type(config).model_fields:
        for value in _others(config, name):
            moved = entry._replace(options={**entry.options, name: value})
            try:
                with torch.device("meta"):
                    moved.model()
            except ConfigError:
                continue
            yield moved


def _others(config: BaseModel, name: str) -> Iterator[Any]:
    value, annotation = getattr(config, name), type(config).model_fields[name].annotation
    kinds = typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        yield from (other for other in kinds if other != value)
    elif annotation is bool:
        yield not value
    elif NoneType in kinds and value is not None:
        yield None
    elif value is None:
        yield from (8 for kind in kinds if kind is int)
    elif annotation is int and value == 1:
        yield 2
    elif annotation is float and value == 0:
        yield 1.0
