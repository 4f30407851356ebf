"""One figure from its inputs to its files: collect, write the data file, draw from the file, save."""

from pathlib import Path

from whatmoves.figures import style
from whatmoves.figures.inputs import DATASET, FigureInputs
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.layout import figure_parts
from whatmoves.plugins import figure_module
from whatmoves.study import Study


def make_figure(name: str, study: Study, root: Path, out_pdf: Path, out_png: Path, out_data: Path) -> None:
    """Make figure `name` of the results under `root`: data (`.npz`), vector PDF and PNG, all byte-stable.

    `name` is that of its module, followed by `-` and a data set where it shows another than `moving_digits`.
    The picture is drawn from the data file just written, so the file is proof of everything the picture shows.
    Raises `ConfigError` for an unknown figure and `DataError` where there is nothing to draw.
    """
    kind, dataset = figure_parts(name)
    module = figure_module(kind)
    write_arrays(out_data, module.collect(FigureInputs(root, study, dataset or DATASET)))
    data = read_arrays(out_data)
    for path in (out_pdf, out_png):
        with atomic(path) as temporary:
            style.save(module.draw(data), temporary)
