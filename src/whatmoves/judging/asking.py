"""What the judges say of what a trained model draws: asked where the networks are, when the model is evaluated.

Asked are the swaps, the model's own reconstructions of the clips that give the content, clips half of whose code is
redrawn, and clips on the way from one code to another. What is made of the answers needs no network
(`whatmoves.judging.control`).

The other half is redrawn from codes of training clips, not from the prior: a learned split has no prior, and a prior
that does not match the codes would count as entanglement.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from whatmoves.data.clips import to_bytes
from whatmoves.evaluation.evaluate import Measured
from whatmoves.evaluation.measured_clips import Clips
from whatmoves.evaluation.swaps import Codes, Mixer, decoded
from whatmoves.judging.judged import STEPS, Arrays, Judged, drawn_pairs, led_pairs, stored
from whatmoves.judging.judges import load_judges
from whatmoves.judging.tracks import found_paths
from whatmoves.models.interface import Decodes

DRAW_SEED = 0


class Coder(NamedTuple):
    """A trained model with how its codes are mixed."""

    model: Decodes
    mixer: Mixer
    device: torch.device

    def draw(self, codes: Codes, batch_size: int) -> NDArray[np.uint8]:
        """The clips of `codes`, uint8 `[N, T, C, H, W]`."""
        count = len(next(iter(codes.values())))
        parts = [
            to_bytes(decoded(self.model, rows_of(codes, slice(first, first + batch_size)), self.device))
            for first in range(0, count, batch_size)
        ]
        return np.concatenate(parts)


def asker(judges_file: Path, batch_size: int) -> Callable[[nn.Module, Measured, Clips, torch.device], Arrays]:
    """`asked` by the judges of a file, which is read when they are first asked; raises `CheckpointError` then."""
    judges = cache(load_judges)

    def ask(model: nn.Module, measured: Measured, clips: Clips, device: torch.device) -> Arrays:
        return asked(model, measured, clips, judges(judges_file, device).judge, batch_size, device)

    return ask


def asked(
    model: nn.Module,
    measured: Measured,
    clips: Clips,
    judge: Callable[..., Judged],
    batch_size: int,
    device: torch.device,
) -> Arrays:
    """All answers about one trained model, `{}` for one that cannot be swapped.

    Of `swapped` `[P]`, `own` `[U]` (one a clip that gives content), `kept_content`, `kept_motion` `[drawn_pairs]`,
    `led_content` and `led_motion` `[led_pairs · STEPS]`: `<name>_<field of Judged>`; of the ways also
    `<name>_changes` `[pairs, STEPS − 1]`, the change of the picture from step to step; and of a model with `path`
    where clips have several digits `path` `[N, K, T, 2]`, its centres (y, x) in pixels.
    """
    if measured.swapped is None or measured.mixer is None or clips.swaps is None or not isinstance(model, Decodes):
        return {}
    coder, pairs = Coder(model, measured.mixer, device), clips.swaps.pairs
    train, test = measured.codes["train"], measured.codes["test"]
    found = stored("swapped", judge(measured.swapped, device, ask_second=True))

    def ask(name: str, codes: Codes) -> NDArray[np.uint8]:
        video = coder.draw(codes, batch_size)
        found.update(stored(name, judge(video, device)))
        return video

    with torch.inference_mode():
        ask("own", rows_of(test, np.unique(pairs[:, 0])))
        content, motion = (rows_of(test, rows) for rows in drawn_pairs(pairs).T)
        rng, count = np.random.default_rng(DRAW_SEED), len(drawn_pairs(pairs))
        drawn = rows_of(train, rng.integers(len(next(iter(train.values()))), size=count))
        ask("kept_content", coder.mixer.mix(content, drawn))
        ask("kept_motion", coder.mixer.mix(drawn, motion))
        way, still = ways(test, led_pairs(pairs))
        for name, codes in (("led_content", coder.mixer.mix(way, still)), ("led_motion", coder.mixer.mix(still, way))):
            steps = ask(name, codes).reshape(len(led_pairs(pairs)), STEPS, -1)
            found[f"{name}_changes"] = np.abs(np.diff(steps.astype(np.int16), axis=1)).sum(2, dtype=np.float64)
    path = getattr(model, "path", None)
    if callable(path) and any(name.endswith("_2") for name in clips.test.factors.columns):
        found["path"] = found_paths(path, clips.test, batch_size, device)
    return found


def ways(codes: Codes, pairs: NDArray[np.int64]) -> tuple[Codes, Codes]:
    """Codes `[pairs · STEPS, D]` led in straight steps from A's to B's, and A's as they are."""
    start, end = (rows_of(codes, rows) for rows in pairs.T)
    weights = np.linspace(0, 1, STEPS, dtype=np.float32)
    way = {
        block: ((1 - weights)[:, None] * start[block][:, None] + weights[:, None] * end[block][:, None]).reshape(
            -1, start[block].shape[1]
        )
        for block in start
    }
    return way, {block: values.repeat(STEPS, axis=0) for block, values in start.items()}


def rows_of(codes: Codes, rows: NDArray[np.int64] | slice) -> Codes:
    """Some rows of every block."""
    return {block: values[rows] for block, values in codes.items()}
