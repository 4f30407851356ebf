"""Letters that the paper's own fonts lack: which there are, and the small fonts that print them.

The paper is set by pdfLaTeX in fonts that hold Latin letters. Words in others (Greek, Cyrillic, Vietnamese, Chinese)
are printed from fonts made here of just the letters that occur, out of DejaVu, which comes with matplotlib, and of an
East Asian font where one is installed. They stand beside main.tex, so that the folder compiles wherever LaTeX is.
"""

import functools
import math
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from whatmoves.errors import PaperError
from whatmoves.figures.fonts import dejavu, east_asian, held_by
from whatmoves.files import write_bytes, write_text
from whatmoves.paper.tex import LETTER

SOURCE = "letters.tex"
FILES = "letters*"
SLOTS = 256  # of a TeX font
STEP, LEVELS = 0.1, 16  # of heights and depths, in ems
EM = 1000  # units of the fonts made here
FACES = {"serif-m": "DejaVuSerif", "serif-b": "DejaVuSerif-Bold", "sans-m": "DejaVuSans", "sans-b": "DejaVuSans-Bold"}
SCALES = {"serif": 0.9, "sans": 0.88}  # to the height of the paper's small letters
EAST_ASIAN_SCALE = 1.06  # Chinese letters fill their square, and are not to shrink with the others
DOTLESS = {"i": "ı", "j": "ȷ"}
ABOVE, BELOW = (214, 228, 230, 232), (202, 218, 220, 222)  # combining classes of Unicode
MARK_GAP = 60

Bounds = tuple[float, float, float, float]
"""Left, low, right, high."""

_MACROS = r"""% Letters that the paper's fonts lack, from fonts of their own; written by whatmoves.paper.letters.
\input{glyphtounicode}\pdfgentounicode=1
\makeatletter
\newcommand{\letters@font}[1]{%
  \edef\letters@family{\rmdefault}\edef\letters@family{\ifx\f@family\letters@family serif\else sans\fi}%
  \edef\letters@series{\if b\expandafter\@car\f@series\@nil b\else m\fi}%
  \usefont{U}{letters-\letters@family-#1}{\letters@series}{n}}
\DeclareRobustCommand{\letters}[1]{{\letters@font{0}#1}}
\DeclareRobustCommand{\letter}[1]{\@nameuse{letter@\detokenize{#1}}}
\DeclareRobustCommand{\letterbreak}{\hskip0pt plus .04em\relax}
\newcommand{\setletter}[3]{\@namedef{letter@\detokenize{#1}}{\ifnum#2=0 \char#3 \else{\letters@font{#2}\char#3 }\fi}}
\pdfstringdefDisableCommands{\def\letters#1{#1}\def\letter#1{#1}\let\letterbreak\@empty}
\makeatother
"""


def used_letters(source: str) -> list[str]:
    """The letters that a paper's source prints by `\\letter`, each once, in order."""
    return sorted(set(re.findall(re.escape(LETTER) + r"\{([^}]*)\}", source)))


def write_letters(letters: Sequence[str], folder: Path) -> None:
    """Write what prints these letters (each one character, or one with accents) into the paper's folder.

    `letters.tex` declares them; of every face and page of 256 letters there are a TrueType font and its metrics. The
    same letters give the same bytes. Without letters, only those of an earlier paper are taken away.
    """
    for stale in folder.glob(FILES):
        stale.unlink()
    if not letters:
        return
    lines = [_MACROS]
    for page, slots in enumerate(_pages(letters)):
        names = {slot: _glyph_name(letter) for slot, letter in slots.items()}
        rows = "\n".join(f"/{names.get(slot, '.notdef')}" for slot in range(SLOTS))
        write_text(folder / f"letters-{page}.enc", f"/Letters{page} [\n{rows}\n] def\n")
        for name, face in FACES.items():
            family, series = name.split("-")
            font = f"letters-{name}-{page}"
            metrics = _write_font(folder / f"{font}.ttf", f"Letters-{name}-{page}", face, slots)
            write_bytes(folder / f"{font}.tfm", _metrics_file(metrics))
            lines.append(rf"\pdfmapline{{={font} <letters-{page}.enc <{font}.ttf}}")
            if series == "m":
                lines.append(rf"\DeclareFontFamily{{U}}{{letters-{family}-{page}}}{{\hyphenchar\font=-1}}")
            size = f"<->s*[{SCALES[family]}]{font}"
            lines.append(rf"\DeclareFontShape{{U}}{{letters-{family}-{page}}}{{{series}}}{{n}}{{{size}}}{{}}")
        for slot, letter in slots.items():
            if len(letter) > 1:  # copied from the PDF, it is the letter and its accents
                codes = letter.encode("utf-16-be").hex().upper()
                lines.append(rf"\pdfglyphtounicode{{{names[slot]}}}{{{codes}}}")
            if not letter.isascii():
                lines.append(rf"\setletter{{{letter}}}{{{page}}}{{{slot}}}")
    write_text(folder / SOURCE, "\n".join([*lines, ""]))


def _pages(letters: Iterable[str]) -> list[dict[int, str]]:
    """Letters by slot, a page each 256; the first page has ASCII's letters and digits where TeX looks for them."""
    first = {code: chr(code) for code in range(128) if chr(code).isalnum()}
    free = [slot for slot in range(SLOTS) if slot not in first]
    waiting = list(letters)
    pages = [first | dict(zip(free, waiting, strict=False))]
    waiting = waiting[len(free) :]
    while waiting:
        pages.append(dict(enumerate(waiting[:SLOTS])))
        waiting = waiting[SLOTS:]
    return pages


def _glyph_name(letter: str) -> str:
    return "_".join(f"uni{ord(part):04X}" if ord(part) < 0x10000 else f"u{ord(part):X}" for part in letter)


def _write_font(path: Path, name: str, face: str, slots: dict[int, str]) -> dict[int, tuple[float, float, float]]:
    """Write a TrueType font of these letters; returns width, height and depth of each slot, in ems."""
    glyphs: dict[str, Any] = {".notdef": TTGlyphPen(None).glyph()}
    advances, metrics = {".notdef": EM // 2}, {}
    for slot, letter in slots.items():
        glyph, advance, (_, low, _, high) = _drawn(letter, face)
        glyphs[_glyph_name(letter)], advances[_glyph_name(letter)] = glyph, advance
        metrics[slot] = (advance / EM, max(0.0, high / EM), max(0.0, -low / EM))
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({ord(letter): _glyph_name(letter) for letter in slots.values() if len(letter) == 1})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({key: (advance, _left(glyphs[key])) for key, advance in advances.items()})
    builder.setupHorizontalHeader(ascent=EM, descent=-EM // 4)
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
    builder.setupOS2(sTypoAscender=EM, usWinAscent=EM, usWinDescent=EM // 4)
    builder.setupPost()
    builder.updateHead(created=0, modified=0)
    builder.font.recalcTimestamp = False
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)
    return metrics


def _left(glyph: Any) -> int:
    return glyph.xMin if glyph.numberOfContours else 0


def _drawn(letter: str, face: str) -> tuple[Any, int, Bounds]:
    """The outline of a letter with its accents, its advance and its bounds, in units of the em.

    Accents are centred over (or under) the letter and clear it; one that stands within it keeps its height.
    """
    base, marks = letter[0], letter[1:]
    raised = any(unicodedata.combining(mark) in ABOVE for mark in marks)
    pen = TTGlyphPen(None)
    outline, advance, (left, low, right, high) = _outline(DOTLESS.get(base, base) if raised else base, face)
    outline.replay(pen)
    for mark in marks:
        outline, _, (mark_left, mark_low, mark_right, mark_high) = _outline(mark, face)
        place, up = unicodedata.combining(mark), 0.0
        if place in ABOVE:
            up = max(0.0, high + MARK_GAP - mark_low)
        elif place in BELOW:
            up = min(0.0, low - MARK_GAP - mark_high)
        outline.replay(TransformPen(pen, (1, 0, 0, 1, (left + right - mark_left - mark_right) / 2, up)))
        low, high = min(low, mark_low + up), max(high, mark_high + up)
    return pen.glyph(), round(advance), (left, low, right, high)


def _outline(letter: str, face: str) -> tuple[DecomposingRecordingPen, float, Bounds]:
    """One character of the first font that has it, to be replayed; its advance and its bounds."""
    fallback = "DejaVuSans-Bold" if face.endswith("-Bold") else "DejaVuSans"
    candidates = [path for path in (dejavu(face), dejavu(fallback), east_asian()) if path is not None]
    path = next((path for path in candidates if ord(letter) in held_by(path)), None)
    if path is None:
        raise PaperError(f"no font of the paper has {letter!r} (U+{ord(letter):04X}); write it in other letters")
    font = _opened(path)
    glyphs = font.getGlyphSet()
    glyph = glyphs[font.getBestCmap()[ord(letter)]]
    scale = EM / font["head"].unitsPerEm * (EAST_ASIAN_SCALE if path == east_asian() else 1)
    outline, bounds = DecomposingRecordingPen(glyphs), BoundsPen(None)
    glyph.draw(TransformPen(outline, (scale, 0, 0, scale, 0, 0)))
    outline.replay(bounds)
    return outline, glyph.width * scale, bounds.bounds or (0.0, 0.0, 0.0, 0.0)


@functools.cache
def _opened(path: Path) -> TTFont:
    return TTFont(path)


def _metrics_file(slots: Mapping[int, tuple[float, float, float]]) -> bytes:
    """TeX's font metrics (TFM) of slots with these widths, heights and depths, in ems; no kerns, no ligatures.

    The format has room for 16 heights and depths, the first of them 0, so they are rounded up to steps.
    """
    first, last = min(slots), max(slots)
    widths = [0.0, *sorted({width for width, _, _ in slots.values()})]
    levels = [level * STEP for level in range(LEVELS)]
    characters = bytearray()
    for slot in range(first, last + 1):
        if slot not in slots:
            characters += bytes(4)
            continue
        width, *extents = slots[slot]
        high, low = (min(LEVELS - 1, math.ceil(extent / STEP)) for extent in extents)
        characters += bytes([widths.index(width), high << 4 | low, 0, 0])
    parameters = [0.0, 0.3, 0.15, 0.1, 0.5, 1.0, 0.1]  # slant, space, its stretch and shrink, x-height, em, more space
    tables = [widths, levels, levels, [0.0], parameters]
    words = b"".join(struct.pack(">i", round(value * 2**20)) for table in tables for value in table)
    header = struct.pack(">Ii", zlib.crc32(characters + words), 10 << 20)  # check sum, design size 10 pt
    count = last - first + 1
    lengths = [2, first, last, len(widths), LEVELS, LEVELS, 1, 0, 0, 0, len(parameters)]
    whole = 6 + 2 + count + sum(map(len, tables))
    return struct.pack(">12H", whole, *lengths) + header + bytes(characters) + words
