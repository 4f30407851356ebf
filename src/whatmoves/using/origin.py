"""Where a checkpoint comes from, as far as the files beside it prove it: its receipt, and the evaluation that names it.

A file counts only if it speaks of these very bytes. Of anything else it is said why it does not.
"""

from pathlib import Path
from typing import Any, NamedTuple

from whatmoves.errors import DataError, ProofError
from whatmoves.files import read_json, sha256
from whatmoves.provenance.receipts import read_receipt


class Origin(NamedTuple):
    """`receipt` of the training and `measured`, the numbers of this seed on the test clips: each None where nothing
    proves it, and then `lacking` says why."""

    sha256: str
    receipt: dict[str, Any] | None
    measured: dict[str, float] | None
    lacking: tuple[str, ...]

    def data(self) -> dict[str, Any] | None:
        """`name`, `kind` and `options` of the data set it was trained on, if that is proven."""
        found: dict[str, Any] | None = self.receipt["core"]["settings"]["data"] if self.receipt else None
        return found


def origin_of(checkpoint: Path, seed: int) -> Origin:
    """What stands beside the checkpoint of a run with that seed; raises no error for what is missing or foreign."""
    own = sha256(checkpoint)
    try:
        receipt = read_receipt(checkpoint.with_name("receipt.json"))
        if own not in _sums(receipt, "outputs"):
            raise ProofError("the receipt beside the checkpoint is of another file")
    except ProofError as error:
        return Origin(own, None, None, (_plain(checkpoint, error),))
    try:
        return Origin(own, receipt, _measured(checkpoint, receipt, own, seed), ())
    except (ProofError, DataError, KeyError) as error:
        return Origin(own, receipt, None, (_plain(checkpoint, error),))


def root_of(checkpoint: Path) -> Path:
    """results/<study> of a checkpoint that stands where a study puts it: train/<dataset>/<model>/seed-<n>/."""
    return Path(*checkpoint.absolute().parts[:-5])


def _measured(checkpoint: Path, receipt: dict[str, Any], own: str, seed: int) -> dict[str, float]:
    names = receipt["core"]["wildcards"]
    folder = root_of(checkpoint) / "evaluate" / names["dataset"] / names["model"]
    proof, quality = read_receipt(folder / "receipt.json"), folder / "quality.json"
    if not quality.is_file() or own not in _sums(proof, "inputs") or sha256(quality) not in _sums(proof, "outputs"):
        raise ProofError("the evaluation is of other files than these weights")
    numbers = read_json(quality)["seeds"].get(str(seed))
    if numbers is None:
        raise ProofError(f"the evaluation has no seed {seed}")
    return {name: value for name, value in sorted(numbers.items()) if isinstance(value, float)}


def _sums(receipt: dict[str, Any], part: str) -> set[str]:
    return {found["sha256"] for found in receipt["core"][part].values() if "sha256" in found}


def _plain(checkpoint: Path, error: Exception) -> str:
    """The reason without this machine's folders: cards are given away."""
    return str(error).replace(f"{root_of(checkpoint)}/", "").replace(f"{checkpoint.parent}/", "")
