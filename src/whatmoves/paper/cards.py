"""Dataset cards as the paper prints them. A licence's version is a number, so it stands in the link alone."""

import re

from whatmoves.data.cards import Card
from whatmoves.paper.tex import Tex, escape


def licence(card: Card) -> Tex:
    """A licence without its version, linked to its text; words as they are."""
    if not card.spdx:
        return escape(card.licence)
    name = re.sub(r"-[\d.]+$", "", card.licence)
    return Tex(rf"\href{{https://spdx.org/licenses/{card.licence}.html}}{{{escape(name.replace('-', ' ', 1))}}}")


def cited(card: Card) -> Tex:
    """The citations of a card, with a space before; nothing where there are none."""
    return Tex(rf" \citep{{{','.join(card.citations)}}}") if card.citations else Tex("")
