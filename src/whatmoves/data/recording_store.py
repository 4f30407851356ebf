"""The stored splits of a recording: what stands in their arrays and tables, checked whenever they are read."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves.data.clips import ClipShape
from whatmoves.data.factor_tables import FIX, FactorRole
from whatmoves.errors import DataError

FACTOR_ROLES: dict[str, FactorRole] = {
    "session": FactorRole("derived", "discrete", "index of the session; statistics.json has their names"),
    "first_line": FactorRole("derived", "discrete", "line of the clip's first frame in its log"),
    "start_s": FactorRole("derived", "continuous", "time of that frame since the session began, seconds"),
}


def check_arrays(path: Path, arrays: dict[str, NDArray[Any]], shape: ClipShape, training: bool) -> None:
    """Raise `DataError` where an array of a stored split is missing or not of the settings' shape."""
    picture = (shape.channels, shape.height, shape.width)
    clips, frames = (len(arrays[key]) if key in arrays else 0 for key in ("video", "train_frames"))
    expected: dict[str, tuple[type, tuple[int, ...]]] = {
        "video": (np.uint8, (clips, shape.frames, *picture)),
        "actions": (np.float32, (clips, shape.frames, shape.actions)),
        "settings": (np.uint8, (32,)),
        "logs": (np.uint8, (32,)),
    }
    if training:
        expected |= {
            "train_frames": (np.uint8, (frames, *picture)),
            "train_controls": (np.float32, (frames, shape.actions)),
            "train_times_s": (np.float64, (frames,)),
            **{f"train_{key}": (np.int64, (frames,)) for key in ("runs", "sessions", "lines")},
        }
    for key, (kind, axes) in expected.items():
        found = arrays.get(key)
        if found is None or found.dtype != kind:
            raise DataError(f"{path}: no {np.dtype(kind)} array {key!r} in it; {FIX}")
        if found.shape != axes:
            raise DataError(f"{path}: {key} is {found.shape}, these settings make {axes}; {FIX}")


def factors(
    sessions: NDArray[np.int64], lines: NDArray[np.int64], times_s: NDArray[np.float64], starts: NDArray[np.int64]
) -> pd.DataFrame:
    """The factor table of clips that begin at the frames `starts`; its columns are described in `FACTOR_ROLES`."""
    return pd.DataFrame({"session": sessions[starts], "first_line": lines[starts], "start_s": times_s[starts]})
