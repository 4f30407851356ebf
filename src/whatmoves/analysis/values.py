"""From the results of all runs to the value index: every number of the paper, once, with what stands behind it.

`values.json` holds `{"study", "values": {id: …}, "verdicts": […]}`. An id is `<data set>.<model>.<measure>`; a value
has the mean over seeds, every seed's own number, an interval, how it is printed, and the files it was computed from.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.analysis.hypotheses import load_hypotheses, verdicts
from whatmoves.analysis.judgements import Row, judged
from whatmoves.analysis.metrics import METRICS
from whatmoves.analysis.predictions import gains
from whatmoves.analysis.statistics import Interval, bootstrap_interval, hierarchical_bootstrap
from whatmoves.errors import DataError
from whatmoves.files import read_arrays, read_json, write_json
from whatmoves.layout import Layout, measured_rows
from whatmoves.study import Study

OF_THE_ARCHITECTURE = ("gflops_training_per_clip", "gflops_forward_per_clip")  # `gflops` of quality.json
DERIVED = {"psnr_pooled", "mse_removed", "parameters", *OF_THE_ARCHITECTURE}  # not measured seed by seed
INTERVAL_SEED = 20_000  # the bootstrap's own stream: the same draws for every measure


def build_index(study: Study, root: Path, hypotheses: Path) -> dict[str, Any]:
    """The value index of a finished study; raises `DataError` naming a result that is missing or incomplete."""
    layout = Layout(root)
    values: dict[str, dict[str, Any]] = {}
    for dataset in study.data:
        floor = _mean_frame_error(study, layout, dataset)
        for model in measured_rows(study, dataset):
            folder = layout.evaluation(dataset, model)
            values |= _model_values(study, root, folder, f"{dataset}.{model}", floor)
        for gain in gains(study, root, dataset, values):
            per_seed = {seed: float(clips.mean()) for seed, clips in gain.clips.items()}
            entry = _entry(study, "predict_gain_db", per_seed, list(gain.clips.values()), gain.files)
            values[f"{dataset}.{gain.model}.predict_gain_db"] = {**entry, "floor": gain.floor}
    for dataset in study.judged_data():
        for row in judged(study, root, dataset):
            values |= _judged_values(study, row, f"{dataset}.{row.name}")
    declared = load_hypotheses(hypotheses)
    return {"study": study.study, "values": values, "verdicts": verdicts(study, declared, values)}


def write_index(study: Study, root: Path, hypotheses: Path) -> None:
    """Write `values.json`."""
    write_json(Layout(root).values, build_index(study, root, hypotheses))


def _mean_frame_error(study: Study, layout: Layout, dataset: str) -> float | None:
    """Mean squared error per pixel of the `mean_frame` floor on the test clips, None where no entry is that floor."""
    for name, entry in study.models.items():
        if entry.kind == "mean_frame" and dataset in entry.trains_on:
            quality = read_json(layout.evaluation(dataset, name) / "quality.json")
            return float(np.mean([seed["mse_pixel"] for seed in quality["seeds"].values()]))
    return None


def _model_values(
    study: Study, root: Path, folder: Path, prefix: str, floor: float | None
) -> dict[str, dict[str, Any]]:
    """All values of one model on one data set."""
    quality = read_json(folder / "quality.json")
    clips = read_arrays(folder / "clips.npz")
    files = [str((folder / name).relative_to(root)) for name in ("quality.json", "clips.npz")]
    found: dict[str, dict[str, Any]] = {}
    for metric in (name for name in METRICS if name not in DERIVED):
        per_seed = {seed: row[metric] for seed, row in quality["seeds"].items() if row.get(metric) is not None}
        if not per_seed:
            continue
        arrays = [clips[f"seed{seed}_{metric}"] for seed in per_seed if f"seed{seed}_{metric}" in clips]
        found[f"{prefix}.{metric}"] = _entry(study, metric, per_seed, arrays, files)
    found[f"{prefix}.parameters"] = _fact("parameters", quality["parameters"], files)
    for metric in OF_THE_ARCHITECTURE:
        if metric in quality.get("gflops", {}):
            found[f"{prefix}.{metric}"] = _fact(metric, quality["gflops"][metric], files)
    if error := found.get(f"{prefix}.mse_pixel"):
        found[f"{prefix}.psnr_pooled"] = _falling(error, "psnr_pooled", decibels)
        if floor:
            found[f"{prefix}.mse_removed"] = _falling(error, "mse_removed", lambda mse: 1 - mse / floor)
    return found


def _judged_values(study: Study, row: Row, prefix: str) -> dict[str, dict[str, Any]]:
    """All values of one judged row; those that depend on a split of the code say whose it is."""
    found: dict[str, dict[str, Any]] = {}
    for metric in METRICS:
        per_seed = {seed: values[metric] for seed, values in row.seeds.items() if metric in values}
        if not per_seed:
            continue
        arrays = [row.clips[seed][metric] for seed in per_seed if metric in row.clips.get(seed, {})]
        found[f"{prefix}.{metric}"] = {**_entry(study, metric, per_seed, arrays, row.files), "split": row.split}
    return found


def _falling(error: dict[str, Any], metric: str, of: Callable[[float], float]) -> dict[str, Any]:
    """A falling function of a mean error: it maps the interval too, with the ends exchanged."""
    ends = error["interval"] and [of(end) for end in reversed(error["interval"])]
    seeds = {seed: of(value) for seed, value in error["seeds"].items()}
    return {**error, **_words(metric), "value": of(error["value"]), "interval": ends, "seeds": seeds}


def decibels(mse: float) -> float:
    """PSNR of a mean squared error at peak 1, 100 dB at most."""
    return -10 * math.log10(max(mse, 1e-10))


def _entry(
    study: Study, metric: str, per_seed: Mapping[str, float], arrays: list[NDArray[Any]], files: list[str]
) -> dict[str, Any]:
    """One value with its interval: over seeds and clips where clips were kept, over seeds alone otherwise."""
    rng = np.random.default_rng(INTERVAL_SEED)
    points = np.array([float(value) for value in per_seed.values()])
    if not np.isfinite(points).all():
        raise DataError(f"{files[0]}: {metric} is not finite for seeds {sorted(per_seed)}; run the evaluation again")
    interval: Interval | None = None
    if len(arrays) == len(per_seed):
        interval = hierarchical_bootstrap(arrays, study.evaluation.bootstrap, rng)
    elif len(points) > 1:
        interval = bootstrap_interval(points, study.evaluation.bootstrap, rng)
    return {
        **_words(metric),
        "value": float(points.mean()),
        "interval": None if interval is None else [interval.low, interval.high],
        "n": len(arrays[0]) if arrays else None,
        "seeds": {seed: float(value) for seed, value in per_seed.items()},
        "files": files,
    }


def _fact(metric: str, value: float, files: list[str]) -> dict[str, Any]:
    """A number that follows from the architecture: the same for every seed."""
    return {**_words(metric), "value": value, "interval": None, "n": None, "seeds": {}, "files": files[:1]}


def _words(metric: str) -> dict[str, str]:
    described = METRICS[metric]
    return {"label": described.label, "unit": described.unit, "format": described.format, "better": described.better}
