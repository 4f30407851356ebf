"""The gain over the best floor: the right floor, clip by clip, and nothing where there is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whatmoves.analysis.predictions import MEASURE, gains
from whatmoves.figures.inputs import FigureInputs
from whatmoves.files import write_arrays
from whatmoves.floors import FRAMES, Frame
from whatmoves.paper.index import ValueIndex
from whatmoves.paper.writer import Writer
from whatmoves.study import Study

DATA = "moving_digits"


def results(folder: Path, clips: dict[str, list[np.ndarray]]) -> dict[str, dict[str, Any]]:
    """Files of `clips` (arrays per seed) by row, and the values that the index has of them."""
    values = {}
    for row, seeds in clips.items():
        arrays = {f"seed{seed}_{MEASURE}": array for seed, array in enumerate(seeds)}
        write_arrays(folder / "evaluate" / DATA / row / "clips.npz", arrays)
        means = {str(seed): float(array.mean()) for seed, array in enumerate(seeds)}
        values[f"{DATA}.{row}.{MEASURE}"] = {"value": float(np.mean(list(means.values()))), "seeds": means}
    return values


def test_models_are_held_against_the_best_floor_clip_by_clip(tmp_path: Path) -> None:
    study = Study.model_validate(
        {"study": "s", "data": {DATA: None}, "models": {"jepa": None, "mean_frame": None, "copy_last": None}}
    )
    rng = np.random.default_rng(0)
    hard = rng.normal(15, 5, 200)  # how easy a clip is, for all alike
    clips = {
        "jepa": [hard + 1, hard + 3],
        "mean_frame": [hard - 2],
        "copy_last": [hard],
        "blank": [hard - 1],
        "blurred_truth": [hard + 9],  # no floor: it has seen the truth
    }
    found = list(gains(study, tmp_path, DATA, results(tmp_path, clips)))
    (gain,) = found
    assert (gain.model, gain.floor) == ("jepa", "copy_last")
    np.testing.assert_allclose(gain.clips["0"], 1)
    np.testing.assert_allclose(gain.clips["1"], 3)
    assert gain.files == [f"evaluate/{DATA}/{row}/clips.npz" for row in ("jepa", "copy_last")]


def test_a_model_may_have_the_name_of_a_ceiling(tmp_path: Path) -> None:
    study = Study.model_validate(
        {"study": "s", "data": {DATA: None}, "models": {"oracle": {"kind": "jepa"}, "copy_last": None}}
    )
    clips = {"oracle": [np.full(5, 9.0)], "copy_last": [np.full(5, 7.0)]}
    (gain,) = gains(study, tmp_path, DATA, results(tmp_path, clips))
    assert (gain.model, gain.floor) == ("oracle", "copy_last")


def test_a_new_floor_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FRAMES, "copy_first", Frame("copy first", predicts=True))
    study = Study.model_validate(
        {"study": "s", "data": {DATA: None}, "models": {"jepa": None, "copy_first": None, "copy_last": None}}
    )
    clips = {"jepa": [np.full(5, 9.0)], "copy_first": [np.full(5, 8.0)], "copy_last": [np.full(5, 7.0)]}
    values = results(tmp_path, clips)
    (gain,) = gains(study, tmp_path, DATA, values)
    assert (gain.model, gain.floor) == ("jepa", "copy_first")
    drawn = FigureInputs(tmp_path, study, DATA)
    assert (drawn.slot("jepa"), drawn.slot("copy_first")) == (0, -1)  # grey, and no colour is counted
    writer = Writer(study, ValueIndex("s", {}), tmp_path)
    assert str(writer.label("copy_first")) == "copy first"
    assert [*writer.models()] == ["jepa"]


def test_a_floor_of_several_seeds_is_their_mean(tmp_path: Path) -> None:
    study = Study.model_validate({"study": "s", "data": {DATA: None}, "models": {"jepa": None, "mean_frame": None}})
    clips = {"jepa": [np.full(5, 9.0)], "mean_frame": [np.full(5, 4.0), np.full(5, 6.0)]}
    (gain,) = gains(study, tmp_path, DATA, results(tmp_path, clips))
    np.testing.assert_allclose(gain.clips["0"], 4)


def test_without_a_floor_there_is_no_gain(tmp_path: Path) -> None:
    study = Study.model_validate({"study": "s", "data": {DATA: None}, "models": {"jepa": None}})
    assert list(gains(study, tmp_path, DATA, results(tmp_path, {"jepa": [np.ones(3)]}))) == []
