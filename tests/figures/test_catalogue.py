"""Which figures a study has: only those that some model of it can fill, and each from its own data set's files."""

import pytest
from tools import ROOT

from whatmoves.figures.catalogue import animations_of, figures_of
from whatmoves.floors import FRAMES
from whatmoves.loading import abilities_of, load_study
from whatmoves.models.interface import ABILITIES, abilities
from whatmoves.plugins import figure_kinds, model_kinds, model_module
from whatmoves.study import Study

NEW = {"predictions", "error_horizon", "detection", "rollout", "schedules"}


def study(models: dict[str, object], *data: str) -> Study:
    return Study.model_validate({"study": "toy", "data": dict.fromkeys(("moving_digits", *data)), "models": models})


def test_floors_alone_make_no_figure_of_predictions() -> None:
    assert not NEW & figures_of(study({"mean_frame": None, "copy_last": None})).keys()
    assert "predictions" not in animations_of(study({"copy_last": None}))


def test_each_figure_has_what_its_models_can() -> None:
    assert NEW & figures_of(study({"lstm_vae": None})).keys() == {"schedules"}
    assert NEW & figures_of(study({"capsule_transformer": None})).keys() == {"predictions", "error_horizon"}
    assert NEW & figures_of(study({"jepa": None})).keys() == NEW - {"schedules"}


def test_a_data_set_has_its_own_predictions_from_its_own_files() -> None:
    models = {"jepa": {"trains_on": ["push_world"]}, "copy_last": {"trains_on": ["moving_digits", "push_world"]}}
    found = figures_of(study(models, "push_world"))
    assert NEW & {name.partition("-")[0] for name in found} == {"predictions", "error_horizon"}
    assert found["predictions-push_world"] == [f"evaluate/push_world/{m}/pictures.npz" for m in ("jepa", "copy_last")]
    rows = ("jepa", "copy_last", "blank", "blurred_truth")
    assert found["error_horizon"] == [f"evaluate/push_world/{row}/quality.json" for row in rows]
    assert "predictions-push_world" in animations_of(study(models, "push_world"))


def test_one_figure_shows_where_a_model_looks_on_the_table_if_there_is_one() -> None:
    models = {"tinydreams": {"trains_on": ["moving_digits", "push_world"]}}
    assert "attention" in figures_of(study({"tinydreams": None}))
    found = [name for name in figures_of(study(models, "push_world")) if name.startswith("attention")]
    assert found == ["attention-push_world"]


def test_a_model_of_your_own_is_found_with_what_it_inherits(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    text = (
        "from whatmoves.models import capsule_transformer\n"
        "from whatmoves.models.capsule_transformer import Config\n"
        "class Model(capsule_transformer.Model): ...\n"
    )
    (folder / "mine/oracle_of_delphi.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.chdir(folder)
    assert "predictions" in figures_of(study({"mine": {"kind": "mine.oracle_of_delphi"}}))


@pytest.mark.parametrize("kind", model_kinds())
def test_the_schema_says_what_the_class_can(kind: str) -> None:
    assert abilities_of("models", kind) & set(ABILITIES) == set(abilities(model_module(kind).Model))
    assert ("loss" in abilities_of("models", kind)) == (kind not in FRAMES)


@pytest.mark.parametrize("name", ["digits", "a"])
def test_another_name_of_the_data_set_changes_no_figure(name: str) -> None:
    models = {"disentangled_vae": None, "jepa": None, "mean_frame": None}
    data = {name: {"kind": "moving_digits"}, "push_world": None}
    renamed = figures_of(Study.model_validate({"study": "toy", "data": data, "models": models}))
    named = figures_of(study(models, "push_world"))
    assert list(renamed) == list(named)
    assert [file.replace(f"/{name}/", "/moving_digits/") for files in renamed.values() for file in files] == [
        file for files in named.values() for file in files
    ]


def test_two_data_sets_of_one_kind_are_shown_alike() -> None:
    models = {"disentangled_vae": {"trains_on": ["one", "two"]}, "mean_frame": {"trains_on": ["one", "two"]}}
    data = {name: {"kind": "moving_digits"} for name in ("one", "two")}
    found = figures_of(Study.model_validate({"study": "toy", "data": data, "models": models}))
    for module in ("reconstructions", "swaps", "quality", "trade_off", "training_curves"):
        assert {module, f"{module}-two"} <= found.keys()
    assert all("/one/" not in file for file in found["swaps-two"])


def test_recordings_alone_are_the_main_thing_to_show() -> None:
    data = {"drive": {"kind": "recordings"}}
    found = figures_of(Study.model_validate({"study": "toy", "data": data, "models": {"tinydreams": None}}))
    assert {"predictions", "attention", "training_curves", "error_horizon"} <= found.keys()
    assert not {"swaps", "trade_off", "interpolation", "reconstructions"} & found.keys()


@pytest.mark.parametrize("name", ["ablations", "config", "full", "tiny"])
def test_every_figure_of_a_shipped_study_has_a_module(name: str) -> None:
    known = set(figure_kinds())
    assert {figure.partition("-")[0] for figure in figures_of(load_study(ROOT / f"config/{name}.yaml"))} <= known
