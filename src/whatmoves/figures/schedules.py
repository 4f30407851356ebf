"""Schedules: what changes in a loss while a model trains, over the budget: the weight of the KL term, teacher forcing.

Computed from the settings of the study's models; no results are read. Models with one schedule share a line.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.figures import style
from whatmoves.figures.inputs import FigureInputs
from whatmoves.models.losses.schedules import cycled_ramp, kl_ramp, teacher_forcing

TITLES = ("weight of the KL term, share of β", "probability of teacher forcing")
POINTS = 401
LEFT_IN, GAP_IN, TOP_IN, PANEL_IN, LINE_IN = 0.42, 0.5, 0.26, 1.25, 0.125
WORDS, KEY_IN = 48, 0.33  # letters of a line of the legend; what the sample of a line takes beside its words
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1, 1, 1)), (0, (3, 3)))


class Schedule(NamedTuple):
    """A curve over training progress 0 … 1 in one of the panels; `note` tells what the curve does not."""

    panel: int
    values: tuple[float, ...]
    note: str


def collect(inputs: FigureInputs) -> dict[str, NDArray[Any]]:
    """`progress` `[n]`, `values` `[lines, n]`, and of each line `panel`, `words` (its models, its β) and `slots`."""
    shared: dict[Schedule, list[str]] = {}
    for name, entry in inputs.study.models.items():
        config = plugins.model_config(entry.kind, entry.options, f"models.{name}")
        for schedule in schedules_of(config):
            shared.setdefault(schedule, []).append(name)
    if not shared:
        raise inputs.nothing("no model's settings change a loss while it trains")
    labels = [" · ".join(inputs.label(name) for name in names) for names in shared.values()]
    return {
        "progress": _progress(),
        "values": np.array([schedule.values for schedule in shared]),
        "panel": np.array([schedule.panel for schedule in shared], np.int64),
        "words": np.array([f"{label}{s.note}" for label, s in zip(labels, shared, strict=True)], np.str_),
        "slots": np.array([inputs.slot(names[0]) for names in shared.values()], np.int64),
    }


def schedules_of(config: Any) -> list[Schedule]:
    """The schedules that a model's settings ask for, told by the names of the settings."""
    c, found = config, list[Schedule]()
    if hasattr(c, "kl_schedule"):
        values = tuple(kl_ramp(c.kl_schedule, at, c.kl_start, c.kl_warmup) for at in _progress().tolist())
        found.append(Schedule(0, values, f" (β = {c.beta:g})"))
    if hasattr(c, "kl_annealing"):
        cycles = c.kl_cycles if c.kl_annealing == "cyclical" else 1
        steady = c.kl_annealing == "none"
        values = tuple(1.0 if steady else cycled_ramp(at, cycles, c.kl_ratio) for at in _progress().tolist())
        found.append(Schedule(0, values, f" (β = {1.0 if c.ignore_beta else c.beta:g})"))
    if hasattr(c, "forcing_start"):
        told = (c.forcing, c.forcing_start, c.forcing_lower, c.forcing_decay)
        found.append(Schedule(1, tuple(teacher_forcing(at, *told) for at in _progress().tolist()), ""))
    return found


def _progress() -> NDArray[np.float64]:
    return np.linspace(0, 1, POINTS)


@style.house
def draw(data: Mapping[str, NDArray[Any]]) -> Figure:
    """One panel per kind of schedule that there is, each with its models beneath."""
    width_in = (style.WIDTH_IN - LEFT_IN - 0.16 - (len(TITLES) - 1) * GAP_IN) / len(TITLES)
    shown = {panel: np.flatnonzero(data["panel"] == panel).tolist() for panel in sorted(set(data["panel"].tolist()))}
    last = len(shown) - 1
    rooms_in = {panel: width_in + (0.14 if place == last else GAP_IN) - KEY_IN for place, panel in enumerate(shown)}
    told = zip(data["words"], data["panel"].tolist(), strict=True)
    words = [style.broken(str(text), rooms_in[panel], WORDS) for text, panel in told]
    most = max(sum(words[line].count("\n") + 1 for line in lines) for lines in shown.values())
    height_in = TOP_IN + PANEL_IN + 0.42 + most * LINE_IN + 0.06
    figure = Figure((style.WIDTH_IN, height_in))
    for place, (panel, lines) in enumerate(shown.items()):
        left = LEFT_IN + place * (width_in + GAP_IN)
        axes = style.panel(figure, left, TOP_IN, width_in, PANEL_IN)
        drawn = [
            axes.plot(
                data["progress"], data["values"][line], color=style.colour(int(data["slots"][line])), lw=1.3,
                ls=DASHES[order % len(DASHES)],
            )[0]
            for order, line in enumerate(lines)
        ]  # fmt: skip
        axes.set_title(TITLES[panel])
        axes.set_xlabel("share of the training budget")
        axes.set_ylim(-0.04, 1.06)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        axes.tick_params("y", labelsize=style.SMALL_PT)
        axes.margins(x=0.02)
        figure.legend(
            drawn, [words[line] for line in lines], loc="upper left", borderaxespad=0.0, borderpad=0.0,
            bbox_to_anchor=(left / style.WIDTH_IN, 1 - (TOP_IN + PANEL_IN + 0.4) / height_in), labelspacing=0.25,
            handlelength=2.4,
        )  # fmt: skip
    return figure
