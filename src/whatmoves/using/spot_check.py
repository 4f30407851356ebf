"""Train some runs of a study again and compare the bytes: what receipts promise, tried."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from whatmoves.errors import ProofError
from whatmoves.files import sha256
from whatmoves.layout import Layout
from whatmoves.provenance.receipts import read_receipt
from whatmoves.study import Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.runtime import choose_device, describe_device
from whatmoves.training.train import train

COMPARED = ("checkpoint.pt", "history.csv")


class Again(NamedTuple):
    """One run trained again: whether its files have the same bytes, and its best validation loss then and now.

    `comparable` says whether equal bytes were to be expected: another device, or another processor at the native level
    of arithmetic, rounds in its own way.
    """

    name: str
    equal: bool
    comparable: bool
    then: float | None
    now: float | None

    def text(self) -> str:
        """In one line."""
        if self.equal:
            return f"{self.name}: trained again, the same bytes"
        losses = f"best validation loss {'not kept' if self.then is None else self.then} then, {self.now} now"
        if self.comparable:
            return f"{self.name}: trained again, OTHER BYTES; {losses}"
        return f"{self.name}: trained again, other bytes, as is to be expected of another device or processor; {losses}"


def trained_again(study: Study, layout: Layout, count: int, device: str = "auto") -> Iterator[Again]:
    """Train `count` runs, chosen at random, again from the stored data, in a temporary folder.

    Where an archive left the checkpoints out, the checksums in their receipts are compared with. Raises `ProofError`
    for a run that has no result yet, and where the data set is not there.
    """
    runs = study.runs()
    for dataset, model, seed in random.SystemRandom().sample(runs, min(count, len(runs))):
        yield _again(study, layout, dataset, model, seed, device)


def _again(study: Study, layout: Layout, dataset: str, model: str, seed: int, device: str) -> Again:
    folder, name = layout.run(dataset, model, seed), f"{dataset}/{model}/seed-{seed}"
    if not (folder / "receipt.json").is_file():
        raise ProofError(f"{folder}: no result to compare with; run snakemake first")
    receipt = read_receipt(folder / "receipt.json")
    if not (stored := layout.data(dataset) / "validation.npz").is_file():
        raise ProofError(f"{stored}: left out of the archive; make it first: snakemake {stored} with this study")
    with tempfile.TemporaryDirectory(prefix="whatmoves-again-") as temporary:
        out = Path(temporary) / "out"
        train(study, dataset, model, seed, layout.data(dataset), out, Path(temporary) / "work", device)
        equal = all(sha256(out / file) == _sum(folder / file, layout.root, receipt) for file in COMPARED)
        now = load_checkpoint(out / "checkpoint.pt").meta["best_validation"]
    kept = folder / "checkpoint.pt"
    then = load_checkpoint(kept).meta["best_validation"] if kept.is_file() else None
    return Again(name, equal, _comparable(study, receipt["run"], device), then, now)


def _sum(path: Path, root: Path, receipt: dict[str, Any]) -> str:
    """The checksum of a file, or that of its receipt where an archive left the file out."""
    if path.is_file():
        return sha256(path)
    recorded: str = receipt["core"]["outputs"][path.relative_to(root).as_posix()]["sha256"]
    return recorded


def _comparable(study: Study, run: dict[str, Any], device: str) -> bool:
    """Whether a rerun on `device` computes as the run of that receipt did."""
    here = choose_device(device)
    if here.type != "cpu":
        return False
    return study.arithmetic == "portable" or str(run["device"]) in describe_device(here)
