"""Which figures and animations a study has, and the result files that each of them reads. Imports nothing heavy.

A figure is offered wherever the study's data and models can fill it. What they can do stands in the schema of their
kinds (`whatmoves.schema.kind_schema`), so neither the names of a study nor a list of ours decides.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from whatmoves.asked import exchanged_rows, planned_rows, shifted_rows
from whatmoves.figures.busy import BUSY, busy_data
from whatmoves.floors import of_clips
from whatmoves.layout import figure_name
from whatmoves.loading import abilities_of, settings_of
from whatmoves.study import Study

SCHEDULED = {"kl_schedule", "kl_annealing", "forcing_start"}  # settings that change a loss while it trains


def figures_of(study: Study) -> dict[str, list[str]]:
    """Every figure of a study by name, with the files it reads, below results/<study>."""
    found: dict[str, list[str]] = {"pipeline": []}
    kinds = [entry.kind for entry in study.models.values()]
    for dataset in compared_data(study):
        found |= {figure_name(study, module, dataset): files for module, files in _compared(study, dataset).items()}
    if "what_where_vae" in kinds:
        found["what_where"] = []
    if busy := busy_data(study):
        found["failures"] = _evaluated(study, busy, "pictures.npz")
    if any(SCHEDULED & settings_of("models", kind) for kind in kinds):
        found["schedules"] = []
    predicted = list(_predicted(study))
    found |= {figure_name(study, "predictions", d): _evaluated(study, d, "pictures.npz") for d in predicted}
    if predicted:
        found["error_horizon"] = [
            file for dataset in predicted for file in _evaluated(study, dataset, "quality.json", *of_clips())
        ]
    for dataset in study.planned_data():
        if rows := [row for name, row in planned_rows(study) if name == dataset]:
            found[figure_name(study, "planning", dataset)] = [f"plan/{dataset}/{row}/tasks.npz" for row in rows]
    looking = [dataset for dataset in study.data if _has(study, dataset, "attention")]
    for dataset in sorted(looking, key=lambda name: study.data[name].kind != BUSY)[:1]:
        found[figure_name(study, "attention", dataset)] = _evaluated(study, dataset, "pictures.npz")
    found |= {figure_name(study, "shifts", d): ["values.json"] for d in study.data if shifted_rows(study, d)}
    return found


def animations_of(study: Study) -> dict[str, list[str]]:
    """Every animation of a study by name, with the files it reads, below results/<study>."""
    found: dict[str, list[str]] = {}
    for dataset in compared_data(study):
        shown = [name for name in _compared(study, dataset) if name in ("reconstructions", "samples", "swaps")]
        found |= {figure_name(study, name, dataset): _evaluated(study, dataset, "pictures.npz") for name in shown}
    for dataset in _predicted(study):
        found[figure_name(study, "predictions", dataset)] = _evaluated(study, dataset, "pictures.npz")
    return found


def captions() -> dict[str, str]:
    """What each module of a figure shows: the first sentence of its docstring, read and not imported."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")}
    return {name: (ast.get_docstring(ast.parse(text)) or "").partition(".\n")[0] for name, text in texts.items()}


def compared_data(study: Study) -> list[str]:
    """The data sets on which models are compared picture by picture: those that are judged. Of the others, where only
    predictions are asked for, those that have none, and all of them in a study that judges nothing."""
    judged, predicted = study.judged_data(), set(_predicted(study))
    used = [dataset for dataset in study.data if _entries(study, dataset)]
    return [name for name in used if name in judged or not judged or name not in predicted]


def _compared(study: Study, dataset: str) -> dict[str, list[str]]:
    """The figures of a comparison on one data set, by module, with what they read."""
    pictures, values = _evaluated(study, dataset, "pictures.npz"), ["values.json"]
    swapped = "swap" in abilities_of("data", study.data[dataset].kind)  # otherwise no code is kept
    found: dict[str, list[str]] = {}
    if _has(study, dataset, "reconstruct"):
        found |= {"reconstructions": pictures, "quality": values}
    if study.evaluation.measures:
        found["measures"] = values
    if _has(study, dataset, "sample"):
        found["samples"] = pictures
    if swapped and _has(study, dataset, "encode", "decode", judged=True):
        found |= {"interpolation": pictures, "swaps": pictures}
    if dataset in study.judged_data() and _has(study, dataset, "encode", "reconstruct", judged=True):
        found["trade_off"] = values
    if exchanged_rows(study, dataset):
        found["exchange"] = values
    if _has(study, dataset, "loss"):
        found["training_curves"] = [
            f"train/{d}/{model}/seed-{seed}/history.csv" for d, model, seed in study.runs() if d == dataset
        ]
    if _has(study, dataset, "detect_ahead"):
        found |= {"detection": _evaluated(study, dataset, "quality.json"), "rollout": pictures}
    return found


def _predicted(study: Study) -> Iterator[str]:
    """The data sets on which some trained model predicts: floors alone make no figure."""
    return (dataset for dataset in study.data if _has(study, dataset, "loss", "predict"))


def _has(study: Study, dataset: str, *abilities: str, judged: bool = False) -> bool:
    """Whether one model on a data set has all these abilities; with `judged`, one whose codes are kept."""
    return any(
        set(abilities) <= abilities_of("models", study.models[name].kind)
        for name in _entries(study, dataset)
        if study.models[name].judged or not judged
    )


def _entries(study: Study, dataset: str) -> list[str]:
    return [name for name, entry in study.models.items() if dataset in entry.trains_on]


def _evaluated(study: Study, dataset: str, file: str, *rows: str) -> list[str]:
    """That file of every model on a data set, and of the `rows` that are no models."""
    return [f"evaluate/{dataset}/{name}/{file}" for name in (*_entries(study, dataset), *rows)]
