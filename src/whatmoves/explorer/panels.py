"""What the explorer shows moving: panels of clips side by side, each picked by its buttons and sliders."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.explorer.grids import Grids, grids_of
from whatmoves.figures.inputs import FigureInputs, shared
from whatmoves.layout import Layout
from whatmoves.study import Study

TRUTH = -2  # slot of what is given and not made, as in animations


class Axis(NamedTuple):
    """One thing to pick: among `clips`, which are shown small, in `steps` by a slider, or by a `choice` of words."""

    name: str
    legend: str
    options: tuple[str, ...]
    kind: Literal["clips", "steps", "choice"]


class Card(NamedTuple):
    """What stands under one label: `video` uint8 `[*axes, T, C, H, W]`, with an axis for each name in `axes`."""

    label: str
    slot: int
    video: NDArray[np.uint8]
    axes: tuple[str, ...]


class Panel(NamedTuple):
    """Cards that move together. `given` frames come before those that a model foresees; `strip` shows all frames."""

    name: str
    dataset: str
    says: str
    axes: tuple[Axis, ...]
    cards: tuple[Card, ...]
    given: int = 0
    strip: bool = False


class LeftOut(NamedTuple):
    """A panel that a data set does not have, and why."""

    dataset: str
    reason: str


class Section(NamedTuple):
    """Panels of one kind, a data set after the other."""

    name: str
    title: str
    panels: tuple[Panel | LeftOut, ...]


TITLES = {
    "swaps": "Swaps",
    "interpolation": "Between two clips",
    "predictions": "Predictions",
    "reconstructions": "Reconstructions",
    "samples": "New clips",
}
PREDICTED = ("prediction", "prediction_one_step")  # from its own frames, from the true ones
ABILITY = {"swaps": "swap", "interpolation": "swap", "predictions": "predict", "reconstructions": "reconstruct"}


def sections(study: Study, layout: Layout) -> list[Section]:
    """All panels of a finished study; raises `DataError` or `CheckpointError` for results that are missing."""
    found: dict[str, list[Panel | LeftOut]] = {name: [] for name in TITLES}
    for dataset in study.data:
        inputs = FigureInputs(layout.root, study, dataset)
        if not inputs.models(dataset):
            continue
        made = {panel.name: panel for panel in _panels(inputs, grids_of(study, layout, dataset))}
        for name, panels in found.items():
            panels.append(made.get(name) or LeftOut(dataset, _why_not(inputs, ABILITY.get(name, "sample"))))
    return [Section(name, title, tuple(found[name])) for name, title in TITLES.items()]


def _panels(inputs: FigureInputs, grids: Grids | None) -> Iterator[Panel]:
    pictures = {model: inputs.pictures(inputs.dataset, model) or {} for model in inputs.models(inputs.dataset)}
    if grids is not None:
        yield _swaps(inputs, grids)
        yield _interpolation(inputs, grids)
    if able := _with(pictures, "prediction_past", "prediction_truth", *PREDICTED):
        yield _predictions(inputs, able)
    if able := _with(pictures, "truth", "reconstruction"):
        truth = shared(able, "truth")
        cards = [Card("truth", TRUTH, truth, ("clip",))]
        cards += _cards(inputs, {model: arrays["reconstruction"] for model, arrays in able.items()}, ("clip",))
        says = "Test clips, and how each model draws them again."
        yield Panel("reconstructions", inputs.dataset, says, (_clips(truth),), tuple(cards))
    if able := _with(pictures, "samples"):
        samples = {model: arrays["samples"] for model, arrays in able.items()}
        axis = Axis("clip", "Draw", tuple(f"draw {n + 1}" for n in range(len(next(iter(samples.values()))))), "choice")
        says = "Clips that models draw from nothing but chance."
        yield Panel("samples", inputs.dataset, says, (axis,), tuple(_cards(inputs, samples, ("clip",))))


def _swaps(inputs: FigureInputs, grids: Grids) -> Panel:
    picked = ("content", "motion")
    cards = [
        Card("content from", TRUTH, grids.clips, ("content",)),
        Card("motion from", TRUTH, grids.clips, ("motion",)),
        Card("true swap", TRUTH, grids.truth, picked),
        *_cards(inputs, grids.swaps, picked),
    ]
    axes = (
        Axis("content", "Content from", grids.words, "clips"),
        Axis("motion", "Motion from", grids.words, "clips"),
    )
    says = "What one test clip shows, moving as another does: the true picture, and what models make of it."
    return Panel("swaps", inputs.dataset, says, axes, tuple(cards))


def _interpolation(inputs: FigureInputs, grids: Grids) -> Panel:
    steps = next(iter(grids.led.values())).shape[0]
    cards = [Card(name, TRUTH, clip, ()) for name, clip in zip(("clip A", "clip B"), grids.clips, strict=False)]
    cards += _cards(inputs, grids.led, ("content", "motion"))
    options = tuple(_between(step, steps) for step in range(steps))
    axes = (Axis("content", "Content", options, "steps"), Axis("motion", "Motion", options, "steps"))
    says = "Codes led from clip A to clip B, content and motion each for itself."
    return Panel("interpolation", inputs.dataset, says, axes, tuple(cards))


def _between(step: int, steps: int) -> str:
    return {0: "of clip A", steps - 1: "of clip B"}.get(step, f"{100 * step // (steps - 1)} % from A to B")


def _predictions(inputs: FigureInputs, able: dict[str, dict[str, NDArray[Any]]]) -> Panel:
    past = shared(able, "prediction_past")
    truth = np.concatenate([past, shared(able, "prediction_truth")], axis=1)
    drawn = {
        model: np.stack([np.concatenate([past, arrays[name]], axis=1) for name in PREDICTED])
        for model, arrays in able.items()
    }
    fed = Axis("fed", "Each frame is drawn from", ("the model's own frames", "the true frames before it"), "choice")
    cards = (Card("truth", TRUTH, truth, ("clip",)), *_cards(inputs, drawn, ("fed", "clip")))
    says = "How test clips go on: the truth, and what each model and floor foresees from the frames given."
    return Panel("predictions", inputs.dataset, says, (_clips(truth), fed), cards, past.shape[1], strip=True)


def _clips(truth: NDArray[np.uint8]) -> Axis:
    return Axis("clip", "Clip", tuple(f"test clip {n + 1}" for n in range(len(truth))), "clips")


def _cards(inputs: FigureInputs, videos: dict[str, NDArray[np.uint8]], axes: tuple[str, ...]) -> list[Card]:
    return [Card(inputs.label(model), inputs.slot(model), video, axes) for model, video in videos.items()]


def _with(pictures: dict[str, dict[str, NDArray[Any]]], *needed: str) -> dict[str, dict[str, NDArray[Any]]]:
    return {model: arrays for model, arrays in pictures.items() if all(name in arrays for name in needed)}


def _why_not(inputs: FigureInputs, ability: str) -> str:
    """The reasons of a data set's models, each once, with whom it holds for."""
    reasons: dict[str, list[str]] = {}
    for model in inputs.models(inputs.dataset):
        cannot = (inputs.quality(inputs.dataset, model) or {}).get("cannot", {})
        reasons.setdefault(cannot.get(ability, "nothing of the kind is stored"), []).append(inputs.label(model))
    if len(reasons) == 1:
        return next(iter(reasons))
    return "; ".join(f"{', '.join(models)}: {reason}" for reason, models in reasons.items())


class Size(NamedTuple):
    """How much of the panels is kept: `clips` of each axis of clips, `steps` of a slider, frames `shrink` times
    smaller."""

    clips: int
    steps: int
    shrink: int = 1

    def of(self, panel: Panel) -> Panel:
        """The panel in this size."""
        kept = {axis.name: self._kept(axis) for axis in panel.axes}
        axes = tuple(axis._replace(options=tuple(axis.options[at] for at in kept[axis.name])) for axis in panel.axes)
        return panel._replace(axes=axes, cards=tuple(self._cut(card, kept) for card in panel.cards))

    def _kept(self, axis: Axis) -> list[int]:
        count = len(axis.options)
        if axis.kind == "steps" and count > self.steps:
            return [step * (count - 1) // (self.steps - 1) for step in range(self.steps)]
        return list(range(min(count, self.clips) if axis.kind == "clips" else count))

    def _cut(self, card: Card, kept: dict[str, list[int]]) -> Card:
        video = card.video
        for place, name in enumerate(card.axes):
            video = video.take(kept[name], axis=place)
        *outer, height, width = video.shape
        if self.shrink > 1:
            height, width = height // self.shrink, width // self.shrink
            whole = video[..., : height * self.shrink, : width * self.shrink]
            parts = whole.reshape(*outer, height, self.shrink, width, self.shrink)
            video = parts.mean((-3, -1)).round().astype(np.uint8)
        return card._replace(video=video)


def rows(video: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The clips `[T, C, H, W]` of a card's video, its last axis fastest."""
    for place in product(*map(range, video.shape[:-4])):
        yield video[place]
