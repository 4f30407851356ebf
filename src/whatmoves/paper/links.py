"""Read a built PDF's links, to prove that every number in it leads to its entry and back."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject


class Links(NamedTuple):
    """Named places in a PDF, and how often each is linked to."""

    targets: frozenset[str]
    linked: dict[str, int]

    def unreached(self, names: tuple[str, ...]) -> list[str]:
        """Those of `names` that lack a link or a target."""
        return [name for name in names if name not in self.targets or name not in self.linked]


def read_links(pdf: Path) -> Links:
    """All named destinations of a PDF and all internal links to them."""
    reader = PdfReader(pdf)
    linked = Counter(name for page in reader.pages for name in linked_names(page))
    return Links(frozenset(reader.named_destinations), linked)


def linked_names(page: PageObject) -> Iterator[str]:
    """The named places that a page links to, once a link."""
    for reference in page.get("/Annots") or []:
        action = reference.get_object().get("/A")
        if isinstance(action, DictionaryObject) and action.get("/S") == "/GoTo":
            yield str(action["/D"])


def missing_links(pdf: Path, value_ids: tuple[str, ...]) -> list[str]:
    """What a reader of the PDF could not click: entries without a link to them, places of use without a way back."""
    names = tuple(f"{kind}:{value_id}" for value_id in value_ids for kind in ("value", "use"))
    return read_links(pdf).unreached(names)
