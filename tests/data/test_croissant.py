"""The Croissant card: its shape as version 1.0 asks for it. The standard's own validator is not installed here."""

import json

from whatmoves.data.cards import CARDS
from whatmoves.data.croissant import CONFORMS_TO, croissant
from whatmoves.data.factor_tables import FactorRole

ROLES = {
    "shape": FactorRole("content", "discrete", "index into disc, ring"),
    "way": FactorRole("derived", "continuous", "length of its path, sides"),
}
FILES = {
    "test.csv": {"sha256": "a" * 64, "size": 120},
    "test.npz": {"sha256": "b" * 64, "size": 5000},
}


def test_a_card_has_what_the_standard_requires() -> None:
    card = croissant(
        "mine.push_world",
        CARDS["push_world"],
        "@misc{x}",
        "0.1.0",
        "2026-01-02",
        FILES,
        {"test.csv": list(ROLES)},
        ROLES,
        None,
    )
    json.dumps(card)
    assert card["@type"] == "sc:Dataset"
    assert card["conformsTo"] == CONFORMS_TO
    assert card["license"] == "https://spdx.org/licenses/MIT"
    assert (card["name"], card["version"], card["datePublished"]) == ("mine.push_world", "0.1.0", "2026-01-02")
    table, clips = card["distribution"]
    assert table["sha256"] == "a" * 64
    assert (clips["contentUrl"], clips["contentSize"], clips["encodingFormat"]) == (
        "test.npz",
        "5000 B",
        "application/zip",
    )
    [records] = card["recordSet"]
    shape, way = records["field"]
    assert (records["@id"], shape["@id"], way["@id"]) == ("test", "test/shape", "test/way")
    assert (shape["dataType"], way["dataType"]) == ("sc:Integer", "sc:Float")
    assert way["source"] == {"fileObject": {"@id": "test.csv"}, "extract": {"column": "way"}}
    assert shape["description"] == "index into disc, ring (content, discrete)"
    ids = [node["@id"] for node in [*card["distribution"], records, *records["field"]]]
    assert len(ids) == len(set(ids))


def test_terms_of_the_standard_are_all_in_the_context() -> None:
    card = croissant(
        "n",
        None,
        "",
        "0",
        "2026-01-02",
        FILES,
        {"test.csv": list(ROLES), "other.csv": []},
        ROLES,
        "https://example.org",
    )
    used = {"recordSet", "field", "dataType", "source", "fileObject", "extract", "column", "conformsTo"}
    assert used <= card["@context"].keys()
    assert card["license"] == "not stated"
    assert card["url"] == "https://example.org"
    assert "citeAs" not in card
    assert [records["@id"] for records in card["recordSet"]] == ["test"]  # of no known columns there is nothing to say
