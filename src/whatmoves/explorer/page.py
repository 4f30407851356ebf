"""The explorer's page: one folder that a browser opens as it lies, with no server and nothing fetched from outside."""

import io
import logging
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from whatmoves.errors import DataError
from whatmoves.explorer.numbers import data_of_page, evidence, tables
from whatmoves.explorer.panels import TRUTH, Card, LeftOut, Panel, Section, Size, rows, sections
from whatmoves.figures import style
from whatmoves.layout import Layout
from whatmoves.paper.index import read_index
from whatmoves.paper.summary import VERDICTS
from whatmoves.paper.writer import Writer
from whatmoves.provenance.jobs import expected_jobs, receipt_of
from whatmoves.study import Study

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "page"
MOST_BYTES = 14_000_000  # of the whole folder
SHEET_PX = 16_383  # the longest side of a WebP picture
# Tried in turn until the folder is small enough.
SIZES = (Size(8, 5), Size(4, 5), Size(3, 3), Size(2, 3), Size(2, 3, 2), Size(2, 3, 4), Size(2, 3, 8))


class ShownCard(NamedTuple):
    """A card as the page has it: its sheet's name, the sizes of its axes, frames in pixels."""

    label: str
    slot: int
    sheet: str
    axes: tuple[str, ...]
    sizes: tuple[int, ...]
    width: int
    height: int


class ShownPanel(NamedTuple):
    """A panel with the cards that the page has, and the words on what was left out for the folder's size."""

    panel: Panel
    cards: tuple[ShownCard, ...]
    frames: int
    shrunk: int


class ShownSection(NamedTuple):
    """A section as the page has it."""

    name: str
    title: str
    panels: tuple[ShownPanel | LeftOut, ...]


def explorer_inputs(study: Study, layout: Layout) -> list[Path]:
    """All files that the page is made from, for its receipt."""
    pairs = dict.fromkeys((dataset, model) for dataset, model, _ in study.runs())
    names = ("quality.json", "pictures.npz", "codes.npz", "swaps.npz")
    receipts = [receipt_of(kind, **wildcards) for kind, wildcards in expected_jobs(study) if kind != "paper"]
    return [
        layout.values,
        *(layout.evaluation(dataset, model) / name for dataset, model in pairs for name in names),
        *(layout.checkpoint(*run) for run in study.runs()),
        *(layout.data(dataset) / name for dataset in study.data for name in ("test.npz", "test.csv")),
        *(layout.root / receipt for receipt in receipts),
        *sorted(TEMPLATES.iterdir()),
    ]


def make_explorer(study: Study, layout: Layout, out: Path) -> None:
    """Write the page into the folder `out`, in place of what was there.

    Raises `PaperError`, `DataError`, `CheckpointError` or `ProofError` for results that are missing or damaged.
    """
    index = read_index(layout.values)
    writer = Writer(study, index, layout.figures)
    data = data_of_page(study, writer, layout.root)
    found = sections(study, layout)
    for size in SIZES:
        small = [section._replace(panels=tuple(_in_size(panel, size) for panel in section.panels)) for section in found]
        if not all(map(_fits, small)):
            continue
        shown, sheets = _drawn(small, size.shrink)
        text = _text(study, writer, shown, data)
        total = len(text.encode()) + sum(map(len, sheets.values()))
        if total <= MOST_BYTES:
            break
        log.info("%.1f MB with %s: trying less", total / 1e6, size)
    else:
        raise DataError(f"{out}: clips are too large for a page of {MOST_BYTES // 10**6} MB, even {size}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as name:
        folder = Path(name) / out.name
        (folder / "sheets").mkdir(parents=True)
        (folder / "index.html").write_text(text, encoding="utf-8")
        (folder / "explorer.js").write_bytes((TEMPLATES / "explorer.js").read_bytes())
        own = (TEMPLATES / "explorer.css").read_text(encoding="utf-8")
        (folder / "explorer.css").write_text(own + _colours(shown), encoding="utf-8")
        for sheet, content in sheets.items():
            (folder / sheet).write_bytes(content)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)


def _in_size(panel: Panel | LeftOut, size: Size) -> Panel | LeftOut:
    return size.of(panel) if isinstance(panel, Panel) else panel


def _fits(section: Section) -> bool:
    """Whether every card's clips have room in one picture."""
    cards = (card for panel in section.panels if isinstance(panel, Panel) for card in panel.cards)
    return all(max(_size_px(card.video)) <= SHEET_PX for card in cards)


def _size_px(video: NDArray[np.uint8]) -> tuple[int, int]:
    *axes, frames, _, height, width = video.shape
    return math.prod(axes) * height, frames * width


def _drawn(small: list[Section], shrunk: int) -> tuple[list[ShownSection], dict[str, bytes]]:
    """The sections as the page has them, and their sheets by name; one that several cards share is there once."""
    sheets: dict[bytes, str] = {}
    shown = []
    for section in small:
        panels: list[ShownPanel | LeftOut] = []
        for panel in section.panels:
            if isinstance(panel, Panel):
                names = [f"sheets/{panel.name}-{panel.dataset}-{place}.webp" for place in range(len(panel.cards))]
                cards = tuple(
                    _shown(card, sheets.setdefault(encoded(card.video), name))
                    for card, name in zip(panel.cards, names, strict=True)
                )
                panels.append(ShownPanel(panel, cards, panel.cards[0].video.shape[-4], shrunk))
            else:
                panels.append(panel)
        shown.append(ShownSection(section.name, section.title, tuple(panels)))
    return shown, {name: content for content, name in sheets.items()}


def _shown(card: Card, sheet: str) -> ShownCard:
    *sizes, _, _, height, width = card.video.shape
    return ShownCard(card.label, card.slot, sheet, card.axes, tuple(sizes), width, height)


def encoded(video: NDArray[np.uint8]) -> bytes:
    """A lossless WebP with a row for each clip and a column for each frame; equal clips give equal bytes."""
    strips = [np.concatenate([*clip.transpose(0, 2, 3, 1)], axis=1) for clip in rows(video)]  # [H, T*W, C]
    sheet = np.concatenate(strips)
    picture = Image.fromarray(sheet[..., 0] if sheet.shape[-1] == 1 else sheet)
    stream = io.BytesIO()
    picture.save(stream, "WEBP", lossless=True, quality=60, method=4)
    return stream.getvalue()


def _text(study: Study, writer: Writer, shown: list[ShownSection], data: dict[str, Any]) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    verdicts = list(writer.index.verdicts.values())
    return environment.get_template("index.html.j2").render(
        study=study,
        sections=shown,
        tables=tables(study, writer),
        verdicts=[(verdict, evidence(verdict, writer.index)) for verdict in verdicts],
        counts={kind: sum(verdict.verdict == kind for verdict in verdicts) for kind in VERDICTS},
        slot_class=_slot_class,
        data=data,
    )


def _slot_class(slot: int) -> str:
    return {TRUTH: "of-truth", -1: "of-floor"}.get(slot, f"of-{slot}")


def _colours(shown: list[ShownSection]) -> str:
    """The models' colours, those of every figure."""
    panels = (panel for section in shown for panel in section.panels if isinstance(panel, ShownPanel))
    slots = sorted({card.slot for panel in panels for card in panel.cards} - {TRUTH})
    return "".join(f".{_slot_class(slot)} {{ --of: {style.colour(slot)}; }}\n" for slot in slots)
