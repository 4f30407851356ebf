"""The committed schema and settings page are what the types say; `make schema` repairs them."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tools import ROOT

from whatmoves.data.card_table import with_table
from whatmoves.schema import schema_text, study_schema
from whatmoves.settings_reference import settings_reference
from whatmoves.yaml_files import read_yaml


def test_the_committed_schema_is_current() -> None:
    committed = (ROOT / "config/schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "config/schema.json is not what the types say; run `make schema`"


def test_the_committed_settings_page_is_current() -> None:
    committed = (ROOT / "config/README.md").read_text(encoding="utf-8")
    assert committed == settings_reference(study_schema()), "config/README.md is out of date; run `make schema`"


def test_the_committed_table_of_cards_is_current() -> None:
    committed = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    assert committed == with_table(committed), "docs/data.md has another table than the cards; run `make schema`"


def test_every_setting_is_described() -> None:
    schema = study_schema()
    described = {name: schema["$defs"][name] for name in schema["$defs"]}
    described |= {f"{section}.{kind}": s for section, kinds in schema["kinds"].items() for kind, s in kinds.items()}
    lacking = [
        f"{owner}.{name}"
        for owner, definition in described.items()
        for name, field in definition.get("properties", {}).items()
        if not field.get("description")
    ]
    assert not lacking


@pytest.mark.parametrize("name", ["ablations", "config", "tiny", "full"])
def test_study_files_are_small(name: str) -> None:
    assert (
        len((ROOT / f"config/{name}.yaml").read_text(encoding="utf-8").splitlines()) <= 130
    )  # a line or two for each of some twenty entries
    json.loads((ROOT / "config/schema.json").read_text(encoding="utf-8"))


def _complaints(study: dict[str, object]) -> list[str]:
    """What an editor would underline."""
    return [error.message for error in Draft202012Validator(study_schema()).iter_errors(study)]


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_editors_find_the_schema_and_nothing_wrong_with_shipped_studies(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert _complaints(read_yaml(path, "absent", "example")) == []


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"lstm_vae": {"options": {"laten_dim": 4}}}, "laten_dim"),
        ({"mine": {"kind": "lstm_vae", "options": {"laten_dim": 4}}}, "laten_dim"),
        ({"pca": {"kind": "lstm_vae", "options": {"laten_dim": 4}}}, "laten_dim"),
        ({"lstm_vae": {"lable": "x"}}, "lable"),
        ({"lstm_vae": {"options": {"latent_dim": "four"}}}, "four"),
    ],
)
def test_editors_see_what_is_wrong_with_an_entry(models: dict[str, object], message: str) -> None:
    said = _complaints({"study": "s", "data": {"moving_digits": None}, "models": models})
    assert said
    assert all(message in line for line in said)


def test_editors_let_a_kind_from_elsewhere_have_any_options() -> None:
    entry = {"kind": "my_model.Thing", "options": {"whatever": 1}}
    assert _complaints({"study": "s", "data": {"moving_digits": None}, "models": {"lstm_vae": entry}}) == []
