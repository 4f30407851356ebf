"""What came of plans, as rows of numbers for the value index.

`plan_closed_<cost>` is derived here: the part of the way from random actions to the true simulator that a model's plans
go, (success − random's) / (the simulator's − random's), where the simulator is that of the true places.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from whatmoves.analysis.judgements import Row
from whatmoves.files import read_arrays, read_json
from whatmoves.layout import PLANNED_FLOORS, Layout

COSTS = ("pixels", "code", "content", "motion", "places")
OF_NO_COST = ("plan_success", "plan_distance")  # of rows that search for nothing: the same beside every cost
RANDOM, SIMULATOR = "random_actions", "simulator"


def planned(root: Path, dataset: str, names: Sequence[str]) -> Iterator[Row]:
    """The rows of these models' plans on a data set, then floors and ceilings; raises `DataError` naming a result that
    is missing."""
    folder = Layout(root).plans(dataset, PLANNED_FLOORS)
    files = _files(root, folder)
    record, arrays = read_json(folder / "plan.json"), read_arrays(folder / "tasks.npz")
    found = [_model_row(root, dataset, name) for name in names]
    costs = _costs(found)
    ends = {row: arrays[f"{row}_seed0_plan_success{end}"] for row, end in ((RANDOM, ""), (SIMULATOR, "_places"))}
    for row in found:
        yield _closed(row, costs, ends[RANDOM], ends[SIMULATOR], files)
    for name, told in record["rows"].items():
        seeds, clips = dict(told["seeds"]["0"]), _of(arrays, f"{name}_seed0_")
        for measure in [measure for measure in OF_NO_COST if measure in seeds]:
            value, by_task = seeds.pop(measure), clips.pop(measure)
            seeds |= {f"{measure}_{cost}": value for cost in (*costs, "places")}
            clips |= {f"{measure}_{cost}": by_task for cost in (*costs, "places")}
        yield Row(name, {"0": seeds}, {"0": clips}, files, None, constant=True)


def reasons(root: Path, dataset: str, names: Sequence[str]) -> dict[str, str]:
    """Why a value that a table of plans asks for is not there, by value id."""
    found = {}
    for name in names:
        for what, why in read_json(Layout(root).plans(dataset, name) / "plan.json")["cannot"].items():
            costs = COSTS[:-1] if what == "plan" else (what, *(COSTS[2:4] if what == "code" else ()))
            for cost in costs:
                for measure in ("success", "distance", "rank", "closed"):
                    found[f"{dataset}.{name}.plan_{measure}_{cost}"] = why
    return found


def _model_row(root: Path, dataset: str, name: str) -> Row:
    folder = Layout(root).plans(dataset, name)
    record, arrays = read_json(folder / "plan.json"), read_arrays(folder / "tasks.npz")
    clips = {seed: _of(arrays, f"seed{seed}_") for seed in record["seeds"]}
    return Row(name, record["seeds"], clips, _files(root, folder), None)


def _costs(rows: list[Row]) -> list[str]:
    """The costs that some model plans by."""
    measured = {measure for row in rows for values in row.seeds.values() for measure in values}
    return [cost for cost in COSTS if f"plan_success_{cost}" in measured]


def _closed(row: Row, costs: list[str], random: NDArray[Any], simulator: NDArray[Any], files: list[str]) -> Row:
    """The row with the part of the way that it closes.

    A task's number is the ratio's own at the means plus its first-order change there (as `values._removed` has it).
    """
    low, way = float(random.mean()), float(simulator.mean() - random.mean())
    if way <= 0:
        return row
    seeds, clips = {}, {}
    for seed, values in row.seeds.items():
        seeds[seed], clips[seed] = dict(values), dict(row.clips[seed])
        for cost in costs:
            if f"plan_success_{cost}" in values:
                part = (values[f"plan_success_{cost}"] - low) / way
                own = row.clips[seed][f"plan_success_{cost}"] - random - part * (simulator - random - way)
                seeds[seed][f"plan_closed_{cost}"] = part
                clips[seed][f"plan_closed_{cost}"] = own / way
    return row._replace(seeds=seeds, clips=clips, files=[*row.files, *files])


def _of(arrays: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _files(root: Path, folder: Path) -> list[str]:
    return [str((folder / name).relative_to(root)) for name in ("plan.json", "tasks.npz")]
