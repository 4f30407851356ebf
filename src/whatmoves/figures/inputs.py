"""What figures read: the result files of one study. A file that is absent is an empty place, not an error."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError, NothingToShowError
from whatmoves.figures import style
from whatmoves.files import read_arrays, read_json
from whatmoves.floors import FRAMES
from whatmoves.study import Study


@dataclass(frozen=True)
class FigureInputs:
    """The results of `study` under `root` (results/<study>); `dataset` is the one that the figure shows."""

    root: Path
    study: Study
    dataset: str

    def models(self, dataset: str) -> list[str]:
        """The study's entries on a data set, in the study's order, floors and ceilings last."""
        names = [name for name, entry in self.study.models.items() if dataset in entry.trains_on]
        return sorted(names, key=lambda name: self.slot(name) < 0)

    def slot(self, model: str) -> int:
        """Place of a model among all the study's models, which fixes its colour; −1 for floors and ceilings."""
        competing = [name for name, entry in self.study.models.items() if entry.kind not in FRAMES]
        return competing.index(model) if model in competing else -1

    def label(self, model: str) -> str:
        """A model's name as figures print it; rows outside the study (blank, …) by their own name."""
        return style.short(self.study.label_of(model) if model in self.study.models else model.replace("_", " "))

    def legend(self, models: Sequence[str]) -> dict[str, NDArray[Any]]:
        """`labels` and `slots` of the models, for the data file."""
        return {
            "labels": np.array([self.label(model) for model in models], np.str_),
            "slots": np.array([self.slot(model) for model in models], np.int64),
        }

    def pictures(self, dataset: str, model: str) -> dict[str, NDArray[Any]] | None:
        """Pictures of one model (uint8 arrays by name), or None where it has none yet."""
        path = self.root / "evaluate" / dataset / model / "pictures.npz"
        return read_arrays(path) if path.exists() else None

    def pictures_with(self, dataset: str, *needed: str) -> dict[str, dict[str, NDArray[Any]]]:
        """Pictures of the models that have all the `needed` arrays; raises `NothingToShowError` where no model has."""
        found = {model: self.pictures(dataset, model) for model in self.models(dataset)}
        if not any(arrays is not None for arrays in found.values()):
            raise DataError(f"{self.root / 'evaluate' / dataset}: no <model>/pictures.npz; evaluate the models first")
        able = {model: arrays for model, arrays in found.items() if arrays and all(name in arrays for name in needed)}
        if not able:
            raise self.nothing(f"no model on {dataset} has pictures of {' and '.join(needed)}".replace("_", " "))
        return able

    def quality(self, dataset: str, model: str) -> dict[str, Any] | None:
        """Quality record of one model, or None where it has none yet."""
        path = self.root / "evaluate" / dataset / model / "quality.json"
        return dict(read_json(path)) if path.exists() else None

    def history(self, dataset: str, model: str, seed: int) -> dict[str, NDArray[np.float64]] | None:
        """Clips and loss terms of one run's history, NaN where a cell is empty; None where the run has no history."""
        path = self.root / "train" / dataset / model / f"seed-{seed}" / "history.csv"
        if not path.exists():
            return None
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        names = [name for name in (rows[0] if rows else ()) if name.startswith(("clips", "train_", "validation_"))]
        try:
            return {name: np.array([float(row[name] or "nan") for row in rows], np.float64) for name in names}
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: not a table of numbers ({error}); delete the run and train again") from None

    def values(self) -> dict[str, dict[str, Any]]:
        """The value index, by value id."""
        return dict(read_json(self.root / "values.json")["values"])

    def nothing(self, why: str) -> NothingToShowError:
        """Raised by a figure for which this study's results hold nothing, however whole they are."""
        return NothingToShowError(why)


def shared(pictures: Mapping[str, Mapping[str, NDArray[Any]]], name: str) -> NDArray[Any]:
    """The array all models must agree on, such as the true clips; raises `DataError` naming one that differs."""
    (first, arrays), *others = pictures.items()
    for model, other in others:
        if not np.array_equal(arrays[name], other[name]):
            raise DataError(
                f"pictures.npz of {model} and of {first} differ in {name!r}, so they show other clips; "
                f"evaluate both again from the same study"
            )
    return arrays[name]
