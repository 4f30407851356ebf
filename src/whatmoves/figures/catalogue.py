"""Which figures and animations a study has, and the result files that each of them reads. Imports nothing heavy.

A figure stands here only if some model of the study can fill it, which is read off the model's own file: a model that
defines `predict` has predictions to show, and no list of such models is kept.
"""

import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from whatmoves.figures.inputs import DATASET
from whatmoves.layout import FLOOR_ROWS
from whatmoves.plugins import model_module_path
from whatmoves.provenance.closure import source_folder
from whatmoves.study import Study

TABLE = "push_world"  # where the what–where VAE is asked for what it cannot, and where there is most to look at
SCHEDULES = "from whatmoves.models.losses.schedules import"  # a model that says so changes its loss while it trains


def figures_of(study: Study) -> dict[str, list[str]]:
    """Every figure of a study by name, with the files it reads, below results/<study>."""
    pictures, values = _evaluated(study, DATASET, "pictures.npz"), ["values.json"]
    found = {
        "pipeline": [],
        "reconstructions": pictures,
        "samples": pictures,
        "interpolation": pictures,
        "swaps": pictures,
        "training_curves": [f"train/{d}/{m}/seed-{seed}/history.csv" for d, m, seed in study.runs() if d == DATASET],
        "quality": values,
        "trade_off": values,
    }
    if any(entry.kind == "what_where_vae" for entry in study.models.values()):
        found["what_where"] = []
    if any(entry.kind == "what_where_vae" and TABLE in entry.trains_on for entry in study.models.values()):
        found["failures"] = _evaluated(study, TABLE, "pictures.npz")
    if any(SCHEDULES in _text(entry.kind) for entry in study.models.values()):
        found["schedules"] = []
    predicted = list(_predicted(study))
    found |= {_name("predictions", dataset): _evaluated(study, dataset, "pictures.npz") for dataset in predicted}
    if predicted:
        found["error_horizon"] = [
            file for dataset in predicted for file in _evaluated(study, dataset, "quality.json", *FLOOR_ROWS)
        ]
    if any(_able(entry.kind, "detect_ahead") for entry in study.models.values() if DATASET in entry.trains_on):
        found |= {"detection": _evaluated(study, DATASET, "quality.json"), "rollout": pictures}
    for dataset in [name for name in (TABLE, DATASET) if name in study.data and _looks(study, name)][:1]:
        found[_name("attention", dataset)] = _evaluated(study, dataset, "pictures.npz")
    return found


def _looks(study: Study, dataset: str) -> bool:
    """Whether some model on a data set says where it looks."""
    return any(_able(entry.kind, "attention") for entry in study.models.values() if dataset in entry.trains_on)


def animations_of(study: Study) -> dict[str, list[str]]:
    """Every animation of a study by name, with the files it reads, below results/<study>."""
    found = {name: _evaluated(study, DATASET, "pictures.npz") for name in ("reconstructions", "samples", "swaps")}
    for dataset in _predicted(study):
        found[_name("predictions", dataset)] = _evaluated(study, dataset, "pictures.npz")
    return found


def _predicted(study: Study) -> Iterator[str]:
    """The data sets on which some trained model predicts: floors alone make no figure."""
    for dataset in study.data:
        if any(_able(entry.kind, "loss", "predict") for entry in study.models.values() if dataset in entry.trains_on):
            yield dataset


def _evaluated(study: Study, dataset: str, file: str, *rows: str) -> list[str]:
    """That file of every model on a data set, and of the `rows` that are no models."""
    models = [name for name, entry in study.models.items() if dataset in entry.trains_on]
    return [f"evaluate/{dataset}/{name}/{file}" for name in (*models, *rows)]


def _name(module: str, dataset: str) -> str:
    return module if dataset == DATASET else f"{module}-{dataset}"


def _able(kind: str, *methods: str) -> bool:
    """Whether a kind's file defines all these methods."""
    return set(methods) <= set(re.findall(r"^    def (\w+)\(", _text(kind), re.MULTILINE))


@functools.cache
def _text(kind: str) -> str:
    """The text of a kind's file; nothing where there is no such file (the study's own checks speak of that)."""
    place = Path(*model_module_path(kind).split(".")).with_suffix(".py")
    files = (folder / place for folder in (source_folder(), Path.cwd(), *map(Path, sys.path)))
    return next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "")
