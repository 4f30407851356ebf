"""What a finished study found, for the end of a run: headline numbers with intervals, verdicts, where more stands."""

from typing import Any, NamedTuple

from whatmoves.layout import Layout
from whatmoves.paper.index import Entry, ValueIndex, read_index
from whatmoves.paper.writer import Writer
from whatmoves.study import Study

# Those of the abstract: id of the measure, and how a column is called.
HEADLINES = {
    "mse_removed": "error removed",
    "swap_joint": "swaps right",
    "predict_gain_db": "prediction, dB above the best floor",
}
# A page has more room than a terminal.
MORE = {"block_gap": "BlockGap", "exchange_block": "factors exchanged alone, by blocks"}
CEILING = "true_render"
VERDICTS = ("supported", "undecided", "not supported")

Rows = dict[str, dict[str, Entry]]  # model → measure → value


class Summary(NamedTuple):
    """Headline values by data set, model and measure, and the ids of each verdict's hypotheses."""

    study: str
    headlines: dict[str, Rows]
    verdicts: dict[str, list[str]]

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        said = {"value", "interval", "unit", "label"}
        headlines = {
            dataset: {
                model: {metric: entry.model_dump(include=said) for metric, entry in row.items()}
                for model, row in rows.items()
            }
            for dataset, rows in self.headlines.items()
        }
        return {"study": self.study, "headlines": headlines, "verdicts": self.verdicts}

    def markdown(self) -> str:
        """As Markdown: a table for each data set, and the ids behind each verdict."""
        parts = []
        for dataset, rows in self.headlines.items():
            metrics = [metric for metric in HEADLINES | MORE if any(metric in row for row in rows.values())]
            table = [
                [f"`{dataset}`", *((HEADLINES | MORE)[metric] for metric in metrics)],
                ["---"] + ["--:"] * len(metrics),
            ]
            table += [[f"`{model}`", *(_shown(row.get(metric)) for metric in metrics)] for model, row in rows.items()]
            parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in table))
        parts.append(self.verdicts_markdown())
        return "\n\n".join(parts)

    def verdicts_markdown(self) -> str:
        """A list of the verdicts, each with its number of hypotheses and their ids."""
        found = {kind: ", ".join(f"`{name}`" for name in ids) for kind, ids in self.verdicts.items()}
        return "\n".join(f"- **{kind}** ({len(self.verdicts[kind])}): {ids or '–'}" for kind, ids in found.items())

    def text(self, naming: str = "") -> str:
        """As a table for each data set, and lines. `naming` says which study to the commands in the last one, such as
        ` --configfile own.yaml`."""
        lines, example = [], ""
        for dataset, rows in self.headlines.items():
            metrics = [metric for metric in HEADLINES if any(metric in row for row in rows.values())]
            table = [[dataset, *(HEADLINES[metric] for metric in metrics)]]
            table += [[model, *(_shown(row.get(metric)) for metric in metrics)] for model, row in rows.items()]
            widths = [max(map(len, column)) for column in zip(*table, strict=True)]
            lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table] + [""]
            example = example or f" explain {dataset}.{next(iter(rows))}.{metrics[0]}{naming}; whatmoves"
        if any(self.verdicts.values()):
            lines += ["hypotheses: " + ", ".join(f"{len(ids)} {kind}" for kind, ids in self.verdicts.items()), ""]
        return "\n".join([*lines, f"more: whatmoves{example} verify{naming}"])


def summary(study: Study, layout: Layout) -> Summary:
    """That of the study's results; raises `PaperError` where there are none."""
    index = read_index(layout.root / "values.json")
    writer = Writer(study, index, layout.root / "figures")
    headlines = {}
    for dataset in study.data:
        rows = {name: _row(index, dataset, name) for name in (*writer.headline(dataset), CEILING)}
        if measured := {name: row for name, row in rows.items() if row}:
            headlines[dataset] = measured
    found = index.verdicts.values()
    verdicts = {kind: [verdict.id for verdict in found if verdict.verdict == kind] for kind in VERDICTS}
    return Summary(study.study, headlines, verdicts)


def _row(index: ValueIndex, dataset: str, name: str) -> dict[str, Entry]:
    ids = {metric: f"{dataset}.{name}.{metric}" for metric in HEADLINES | MORE}
    return {metric: index[value_id] for metric, value_id in ids.items() if value_id in index}


def _shown(entry: Entry | None) -> str:
    if entry is None:
        return "–"
    if entry.interval is None:
        return entry.numeral()
    low, high = (entry.numeral(end) for end in entry.interval)
    return f"{entry.numeral()} [{low}, {high}]"
