"""Text for TeX: what is safe already, what must be escaped, and how numbers are set."""

import re
from collections.abc import Iterable

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "−": r"$-$",
    "→": r"$\rightarrow$",
    "∞": r"$\infty$",
    "²": r"$^2$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "σ": r"$\sigma$",
    "Δ": r"$\Delta$",
}
_TABLE = str.maketrans(_SPECIAL)
_NUMERAL = re.compile(r"([+-]?)(\d+)(\.\d+)?(?:[eE]([+-]?\d+))?(%?)")
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class Tex(str):
    """Text that is TeX already and is not escaped again."""

    __slots__ = ()


def escape(text: str) -> Tex:
    """The text as TeX prints it literally; `Tex` passes unchanged."""
    return text if isinstance(text, Tex) else Tex(text.translate(_TABLE))


def code(text: str) -> Tex:
    """An identifier or path in typewriter type that may break after `_`, `.`, `/`, `-` and `=`."""
    return Tex(r"\texttt{" + re.sub(r"(\\_|[./=\-])", r"\1\\allowbreak{}", escape(text)) + "}")


def number(text: str) -> Tex:
    """A numeral such as `-1,234.5`, `63.5%` or `1e-4`: five digits and more in groups, a true minus, no plus, no −0.

    Written out here because a paper has thousands of them: a package that parses each takes more time than all of the
    rest of the paper. Raises `ValueError` for other text.
    """
    parts = _NUMERAL.fullmatch(text.replace(",", ""))
    if parts is None:
        raise ValueError(f"{text!r} is not a numeral")
    sign, whole, decimals, exponent, percent = parts.groups(default="")
    zero = not (whole + decimals).strip("0.")
    minus = r"\textminus{}" if sign == "-" and not zero else ""
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", r"\,")
    power = rf"\,$\times$\,$10^{{{int(exponent)}}}$" if exponent else ""
    return Tex(minus + whole + decimals + power + (r"\,\%" if percent else ""))


def count(things: int | Iterable[object]) -> Tex:
    """How many, in words up to twelve."""
    total = things if isinstance(things, int) else len(list(things))
    return Tex(_WORDS[total]) if 0 <= total < len(_WORDS) else number(str(total))


def listing(items: Iterable[str], word: str = "and") -> Tex:
    """`a`, `a and b`, `a, b and c`; every item is escaped."""
    parts = [escape(item) for item in items]
    if len(parts) < 2:
        return Tex("".join(parts))
    return Tex(f"{', '.join(parts[:-1])} {escape(word)} {parts[-1]}")
