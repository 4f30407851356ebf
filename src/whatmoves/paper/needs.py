"""What a study asks of its paper that no paper can print: told by key and letter, before any job."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from whatmoves.errors import ConfigError
from whatmoves.figures.fonts import EAST_ASIAN_PACKAGE, east_asian, in_dejavu, in_east_asian
from whatmoves.paper.tex import needs_letters
from whatmoves.study import Study

if TYPE_CHECKING:
    from whatmoves.data.clips import ClipShape

ADDRESS = re.compile(r"https://[A-Za-z0-9\-._~:/?@!()*+,;=]+")  # no sign that TeX or a PDF's links give another meaning


def check(study: Study, shapes: Mapping[str, ClipShape], where: str) -> None:
    """Raise `ConfigError` for the first text of the study that neither figures nor LaTeX can set as it stands.

    Every text is asked, since the paper prints all settings: titles, labels, folders. No shape matters here.
    """
    for key, text in _texts(study.model_dump(mode="json")):
        if problem := _problem(text):
            raise ConfigError(f"{where}: {key} is {text!r}; {problem}")
        if not text.strip() and (key.startswith("paper.") or re.fullmatch(r"models\.\w+\.label", key)):
            raise ConfigError(f"{where}: {key} is {text!r}, which prints nothing; write a name")
    address = study.paper.repository
    if address is not None and not ADDRESS.fullmatch(address):
        raise ConfigError(
            f"{where}: paper.repository is {address!r}; must be an address without spaces, #, % or letters beyond ASCII"
        )
    _check_labels(study, where)


def _check_labels(study: Study, where: str) -> None:
    """Two models of one name on one data set could not be told apart in tables and figures."""
    for dataset in study.data:
        labels: dict[str, str] = {}
        for name, entry in study.models.items():
            if dataset in entry.trains_on:
                label = " ".join(unicodedata.normalize("NFC", study.label_of(name)).split())
                other = labels.setdefault(label, name)
                if other != name:
                    raise ConfigError(
                        f"{where}: models.{other} and models.{name} are both called {label!r} in tables and figures; "
                        f"give each a label of its own"
                    )


def _texts(tree: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a tree of settings, by its dotted key."""
    if isinstance(tree, str):
        yield key, tree
    elif isinstance(tree, Mapping | list):
        for name, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
            yield from _texts(value, f"{key}.{name}" if key else str(name))


def _problem(text: str) -> str | None:
    """What cannot be set in a text, and the cure, or None."""
    composed = unicodedata.normalize("NFC", text)
    if not needs_letters(composed):
        return None
    for letter in composed:
        if needs_letters(letter) and (reason := _reason(letter)):
            name = unicodedata.name(letter, "without a name")
            return f"{letter!r} (U+{ord(letter):04X}, {name}) {reason}"
    return None


def _reason(letter: str) -> str | None:
    category = unicodedata.category(letter)
    if category[0] == "C" or category in ("Zl", "Zp"):
        return "is a sign that is not printed; take it out"
    if unicodedata.bidirectional(letter) in ("R", "AL", "AN"):
        return "is of a script that runs from right to left, which the paper cannot set; write it in other letters"
    if category[0] == "M" and not unicodedata.name(letter, "").startswith("COMBINING"):
        return "changes shape with its neighbours, which the paper cannot set; write it in other letters"
    if in_dejavu(letter) or in_east_asian(letter):
        return None
    if unicodedata.east_asian_width(letter) in "WF" and east_asian() is None:
        cure = f"install one (apt-get install {EAST_ASIAN_PACKAGE}) or write it in other letters"
        return f"needs a font of East Asian letters; {cure}"
    return "is in none of the fonts of figures and paper; write it in other letters"
