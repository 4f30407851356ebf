"""Picture quality: every seed, the mean and its interval, with floors and ceilings beneath in grey."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs
from whatmoves.figures.panels import measured, panels

TITLES = {
    "psnr_frame": "PSNR per frame (dB)",
    "ssim_gauss11": "SSIM (Gaussian window of 11)",
    "mse_removed": "mean-frame error removed",  # measured where the study has that floor
}


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """What `whatmoves.figures.panels.measured` gives of the measures above."""
    return measured(inputs, TITLES)


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One panel per measure, one row per model; a grey line carries each floor up through the models."""
    return panels(data)
