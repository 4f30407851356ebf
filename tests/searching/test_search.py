"""The search: every point once, models treated alike, scored on validation clips, kept trial by trial."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools import ROOT

from whatmoves import plugins
from whatmoves.cli import main
from whatmoves.errors import ConfigError, DataError
from whatmoves.files import read_arrays, read_json
from whatmoves.loading import load_study
from whatmoves.plugins import data_config, data_module
from whatmoves.searching import search as searching
from whatmoves.searching.record import Trial, keep, read_record
from whatmoves.searching.search import is_complete, search
from whatmoves.searching.space import Space, changed, load_space, score_of
from whatmoves.study import Study

TINY = load_study(ROOT / "config/tiny.yaml")
DECLARED: dict[str, Any] = {
    "models": ["baseline_vae", "lstm_vae"],
    "seeds": [100, 101],
    "finalists": 1,
    "grids": {
        "default": {"training.learning_rate": [0.001, 0.01], "options.reconstruction": ["bce", "mse"]},
        "lstm_vae": {"training.weight_decay": [0.0, 0.1, 0.2, 0.3]},
    },
    "with": {"options.reconstruction": {"mse": {"options.beta": 1.0}}},
}
SPACE = Space.model_validate(DECLARED)


def test_each_grid_is_walked_whole_with_what_choices_bring_along() -> None:
    points = SPACE.points("baseline_vae")
    assert len(points) == 4
    assert {"training.learning_rate": 0.001, "options.reconstruction": "mse", "options.beta": 1.0} in points
    assert {"training.learning_rate": 0.001, "options.reconstruction": "bce"} in points
    assert SPACE.points("lstm_vae") == [{"training.weight_decay": value} for value in (0.0, 0.1, 0.2, 0.3)]


def test_a_point_changes_one_model_and_leaves_the_rest() -> None:
    found = changed(TINY, "baseline_vae", {"training.learning_rate": 0.5, "options.beta": 2.0})
    assert found.training_of("baseline_vae").learning_rate == 0.5
    assert found.models["baseline_vae"].options["beta"] == 2.0
    assert found.models["lstm_vae"] == TINY.models["lstm_vae"]
    with pytest.raises(ConfigError, match="the search names 'nothing', which is no model of study tiny"):
        changed(TINY, "nothing", {})


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            {"grids": {**DECLARED["grids"], "lstm_vae": {"training.weight_decay": [0.0]}}},
            "grids differ in their number of points (baseline_vae 4, lstm_vae 1); give every model the same number",
        ),
        (
            {"grids": {"lstm_vae": {"training.weight_decay": [0.0]}}},
            "grids has none for baseline_vae and no default; add one of them",
        ),
        (
            {"grids": {**DECLARED["grids"], "pca": {"training.clips": [1, 2, 3, 4]}}},
            "grids.pca is of no model of this search; known: baseline_vae, default, lstm_vae",
        ),
        (
            {"grids": {"default": {"beta": [1]}}},
            "grids.default.beta: a key must be training.<setting> or options.<setting>",
        ),
        (
            {"grids": {"default": {"options.beta": [1, 2, 1]}}},
            "grids.default.options.beta is [1, 2, 1], with a value twice; name each once",
        ),
        ({"scores": {"pca": "prediction"}}, "scores.pca is of no model of this search; known: baseline_vae, lstm_vae"),
        (
            {"grids": {"default": {"options.skip": [True, False]}}, "with": {"options.skip": {"True": {}}}},
            "with.options.skip.True is no value that a grid gives to options.skip; known: false, true",
        ),
        ({"seeds": [1, 1]}, "seeds is [1, 1], with a seed twice; name each seed once"),
        ({"seed": [1]}, "seed is no option; did you mean seeds? known: "),
    ],
)
def test_a_search_that_is_not_fair_is_refused_in_one_line(edit: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(json.dumps({**DECLARED, **edit}), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_space(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_what_cannot_be_scored_is_refused_before_any_work() -> None:
    assert score_of(TINY, SPACE, "baseline_vae") == "reconstruction"
    wanted = Space.model_validate({**DECLARED, "scores": {"lstm_vae": "prediction"}})
    with pytest.raises(ConfigError, match=r"^the search: lstm_vae gives no prediction to be scored by$"):
        score_of(TINY, wanted, "lstm_vae")
    wrong = Space.model_validate({**DECLARED, "grids": {"default": {"options.betta": [1]}}})
    with pytest.raises(ConfigError, match=r"^the search: models\.lstm_vae\.options\.betta is no option"):
        score_of(TINY, wrong, "lstm_vae")
    wrong = Space.model_validate({**DECLARED, "grids": {"default": {"training.learning_rate": [-1]}}})
    with pytest.raises(ConfigError, match=r"^the search: models\.lstm_vae\.training\.learning_rate is -1; "):
        score_of(TINY, wrong, "lstm_vae")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study's clips."""
    folder = tmp_path_factory.mktemp("data")
    entry = TINY.data["moving_digits"]
    data_module(entry.kind).make(data_config(entry.kind, entry.options), folder)
    return folder


def test_trials_are_scored_on_validation_clips_best_first(data: Path) -> None:
    trials = search(TINY, SPACE, "baseline_vae", "reconstruction", "moving_digits", data, "cpu")
    assert sorted(str(trial.point) for trial in trials) == sorted(map(str, SPACE.points("baseline_vae")))
    assert list(trials[0].validation_mse_pixel) == ["100", "101"]  # the finalist, with every seed
    assert all(list(trial.validation_mse_pixel) == ["100"] for trial in trials[1:])
    first_round = [trial.validation_mse_pixel["100"] for trial in trials]
    assert first_round == sorted(first_round)
    assert 0 < first_round[0] < first_round[-1] < 1
    assert is_complete(SPACE, "baseline_vae", trials)


def test_predictions_are_scored_in_closed_loop_after_the_given_frames(data: Path) -> None:
    raw = TINY.model_dump(mode="json")
    raw["data"]["moving_digits"]["past_frames"] = 2
    study = Study.model_validate(raw)
    grids, scores = {"default": {"training.clips": [8]}}, {"copy_last": "prediction"}
    space = Space.model_validate({"models": ["copy_last"], "seeds": [1], "grids": grids, "scores": scores})
    score = score_of(study, space, "copy_last")
    (trial,) = search(study, space, "copy_last", score, "moving_digits", data, "cpu")
    video = read_arrays(data / "validation.npz")["video"] / 255
    by_hand = np.square(video[:, 2:] - video[:, 1:2]).mean()  # frame 1 is the last given one, and stays
    assert trial.validation_mse_pixel == {"1": pytest.approx(by_hand, rel=1e-5)}


class Errors:
    """In place of trainings: an error that falls with the weight decay; strikes at the `at`-th run."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.runs: list[tuple[float, int]] = []

    def __call__(self, study: Study, model: str, seed: int, *_: Any) -> float:
        if len(self.runs) == self.at:
            raise KeyboardInterrupt
        decay = study.training_of(model).weight_decay
        self.runs.append((decay, seed))
        return 1 - decay


@pytest.mark.parametrize("at", range(8))
def test_an_interrupted_search_loses_one_run_and_ends_the_same(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = Space.model_validate({**DECLARED, "seeds": [100, 101, 102], "finalists": 2})

    def searched(errors: Errors, done: Sequence[Trial], path: Path) -> None:
        monkeypatch.setattr(searching, "_error", errors)
        arguments = (TINY, space, "lstm_vae", "reconstruction", "moving_digits", tmp_path, "cpu", done)
        search(*arguments, lambda trials: keep(path, "tiny", "lstm_vae", 64, "reconstruction", trials))

    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    searched(all_at_once := Errors(), (), whole)
    assert sorted(all_at_once.runs[4:]) == [(0.2, 101), (0.2, 102), (0.3, 101), (0.3, 102)]  # the best two of four
    struck, rest = Errors(at), Errors()
    with pytest.raises(KeyboardInterrupt):
        searched(struck, (), parts)
    done = read_record(parts).models["lstm_vae"].trials if at else ()
    assert not is_complete(space, "lstm_vae", done)
    searched(rest, done, parts)
    assert sorted(struck.runs + rest.runs) == sorted(all_at_once.runs)
    assert parts.read_bytes() == whole.read_bytes()
    assert is_complete(space, "lstm_vae", read_record(parts).models["lstm_vae"].trials)


def test_a_record_of_other_points_or_another_study_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    trial = Trial(point={"training.weight_decay": 0.7}, validation_mse_pixel={"100": 0.1})
    keep(path, "tiny", "lstm_vae", 64, "reconstruction", [trial])
    with pytest.raises(ConfigError, match=r"the record of lstm_vae holds \{'training.weight_decay': 0.7\}, which the"):
        is_complete(SPACE, "lstm_vae", [trial])
    with pytest.raises(DataError, match="the record of study tiny, not of quick; give another --out"):
        keep(path, "quick", "lstm_vae", 64, "reconstruction", [trial])
    path.write_text('{"study": "tiny", "models": {"a": {"clips": 1, "trials": []}}}', encoding="utf-8")
    with pytest.raises(DataError, match=r"models\.a\.trials: .*; not a record of `whatmoves search`$"):
        read_record(path)


SEARCHED = {  # study → its declared search, its record, and itself
    name: (load_space(folder / space), read_record(folder / record), load_study(ROOT / "config" / study))
    for folder in [ROOT / "config/search"]
    for name, space, record, study in (
        ("quick", "space.yaml", "quick.json", "config.yaml"),
        ("mnist", "mnist-space.yaml", "mnist.json", "mnist.yaml"),
    )
}


@pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, found in SEARCHED.items() for model in found[0].models]
)
def test_the_shipped_search_can_be_run(name: str, model: str) -> None:
    space, _, study = SEARCHED[name]
    assert score_of(study, space, model) == ("reconstruction" if model.endswith("_vae") else "prediction")
    assert not {*space.seeds} & {seed for _, _, seed in study.runs()}


@pytest.mark.parametrize(
    ("name", "model"), [(name, model) for name, found in SEARCHED.items() for model in found[1].models]
)
def test_a_study_uses_what_its_search_found(name: str, model: str) -> None:
    space, record, study = SEARCHED[name]
    found = record.models[model]
    assert is_complete(space, model, found.trials)
    assert found.score == score_of(study, space, model)
    assert found.clips == space.clips_of(study, model)
    kind = study.models[model].kind
    chosen = changed(study, model, found.trials[0].point)
    assert chosen.training_of(model) == study.training_of(model)
    configs = [plugins.model_config(kind, each.models[model].options) for each in (chosen, study)]
    assert configs[0] == configs[1]


def test_a_finished_record_is_only_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, shipped = tmp_path / "record.json", ROOT / "config/search/quick.json"
    record.write_bytes(shipped.read_bytes())
    files = ["--configfile", str(ROOT / "config/config.yaml"), "--space", str(ROOT / "config/search/space.yaml")]
    with pytest.raises(SystemExit) as exit:
        main(["search", *files, "--out", str(record), "--model", "what_where_vae"])
    assert exit.value.code == 0
    best = read_json(shipped)["models"]["what_where_vae"]["trials"][0]["point"]
    assert capsys.readouterr().out == f"what_where_vae: squared error of its reconstruction 0.00114 with {best}\n"
    assert record.read_bytes() == shipped.read_bytes()


def test_a_search_does_not_go_on_with_another_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space, record = tmp_path / "space.json", tmp_path / "record.json"
    space.write_text(json.dumps(DECLARED), encoding="utf-8")
    trial = Trial(point=SPACE.points("lstm_vae")[0], validation_mse_pixel={"100": 0.1})
    keep(record, "tiny", "lstm_vae", 32, "reconstruction", [trial])
    files = ["--configfile", str(ROOT / "config/tiny.yaml"), "--space", str(space), "--out", str(record)]
    with pytest.raises(SystemExit):
        main(["search", *files, "--model", "lstm_vae"])
    said = "lstm_vae was searched with 32 clips by reconstruction, and would go on with 64 by reconstruction; take"
    assert f"whatmoves: {record}: {said}" in capsys.readouterr().err


def test_searches_that_end_together_lose_no_trial(tmp_path: Path) -> None:
    path, trial = tmp_path / "record.json", Trial(point={"learning_rate": 0.1}, validation_mse_pixel={"0": 0.5})
    models = [f"model_{number}" for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda model: keep(path, "quick", model, 8, "reconstruction", [trial]), models))
    assert sorted(read_record(path).models) == sorted(models)
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]
