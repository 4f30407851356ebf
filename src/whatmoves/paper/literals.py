"""The check for typed results: a result-like number in the text of a template fails the build.

Result-like are decimals, percentages, numbers with the unit of a measure, `3 of 8`, factors (`4 times`), and whole
numbers next to a word that names a measure. Not result-like are years, references, citations, lengths, sizes (`3×3`),
identifiers (`ssim_gauss11`), and whole numbers inside formulas. A constant that must stand in the text, such as one of
a definition, is marked on its line: `<# constant: reason #>`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from whatmoves.errors import PaperError
from whatmoves.paper.index import ValueIndex

PRAGMA = re.compile(r"<#-?\s*constant:\s*\S.*?#>")
_JINJA = re.compile(r"<#.*?#>|<<.*?>>|<%.*?%>", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)%.*")
_OPTIONAL = r"(?:\s*\[[^\]]*\])*"
_ARGUMENT = r"\s*\{[^{}]*\}"
_NOT_PROSE = re.compile(
    rf"\\(?:label|[cC]?ref|autoref|eqref|pageref|[cC]refrange|cite\w*\*?|includegraphics|vspace\*?|hspace\*?|input|include"
    rf"|bibliography(?:style)?|url|nolinkurl|texttt|usepackage|documentclass|color|pagestyle|hypertarget|hyperlink"
    rf"|rule|raisebox){_OPTIONAL}(?:{_ARGUMENT})?"
    rf"|\\(?:setlength|addtolength|definecolor|setcounter|addtocounter|multicolumn|renewcommand|newcommand|cmidrule"
    rf"|linespread|addlinespace){_OPTIONAL}(?:\([^)]*\))?(?:{_ARGUMENT})*"
    rf"|\\(?:geometry|hypersetup|sisetup|captionsetup){_ARGUMENT}"
    rf"|\\begin{_ARGUMENT}{_OPTIONAL}(?:\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}})?"
    rf"|\\href{_ARGUMENT}"
)
_UNITS_OF_LENGTH = r"pt|em|ex|cm|mm|in|bp|sp|mu|\\(?:text|line|column|page|paper)(?:width|height)|\\baselineskip"
_LENGTH = re.compile(rf"\d*\.?\d+\s*(?:{_UNITS_OF_LENGTH})(?![A-Za-z])")
_REFERENCE = re.compile(
    r"\b(?:[Ss]ections?|[Tt]ables?|[Ff]igures?|[Ff]ig\.|[Ee]quations?|[Ee]q\.|[Aa]ppendix|[Cc]hapters?|[Ss]eeds?|[Pp]art|"
    r"[Pp]age|[Ss]tep|[Vv]ersion|[Ii]tem)[\s~]+\d+(?:[\s~]*(?:,|--|and|to)[\s~]*\d+)*"
)
_SIZE = re.compile(r"\d+(?:\s*(?:×|\$?\\times\$?|\bby\b)\s*\d+)+")
_MATH = re.compile(r"\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)", re.DOTALL)
_ONLY_NUMBER = re.compile(r"[\s$\\()\[\]+\-~,]*\d[\d,{}]*(?:\.\d+)?[\s$\\()\[\]%]*")

_NUMBER = r"(?<![\w.\\])[+-]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?![\w]|\.\d)"
_DECIMAL = r"(?<![\w.\\])[+-]?\d*\.\d+(?![\w]|\.\d)"
_GAP = r"(?:\s|~|\\,|\\;|\$|\{|\}|-)*"
_MEASURES = (
    r"PSNR|SSIM|MSE|MAE|MIG|SAP|DCI|AP|[Ee]rrors?|[Aa]ccurac(?:y|ies)|[Ss]cor(?:e|es|ed|ing)|[Gg]aps?|[Ll]eak(?:s|age)?|"
    r"[Ss]uccess|[Qq]uality|[Cc]orrelations?|[Pp]arameters|[Ii]mprove[sd]?|[Ii]mprovements?|[Rr]each(?:es|ed)?|[Rr]emove[sd]?"
)
_BETWEEN = r"(?:[\s~]+[A-Za-z]+){0,3}[\s~]+"
_COUNT_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_COUNTED = r"(?:[a-z-]+[\s~]+)?(?:models?|seeds?|runs?|systems?|hypotheses|pairs?|clips?|comparisons?)"
_RESULT_LIKE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\\(?:num|qty|SI|numrange|qtyrange|ang){_OPTIONAL}\s*\{{[^{{}}]*\d[^{{}}]*\}}",
        rf"{_NUMBER}{_GAP}(?:\\?%|\\percent\b|per[\s~]?cent\b)",
        _DECIMAL,
        rf"{_NUMBER}{_GAP}(?:dB|decibels?|nats?|bits?|points?|times|fold)\b",
        rf"{_NUMBER}[\s~]+(?:out[\s~]+)?of[\s~]+(?:the[\s~]+)?\d+\b",
        rf"\b(?i:{_COUNT_WORDS})[\s~]+(?:out[\s~]+)?of[\s~]+(?:the[\s~]+)?(?:{_COUNT_WORDS})[\s~]+{_COUNTED}",
        rf"\b(?:{_MEASURES})\b{_BETWEEN}(?P<after>{_NUMBER})",
        rf"(?P<before>{_NUMBER}){_BETWEEN}(?:{_MEASURES})\b",
    )
)
_YEAR = re.compile(r"(?:19|20)\d\d")


class Literal(NamedTuple):
    """A result-like number in a template's text; `line` counts from 1."""

    line: int
    text: str


def check_templates(templates: Path, index: ValueIndex) -> None:
    """Raise `PaperError` for the first typed result below `templates`, naming file, line, number and ids to use."""
    for path in sorted(templates.rglob("*.tex.j2")):
        found = find_literals(path.read_text(encoding="utf-8"))
        if found:
            more = f" ({len(found) - 1} more in this file)" if len(found) > 1 else ""
            raise PaperError(
                f"{path}:{found[0].line}: {found[0].text!r} is typed by hand; {suggestion(found[0].text, index)}, "
                f"or mark a constant of the method with <# constant: reason #> on its line{more}"
            )


def find_literals(template: str) -> list[Literal]:
    """The result-like numbers in a template's text, by line."""
    text = template
    for pragma in PRAGMA.finditer(template):
        start = template.rfind("\n", 0, pragma.start()) + 1
        end = template.find("\n", pragma.end())
        text = _blank(text, start, len(text) if end < 0 else end)
    for pattern in (_JINJA, _COMMENT, _NOT_PROSE, _LENGTH, _REFERENCE, _SIZE):
        text = pattern.sub(_masked, text)
    text = _MATH.sub(_without_integers, text)
    hits: dict[int, Literal] = {}
    for start, found in sorted(_matches(text), key=lambda hit: (hit[0], -len(hit[1]))):
        line = text.count("\n", 0, start) + 1
        if line not in hits:  # one number is one mistake, however many patterns see it; a line is read as a whole
            hits[line] = Literal(line, " ".join(found.split()))
    return list(hits.values())


def suggestion(text: str, index: ValueIndex) -> str:
    """Which value to write instead: those printed exactly so, else the nearest."""
    digits = re.search(r"\d[\d,]*(?:\.\d+)?|\.\d+", text)
    if digits is None or not index:
        return "write it as << value(id) >>"
    number = digits.group().replace(",", "")
    equal = [key for key, entry in index.items() if entry.numeral().strip("+-%").replace(",", "") == number]
    if equal:
        return f"write << value({equal[0]!r}) >>" + (f" (or {', '.join(equal[1:4])})" if equal[1:] else "")

    def distance(value_id: str) -> float:
        return abs(float(index[value_id].numeral().strip("%").replace(",", "")) - float(number))

    close = sorted(index, key=distance)[:2]
    shown = ", ".join(f"{key} = {index[key].numeral()}" for key in close)
    return f"write it as << value(id) >> (nearest: {shown})"


def _matches(text: str) -> Iterator[tuple[int, str]]:
    for pattern in _RESULT_LIKE:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            number = groups.get("after") or groups.get("before") or ""
            if _YEAR.fullmatch(number or match.group()):
                continue
            yield match.start(), match.group()


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _masked(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _without_integers(match: re.Match[str]) -> str:
    """A formula keeps its decimals; its whole numbers are exponents, indices and factors, unless it is one number."""
    formula = match.group()
    if _ONLY_NUMBER.fullmatch(formula):
        return re.sub(r"[$\\()\[\]]", " ", formula)
    blank: Callable[[re.Match[str]], str] = lambda found: " " * len(found.group())  # noqa: E731
    return re.sub(r"(?<![\d.])\d+(?![\d.])", blank, formula)
