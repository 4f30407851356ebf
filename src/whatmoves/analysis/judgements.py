"""What the judges found, as rows of numbers for the value index.

A row is a model, the same model with fresh weights (`untrained_<model>`), a floor or ceiling, or the `judges` on real
clips.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from whatmoves.files import read_arrays, read_json
from whatmoves.floors import UNTRAINED
from whatmoves.layout import JUDGED_FLOORS, Layout, judged_rows
from whatmoves.study import Study


class Row(NamedTuple):
    """Numbers by seed and measure, arrays per swapped pair by seed and measure, the files both come from, and whose
    blocks they speak of: "blocks", "learned" or None. A floor, a ceiling or the judges are `constant`: not trained anew
    for a seed."""

    name: str
    seeds: dict[str, dict[str, float]]
    clips: dict[str, dict[str, NDArray[Any]]]
    files: list[str]
    split: str | None
    constant: bool = False


def judged(study: Study, root: Path, dataset: str) -> Iterator[Row]:
    """All rows of a judged data set; raises `DataError` naming a result that is missing."""
    layout = Layout(root)
    for name in judged_rows(study, dataset):
        yield from _rows(root, layout.judgement(dataset, name) / "judgement.json", name)
    quality = layout.judges(dataset) / "quality.json"
    ceilings = {f"judges_{measure}": value for measure, value in read_json(quality).items()}
    yield Row("judges", {"0": ceilings}, {}, [str(quality.relative_to(root))], None, constant=True)


def further(root: Path, records: Iterable[Path]) -> Iterator[tuple[str, Row]]:
    """The rows of other records, `<stage>/<data set>/<row>/<name>.json` below `root`, each with its data set."""
    for path in records:
        for row in _rows(root, path, path.parent.name):
            yield path.parents[1].name, row


def _rows(root: Path, path: Path, name: str) -> Iterator[Row]:
    """The rows of one record: a model's and its fresh network's, or those of all floors."""
    record, arrays = read_json(path), read_arrays(path.with_name("clips.npz"))
    files = [str(file.relative_to(root)) for file in (path, path.with_name("clips.npz"))]
    if name == JUDGED_FLOORS:
        for row, found in record["rows"].items():
            clips = _clips(arrays, found["seeds"], f"{row}_")
            yield Row(row, found["seeds"], clips, files, found.get("split"), constant=True)
        return
    yield Row(name, record["seeds"], _clips(arrays, record["seeds"], ""), files, record.get("split"))
    if record.get("untrained"):
        yield Row(f"{UNTRAINED}{name}", record["untrained"], {}, files[:1], record["split"])


def _clips(
    arrays: dict[str, NDArray[Any]], seeds: dict[str, dict[str, float]], row: str
) -> dict[str, dict[str, NDArray[Any]]]:
    """Seed → measure → `[P]` from the arrays named `<row>seed<s>_<measure>`."""
    prefixes = {seed: f"{row}seed{seed}_" for seed in seeds}
    return {
        seed: {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        for seed, prefix in prefixes.items()
    }
