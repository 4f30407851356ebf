"""Which proven results Snakemake would nevertheless make again: those copied here without its records.

Snakemake keeps a record of every file it makes in .snakemake/metadata. Where there is one, checksums decide; where
there is none (results copied without that folder), only times do, and most ways of copying set new ones.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path

from whatmoves.errors import ProofError
from whatmoves.provenance.receipts import is_receipt, read_receipt
from whatmoves.provenance.report import FRESH, Report

RECORDS = Path(".snakemake/metadata")


def made_again(report: Report, root: Path) -> list[str]:
    """Names of the fresh results under `root` = results/<study> that Snakemake would make again, in the report's order:
    those without a record and with an input newer than an output, and what is made from such ones."""
    inputs: dict[str, set[str]] = {}
    outputs: dict[str, set[str]] = {}
    for name in (finding.result for finding in report.findings if is_receipt(Path(finding.result))):
        try:
            receipt = read_receipt(root / name)
        except ProofError:  # the report has said so
            continue
        inputs[name] = {*receipt["core"]["inputs"], *receipt["run"].get("inputs", ())}
        outputs[name] = {*receipt["core"]["outputs"], *receipt["run"].get("outputs", ()), name}
    users = {name: [n for n, read in inputs.items() if read & made] for name, made in outputs.items()}
    again = {
        name
        for name in inputs
        if max(_times(root, inputs[name]), default=0.0) > min(_times(root, {*outputs[name], _benchmark(name)}))
        and not all(_record(root / path).is_file() for path in outputs[name])
    }
    while more := {user for name in again for user in users[name]} - again:
        again |= more
    return [f.name for f in report.findings if f.status == FRESH and f.result in again]


def _times(root: Path, paths: Iterable[str]) -> list[float]:
    return [(root / path).stat().st_mtime for path in paths if (root / path).exists()]


def _benchmark(receipt: str) -> str:
    """The times of a job, which Snakemake takes for one of its outputs."""
    result = receipt.removesuffix("/receipt.json").removesuffix(".receipt.json")
    return f"benchmarks/{'analyse' if result == 'values' else result}.tsv"


def _record(path: Path) -> Path:
    """Where Snakemake keeps its record of a file."""
    return RECORDS / urlsafe_b64encode(path.as_posix().encode()).decode()
