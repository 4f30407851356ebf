"""The search: every point once, the same for every model, sorted by the error on validation clips."""

from pathlib import Path

import pytest
from tools import ROOT

from whatmoves.errors import ConfigError
from whatmoves.loading import load_study
from whatmoves.plugins import data_config, data_module
from whatmoves.searching.search import Space, changed, load_space, search

SPACE = Space.model_validate(
    {
        "models": ["baseline_vae"],
        "seeds": [100, 101],
        "finalists": 1,
        "grid": {"training.learning_rate": [0.001, 0.01], "options.reconstruction": ["bce", "mse"]},
        "with": {"options.reconstruction": {"mse": {"options.beta": 1.0}}},
    }
)


def test_the_grid_is_walked_whole_with_what_choices_bring_along() -> None:
    points = SPACE.trials()
    assert len(points) == 4
    assert {"training.learning_rate": 0.001, "options.reconstruction": "mse", "options.beta": 1.0} in points
    assert {"training.learning_rate": 0.001, "options.reconstruction": "bce"} in points


def test_a_point_changes_one_model_and_leaves_the_rest() -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    found = changed(study, "baseline_vae", {"training.learning_rate": 0.5, "options.beta": 2.0})
    assert found.training_of("baseline_vae").learning_rate == 0.5
    assert found.models["baseline_vae"].options["beta"] == 2.0
    assert found.models["lstm_vae"] == study.models["lstm_vae"]
    with pytest.raises(ConfigError, match="the search names 'jepa', which is no model of study tiny"):
        changed(study, "jepa", {})


def test_trials_are_scored_on_validation_clips_best_first(tmp_path: Path) -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    entry = study.data["moving_digits"]
    data_module(entry.kind).make(data_config(entry.kind, entry.options), tmp_path)
    trials = search(study, SPACE, "baseline_vae", "moving_digits", tmp_path, "cpu")
    assert sorted(map(str, (trial["point"] for trial in trials))) == sorted(map(str, SPACE.trials()))
    assert list(trials[0]["validation_mse_pixel"]) == ["100", "101"]  # the finalist, with every seed
    assert all(list(trial["validation_mse_pixel"]) == ["100"] for trial in trials[1:])
    first_round = [trial["validation_mse_pixel"]["100"] for trial in trials]
    assert first_round == sorted(first_round)
    assert 0 < first_round[0] < first_round[-1] < 1


def test_the_shipped_search_treats_its_models_alike() -> None:
    space = load_space(ROOT / "config/search/space.yaml")
    assert all(changed(load_study(ROOT / "config/config.yaml"), model, space.trials()[0]) for model in space.models)


def test_a_search_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text("models: []\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_space(path)
    assert str(error.value).startswith(f"{path}: not a search: ")
    assert "\n" not in str(error.value)
