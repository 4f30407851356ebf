"""From the results of all runs to the value index: every number of the paper, once, with what stands behind it.

`values.json` holds `{"study", "values": {id: …}, "verdicts": […]}`. An id is `<data set>.<model>.<measure>`; a value
has the mean over seeds, every seed's own number, an interval, how it is printed, and the files it was computed from.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.analysis.hypotheses import load_hypotheses, verdicts
from whatmoves.analysis.judgements import Row, judged
from whatmoves.analysis.metrics import METRICS
from whatmoves.analysis.predictions import gains
from whatmoves.analysis.statistics import Interval, bootstrap_interval, hierarchical_bootstrap
from whatmoves.arithmetic.report import report
from whatmoves.errors import DataError
from whatmoves.files import read_arrays, read_json, write_json
from whatmoves.layout import Layout, measured_rows
from whatmoves.study import Study

OF_THE_ARCHITECTURE = ("gflops_training_per_clip", "gflops_forward_per_clip")  # `gflops` of quality.json
DERIVED = {"psnr_pooled", "mse_removed", "parameters", *OF_THE_ARCHITECTURE}  # not measured seed by seed
INTERVAL_SEED = 20_000  # the bootstrap's own stream: the same draws for every measure


class Measured(NamedTuple):
    """One measure: its number by seed and, where they were kept, its numbers by clip `[N]`, a seed after the other."""

    seeds: Mapping[str, float]
    clips: list[NDArray[Any]]


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
            measured = {"predict_gain_db": Measured(per_seed, list(gain.clips.values()))}
            entry = _entries(study, measured, gain.files)["predict_gain_db"]
            values[f"{dataset}.{gain.model}.predict_gain_db"] = {**entry, "floor": gain.floor}
    for dataset in study.judged_data():
        for row in judged(study, root, dataset):
            values |= _judged_values(study, row, f"{dataset}.{row.name}")
    declared = load_hypotheses(hypotheses)
    computed_at = {name: level for name, level in report().items() if name != "maker"}
    found = {"study": study.study, "values": values, "verdicts": verdicts(study, declared, values)}
    return {**found, "arithmetic": computed_at}


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
    measured: dict[str, Measured] = {}
    for metric in (name for name in METRICS if name not in DERIVED):
        per_seed = {seed: row[metric] for seed, row in quality["seeds"].items() if row.get(metric) is not None}
        if per_seed:
            arrays = [clips[f"seed{seed}_{metric}"] for seed in per_seed if f"seed{seed}_{metric}" in clips]
            measured[metric] = Measured(per_seed, arrays)
    found = {f"{prefix}.{metric}": entry for metric, entry in _entries(study, measured, files).items()}
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
    measured: dict[str, Measured] = {}
    for metric in METRICS:
        per_seed = {seed: values[metric] for seed, values in row.seeds.items() if metric in values}
        if per_seed:
            arrays = [row.clips[seed][metric] for seed in per_seed if metric in row.clips.get(seed, {})]
            measured[metric] = Measured(per_seed, arrays)
    entries = _entries(study, measured, row.files)
    return {f"{prefix}.{metric}": {**entry, "split": row.split} for metric, entry in entries.items()}


def _falling(error: dict[str, Any], metric: str, of: Callable[[float], float]) -> dict[str, Any]:
    """A falling function of a mean error: it maps the interval too, with the ends exchanged."""
    ends = error["interval"] and [of(end) for end in reversed(error["interval"])]
    seeds = {seed: of(value) for seed, value in error["seeds"].items()}
    return {**error, **_words(metric), "value": of(error["value"]), "interval": ends, "seeds": seeds}


def decibels(mse: float) -> float:
    """PSNR of a mean squared error at peak 1, 100 dB at most."""
    return -10 * math.log10(max(mse, 1e-10))


def _entries(study: Study, measured: Mapping[str, Measured], files: list[str]) -> dict[str, dict[str, Any]]:
    """Values by measure with their intervals: over seeds and clips where clips were kept, over seeds alone otherwise.

    Measures of equally many clips share their draws, which saves most of the time.
    """
    intervals: dict[str, Interval] = {}
    alike: dict[tuple[int, ...], list[str]] = {}
    for metric, (per_seed, arrays) in measured.items():
        points = np.array(list(per_seed.values()), dtype=np.float64)
        if not np.isfinite(points).all():
            raise DataError(
                f"{files[0]}: {metric} is not finite for seeds {sorted(per_seed)}; run the evaluation again"
            )
        if len(arrays) == len(per_seed):
            alike.setdefault(tuple(len(clips) for clips in arrays), []).append(metric)
        elif len(points) > 1:
            intervals[metric] = bootstrap_interval(points, study.evaluation.bootstrap, _stream())
    for metrics in alike.values():
        tables = [np.stack(seed, axis=1) for seed in zip(*(measured[metric].clips for metric in metrics), strict=True)]
        found = hierarchical_bootstrap(tables, study.evaluation.bootstrap, _stream())
        intervals.update(zip(metrics, found, strict=True))
    return {
        metric: {
            **_words(metric),
            "value": float(np.mean(list(per_seed.values()), dtype=np.float64)),
            "interval": list(intervals[metric]) if metric in intervals else None,
            "n": len(clips[0]) if clips else None,
            "seeds": {seed: float(value) for seed, value in per_seed.items()},
            "files": files,
        }
        for metric, (per_seed, clips) in measured.items()
    }


def _stream() -> np.random.Generator:
    return np.random.default_rng(INTERVAL_SEED)


def _fact(metric: str, value: float, files: list[str]) -> dict[str, Any]:
    """A number that follows from the architecture: the same for every seed."""
    return {**_words(metric), "value": value, "interval": None, "n": None, "seeds": {}, "files": files[:1]}


def _words(metric: str) -> dict[str, str]:
    described = METRICS[metric]
    return {"label": described.label, "unit": described.unit, "format": described.format, "better": described.better}
