"""Dataset cards: every kind has one, what they say can be checked, and what the paper prints holds no typed number."""

import hashlib
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from tools import ROOT

from whatmoves.data.card_table import BEGIN, END, card_table, with_table
from whatmoves.data.cards import CARDS, Card, card_name, card_of
from whatmoves.errors import DataError
from whatmoves.paper.literals import find_literals
from whatmoves.plugins import data_kinds


def test_every_data_kind_has_a_card() -> None:
    lacking = [kind for kind in data_kinds() if card_of(kind, {}) is None]
    assert lacking == []
    assert card_of("a_kind.of_mine", {}) is None


def test_a_card_is_of_what_a_data_set_is_made_of() -> None:
    assert card_name("moving_digits", {}) == "moving_digits"
    assert card_name("moving_digits", {"digit_bank": "mnist"}) == "moving_digits, MNIST"
    assert card_name("recordings", {}) == "recordings, sample drive"
    assert card_name("recordings", {"folder": "mine"}) == "recordings"


@pytest.mark.parametrize("card", CARDS.values(), ids=list(CARDS))
def test_what_the_paper_prints_holds_no_typed_number_and_cites_what_there_is(card: Card) -> None:
    for text in (card.what, card.splits, card.flaws):
        assert find_literals(text) == []
    known = re.findall(r"^@\w+\{(\w+),", (ROOT / "paper/references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(card.citations) <= set(known)


def test_the_checksum_of_the_embedded_digits_is_that_of_the_installed_ones() -> None:
    path = Path(str(distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")))
    assert f"digits.csv.gz: sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" in CARDS["moving_digits"].checksums


def test_the_table_has_a_row_a_card_and_a_page_without_markers_is_refused() -> None:
    lines = card_table().splitlines()
    assert len(lines) == 2 + len(CARDS)
    assert {line.count(" | ") for line in lines if "---" not in line} == {4}
    assert with_table(f"before\n{BEGIN}old\n{END}after\n") == f"before\n{BEGIN}{card_table()}{END}after\n"
    with pytest.raises(DataError, match="put them back"):
        with_table("no markers")
