"""Which figures a study has: only those that some model of it can fill, and each from its own data set's files."""

import pytest
from tools import ROOT

from whatmoves.figures.catalogue import SCHEDULES, _able, _text, animations_of, figures_of
from whatmoves.figures.inputs import REFERENCE_KINDS
from whatmoves.loading import load_study
from whatmoves.models.interface import ABILITIES, abilities
from whatmoves.plugins import figure_kinds, model_config, model_kinds, model_module
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


def test_a_model_of_your_own_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    text = "class Model:\n    def loss(self): ...\n    def predict(self): ...\n"
    (folder / "mine/oracle_of_delphi.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    assert "predictions" in figures_of(study({"mine": {"kind": "mine.oracle_of_delphi"}}))


@pytest.mark.parametrize("kind", model_kinds())
def test_what_is_read_off_a_file_is_what_the_model_has(kind: str) -> None:
    able = set(abilities(model_module(kind).Model))
    assert {name for name in ABILITIES if _able(kind, name)} == able
    assert _able(kind, "loss") == (kind not in REFERENCE_KINDS)
    settings = model_config(kind, {}).model_fields_set | type(model_config(kind, {})).model_fields.keys()
    assert (SCHEDULES in _text(kind)) == bool({"kl_schedule", "kl_annealing"} & settings)


@pytest.mark.parametrize("name", ["ablations", "config", "full", "tiny"])
def test_every_figure_of_a_shipped_study_has_a_module(name: str) -> None:
    known = set(figure_kinds())
    assert {figure.partition("-")[0] for figure in figures_of(load_study(ROOT / f"config/{name}.yaml"))} <= known
