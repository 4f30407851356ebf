"""The numbers of the explorer: tables, verdicts, and behind every value what `whatmoves explain` knows of it."""

from pathlib import Path
from typing import Any, NamedTuple

from whatmoves.paper.comparisons import best, comparable
from whatmoves.paper.index import Entry, ValueIndex, Verdict
from whatmoves.paper.tables import Row
from whatmoves.paper.writer import Writer
from whatmoves.provenance.explain import makers_of
from whatmoves.study import Study

# Measures by table, each under the name of its column; those of the paper's tables.
TABLES = {
    "Reconstruction": {
        "mse_removed": "Error removed", "psnr_frame": "PSNR", "ssim_gauss11": "SSIM", "mse_pixel": "Squared error",
        "temporal_error": "Temporal error", "parameters": "Parameters",
    },
    "Swaps": {
        "swap_joint": "Joint", "swap_joint_relative": "Relative", "swap_content_a": "Digit", "swap_motion_b": "Path",
        "swap_psnr_frame": "PSNR", "swap_ssim_gauss11": "SSIM",
    },
    "Codes": {
        "block_gap": "BlockGap", "leak_content": "Content leak", "leak_motion": "Motion leak",
        "random_split_gap": "Random split", "mig": "MIG", "sap_r2": "SAP", "dci_disentanglement": "DCI",
    },
    "Prediction": {
        "predict_gain_db": "Above the best floor", "predict_psnr_frame": "PSNR", "predict_ssim_gauss11": "SSIM",
        "predict_best_psnr_frame": "PSNR, best of several", "action_cost_db": "Cost of wrong actions",
    },
    "Detection": {
        "detection_map": "Average precision", "detection_ap_late": "From horizon 2 on",
        "detection_gain": "Above persistence",
    },
}  # fmt: skip


class Column(NamedTuple):
    """One measure: the head of its column, its words, its unit, which way is better."""

    head: str
    words: str
    unit: str
    better: str


class Cell(NamedTuple):
    """One value by its id; `best` where nothing of the column is told apart as better."""

    value_id: str
    entry: Entry
    best: bool


class Line(NamedTuple):
    """One row of a table; a cell that was not measured is None."""

    label: str
    reference: bool
    cells: tuple[Cell | None, ...]


class Table(NamedTuple):
    """One table of a data set."""

    name: str
    dataset: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def tables(study: Study, writer: Writer) -> list[Table]:
    """The tables that have anything in them, data set by data set."""
    found = (_table(writer, dataset, name) for dataset in study.data for name in TABLES)
    return [table for table in found if table.lines]


def _table(writer: Writer, dataset: str, name: str) -> Table:
    index = writer.index
    metrics = {metric: head for metric, head in TABLES[name].items() if index.has_metric(dataset, metric)}
    rows = [row for row in writer.rows(dataset) if any(f"{dataset}.{row.name}.{metric}" in index for metric in metrics)]
    winners = {value_id for metric in metrics for value_id in _winners(index, dataset, rows, metric)}
    columns = []
    for metric, head in metrics.items():
        entry = next(index[key] for row in rows if (key := f"{dataset}.{row.name}.{metric}") in index)
        columns.append(Column(head, entry.label, entry.unit or "", entry.better))
    lines = [
        Line(
            row.label,
            row.reference,
            tuple(
                Cell(key, index[key], key in winners) if (key := f"{dataset}.{row.name}.{metric}") in index else None
                for metric in metrics
            ),
        )
        for row in rows
    ]
    return Table(name, dataset, tuple(columns), tuple(lines))


def _winners(index: ValueIndex, dataset: str, rows: list[Row], metric: str) -> set[str]:
    """The ids that the paper's table prints bold."""
    ids = [key for row in rows if not row.reference and (key := f"{dataset}.{row.name}.{metric}") in index]
    better = index[ids[0]].better if ids else ""
    ids = comparable(index, ids) if better else []
    return set(best(index, ids, better)) if len(ids) > 1 else set()


def evidence(verdict: Verdict, index: ValueIndex) -> list[tuple[str, Entry]]:
    """The numbers that a verdict rests on, by id: the difference first, then the values."""
    names = [f"hypotheses.{verdict.id}.difference", f"hypotheses.{verdict.id}.p", *verdict.values]
    return [(name, index[name]) for name in names if name in index]


def data_of_page(study: Study, writer: Writer, root: Path) -> dict[str, Any]:
    """What the page's own program reads: values as they are printed, the rows and measures of each data set, and the
    chain of files and jobs behind each value. Files and jobs are named once and counted."""
    makers = makers_of(root)
    jobs = {job.receipt: job for job in makers.values()}
    places = {receipt: place for place, receipt in enumerate(jobs)}
    return {
        "values": {value_id: _value(entry) for value_id, entry in writer.index.items()},
        "rows": {
            dataset: [[row.name, row.label, row.reference] for row in writer.rows(dataset)] for dataset in study.data
        },
        "measures": {dataset: _measures(writer.index, dataset) for dataset in study.data},
        "makers": {file: places[job.receipt] for file, job in makers.items()},
        "jobs": [job._asdict() for job in jobs.values()],
    }


def _value(entry: Entry) -> dict[str, Any]:
    return {
        "label": entry.label,
        "value": entry.value,
        "text": entry.numeral(),
        "interval": [entry.numeral(end) for end in entry.interval] if entry.interval else None,
        "unit": entry.unit or "",
        "n": entry.n,
        "better": entry.better,
        "seeds": {seed: entry.numeral(value) for seed, value in entry.seeds.items()},
        "files": list(entry.files),
    }


def _measures(index: ValueIndex, dataset: str) -> list[list[str]]:
    """Measures of a data set with their words, in the index's order."""
    found: dict[str, str] = {}
    for value_id, entry in index.items():
        of, _, rest = value_id.partition(".")
        _, _, metric = rest.partition(".")
        if of == dataset and metric:
            found.setdefault(metric, entry.label or metric)
    return [[metric, words] for metric, words in found.items()]
