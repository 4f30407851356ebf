"""The check for typed numbers: whatever is a number in the text of a template, and no value, fails the build.

Denied are all digits and number words (`half`, `twice`, `two thirds`) in prose, and in the strings that expressions
print. Not prose are comments, lengths, arguments of formatting commands, identifiers (`ssim_gauss11`), and whole
numbers inside formulas. A constant that must stand in the text, such as one of a definition, is marked on its line:
`<# constant: reason #>`.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

from whatmoves.errors import PaperError
from whatmoves.paper.index import ValueIndex
from whatmoves.paper.printed import numerals

JINJA = partial(
    Environment,
    variable_start_string="<<",
    variable_end_string=">>",
    block_start_string="<%",
    block_end_string="%>",
    comment_start_string="<#",
    comment_end_string="#>",
)
"""An environment with the delimiters of the paper's templates."""

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
_MATH = re.compile(r"\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)|\\begin\{equation\*?\}.*?\\end\{equation\*?\}", re.DOTALL)
_ONLY_NUMBER = re.compile(r"[\s$\\()\[\]+\-~,]*\d[\d,{}]*(?:\.\d+)?[\s$\\()\[\]%]*")
_WORDS = (
    r"(?:zero|half|halves|halv(?:ed|es|ing)|twice|thrice|(?:double|triple|quadruple)[ds]?|\w+fold|percent|"
    r"(?:third|quarter|fourth|fifth|sixth|seventh|eighth|ninth|tenth)s?|two|three|four|five|six|seven|eight|nine|ten|"
    r"eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|"
    r"dozens?|hundreds?|thousands?|millions?|billions?)"
)
_NUMBER = re.compile(rf"(?<![\w.\\])[+-]?(?:\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+)|(?i:\b{_WORDS}\b)")


class Literal(NamedTuple):
    """A number in a template's text; `line` counts from 1."""

    line: int
    text: str


def check_templates(templates: Path, index: ValueIndex) -> None:
    """Raise `PaperError` for the first typed number below `templates`, naming file, line, number and ids to use."""
    for path in sorted(templates.rglob("*.tex.j2")):
        found = find_literals(path.read_text(encoding="utf-8"))
        if found:
            more = f" ({len(found) - 1} more in this file)" if len(found) > 1 else ""
            raise PaperError(
                f"{path}:{found[0].line}: {found[0].text!r} is typed by hand; {suggestion(found[0].text, index)}, "
                f"or mark a constant of the method with <# constant: reason #> on its line{more}"
            )


def find_literals(template: str) -> list[Literal]:
    """The numbers in a template's text and in the strings that it prints, the first of each line."""
    text, reasoned = template, set[int]()
    for pragma in PRAGMA.finditer(template):
        start = template.rfind("\n", 0, pragma.start()) + 1
        end = template.find("\n", pragma.end())
        text = _blank(text, start, len(text) if end < 0 else end)
        reasoned.add(template.count("\n", 0, start) + 1)
    hits = {line: Literal(line, number) for line, number in _printed(template) if line not in reasoned}
    text = _MATH.sub(_without_integers, _prose(text))
    for number in _NUMBER.finditer(text):
        line = text.count("\n", 0, number.start()) + 1
        hits.setdefault(line, Literal(line, _in_context(text, number)))
    return [hits[line] for line in sorted(hits)]


def constants(templates: Path) -> frozenset[str]:
    """The numerals in the text of the templates below a folder: constants with reasons, whole numbers of formulas."""
    found: set[str] = set()
    for path in sorted(templates.rglob("*.tex.j2")):
        template = path.read_text(encoding="utf-8")
        reasoned = {template.count("\n", 0, pragma.start()) + 1 for pragma in PRAGMA.finditer(template)}
        found.update(*(numerals(text) for line, text in _printed(template) if line in reasoned))
        found |= numerals(_prose(template))
    return frozenset(found)


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


def _prose(template: str) -> str:
    """A template with all but its prose and formulas blanked: other text never shows, or is no number."""
    for pattern in (_JINJA, _COMMENT, _NOT_PROSE, _LENGTH):
        template = pattern.sub(_masked, template)
    return template


def _printed(template: str) -> Iterator[tuple[int, str]]:
    """Line and text of each string with a number in it that an expression of the template prints as it stands; nothing
    of a template that is none: its rendering says so."""
    try:
        tree = JINJA().parse(template)
    except TemplateSyntaxError:
        return
    for printed in tree.find_all((nodes.Output, nodes.Assign)):
        for expression in printed.iter_child_nodes(exclude=("target",)):
            for constant in _constants(expression):
                if _NUMBER.search(str(constant.value)):
                    yield constant.lineno, str(constant.value)


def _constants(expression: nodes.Node) -> Iterator[nodes.Const]:
    """The constants that an expression may come to: not what it asks functions about."""
    if isinstance(expression, nodes.Const) and not isinstance(expression.value, bool):
        yield expression
    elif isinstance(expression, nodes.CondExpr | nodes.BinExpr | nodes.Concat | nodes.Filter):
        for part in expression.iter_child_nodes(exclude=("test", "args", "kwargs", "dyn_args", "dyn_kwargs")):
            yield from _constants(part)


def _in_context(text: str, number: re.Match[str]) -> str:
    """A number with the word after it, for a message."""
    after = re.match(r"(?:\s|~|\\,|\\;)*(?:\\?%|[A-Za-z]+)?", text[number.end() :].split("\n")[0])
    return " ".join((number.group() + (after.group() if after else "")).replace("\\,", " ").split())


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
