"""A data set of a study looked at: what `whatmoves data info`, `preview` and `card` are made of."""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from whatmoves.data.cards import card_of
from whatmoves.data.croissant import croissant
from whatmoves.data.large_arrays import read_some_arrays
from whatmoves.errors import DataError, ProofError
from whatmoves.files import read_json
from whatmoves.loading import stored_splits
from whatmoves.plugins import data_module, open_source
from whatmoves.provenance.jobs import receipt_of
from whatmoves.provenance.receipts import read_receipt
from whatmoves.study import Study
from whatmoves.using.data_facts import Parts, histogram, part_facts, read_parts
from whatmoves.using.data_oddities import oddities

VIDEOS, TIMES = "videos.json", ("train_runs", "train_times_s")  # what such data sets store beside their clips
BIBLIOGRAPHY = Path(__file__).parents[3] / "paper" / "references.bib"


def look_at(study: Study, dataset: str, root: Path, make: str) -> tuple[dict[str, Any], Parts]:
    """All facts of a data set, in plain values, and its parts; raises `DataError` as `read_parts` does.

    `root` is results/<study>, `make` the command that makes the data set.
    """
    entry, where, folder = study.data[dataset], f"data.{dataset}", root / "data" / dataset
    source = open_source(entry.kind, entry.options, folder, where)
    parts = read_parts(source, stored_splits(entry.kind), folder, make)
    histograms = {name: histogram(split.video) for name, split in parts.items()}
    known = getattr(data_module(entry.kind, where), "FACTOR_ROLES", {})
    roles = {name: known[name] for name in next(iter(parts.values())).factors.columns if name in known}
    card = card_of(entry.kind, entry.options)
    facts = {
        "name": dataset,
        "study": study.study,
        "kind": entry.kind,
        "made": len(parts) > 1,
        "make": make,
        "card": card and card._asdict(),
        "clip": source.shape._asdict(),
        "rates_hz": rates_hz(folder),
        "parts": {name: part_facts(split, histograms[name], roles) for name, split in parts.items()},
        "roles": {name: role._asdict() for name, role in roles.items()},
        "checksums": _outputs(root, dataset) if len(parts) > 1 else {},
        "odd": oddities(parts, histograms, roles),
    }
    return facts, parts


def rates_hz(folder: Path) -> tuple[float, float] | None:
    """The least and the largest rate of a made data set's videos, frames a second; None where nothing tells times.

    A folder of videos keeps the rate of each, a recording the times of its training frames.
    """
    if (folder / VIDEOS).exists():
        rates = [video["frames_per_s"] for video in read_json(folder / VIDEOS)["videos"] if video["frames_per_s"]]
        return (min(rates), max(rates)) if rates else None
    if not (folder / "validation.npz").exists():
        return None
    stored = read_some_arrays(folder / "validation.npz", TIMES)
    if stored.keys() != set(TIMES):
        return None
    steps_s = np.diff(stored["train_times_s"])[np.diff(stored["train_runs"]) == 0]
    if not steps_s.size:
        return None
    usual = float(1 / np.median(steps_s))
    return usual, usual


def croissant_of(study: Study, dataset: str, root: Path, seen_from: Path, version: str, make: str) -> dict[str, Any]:
    """The Croissant card of a made data set, its files named as seen from the folder `seen_from`.

    Raises `DataError` where the data set is not made.
    """
    entry = study.data[dataset]
    roles = getattr(data_module(entry.kind, f"data.{dataset}"), "FACTOR_ROLES", {})
    card = card_of(entry.kind, entry.options)
    try:
        receipt = read_receipt(root / receipt_of("data", dataset=dataset))
    except ProofError as error:
        raise DataError(f"{error}; `{make}` makes the data set and its receipt") from None
    folder = root / "data" / dataset
    files, tables = {}, {}
    for name, recorded in _outputs(root, dataset).items():
        if "sha256" in recorded:  # the sample drive's own recording is a folder, and no part of the set
            path = _relative(folder / name, seen_from)
            files[path] = recorded
            if PurePosixPath(name).suffix == ".csv":
                tables[path] = [column for column in _header(folder / name) if column in roles]
    cited = "\n".join(_bibtex(key) for key in card.citations) if card else ""
    made_on = receipt["run"]["ended"].partition("T")[0]
    url = study.paper.repository or (_address(card.source) if card else None)
    name = f"{study.study}.{dataset}"
    return croissant(name, card, cited, version, made_on, files, tables, roles, url)


def _outputs(root: Path, dataset: str) -> dict[str, dict[str, Any]]:
    """What the receipt of a data set says of each file that was made; nothing where there is no receipt."""
    path = root / receipt_of("data", dataset=dataset)
    if not path.exists():
        return {}
    prefix = f"data/{dataset}/"
    return {key.removeprefix(prefix): found for key, found in read_receipt(path)["core"]["outputs"].items()}


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8") as stream:
            return stream.readline().strip().split(",")
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file, and the receipt beside it speaks of it; make the data set again"
        ) from None


def _relative(path: Path, seen_from: Path) -> str:
    return PurePosixPath(os.path.relpath(path, seen_from)).as_posix()


def _address(source: str) -> str | None:
    found = re.search(r"https?://[^\s,]+", source)
    return found.group() if found else None


def _bibtex(key: str) -> str:
    """An entry of the paper's bibliography; its key where the file is not there."""
    text = BIBLIOGRAPHY.read_text(encoding="utf-8") if BIBLIOGRAPHY.is_file() else ""
    found = re.search(rf"^@\w+\{{{re.escape(key)},.*?^\}}", text, re.MULTILINE | re.DOTALL)
    return found.group() if found else key
