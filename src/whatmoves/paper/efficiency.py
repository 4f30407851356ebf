"""Times and memory of a reference run, which is kept with the source: no bytes of a paper come from a clock.

`paper/reference/<study>.efficiency.json` is a copy of that run's `results/<study>/efficiency.json`.
"""

from pathlib import Path

from whatmoves.analysis.efficiency import Efficiency, devices, read_efficiency, shown
from whatmoves.errors import DataError, PaperError
from whatmoves.paper.tex import Tex, code, listing, number
from whatmoves.paper.writer import Writer

TIMED = ("training_s", "clips_per_s", "peak_memory_mib", "forward_ms_per_clip", "generation_ms_per_clip")


def efficiency_of(study: str, templates: Path) -> Path:
    """Where a study's reference times stand, if there are any."""
    return templates / "reference" / f"{study}.efficiency.json"


class ReferenceTimes:
    """What the templates may print of a reference run's trained models of the study; false where nothing is kept."""

    def __init__(self, writer: Writer, path: Path) -> None:
        """Raises `PaperError` for a file that is not as `whatmoves efficiency` writes it, or of another study."""
        self._writer = writer
        found = _read(path) if path.is_file() else Efficiency(study=writer.study.study, rows=())
        if found.study != writer.study.study:
            raise PaperError(f"{path}: of study {found.study!r}, not {writer.study.study!r}; put that study's there")
        known = {(dataset, model) for dataset, model, _ in writer.study.runs()}
        self._rows = tuple(row for row in found.rows if row.parameters and (row.dataset, row.model) in known)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def devices(self) -> Tex:
        """What the run ran on, as a list in words."""
        return listing(devices(self._rows))

    def rows(self) -> Tex:
        """Rows of a table: data set, system, clips it was trained on, then the columns of `TIMED`."""
        lines = []
        for place, row in enumerate(self._rows, start=1):
            cells = [Tex(rf"\anchor{{times:{place}}}{code(row.dataset)}"), self._writer.label(row.model)]
            cells.append(number(str(row.training_clips)))
            for column in TIMED:
                text = shown(row, column)
                cells.append(Tex("--") if text is None else number(text))
            lines.append(" & ".join(cells) + r" \\")
        return Tex("\n".join(lines))


def _read(path: Path) -> Efficiency:
    try:
        return read_efficiency(path)
    except DataError as error:
        raise PaperError(str(error)) from None
