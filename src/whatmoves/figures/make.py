"""One figure from its inputs to its files: collect, write the data file, draw from the file, save."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.errors import NothingToShowError
from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.layout import NOTHING, figure_parts
from whatmoves.plugins import figure_module
from whatmoves.study import Study


def make_figure(name: str, study: Study, root: Path, out_pdf: Path, out_png: Path, out_data: Path) -> None:
    """Make figure `name` of the results under `root`: data (`.npz`), vector PDF and PNG, all byte-stable.

    `name` is that of its module, followed by `-` and a data set where it shows another than the study's main one.
    The picture is drawn from the data file just written, so the file is proof of everything the picture shows. Where
    the results hold nothing to draw, data file and picture say why, and the paper leaves it out.
    Raises `ConfigError` for an unknown figure and `DataError` for results that are missing.
    """
    kind, dataset = figure_parts(name)
    module = figure_module(kind)
    draw = module.draw
    try:
        write_arrays(out_data, module.collect(FigureInputs(root, study, dataset or study.main_data())))
    except NothingToShowError as reason:
        write_arrays(out_data, {NOTHING: np.array(str(reason))})
        draw = _nothing
    data = read_arrays(out_data)
    for path in (out_pdf, out_png):
        with atomic(path) as temporary:
            style.save(draw(data), temporary)


@style.house
def _nothing(data: Mapping[str, NDArray[Any]]) -> Figure:
    """The reason why there is nothing to see."""
    figure = Figure((style.WIDTH_IN, 0.4))
    style.write(figure, 0.1, 0.2, f"Nothing to show: {data[NOTHING]}.", va="center", color=style.SOFT)
    return figure
