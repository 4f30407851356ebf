"""What each model costs: parameters and counted operations, and how long it took on the machine that ran the study.

Operations are the same everywhere; times and memory differ from run to run, so the table made here stands outside the
chain of proofs and no number of a paper comes from it, unless a reference run's copy is kept with the source.
"""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from whatmoves.errors import DataError
from whatmoves.files import read_json, write_json, write_text
from whatmoves.layout import Layout
from whatmoves.settings import Settings
from whatmoves.study import Study

MISSING = "–"


class Row(Settings):
    """One model on one data set; null where it does not do that. Times are means over seeds, memory the largest."""

    dataset: str
    model: str
    parameters: int = Field(ge=0)
    gflops_training_per_clip: float | None = Field(None, ge=0)
    gflops_forward_per_clip: float | None = Field(None, ge=0)
    seeds: int = Field(ge=1)
    training_clips: int = Field(ge=0)
    training_s: float = Field(ge=0)
    clips_per_s: float | None = Field(None, ge=0)
    peak_memory_mib: float = Field(ge=0)
    training_device: str
    training_threads: int = Field(ge=1)
    forward_ms_per_clip: float | None = Field(None, ge=0)
    generation_ms_per_clip: float | None = Field(None, ge=0)
    evaluation_device: str
    evaluation_threads: int = Field(ge=1)


class Efficiency(Settings):
    """The table of one run of a study."""

    study: str
    rows: tuple[Row, ...]


# Headings of the printed table, with the format of a number.
COLUMNS: dict[str, tuple[str, str]] = {
    "parameters": ("Parameters", ",d"),
    "gflops_training_per_clip": ("Training step, GFLOP/clip", ".3g"),
    "gflops_forward_per_clip": ("Drawing, GFLOP/clip", ".3g"),
    "training_s": ("Training, s", ",.0f"),
    "clips_per_s": ("Clips/s", ",.0f"),
    "peak_memory_mib": ("Peak memory, MiB", ",.0f"),
    "forward_ms_per_clip": ("Drawing, ms/clip", ".2f"),
    "generation_ms_per_clip": ("Sampling, ms/clip", ".2f"),
}


def efficiency(study: Study, root: Path) -> Efficiency:
    """The table of the finished runs under `root` = results/<study>; raises `DataError` for a file that is missing."""
    layout = Layout(root)
    pairs = dict.fromkeys((dataset, model) for dataset, model, _ in study.runs())
    return Efficiency(study=study.study, rows=tuple(_row(study, layout, *pair) for pair in pairs))


def write_efficiency(study: Study, root: Path) -> None:
    """Write `efficiency.json`, and the same as `.csv` and, to be read, as `.md`."""
    found = efficiency(study, root)
    write_json(root / "efficiency.json", found.model_dump(mode="json"))
    write_text(root / "efficiency.csv", _as_csv(found))
    write_text(root / "efficiency.md", _as_markdown(study, found))


def read_efficiency(path: Path) -> Efficiency:
    """A table as `write_efficiency` wrote it; raises `DataError` naming the key that is not as it must be."""
    try:
        return Efficiency.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path}: {where}: {first['msg']}; copy results/<study>/efficiency.json there again") from None


def devices(rows: tuple[Row, ...]) -> list[str]:
    """What the trainings and evaluations ran on, each once, in words."""
    places = [(row.training_device, row.training_threads) for row in rows]
    places += [(row.evaluation_device, row.evaluation_threads) for row in rows]
    return [f"{device}, {count} {'thread' if count == 1 else 'threads'}" for device, count in dict.fromkeys(places)]


def shown(row: Row, column: str) -> str | None:
    """The number of a column as text, None where the model has none."""
    value = getattr(row, column)
    return None if value is None else format(value, COLUMNS[column][1])


def _row(study: Study, layout: Layout, dataset: str, model: str) -> Row:
    folder = layout.evaluation(dataset, model)
    quality, evaluated = read_json(folder / "quality.json"), read_json(folder / "timings.json")
    trained = [read_json(layout.run(dataset, model, seed) / "timings.json") for seed in study.seeds_of(model)]
    measured = list(evaluated["seeds"].values())

    def mean(of: list[dict[str, Any]], name: str) -> float | None:
        values = [run[name] for run in of if run.get(name) is not None]
        return float(np.mean(values)) if values else None

    return Row(
        dataset=dataset,
        model=model,
        parameters=quality["parameters"],
        **quality.get("gflops", {}),
        seeds=len(trained),
        training_clips=trained[0]["clips"],
        training_s=mean(trained, "seconds") or 0.0,
        clips_per_s=mean(trained, "clips_per_s"),
        peak_memory_mib=max(run["peak_memory_mib"] for run in trained),
        training_device=trained[0]["device"],
        training_threads=trained[0]["threads"],
        forward_ms_per_clip=mean(measured, "forward_ms_per_clip") or mean(measured, "prediction_ms_per_clip"),
        generation_ms_per_clip=mean(measured, "generation_ms_per_clip"),
        evaluation_device=evaluated["device"],
        evaluation_threads=evaluated["threads"],
    )


def _as_csv(found: Efficiency) -> str:
    """One line a row, blank where there is no number, in full precision."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(Row.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in found.rows)
    return stream.getvalue()


def _as_markdown(study: Study, found: Efficiency) -> str:
    lines = [f"# Efficiency of the study {found.study}", ""]
    lines += [f"Ran on {'; '.join(devices(found.rows))}. Times are means over seeds, memory is the largest.", ""]
    lines += ["| Data | Model | " + " | ".join(heading for heading, _ in COLUMNS.values()) + " |"]
    lines += ["|---|---|" + "--:|" * len(COLUMNS)]
    for row in found.rows:
        cells = [row.dataset, study.label_of(row.model), *(shown(row, column) or MISSING for column in COLUMNS)]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
