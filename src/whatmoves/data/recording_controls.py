"""Controls of a recording between two units: the log's own, and the one they are stored in.

Stored are deviations from the mean over the training sessions; a control that never changes there is 0. The numbers
for the way back stand in `statistics.json` beside the clips, so that whoever has the clips can ask in the log's units.
"""

import json
import logging
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

log = logging.getLogger(__name__)

STATISTICS = "statistics.json"
NOISE = 2 * float(np.finfo(np.float32).eps)  # one step of float32 up and one down, a part of the value
FAR = 0.5  # of the range's width beyond it: what training never saw, more than a session a little bolder than the rest
KEYS = ("control_mean", "control_deviation", "control_min", "control_max")

Floats = NDArray[np.float64]


class Scale(NamedTuple):
    """Of each control `[A]`, in the log's unit: mean, deviation (0: it never changes), and range in training."""

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats

    def stored(self, controls: NDArray[Any]) -> NDArray[np.float32]:
        """Controls `[…, A]` of the log in deviations from their mean; those that never change are 0."""
        changing = self.deviation > 0
        normalised = np.where(changing, (controls - self.mean) / np.where(changing, self.deviation, 1), 0)
        return np.asarray(normalised, dtype=np.float32)

    def beyond(self, controls: NDArray[Any]) -> Floats:
        """How far controls `[…, A]` lie outside the range, 0 where not far (any way is, for one that never changes)."""
        outside = np.maximum(np.maximum(self.low - controls, controls - self.high), 0)
        near = np.where(self.deviation > 0, FAR * (self.high - self.low), _noise(self.low, self.high))
        return np.asarray(np.where(outside > near, outside, 0), dtype=np.float64)


def scale_of(controls: Floats) -> Scale:
    """The scale of training's controls `[F, A]`; a spread that float32 cannot tell from rounding counts as none."""
    low, high = controls.min(0), controls.max(0)
    return Scale(controls.mean(0), np.where(high - low > _noise(low, high), controls.std(0), 0.0), low, high)


def _noise(low: Floats, high: Floats) -> Floats:
    """What float32 rounds away between values `[A]`; at least that of 1, since what idles about 0 has no size."""
    return np.asarray(NOISE * np.maximum(np.maximum(np.abs(low), np.abs(high)), 1))


def tell_unseen(
    scale: Scale,
    parts: dict[str, tuple[Floats, NDArray[np.int64], NDArray[np.int64]]],
    names: Sequence[str],
) -> None:
    """Log what training does not show of the controls, a line each: which never change there, and which go far beyond.

    `parts`: controls `[F, A]`, sessions and lines `[F]` of the other splits; `names` of the sessions.
    """
    for control, (low, high, deviation) in enumerate(zip(scale.low, scale.high, scale.deviation, strict=True)):
        found: dict[str, tuple[float, str]] = {}
        for part, (controls, sessions, lines) in parts.items():
            outside = scale.beyond(controls)[:, control]
            row = int(outside.argmax())
            if outside[row]:
                place = f"{controls[row, control]:g} at line {lines[row]} of {names[sessions[row]]}"
                found[part] = (float(outside[row]), place)
        where = f"{' and '.join(found)}, furthest {max(found.values(), key=itemgetter(0))[1]}" if found else ""
        if not deviation:
            always = f"{low:g} in training{' but for rounding' if high > low else ''}"
            moves = f", though it moves in {where}; record more sessions that use it" if found else ""
            level = logging.WARNING if found else logging.INFO
            log.log(level, "control %d is always %s: stored as 0%s", control + 1, always, moves)
        elif found:
            told = "control %d is %g … %g in training, but goes far beyond in %s; mend those lines if they are wrong"
            log.warning(told, control + 1, low, high, where)


def read_scale(clips: Path, arrays: dict[str, NDArray[Any]]) -> Scale | None:
    """The scale that belongs to stored clips with these `arrays`; None where they are of no recording.

    Raises `DataError` where the file beside the clips is missing, damaged, or another recording's.
    """
    if not {"recording", "logs", "settings"} <= arrays.keys():
        return None
    path = clips.parent / STATISTICS
    width = arrays["actions"].shape[-1]
    fix = "make the data set again, or copy this file from beside the original clips"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        scale = Scale(*(np.array(told[key], dtype=np.float64) for key in KEYS))
        recording = told["recording_sha256"]
    except FileNotFoundError:
        raise DataError(f"{path}: no such file, so the controls of {clips.name} have no units; {fix}") from None
    except KeyError as error:
        raise DataError(f"{path}: no {error.args[0]} in it, so the controls have no units; {fix}") from None
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not readable ({' '.join(str(error).split())}); {fix}") from None
    if recording != arrays["recording"].tobytes().hex():
        raise DataError(f"{path}: belongs to another recording than {clips.name}; {fix}")
    if any(values.shape != (width,) or not np.isfinite(values).all() for values in scale):
        raise DataError(f"{path}: must have {width} finite numbers under {', '.join(KEYS)}; {fix}")
    return scale
