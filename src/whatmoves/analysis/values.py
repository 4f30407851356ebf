"""From the results of all runs to the value index: every number of the paper, once, with what stands behind it.

`values.json` holds `{"study", "values": {id: …}, "stands": …, "verdicts": […], "missing": {id: why}}`. An id is
`<data set>.<model>.<measure>`; a value has the mean over seeds, every seed's own number, an interval, how it is printed
and the files it was computed from. `stands` says of each measure on each data set how all rows stand to each other
(`whatmoves.analysis.statistics`): `{"rows": […], "table": ["=><…", …]}`, where `>` in line i, column j means that row i
lies above row j.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.analysis.hypotheses import load_hypotheses, verdicts
from whatmoves.analysis.judgements import Row, further, judged
from whatmoves.analysis.metrics import METRICS, Metric, described, indexed, own_metrics
from whatmoves.analysis.plans import planned, reasons
from whatmoves.analysis.predictions import gains
from whatmoves.analysis.statistics import Interval, Sample, hierarchical_bootstrap, seeds_interval, stand
from whatmoves.arithmetic.report import report
from whatmoves.errors import DataError
from whatmoves.files import read_arrays, read_json, write_json
from whatmoves.layout import Layout, measured_rows
from whatmoves.study import Study

OF_THE_ARCHITECTURE = ("gflops_training_per_clip", "gflops_forward_per_clip")  # `gflops` of quality.json
DERIVED = {"psnr_pooled", "mse_removed", "parameters", *OF_THE_ARCHITECTURE}  # not measured seed by seed
INTERVAL_SEED = 20_000  # the bootstrap's own stream: the same draws for every measure


class Measured(NamedTuple):
    """Values by id as they are written, and the samples that they are of."""

    values: dict[str, dict[str, Any]]
    samples: dict[str, Sample]

    def add(self, other: "Measured") -> None:
        """Take in what was measured elsewhere."""
        self.values.update(other.values)
        self.samples.update(other.samples)


def build_index(
    study: Study,
    root: Path,
    hypotheses: Path,
    plans: Mapping[str, Sequence[str]] | None = None,
    records: Iterable[Path] = (),
) -> dict[str, Any]:
    """The value index of a finished study.

    `plans` names the models that were planned with on a data set; `records` are what some models were asked beyond
    evaluation and judgement (`whatmoves.analysis.judgements.further`). Raises `DataError` naming a result that is
    missing or incomplete.
    """
    layout = Layout(root)
    found = Measured({}, {})
    for dataset in study.data:
        floor = _mean_frame_errors(study, layout, dataset)
        for model in measured_rows(study, dataset):
            found.add(_of_model(study, root, layout.evaluation(dataset, model), f"{dataset}.{model}", floor))
        for gain in gains(study, root, dataset, found.values):
            seeds = {seed: float(clips.mean()) for seed, clips in gain.clips.items()}
            sample = Sample(seeds, np.stack(list(gain.clips.values())))
            measured = _measured(study, f"{dataset}.{gain.model}", {"predict_gain_db": sample}, gain.files)
            for entry in measured.values.values():
                entry["floor"] = gain.floor
            found.add(measured)
    for dataset in study.judged_data():
        for row in judged(study, root, dataset):
            found.add(_of_judgement(study, row, f"{dataset}.{row.name}"))
    missing: dict[str, str] = {}
    for dataset, names in (plans or {}).items():
        for row in planned(root, dataset, names):
            found.add(_of_judgement(study, row, f"{dataset}.{row.name}"))
        missing |= reasons(root, dataset, names)
    for dataset, row in further(root, records):
        found.add(_of_judgement(study, row, f"{dataset}.{row.name}"))
    declared = load_hypotheses(hypotheses)
    computed_at = {name: level for name, level in report().items() if name != "maker"}
    return {
        "study": study.study,
        "values": found.values,
        "stands": _stands(found.samples),
        "verdicts": verdicts(study, declared, found.samples),
        "missing": missing,
        "arithmetic": computed_at,
    }


def write_index(
    study: Study,
    root: Path,
    hypotheses: Path,
    plans: Mapping[str, Sequence[str]] | None = None,
    records: Iterable[Path] = (),
) -> None:
    """Write `values.json`."""
    write_json(Layout(root).values, build_index(study, root, hypotheses, plans, records))


def _mean_frame_errors(study: Study, layout: Layout, dataset: str) -> NDArray[np.float64] | None:
    """Squared error per pixel of the `mean_frame` floor on each test clip `[N]`, None where no entry is that floor."""
    for name, entry in study.models.items():
        if entry.kind == "mean_frame" and dataset in entry.trains_on:
            clips = read_arrays(layout.evaluation(dataset, name) / "clips.npz")
            errors: NDArray[np.float64] = np.mean([clips[f"seed{seed}_mse_pixel"] for seed in study.seeds_of(name)], 0)
            return errors
    return None


def _of_model(study: Study, root: Path, folder: Path, prefix: str, floor: NDArray[np.float64] | None) -> Measured:
    """All values of one model, or floor, on one data set."""
    quality = read_json(folder / "quality.json")
    clips = read_arrays(folder / "clips.npz")
    files = [str((folder / name).relative_to(root)) for name in ("quality.json", "clips.npz")]
    measured = indexed({name for row in quality["seeds"].values() for name in row}, files[0], _metrics(study))
    trained = bool(quality["parameters"])
    samples: dict[str, Sample] = {}
    for metric in (name for name in measured if name not in DERIVED):
        per_seed = {seed: row[metric] for seed, row in quality["seeds"].items() if row.get(metric) is not None}
        if per_seed:
            arrays = [clips[f"seed{seed}_{metric}"] for seed in per_seed if f"seed{seed}_{metric}" in clips]
            samples[metric] = _sample(per_seed, arrays, constant=not trained)
    if all(f"seed{seed}_psnr_pooled" in clips for seed in quality["seeds"]) and "mse_pixel" in samples:
        pooled = np.stack([clips[f"seed{seed}_psnr_pooled"] for seed in quality["seeds"]])
        samples["psnr_pooled"] = _pooled(list(quality["seeds"]), pooled, constant=not trained)
    if "mse_pixel" in samples and floor is not None and floor.mean() > 0:
        samples["mse_removed"] = _removed(samples["mse_pixel"], floor)
    found = _measured(study, prefix, samples, files)
    found.values[f"{prefix}.parameters"] = _fact("parameters", quality["parameters"], files)
    for metric in OF_THE_ARCHITECTURE:
        if metric in quality.get("gflops", {}):
            found.values[f"{prefix}.{metric}"] = _fact(metric, quality["gflops"][metric], files)
    return found


def _of_judgement(study: Study, row: Row, prefix: str) -> Measured:
    """All values of one judged row; those that depend on a split of the code say whose it is."""
    samples: dict[str, Sample] = {}
    for metric in indexed({name for values in row.seeds.values() for name in values}, row.files[0]):
        per_seed = {seed: values[metric] for seed, values in row.seeds.items() if metric in values}
        arrays = [row.clips[seed][metric] for seed in per_seed if metric in row.clips.get(seed, {})]
        samples[metric] = _sample(per_seed, arrays, constant=row.constant)
    found = _measured(study, prefix, samples, row.files)
    for entry in found.values.values():
        entry["split"] = row.split
    return found


def _sample(seeds: Mapping[str, float], arrays: list[NDArray[Any]], constant: bool) -> Sample:
    """With its clips, if they were kept for every seed, and as many for each."""
    kept = len(arrays) == len(seeds) and len({len(array) for array in arrays}) == 1
    named = {seed: float(value) for seed, value in seeds.items()}
    return Sample(named, np.stack(arrays).astype(np.float64) if kept else None, constant)


def _removed(error: Sample, floor: NDArray[np.float64]) -> Sample:
    """The share of the mean frame's squared error removed, 1 − mse / mse of the floor: both of the same clips.

    A clip's number is the ratio's own at the means plus its first-order change there, so that a mean over redrawn clips
    moves as the ratio does: a model that halves every clip's error removes a half for sure.
    """
    beneath = float(floor.mean())
    seeds = {seed: 1 - value / beneath for seed, value in error.seeds.items()}
    if error.clips is None or error.clips.shape[1] != len(floor):
        return Sample(seeds, None, error.constant)
    whole = error.clips.mean(1, keepdims=True)
    return Sample(seeds, 1 - error.clips / beneath + whole / beneath**2 * (floor - beneath), error.constant)


def _pooled(seeds: list[str], psnr: NDArray[np.float64], constant: bool) -> Sample:
    """PSNR of the mean squared error of all clips, from that of each clip `[S, N]`: pictures clipped to [0, 1].

    A clip's number is that of all clips plus its first-order change there.
    """
    errors = 10 ** (-psnr / 10)
    whole = errors.mean(1, keepdims=True)
    decibels = -10 * np.log10(whole)
    clips = decibels - 10 / math.log(10) * (errors - whole) / whole
    return Sample(dict(zip(seeds, decibels[:, 0].tolist(), strict=True)), clips, constant)


def _measured(study: Study, prefix: str, samples: Mapping[str, Sample], files: list[str]) -> Measured:
    """Values by measure with their intervals: over seeds and clips where clips were kept, over seeds alone otherwise.

    Measures of equally many clips share their draws, which saves most of the time.
    """
    intervals: dict[str, Interval | None] = {}
    alike: dict[tuple[int, ...], list[str]] = {}
    for metric, sample in samples.items():
        points = np.array(list(sample.seeds.values()), dtype=np.float64)
        if not np.isfinite(points).all():
            raise DataError(
                f"{files[0]}: {metric} is not finite for seeds {sorted(sample.seeds)}; run the evaluation again"
            )
        if sample.clips is not None:
            alike.setdefault(sample.clips.shape, []).append(metric)
        else:
            intervals[metric] = seeds_interval(points)
    for metrics in alike.values():
        columns = [samples[metric].clips for metric in metrics]
        tables = np.stack([column for column in columns if column is not None], axis=-1)  # [S, N, M]
        found = hierarchical_bootstrap(list(tables), study.evaluation.bootstrap, _stream())
        intervals.update(zip(metrics, found, strict=True))
    values = {
        f"{prefix}.{metric}": {
            **_words(metric, _metrics(study)),
            "value": sample.value,
            "interval": None if (ends := intervals[metric]) is None else list(ends),
            "n": None if sample.clips is None else sample.clips.shape[1],
            "seeds": dict(sample.seeds),
            "files": files,
        }
        for metric, sample in samples.items()
    }
    return Measured(values, {f"{prefix}.{metric}": sample for metric, sample in samples.items()})


def _stands(samples: Mapping[str, Sample]) -> dict[str, dict[str, list[str]]]:
    """How all rows of each measure on each data set stand to each other."""
    rows: dict[str, dict[str, Sample]] = {}
    for value_id, sample in samples.items():
        dataset, row, metric = value_id.split(".", 2)
        rows.setdefault(f"{dataset}.{metric}", {})[row] = sample
    return {name: {"rows": list(of), "table": _table(of.values())} for name, of in sorted(rows.items())}


def _table(samples: Iterable[Sample]) -> list[str]:
    """One line a row; what lies above another has the other below it. A row that decides nothing is `?` to itself."""
    listed = list(samples)
    table = [["="] * len(listed) for _ in listed]
    for i, first in enumerate(listed):
        table[i][i] = "=" if first.decides else "?"
        for j, second in enumerate(listed[:i]):
            table[i][j] = stand(first, second)
            table[j][i] = {"<": ">", ">": "<"}.get(table[i][j], table[i][j])
    return ["".join(line) for line in table]


def _stream() -> np.random.Generator:
    return np.random.default_rng(INTERVAL_SEED)


def _fact(metric: str, value: float, files: list[str]) -> dict[str, Any]:
    """A number that follows from the architecture: the same for every seed."""
    return {**_words(metric), "value": value, "interval": None, "n": None, "seeds": {}, "files": files[:1]}


def _metrics(study: Study) -> dict[str, Metric]:
    """Every measure that may come, the study's own behind all others."""
    return METRICS | own_metrics(plugins.measures(study.evaluation.measures))


def _words(metric: str, table: Mapping[str, Metric] = METRICS) -> dict[str, Any]:
    words = described(metric, table)
    assert words is not None, "what has no words is not indexed"
    said = {"label": words.label, "unit": words.unit, "format": words.format, "better": words.better}
    return said | ({"own": True} if words.own else {})
