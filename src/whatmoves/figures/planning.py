"""Plans: the part of the tasks that is solved, by how near to its goal an object has to end, every seed and the mean.

One panel per cost. Floors and ceilings are grey; the upright line is the tolerance of the tables.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs
from whatmoves.files import read_arrays
from whatmoves.layout import PLANNED_FLOORS

COSTS = ("pixels", "code", "content", "motion")
TITLES = {"pixels": "cost in pixels", "code": "in the code", "content": "in its content", "motion": "in its motion"}
TRUTH = "places"  # the ceiling of every panel
FLOORS = {
    "no_action": ("no action", "", (0, (1, 1.4))),
    "random_actions": ("random actions", "", (0, (4, 1.2, 1, 1.2))),
    "simulator": ("true simulator, true places", f"_{TRUTH}", "-"),
}
PICTURED = ("simulator", "true simulator, true pictures", (0, (4, 1, 1, 1, 1, 1)))  # beside the cost in pixels
TICKS, FARTHEST = 101, 0.25  # distances shown, and the largest, in sides
PANEL_IN, GAP_IN, LEFT_IN, KEYS, KEY_IN = 1.5, 0.42, 0.46, 3, 0.38
MEAN = -1  # in place of a seed


class Line(NamedTuple):
    """Which line it is: of a panel, of a row, of a seed (−1: the mean of all)."""

    cost: int
    row: int
    seed: int


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`distance` `[D]` in sides, and `share` `[lines, D]` of the tasks that end as near; `cost`, `row`, `seed` of each
    line; `costs`, the rows' `labels` and `slots`, and the `tolerance`."""
    folder = inputs.root / "plan" / inputs.dataset
    files = {name: folder / name / "tasks.npz" for name in inputs.models(inputs.dataset)}
    found = {name: read_arrays(path) for name, path in files.items() if path.exists()}
    costs = [cost for cost in COSTS if any(f"_plan_distance_{cost}" in key for of in found.values() for key in of)]
    if not costs:
        raise inputs.nothing(f"no model on {inputs.dataset} can be planned with")
    models = [name for name, arrays in found.items() if arrays]
    distance = np.linspace(0, FARTHEST, TICKS)
    lines: list[Line] = []
    shares: list[NDArray[np.float64]] = []

    def add(cost: int, row: int, seeds: Mapping[int, NDArray[np.float64]]) -> None:
        of = {seed: (ends[:, None] <= distance).mean(0) for seed, ends in seeds.items()}
        for seed, share in {**of, MEAN: np.mean(list(of.values()), axis=0)}.items():
            lines.append(Line(cost, row, seed))
            shares.append(share)

    floors = read_arrays(folder / PLANNED_FLOORS / "tasks.npz")
    for place, cost in enumerate(costs):
        for row, name in enumerate(models):
            keys = {seed: f"seed{seed}_plan_distance_{cost}" for seed in inputs.study.seeds_of(name)}
            kept = {seed: found[name][key] for seed, key in keys.items() if key in found[name]}
            if kept:
                add(place, row, kept)
        for row, (name, (_, end, _)) in enumerate(FLOORS.items(), start=len(models)):
            add(place, row, {0: floors[f"{name}_seed0_plan_distance{end}"]})
    name = f"{PICTURED[0]}_seed0_plan_distance_{costs[0]}"
    if name in floors:
        add(0, len(models) + len(FLOORS), {0: floors[name]})
    words = [*(label for label, *_ in FLOORS.values()), PICTURED[1]]
    legend = inputs.legend(models)
    return {
        "distance": distance,
        "share": np.stack(shares),
        **{name: np.array([getattr(line, name) for line in lines]) for name in Line._fields},
        "costs": np.array(costs, np.str_),
        "labels": np.array([*legend["labels"], *words], np.str_),
        "slots": np.array([*legend["slots"], *[-1] * len(words)], np.int64),
        "tolerance": floors["tolerance"],
    }


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """Costs from left to right, the legend above them."""
    words, columns = style.in_columns([str(label) for label in data["labels"]], KEYS, 2, style.WIDTH_IN, KEY_IN)
    top_in = 0.135 * -(-len(words) // columns) + 0.36 + style.more_lines(words, columns) * style.LINE_IN
    count = len(data["costs"])
    figure = Figure((style.WIDTH_IN, top_in + PANEL_IN + GAP_IN))
    width_in = min(2.6, (style.WIDTH_IN - LEFT_IN - 0.06 - (count - 1) * GAP_IN) / count)
    for place, cost in enumerate(data["costs"].tolist()):
        axes = style.panel(figure, LEFT_IN + place * (width_in + GAP_IN), top_in, width_in, PANEL_IN)
        for line in np.flatnonzero(data["cost"] == place):
            row, mean = int(data["row"][line]), data["seed"][line] == MEAN
            slot = int(data["slots"][row])
            if slot < 0 and not mean:
                continue
            look = {"ls": _dashes(data, row)} if slot < 0 else {"alpha": 1.0 if mean else 0.45}
            axes.plot(data["distance"], data["share"][line], color=style.colour(slot), lw=1.1 if mean else 0.5, **look)
        axes.axvline(float(data["tolerance"]), color=style.SOFT, lw=0.7, zorder=1)
        axes.set_title(TITLES[cost])
        axes.set_xlabel("distance from the goal, sides")
        axes.set_ylim(-0.02, 1.02)
        axes.margins(x=0.01)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.tick_params("y", labelsize=style.SMALL_PT)
    keys = []
    for row, slot in enumerate(data["slots"].tolist()):
        look = {"ls": _dashes(data, row)} if slot < 0 else {}
        keys.append(Line2D([], [], color=style.colour(slot), lw=1.3, **look))
    figure.legend(
        keys, words, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=columns, borderaxespad=0.2, borderpad=0.1,
        handlelength=2.0, columnspacing=1.0, labelspacing=0.25,
    )  # fmt: skip
    return figure


def _dashes(data: Mapping[str, NDArray[Any]], row: int) -> Any:
    dashes = [*(look for *_, look in FLOORS.values()), PICTURED[2]]
    return dashes[row - int((data["slots"] >= 0).sum())]
