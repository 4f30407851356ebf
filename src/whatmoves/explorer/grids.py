"""Clips drawn for the explorer alone: every swap among a few test clips, and what lies between two of them.

They come from stored codes and checkpoints, of the seed that all pictures show; nothing is trained or measured.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.data.clips import to_bytes
from whatmoves.errors import DataError
from whatmoves.evaluation.factors import classes
from whatmoves.evaluation.pictures import shown_rows
from whatmoves.evaluation.swaps import Codes, Mixer, decoded, swap
from whatmoves.files import read_arrays, read_json
from whatmoves.layout import Layout
from whatmoves.models.interface import Decodes
from whatmoves.study import Study
from whatmoves.training.checkpoint import load_checkpoint

CLIPS = 6  # each with the motion of each
STEPS = 5  # from one clip to another, both included
CPU = torch.device("cpu")


class Grids(NamedTuple):
    """`clips` `[n, T, C, H, W]` in `words`, `truth` and by model `swaps` `[n, n, T, C, H, W]` (content, motion), and
    `led` `[steps, steps, T, C, H, W]` with content and motion between the first clip and the second."""

    clips: NDArray[np.uint8]
    words: tuple[str, ...]
    truth: NDArray[np.uint8]
    swaps: dict[str, NDArray[np.uint8]]
    led: dict[str, NDArray[np.uint8]]


def grids_of(study: Study, layout: Layout, dataset: str) -> Grids | None:
    """Those of a data set, or None where no model swaps.

    Raises `DataError` or `CheckpointError` for results that are missing or damaged.
    """
    torch.set_num_threads(1)
    entry = study.data[dataset]
    swapping = {
        model: arrays
        for model in study.models
        if dataset in study.models[model].trains_on
        and "pairs" in (arrays := read_arrays(layout.evaluation(dataset, model) / "swaps.npz"))
    }
    if not swapping:
        return None
    module, config = plugins.data_of(dataset, entry.kind, entry.options)
    test = module.open_source(config, layout.data(dataset)).split("test")
    rows = shown_rows(test, CLIPS)
    pairs = np.array([(content, motion) for content in rows for motion in rows], np.int64)
    content, motion = (test.factors.iloc[pairs[:, side]].reset_index(drop=True) for side in (0, 1))
    truth = module.render_factors(config, module.swap_factors(content, motion))
    swaps, led = {}, {}
    for model, arrays in swapping.items():
        drawer, codes, mixer = _opened(layout, dataset, model, arrays)
        with torch.inference_mode():
            swaps[model] = _square(to_bytes(swap(drawer, codes, mixer, pairs, CPU)))
            led[model] = _square(to_bytes(decoded(drawer, _between(codes, mixer, rows), CPU)))
    return Grids(test.video[rows], _words(test.factors, rows), _square(truth), swaps, led)


def _opened(layout: Layout, dataset: str, model: str, swapped: dict[str, Any]) -> tuple[Decodes, Codes, Mixer]:
    """A model of the shown seed, its test clips' codes, and how they are mixed."""
    folder = layout.evaluation(dataset, model)
    quality = read_json(folder / "quality.json")
    seed = quality["pictures_seed"]
    begin = f"seed{seed}_test_"
    stored = read_arrays(folder / "codes.npz")
    codes = {name.removeprefix(begin): values for name, values in stored.items() if name.startswith(begin)}
    drawer = load_checkpoint(layout.checkpoint(dataset, model, seed), CPU).model
    if not codes or not isinstance(drawer, Decodes):
        raise DataError(f"{folder}: swaps without codes of seed {seed}; evaluate {model} again")
    return drawer, codes, Mixer(quality["split"], swapped.get(f"seed{seed}_projector"))


def _between(codes: Codes, mixer: Mixer, rows: list[int]) -> dict[str, NDArray[np.float32]]:
    """Codes `[steps², D]` on the way from the first row to the second, content slow and motion fast."""
    weight = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None]
    paths = {block: (1 - weight) * values[rows[0]] + weight * values[rows[1]] for block, values in codes.items()}
    content, motion = (index.ravel() for index in np.indices((STEPS, STEPS)))
    return dict(mixer.mix(*({block: path[steps] for block, path in paths.items()} for steps in (content, motion))))


def _square(video: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = round(len(video) ** 0.5)
    return video.reshape(side, side, *video.shape[1:])


def _words(factors: Any, rows: list[int]) -> tuple[str, ...]:
    shown = classes(factors)
    if shown is None:
        return tuple(f"clip {place + 1}" for place in range(len(rows)))
    found = (" and ".join(str(int(key)) for key in shown[row]) for row in rows)
    return tuple(f"clip {place + 1}, class {key}" for place, key in enumerate(found))
