"""Predictions against the best that can be had for nothing: blank, mean frame, copy-last, linear extrapolation."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.files import read_arrays
from whatmoves.floors import FRAMES
from whatmoves.layout import Layout, measured_rows
from whatmoves.study import Study

MEASURE = "predict_psnr_frame"


class Gain(NamedTuple):
    """How far a model's predictions stand above `floor`: per test clip `[N]` by seed, and the files it comes from."""

    model: str
    floor: str
    clips: dict[str, NDArray[Any]]
    files: list[str]


def gains(study: Study, root: Path, dataset: str, values: Mapping[str, Mapping[str, Any]]) -> Iterator[Gain]:
    """The gain of every model that predicts on a data set, over the floor with the best mean; clip by clip, so that
    clips which are hard for all do not widen the interval. Nothing where the study has no such floor.
    """
    layout = Layout(root)

    def of_clips(name: str) -> tuple[dict[str, NDArray[Any]], str]:
        path = layout.evaluation(dataset, name) / "clips.npz"
        return read_arrays(path), str(path.relative_to(root))

    kinds = {name: study.models[name].kind if name in study.models else name for name in measured_rows(study, dataset)}
    scores = {
        name: float(values[f"{dataset}.{name}.{MEASURE}"]["value"])
        for name in kinds
        if f"{dataset}.{name}.{MEASURE}" in values
    }
    floors = [name for name in scores if kinds[name] in FRAMES and FRAMES[kinds[name]].predicts]
    if not floors:
        return
    floor = max(floors, key=lambda name: scores[name])
    arrays, floor_file = of_clips(floor)
    beneath = np.mean([array for name, array in arrays.items() if name.endswith(f"_{MEASURE}")], axis=0)  # over seeds
    for name in scores:
        if kinds[name] in FRAMES:
            continue
        arrays, file = of_clips(name)
        seeds = values[f"{dataset}.{name}.{MEASURE}"]["seeds"]
        yield Gain(name, floor, {seed: arrays[f"seed{seed}_{MEASURE}"] - beneath for seed in seeds}, [file, floor_file])
