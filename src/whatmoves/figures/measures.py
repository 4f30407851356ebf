"""Measures of the study's own: every seed, the mean and its interval, with floors and ceilings beneath in grey."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs
from whatmoves.figures.panels import measured, panels


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """As `whatmoves.figures.panels.measured`, of what modules of the study's own measured on the data set."""
    own: dict[str, str] = {}
    for key, value in inputs.values().items():
        dataset, _, name = key.split(".", 2)
        if dataset == inputs.dataset and value.get("own"):
            own[name] = name.replace("_", " ") + (f" ({value['unit']})" if value["unit"] else "")
    if not own:
        raise inputs.nothing(f"no measure of the study's own was taken on {inputs.dataset}")
    return measured(inputs, own)


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One panel for each measure and what it was asked of, one row per model."""
    return panels(data)
