"""The committed schema and settings page are what the types say; `make schema` repairs them."""

import json

import pytest
from tools import ROOT

from whatmoves.data.card_table import with_table
from whatmoves.schema import schema_text, study_schema
from whatmoves.settings_reference import settings_reference


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
