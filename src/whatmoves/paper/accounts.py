"""What accounts for the numbers of a paper, gathered from what its templates used: see `whatmoves.paper.printed`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whatmoves.analysis.statistics import LEVEL
from whatmoves.floors import FRAMES
from whatmoves.paper.appendix import Appendix
from whatmoves.paper.efficiency import ReferenceTimes
from whatmoves.paper.index import Entry
from whatmoves.paper.literals import constants
from whatmoves.paper.printed import MayPrint, numerals
from whatmoves.paper.writer import Writer

_ANCHOR = re.compile(r"\\(?:anchor|figureentry)\{([^{}]+)\}")


def may_print(writer: Writer, appendix: Appendix, times: ReferenceTimes, templates: Path) -> MayPrint:
    """All that a rendered paper may print, and where; `writer` has seen all of its templates."""
    index = writer.index
    linked = {f"value:{value_id}": _of_entry(index[value_id]) for value_id in writer.used}
    placed = {f"value:{value_id}": _of_row(index[value_id]) for value_id in writer.used}
    for value_id, entry in appendix.reference.items():
        placed[f"reference:{value_id}"] = _of_entry(entry)
    for path, shown in writer.all_settings().items():
        linked[f"setting:{path}"] = placed[f"setting:{path}"] = numerals(shown) | numerals(path)
    for line in [*times.rows().splitlines(), *appendix.figures().splitlines(), *appendix.files().splitlines()]:
        if anchor := _ANCHOR.search(line):
            kind = "figure:" if anchor.group().startswith(r"\figureentry") else ""
            placed[f"{kind}{anchor[1]}"] = numerals(line)
    words = [*_texts(writer.study.model_dump(mode="json")), *writer.empty_figures.values(), *index.missing.values()]
    words += [text for verdict in index.verdicts.values() for text in (verdict.sentence, verdict.basis, verdict.detail)]
    words += [text for frame in FRAMES.values() for text in (frame.label, frame.says)]
    words += [f"{100 * LEVEL:g}"]  # how sure intervals are: the rule of bold type says so
    anywhere = constants(templates).union(writer.said, numerals(appendix.proof()), numerals(times.devices()))
    return MayPrint(anywhere.union(*map(numerals, words)), linked, placed)


def _of_entry(entry: Entry) -> frozenset[str]:
    """The numerals of a value with its interval."""
    return numerals(entry.tex(interval=True))


def _of_row(entry: Entry) -> frozenset[str]:
    """Those of its line in the appendix."""
    counted = [*entry.seeds, *map(entry.numeral, entry.seeds.values()), "" if entry.n is None else str(entry.n)]
    return _of_entry(entry).union(*map(numerals, counted))


def _texts(tree: Any) -> Iterator[str]:
    """Every text among a study's settings, names and keys included."""
    match tree:
        case str():
            yield tree
        case dict():
            for key, value in tree.items():
                yield str(key)
                yield from _texts(value)
        case list():
            for value in tree:
                yield from _texts(value)
