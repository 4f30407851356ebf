"""The check of the finished PDF: a number on a page that nothing there accounts for fails the build.

The check of the templates (`whatmoves.paper.literals`) reads what people write; this one reads what readers see, so it
also meets what comes in by a macro, a style file, a bibliography, or main.tex itself. Every numeral of a page is one of

    a value or its interval      that the page links to; in the appendix of values also its clips and seeds
    a setting                    that the page links to, or the line of the table of settings
    what a row of the appendix   says of the reference run, its times, or a file's code and commit
    a citation's year            that the page links to; in the bibliography all of its entry
    a constant of the templates  with its reason, or within a formula
    words of the study           its description, labels, hypotheses; how many models, seeds and verdicts there are
    structure                    numbers of pages, sections, tables, figures and list items

A number that only another page links to is no excuse. What this cannot see: number words, numbers that are part of a
name (`CC-BY-4.0`, and whole ones in `812x`), a value of the same page in the wrong place, and anything inside figures,
which are drawn from files with receipts of their own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pypdf import PageObject, PdfReader
from pypdf.generic import NameObject

from whatmoves.errors import PaperError
from whatmoves.paper.links import linked_names

_NUMERAL = re.compile(
    r"(?<![\w.])(?<![A-Za-z]-)"
    r"(?:(?:\d{1,3}(?:[ \u2009]\d{3})+|\d+)(?:\.\d+)*(?:e[+-]?\d+)?|\.\d+)(?!\d)"  # 16 000, 0.91, 2.13.0, 3e-4
)
_GROUPED = re.compile(r"(?<=\d)\\,(?=\d{3})")
_TEX = re.compile(
    r"\\(?:allowbreak|anchor|hyperlink|hypertarget|back|href)(?:\{[^{}]*\})|\\penalty\d+|\\[A-Za-z]+\*?(?:\{\})?|[{}$~^]"
)
_FLOAT, _SECTION = r"\d{1,3}(?!\d| \d{3}|\.\d)", r"(?:[A-Z]\.)?\d{1,2}(?:\.\d{1,2}){0,2}(?!\d|\.\d)"
_STRUCTURE = re.compile(
    "|".join(
        rf"\b(?:{words})\s+{one}(?:(?:,|,?\s+and|\s+to)\s+{one})*"
        for words, one in (
            (r"[Tt]ables?|[Ff]ig(?:ure)?s?\.?|[Ee]q(?:uation)?s?\.?", _FLOAT),
            (r"[Ss]ections?|[Aa]ppendi(?:x|ces)", _SECTION),
        )
    )
)
_ITEM = re.compile(r"^\d{1,2}\.(?= )", re.MULTILINE)
_NUMBERED = re.compile(r"(?:sub)*section\.([\d.]+)|Item\.\d+|equation\.([\d.]+)")
_BIBITEM = re.compile(
    r"\\bibitem\[(?P<label>.*?)\]\{(?P<key>[^{}]+)\}(?P<text>.*?)(?=\\bibitem|\\end\{thebib|\Z)", re.DOTALL
)
CONTEXT = 30  # letters before a number, in a message


class MayPrint(NamedTuple):
    """Numerals that a paper may print: anywhere, on pages that link to a name, and on pages where a name stands."""

    anywhere: frozenset[str]
    linked: Mapping[str, frozenset[str]]
    placed: Mapping[str, frozenset[str]]


def numerals(text: str) -> frozenset[str]:
    """The numerals of a text or of TeX, without sign, unit and gaps between groups; a power of ten is two of them."""
    plain = _TEX.sub(lambda found: "" if "allowbreak" in found.group() else " ", _GROUPED.sub("", text))
    return frozenset(_plain(found.group()) for found in _NUMERAL.finditer(plain.replace("\\_", "_")) if _whole(found))


def check_printed(pdf: Path, bibliography: Path, may: MayPrint) -> None:
    """Raise `PaperError` for the first number in a PDF that nothing on its page accounts for.

    `bibliography` is the .bbl that BibTeX wrote for it; a paper that cites nothing has none.
    """
    linked, placed = {**may.linked}, {**may.placed}
    cited = bibliography.read_text(encoding="utf-8") if bibliography.is_file() else ""
    for item in _BIBITEM.finditer(cited):
        linked[f"cite.{item['key']}"] = numerals(item["label"])
        placed[f"cite.{item['key']}"] = numerals(item["label"]) | numerals(item["text"])
    for page, text, links, targets in _pages(PdfReader(pdf)):
        allowed = set(may.anywhere).union(*(linked.get(name, ()) for name in links))
        allowed.update(*(placed.get(name, ()) for name in targets), *(_numbered(name) for name in targets))
        for number in _unexplained(text, allowed):
            before = " ".join(text[max(0, number.start() - CONTEXT) : number.start()].split())
            raise PaperError(
                f"page {page} of the PDF prints {number.group()!r} (after {before!r}), which is no value that the page "
                f"links to, no setting, and no constant with a reason; write it as << value(id) >>, or mark it in its "
                f"template with <# constant: reason #>"
            )


def _unexplained(text: str, allowed: set[str]) -> Iterator[re.Match[str]]:
    """The numbers of a page's text that are none of `allowed`."""
    rest = _STRUCTURE.sub(lambda found: " " * len(found.group()), text)
    for number in _NUMERAL.finditer(rest):
        if _whole(number) and not _explained(number.group().split(), allowed):
            yield number


def _explained(groups: list[str], allowed: set[str]) -> bool:
    """Whether groups of digits, side by side, are allowed numbers: `16 000` is one, or two in neighbouring cells."""
    return not groups or any(
        _plain("".join(groups[:count])) in allowed and _explained(groups[count:], allowed)
        for count in range(len(groups), 0, -1)
    )


def _whole(number: re.Match[str]) -> bool:
    """Whether a match is a number: a whole one with letters behind it is part of a word (a hash, a footnote's mark)."""
    after = number.string[number.end() : number.end() + 1]
    return "." in number.group() or not (after.isalpha() or after == "_")


def _plain(number: str) -> str:
    return re.sub(r"[ \u2009]", "", number)


def _numbered(name: str) -> Iterable[str]:
    """The number that stands where a heading or an equation of that name is."""
    found = _NUMBERED.fullmatch(name)
    return [part for part in found.groups() if part] if found else []


def _pages(reader: PdfReader) -> Iterator[tuple[str, str, set[str], set[str]]]:
    """Number, text without its figures, links, and targets of each page.

    Among the targets are those of the page before, whose rows may go on.
    """
    places = {page.indirect_reference.idnum: at for at, page in enumerate(reader.pages) if page.indirect_reference}
    targets: list[set[str]] = [set() for _ in reader.pages]
    for name, target in reader.named_destinations.items():
        at = places.get(getattr(target.page, "idnum", -1))
        if at is not None:
            targets[at].add(name)
    for at, (page, label) in enumerate(zip(reader.pages, reader.page_labels, strict=True)):
        text = re.sub(rf"\s*\b{re.escape(label)}\s*\Z", "", _text(page))
        here = targets[at] | (targets[at - 1] if at else set())
        if any(name.startswith("Item.") for name in here):
            text = _ITEM.sub(lambda found: " " * len(found.group()), text)
        yield label, text, set(linked_names(page)), here


def _text(page: PageObject) -> str:
    """A page's text; figures are passed over as if they were photographs."""
    for drawing in page.get("/Resources", {}).get("/XObject", {}).values():
        drawing.get_object()[NameObject("/Subtype")] = NameObject("/Image")
    return page.extract_text()
