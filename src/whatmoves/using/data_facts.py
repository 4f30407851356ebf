"""What a made data set holds, in numbers: intensities, actions, states and factors of each of its parts.

A part is a stored split, or `train`: a sample of different training clips, which no data set stores as it does splits.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.clips import Source, Split
from whatmoves.data.factor_tables import FactorRole
from whatmoves.errors import DataError

TRAIN = "train"
TRAIN_CLIPS, TRAIN_BYTES = 256, 2**28  # of the sample, at most
TONES = {"black (0)": (0, 1), "dark": (1, 86), "middling": (86, 170), "bright": (170, 255), "white (255)": (255, 256)}
"""Words for the intensities from one number to before another."""

Parts = Mapping[str, Split]


def read_parts(source: Source, stored: Sequence[str], folder: Path, make: str) -> dict[str, Split]:
    """The sample of training clips and the stored splits by name; of a data set that is not made, the sample alone.

    Raises `DataError` for a split that is missing or damaged, and where nothing is made and nothing can be drawn
    without; `make` is the command that makes it.
    """
    made = any((folder / f"{name}.npz").exists() for name in stored)
    fitting = TRAIN_BYTES // math.prod(source.shape[:4])
    try:
        sample = source.train_split(min(TRAIN_CLIPS, max(1, fitting)))
    except DataError as error:
        if made:
            raise
        reason = "" if str(folder) in str(error) else f", and without them: {error}"
        raise DataError(f"{folder}: the splits are not made yet; run `{make}`{reason}") from None
    return {TRAIN: _different(sample)} | ({name: source.split(name) for name in stored} if made else {})


def clip_digests(video: NDArray[np.uint8]) -> list[bytes]:
    """What tells each clip of `[N, T, C, H, W]` from any other."""
    return [hashlib.blake2b(np.ascontiguousarray(clip).data, digest_size=16).digest() for clip in video]


def _different(split: Split) -> Split:
    """Without the clips that came before: a sample is drawn with replacement."""
    first = {digest: row for row, digest in reversed(list(enumerate(clip_digests(split.video))))}
    rows = sorted(first.values())

    def kept(values: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
        return None if values is None else values[rows]

    factors = split.factors.iloc[rows].reset_index(drop=True)
    return Split(split.video[rows], factors, kept(split.actions), kept(split.states), kept(split.centres_px))


def histogram(video: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each of the 256 intensities occurs in `[N, T, C, H, W]`."""
    counts = np.zeros(256, np.int64)
    for clip in video:  # one at a time: counting takes eight bytes a pixel
        counts += np.bincount(clip.ravel(), minlength=256)
    return counts


def intensities(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Least, largest, mean and deviation of a histogram's intensities, and the share of each of `TONES`."""
    values, present = np.arange(256), np.flatnonzero(counts)
    mean = float(np.average(values, weights=counts))
    deviation = float(np.sqrt(np.average((values - mean) ** 2, weights=counts)))
    tones = {word: float(counts[low:high].sum() / counts.sum()) for word, (low, high) in TONES.items()}
    return {"min": int(present[0]), "max": int(present[-1]), "mean": mean, "deviation": deviation, "tones": tones}


def ranges(values: NDArray[np.float32]) -> list[dict[str, float]]:
    """Least, largest, mean and deviation of each number of `[N, T, A]`; not a number where none is finite."""
    columns = values.reshape(-1, values.shape[-1]).T.astype(np.float64)
    finite = [column[np.isfinite(column)] for column in columns]
    return [
        {"min": float(c.min()), "max": float(c.max()), "mean": float(c.mean()), "deviation": float(c.std())}
        if c.size
        else {}
        for c in finite
    ]


def spread(values: NDArray[Any], kind: str) -> dict[str, Any]:
    """How a factor's values are spread: its quartiles, or how many there are and how often the rarest and commonest."""
    if kind == "continuous":
        points = np.quantile(values.astype(np.float64), [0, 0.25, 0.5, 0.75, 1])
        return dict(zip(("min", "quarter", "middle", "three_quarters", "max"), map(float, points), strict=True))
    found, times = np.unique(values, return_counts=True)
    return {
        "min": found[0].item(),
        "max": found[-1].item(),
        "values": len(found),
        "rarest_clips": int(times.min()),
        "commonest_clips": int(times.max()),
    }


def part_facts(split: Split, counts: NDArray[np.int64], roles: Mapping[str, FactorRole]) -> dict[str, Any]:
    """A part in plain values; `counts` is the histogram of its video, `roles` tell of the factors it has."""
    facts: dict[str, Any] = {"clips": len(split.video), "intensities": intensities(counts)}
    for name in ("actions", "states"):
        values = getattr(split, name)
        if values is not None and values.shape[-1]:
            facts[name] = ranges(values)
    facts["factors"] = {name: spread(split.factors[name].to_numpy(), role.kind) for name, role in roles.items()}
    return facts
