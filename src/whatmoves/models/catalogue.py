"""All model kinds of the package with their origin, abilities and sizes: what `whatmoves models` prints.

A model module names its origin in `SOURCE` and the clips its original was made for in `FULL_SHAPE`.
"""

from pathlib import Path
from typing import Any

import torch

from whatmoves.data.clips import ClipShape
from whatmoves.models.interface import abilities
from whatmoves.plugins import build_model, model_kinds, model_module, open_source
from whatmoves.study import Study


def describe(study: Study) -> list[dict[str, Any]]:
    """One record a kind: `name`, `source`, `abilities`, `full_parameters`, `quick_parameters`.

    `quick_parameters` is the size of the kind's first entry in `study`; None where the study has none.
    """
    return [
        {
            "name": kind,
            "source": model_module(kind).SOURCE,
            "abilities": list(abilities(model_module(kind).Model)),
            "full_parameters": _parameters(kind, {}, model_module(kind).FULL_SHAPE),
            "quick_parameters": _in_study(study, kind),
        }
        for kind in model_kinds()
    ]


def _in_study(study: Study, kind: str) -> int | None:
    for name, entry in study.models.items():
        if entry.kind == kind:
            data = study.data[entry.trains_on[0]]
            shape = open_source(data.kind, data.options, Path("unread")).shape
            return _parameters(kind, entry.options, shape, where=f"models.{name}")
    return None


def _parameters(kind: str, options: dict[str, Any], shape: ClipShape, where: str | None = None) -> int:
    with torch.device("meta"):  # counted without memory
        return sum(parameter.numel() for parameter in build_model(kind, options, shape, where).parameters())
