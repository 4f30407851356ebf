"""The table of all dataset cards in docs/data.md, between two markers: `python -m whatmoves.schema` writes it again."""

import re

from whatmoves.data.cards import CARDS, Card
from whatmoves.errors import DataError

BEGIN, END = "<!-- cards: written by `make schema` -->\n", "<!-- end of cards -->\n"
HEAD = "| data set | source, licence, citation | size, checksums | splits, conventions | known flaws |\n"


def with_table(page: str) -> str:
    """The page with the current table between its markers; raises `DataError` where a marker is missing."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise DataError(f"the page has no lines {BEGIN.strip()!r} and {END.strip()!r}, once each; put them back")
    before, rest = page.split(BEGIN)
    return before + BEGIN + card_table() + END + rest.split(END)[1]


def card_table() -> str:
    """A row a card."""
    return HEAD + "|---|---|---|---|---|\n" + "".join(_row(name, card) for name, card in CARDS.items())


def _row(name: str, card: Card) -> str:
    kind, _, made_of = name.partition(", ")
    cited = f"cite {', '.join(f'`{key}`' for key in card.citations)}" if card.citations else ""
    licence = f"licence: {card.licence}" + (f" ({card.licence_note})" if card.licence_note else "")
    cells = (
        [f"`{kind}`" + (f" ({made_of})" if made_of else ""), card.what],
        [re.sub(r"https?://[^\s,]+", r"<\g<0>>", card.source), licence, cited],
        [card.size, *(re.sub(r"\b[0-9a-f]{32,}\b", r"`\g<0>`", sum_) for sum_ in card.checksums)],
        [card.splits, card.conventions],
        [card.flaws],
    )
    return "| " + " | ".join("<br>".join(filter(None, cell)).replace("|", "\\|") for cell in cells) + " |\n"
