"""The house style of every figure: sizes, fonts, one colour per model for the whole paper, and byte-stable files."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

P = ParamSpec("P")

WIDTH_IN = 6.3  # the paper's text block: figures are drawn at their printed size and never scaled
PNG_DPI = 200
PDF_IMAGE_DPI = 300

SMALL_PT = 6.0
TEXT_PT = 7.0
TITLE_PT = 7.5

INK = "#222222"
SOFT = "#8a8a8a"  # text that a reader may skip: frame numbers, units, hints
REFERENCE = "#7a7a7a"  # floors and ceilings
HAIRLINE = "#d4d4d4"

# Okabe and Ito's colours that keep apart on white, then three of Paul Tol's; distinct to colour-blind readers.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#999933", "#882255")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so a figure looks the same on every machine
    "font.size": TEXT_PT,
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
        yield


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
