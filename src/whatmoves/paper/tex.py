"""Text for TeX: what is safe already, what must be escaped, and how numbers are set."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby

LETTER = r"\letter"
"""The macro that prints one letter of the fonts that `whatmoves.paper.letters` makes."""

_ASCII = {
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
}
_SPECIAL = _ASCII | {
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
_TABLE, _ASCII_TABLE = str.maketrans(_SPECIAL), str.maketrans(_ASCII)
# What the paper's own fonts print as it stands, found by trying all of Unicode: Latin letters, and signs of print.
_PLAIN = frozenset(
    chr(code)
    for first, last in (
        (0x20, 0x7E), (0xA0, 0x125), (0x128, 0x137), (0x139, 0x13E), (0x141, 0x148), (0x14A, 0x165), (0x168, 0x17E),
        (0x192, 0x192), (0x1C4, 0x1D4), (0x1E2, 0x1E3), (0x1E6, 0x1EB), (0x1F0, 0x1F0), (0x1F4, 0x1F5),
        (0x218, 0x21B), (0x232, 0x233), (0x1E02, 0x1E03), (0x1E0D, 0x1E0D), (0x1E1E, 0x1E21), (0x1E25, 0x1E25),
        (0x1E30, 0x1E31), (0x1E37, 0x1E37), (0x1E43, 0x1E43), (0x1E45, 0x1E45), (0x1E47, 0x1E47), (0x1E5B, 0x1E5B),
        (0x1E63, 0x1E63), (0x1E6D, 0x1E6D), (0x1E8E, 0x1E91), (0x1E9E, 0x1E9E), (0x1EF2, 0x1EF3), (0x2010, 0x2016),
        (0x2018, 0x201A), (0x201C, 0x201E), (0x2020, 0x2022), (0x2026, 0x2026), (0x2030, 0x2030), (0x2039, 0x203A),
        (0x20AC, 0x20AC), (0x2122, 0x2122),
    )
    for code in range(first, last + 1)
)  # fmt: skip
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=`)(?=`)|(?<=,)(?=,)|(?<=[!?])(?=`)")  # TeX would print other signs
_ENDLESS, _ENDLESS_CODE = re.compile(r"(\S{31,})"), re.compile(r"([^\s_./=-]{31,})")
_NOT_FIRST, _NOT_LAST = "、。，．：；！？）」』】〉》・ー々", "（「『【〈《"  # signs of a line of Chinese or Japanese
_NUMERAL = re.compile(r"([+-]?)(\d+)(\.\d+)?(?:[eE]([+-]?\d+))?(%?)")
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class Tex(str):
    """Text that is TeX already and is not escaped again."""

    __slots__ = ()


def escape(text: str) -> Tex:
    """The text as TeX prints it literally, in one paragraph; `Tex` passes unchanged.

    A word with a letter that the paper's fonts lack becomes `\\letters{…}`, each such letter in it `\\letter{…}`:
    `whatmoves.paper.letters` makes the fonts of them.
    """
    if isinstance(text, Tex):
        return text
    return Tex(_broken(text, _ENDLESS))


def metadata(*texts: str) -> Tex:
    """A list in words for what a PDF says of itself: TeX's own signs escaped, all other letters as they are."""
    return listing(Tex(_one_paragraph(text).translate(_ASCII_TABLE)) for text in texts)


def needs_letters(text: str) -> bool:
    """Whether the text has letters that the paper's own fonts lack."""
    return not all(sign in _PLAIN or sign in _SPECIAL or sign in "\t\n" for sign in text)


def columns(text: str) -> int:
    """How much room a text takes, in letters: a Chinese sign takes two, an accent none."""
    return sum(1 + _wide(sign) for sign in signs_of(text))


def signs_of(text: str) -> list[str]:
    """The text's signs: single characters, each with the accents that combine with it."""
    signs: list[str] = []
    for character in text:
        if signs and unicodedata.category(character).startswith("M"):
            signs[-1] += character
        else:
            signs.append(character)
    return signs


def _one_paragraph(text: str) -> str:
    return unicodedata.normalize("NFC", re.sub(r"\s*\n\s*", " ", text.strip("\n")))


def _broken(text: str, endless: re.Pattern[str]) -> str:
    parts = endless.split(_one_paragraph(text))  # every other one is a word that no line may hold
    parts[1::2] = [r"\allowbreak{}".join(map(_printed, signs_of(word))) for word in parts[1::2]]
    parts[::2] = map(_printed, parts[::2])
    return "".join(parts)


def _printed(text: str) -> str:
    return "".join(_with_letters(text)) if needs_letters(text) else _literal(text)


def _literal(text: str) -> str:
    return "{}".join(part.translate(_TABLE) for part in _LIGATURE.split(text))


def _with_letters(text: str) -> Iterator[str]:
    """The text in pieces, for lines to break between East Asian signs.

    A word stays in one font, and all words with a letter beyond English in the same one.
    """
    before = ""
    for is_word, group in groupby(signs_of(text), key=lambda sign: sign[0].isalnum() and not _wide(sign)):
        signs = list(group)
        if not is_word:
            for sign in signs:
                if _wide(before) and _wide(sign) and sign not in _NOT_FIRST and before not in _NOT_LAST:
                    yield r"\letterbreak{}"
                elif _LIGATURE.search(before[-1:] + sign):
                    yield "{}"
                yield rf"\letters{{{LETTER}{{{sign}}}}}" if needs_letters(sign) else _literal(sign)
                before = sign
        elif any(not sign.isascii() and sign not in _SPECIAL for sign in signs):
            printed = (sign if sign.isascii() else rf"{LETTER}{{{sign}}}" for sign in signs)
            yield rf"\letters{{{''.join(printed)}}}"
        else:
            yield _literal("".join(signs))
        before = signs[-1]


def _wide(sign: str) -> bool:
    return bool(sign) and unicodedata.east_asian_width(sign[0]) in "WF"


def code(text: str) -> Tex:
    """An identifier or path in typewriter type that may break after `_`, `.`, `/`, `-` and `=`."""
    return Tex(r"\texttt{" + re.sub(r"(\\_|[./=\-])", r"\1\\allowbreak{}", _broken(text, _ENDLESS_CODE)) + "}")


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
