"""Tables from the value index: models as rows, measures as columns, floors and ceilings in grey beneath."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from whatmoves.errors import PaperError
from whatmoves.paper.comparisons import best, comparable
from whatmoves.paper.index import ValueIndex
from whatmoves.paper.tex import Tex, escape

NOTE_MARKS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Row:
    """One line: `name` is the model part of the ids; a reference row is a floor or a ceiling."""

    name: str
    label: str
    reference: bool = False


@dataclass(frozen=True)
class Column:
    """One measure. `better` is `higher`, `lower` or empty; `missing` says why a model may have no value."""

    metric: str
    header: str
    better: str = "higher"
    missing: str = "not measured"
    interval: bool = False


@dataclass
class Notes:
    """Reasons for dashes, collected under one table; equal reasons share a mark."""

    reasons: list[str]

    def dash(self, reason: str) -> Tex:
        """A dash with the mark of its reason."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return Tex(rf"--\,\textsuperscript{{{NOTE_MARKS[self.reasons.index(reason)]}}}")

    def tex(self) -> Tex:
        """The lines under the table, or nothing."""
        lines = [rf"\textsuperscript{{{NOTE_MARKS[i]}}}\,{escape(reason)}" for i, reason in enumerate(self.reasons)]
        return Tex(r"\par\smallskip{\footnotesize " + r";\quad ".join(lines) + ".}\n" if lines else "")


def results_table(
    index: ValueIndex,
    dataset: str,
    rows: Sequence[Row],
    columns: Sequence[Column],
    cell: Callable[[str, bool], Tex],
) -> tuple[Tex, list[str]]:
    """The tabular with its notes, and the ids of the values that competed for bold type.

    `cell(id, interval)` gives a formatted and linked value. Columns and rows that hold no value at all are left out;
    raises `PaperError` where nothing is left.
    """
    shown = [column for column in columns if index.has_metric(dataset, column.metric)]
    kept = [row for row in rows if any(_id(dataset, row, column) in index for column in shown)]
    if not shown or not kept:
        wanted = ", ".join(column.metric for column in columns)
        raise PaperError(f"no value of {wanted} on {dataset}; leave the table out where has_metric() is false")
    competing: list[str] = []
    winners: set[str] = set()
    for column in shown:
        ids = [_id(dataset, row, column) for row in kept if not row.reference and _id(dataset, row, column) in index]
        ids = comparable(index, ids) if column.better else []
        if len(ids) > 1:
            competing += ids
            winners |= best(index, ids, column.better)
    notes = Notes([])
    lines = [_line(index, dataset, row, shown, cell, winners, notes) for row in kept if not row.reference]
    references = [_line(index, dataset, row, shown, cell, winners, notes) for row in kept if row.reference]
    if lines and references:
        lines.append(r"\addlinespace[2pt]\midrule")
    body = "\n".join([*lines, *references])
    header = " & ".join(["", *(_header(index, dataset, column) for column in shown)])
    rows_tex = f"\\toprule\n{header} \\\\\n\\midrule\n{body}\n\\bottomrule\n"
    tabular = (
        rf"\begin{{adjustbox}}{{max width=\textwidth}}\begin{{tabular}}{{@{{}}l{'r' * len(shown)}@{{}}}}"
        f"\n{rows_tex}\\end{{tabular}}\\end{{adjustbox}}\n{notes.tex()}"
    )
    return Tex(tabular), competing


def _id(dataset: str, row: Row, column: Column) -> str:
    return f"{dataset}.{row.name}.{column.metric}"


def _header(index: ValueIndex, dataset: str, column: Column) -> str:
    arrow = {"higher": r"\,$\uparrow$", "lower": r"\,$\downarrow$"}.get(column.better, "")
    units = {
        entry.unit
        for key, entry in index.items()
        if key.startswith(f"{dataset}.") and key.endswith(f".{column.metric}")
    }
    unit = next(iter(units)) if len(units) == 1 else ""
    return rf"{escape(column.header)}{f' ({escape(unit)})' if unit else ''}{arrow}"


def _line(
    index: ValueIndex,
    dataset: str,
    row: Row,
    columns: Sequence[Column],
    cell: Callable[[str, bool], Tex],
    winners: set[str],
    notes: Notes,
) -> str:
    cells = [rf"\reference{{{escape(row.label)}}}" if row.reference else escape(row.label)]
    for column in columns:
        value_id = _id(dataset, row, column)
        if value_id not in index:
            text: str = notes.dash(index.missing.get(value_id, column.missing))
        else:
            text = cell(value_id, column.interval)
            text = rf"\best{{{text}}}" if value_id in winners else text
        cells.append(rf"\reference{{{text}}}" if row.reference else text)
    return " & ".join(cells) + r" \\"
