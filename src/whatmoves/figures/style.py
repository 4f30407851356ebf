"""The house style of every figure: sizes, fonts, one colour per model for the whole paper, and byte-stable files."""

import contextlib
import dataclasses
import functools
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import TextToPath

from whatmoves.figures.fonts import east_asian

P = ParamSpec("P")

WIDTH_IN = 6.3  # the paper's text block: figures are drawn at their printed size and never scaled
PNG_DPI = 200
PDF_IMAGE_DPI = 300

SMALL_PT = 6.0
TEXT_PT = 7.0
TITLE_PT = 7.5
LINE_IN = 0.118  # from one line of text to the next

LONGEST = 40  # letters of a label; a longer one is shortened in its middle, so that its ends still tell it from others
FAMILY = "DejaVu Sans"  # comes with matplotlib, so a figure looks the same on every machine

INK = "#222222"
SOFT = "#8a8a8a"  # text that a reader may skip: frame numbers, units, hints
REFERENCE = "#7a7a7a"  # floors and ceilings
HAIRLINE = "#d4d4d4"

# Okabe and Ito's colours that keep apart on white, then three of Paul Tol's; distinct to colour-blind readers.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#999933", "#882255")
_OR_HERE = "\1"  # a place where a line may also break
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")

RC: dict[Any, Any] = {
    "font.family": FAMILY,
    "font.size": TEXT_PT,
    "text.parse_math": False,  # labels are a user's words: a $ is a dollar
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9a9a9a",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": TITLE_PT,
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT_PT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#ececec",
    "grid.linewidth": 0.6,
    "xtick.color": "#9a9a9a",
    "ytick.color": "#9a9a9a",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": TEXT_PT,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": TEXT_PT,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "pdf.fonttype": 42,  # whole glyphs: text in the PDF can be searched and copied
    "svg.hashsalt": "whatmoves",
}


@contextlib.contextmanager
def _house_settings() -> Iterator[None]:
    """Matplotlib's own defaults and the style on top, whatever this machine's matplotlibrc says; undone at the end."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        matplotlib.rcParams["font.family"] = _families()
        yield


@functools.cache
def _families() -> list[str]:
    """The house's font, and for letters that it lacks the East Asian one, where there is one."""
    path = east_asian()
    if path is None:
        return [FAMILY]
    fontManager.addfont(path)
    only = fontManager.ttflist[-1]
    fontManager.ttflist.append(dataclasses.replace(only, weight=700))  # it has no bold: no warning that says so
    return [FAMILY, only.name]


def house(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorator of a figure's `draw`: the style holds inside it and leaves no global state behind."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with _house_settings():
            return draw(*args, **kwargs)

    return styled


def colour(slot: int) -> str:
    """Colour of a model by its place in the study (`FigureInputs.slot`); −1, a floor or ceiling, is grey."""
    return REFERENCE if slot < 0 else PALETTE[slot % len(PALETTE)]


def marker(slot: int) -> str:
    """Marker of a model; the markers' cycle is longer than the colours', so the pair stays unique for 99 models."""
    return "|" if slot < 0 else MARKERS[slot % len(MARKERS)]


def short(label: str) -> str:
    """A label as every figure prints it: on one line, of at most `LONGEST` letters."""
    words = " ".join(unicodedata.normalize("NFC", label).split())
    head = LONGEST * 3 // 5
    return words if len(words) <= LONGEST else f"{words[:head].rstrip()}…{words[head + 1 - LONGEST :].lstrip()}"


def broken(text: str, width_in: float, letters: int = LONGEST, size: float = TEXT_PT) -> str:
    """The text in lines of at most so many letters, and of fewer where they would be wider than `width_in`.

    Lines break between words; within one only where it is wider by itself, after a / if it has one.
    """
    tried = text
    for breaks, within in ((text, False), (text.replace("/", f"/{_OR_HERE} "), False), (text, True)):
        for room in range(letters, 3, -1):
            tried = textwrap.fill(breaks, room, break_long_words=within)
            tried = tried.replace(f"{_OR_HERE} ", "").replace(_OR_HERE, "")
            if max(map(_width_in(size), tried.split("\n"))) <= width_in:
                return tried
    return tried


def fits(text: str, width_in: float, size: float = TEXT_PT) -> bool:
    """Whether one line of text is no wider than that."""
    return _width_in(size)(text) <= width_in


def in_columns(labels: Sequence[str], columns: int, fewer: int, room_in: float, key_in: float) -> tuple[list[str], int]:
    """Labels for a legend above a figure and its columns, each beside a sample that takes `key_in`.

    Long labels are broken into lines and stand in `fewer` columns.
    """
    columns, fewer = min(columns, len(labels)), min(fewer, len(labels))
    widest_in = [max(map(_width_in(TEXT_PT), part)) for part in _split(labels, columns)]
    if sum(widest_in) + columns * key_in <= room_in:
        return list(labels), columns
    return [broken(label, room_in / fewer - key_in) for label in labels], fewer


def more_lines(labels: Sequence[str], columns: int) -> int:
    """The lines that a legend's tallest column has beyond one a label."""
    return max(sum(map(lines, part)) - len(part) for part in _split(labels, columns))


def _split(labels: Sequence[str], columns: int) -> list[list[str]]:
    """Columns as matplotlib's legend fills them."""
    long, rest = divmod(len(labels), columns)
    ends = [column * long + min(column, rest) for column in range(columns + 1)]
    return [list(labels[first:last]) for first, last in pairwise(ends)]


def lines(text: str) -> int:
    """The lines of a broken text."""
    return text.count("\n") + 1


def _width_in(size: float) -> Callable[[str], float]:
    font = FontProperties(family=_families(), size=size)
    return lambda line: TextToPath().get_text_width_height_descent(line, font, ismath=False)[0] / 72


def panel(figure: Figure, left_in: float, top_in: float, width_in: float, height_in: float) -> Axes:
    """An axes placed in inches from the figure's top left corner."""
    total_width, total_height = figure.get_size_inches()
    bottom = 1 - (top_in + height_in) / total_height
    return figure.add_axes((left_in / total_width, bottom, width_in / total_width, height_in / total_height))


def write(figure: Figure, left_in: float, top_in: float, text: str, **options: Any) -> None:
    """Text placed in inches from the figure's top left corner."""
    total_width, total_height = figure.get_size_inches()
    figure.text(left_in / total_width, 1 - top_in / total_height, text, **options)


def save(figure: Figure, path: Path) -> None:
    """Save as PDF or PNG by the suffix, at printed size; equal figures give equal bytes."""
    with _house_settings():
        if path.suffix == ".pdf":
            figure.savefig(path, dpi=PDF_IMAGE_DPI, metadata={"CreationDate": None, "Creator": "whatmoves"})
        else:
            figure.savefig(path, dpi=PNG_DPI, metadata={"Software": None})
