"""The clips that a trained model is measured on: a file with its factors beside it, or its own study's test split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from whatmoves import plugins
from whatmoves.data.clips import ClipShape, Split
from whatmoves.errors import ConfigError, DataError
from whatmoves.training.checkpoint import Loaded
from whatmoves.using.loaders import ClipLoader
from whatmoves.using.on_files import read_video
from whatmoves.using.origin import origin_of, root_of

BATCH = 32


def file_of(model: Path, loaded: Loaded, clips: Path | None) -> Path:
    """`clips`, or the stored test split of the study that the checkpoint `model` stands in; raises `DataError`."""
    if clips is not None:
        return clips
    found = root_of(model) / "data" / str(loaded.meta["dataset"]) / "test.npz"
    if model.is_dir() or not found.is_file():
        raise DataError(f"{model}: no study's test clips beside it; name a file of clips: --clips CLIPS.npz")
    return found


def open_clips(model: Path, loaded: Loaded, clips: Path, shown: int = 0) -> ClipLoader:
    """The clips in batches, with the columns of `<clips>.csv` if there is one, and their roles if the data set's kind
    is known. The first batch holds `shown` clips or more. Raises `DataError` for files that do not fit."""
    video = read_video(clips, ClipShape(**loaded.meta["shape"]))
    if not len(video):
        raise DataError(f"{clips}: it holds no clips; give a file with some")
    table = _factors(clips.with_suffix(".csv"), len(video))
    return ClipLoader(Split(video, table), max(BATCH, shown), roles=_roles(model, loaded, table))


def _factors(path: Path, clips: int) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame(index=range(clips))
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: not readable as a table ({' '.join(str(error).split())}); mend or move it") from None
    if len(table) != clips:
        raise DataError(f"{path}: {len(table)} rows for {clips} clips of the .npz beside it; one row a clip")
    return table


def _roles(model: Path, loaded: Loaded, table: pd.DataFrame) -> Mapping[str, Any]:
    """What the kind of data set says of its columns; nothing where the kind, or a column, is not known."""
    if model.is_dir():
        kind = loaded.meta["data_kind"]
    else:
        kind = (origin_of(model, loaded.meta["seed"]).data() or {}).get("kind")
    try:
        roles: Mapping[str, Any] = getattr(plugins.data_module(kind), "FACTOR_ROLES", {}) if kind else {}
    except ConfigError:  # a kind from elsewhere, which this machine does not have
        return {}
    return roles if set(table.columns) <= set(roles) else {}
