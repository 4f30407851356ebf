"""Factors of a person's own clips beside their codes, in the form that `whatmoves score` reads.

A table has one row a clip, in the order of the clips; or one a video, and then `video` is its first column: the names
of a `video_folder`'s videos, each of which gives its row to all of its clips. A column named `content:NAME` or
`motion:NAME` says what its factor is of. Text, and whole numbers of few values, are labels; other numbers are
measures.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves.errors import DataError
from whatmoves.files import read_json

VIDEO = "video"
ROLES = ("content", "motion")
MOST_LABELS = 20  # whole numbers of more values than this are measures


def scoreable(blocks: Mapping[str, NDArray[Any]], table: Path, clips: Path) -> dict[str, NDArray[Any]]:
    """Codes `[N, D]` of all blocks side by side with the factors `[N, K]` of `table`, as `whatmoves score` reads them.

    Raises `DataError` for a table that is not readable, has another number of rows, or does not know a video.
    """
    rows = {len(codes) for codes in blocks.values()}
    factors = _of_clips(table, clips, rows.pop())
    headers = [str(name) for name in factors.columns]
    names = [header.partition(":")[2] if header.partition(":")[0] in ROLES else header for header in headers]
    columns = [_numbers(table, header, factors[header]) for header in headers]
    found: dict[str, NDArray[Any]] = {
        "codes": np.concatenate(list(blocks.values()), axis=1),
        "factors": np.stack([values for values, _ in columns], axis=1),
        "factor_kinds": np.array([kind for _, kind in columns]),
        "factor_names": np.array(names),
    }
    ends = dict(zip(blocks, np.cumsum([codes.shape[1] for codes in blocks.values()]).tolist(), strict=True))
    for role in ROLES:
        of_role = [index for index, header in enumerate(headers) if header.startswith(f"{role}:")]
        if of_role:
            found[f"{role}_factors"] = np.array(of_role)
        if set(ROLES) <= set(blocks):
            found[f"{role}_dims"] = np.arange(ends[role] - blocks[role].shape[1], ends[role])
    return found


def _of_clips(table: Path, clips: Path, count: int) -> pd.DataFrame:
    """The table with a row for each clip."""
    try:
        read = pd.read_csv(table, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{table}: not readable as a table ({' '.join(str(error).split())}); save it as CSV") from None
    if len(read.columns) == 0 or (list(read.columns) == [VIDEO]):
        raise DataError(f"{table}: no column of a factor in it; its first line must name them")
    if read.columns[0] != VIDEO:
        if len(read) != count:
            raise DataError(
                f"{table}: {len(read)} rows, and {clips} holds {count} clips; must have a row for each clip, or "
                "`video` as first column and a row for each video"
            )
        return read
    index, names = _videos(table, clips)
    if read[VIDEO].duplicated().any():
        twice = read[VIDEO][read[VIDEO].duplicated()].iloc[0]
        raise DataError(f"{table}: the video {twice!r} has two rows; keep one")
    missing = sorted({names[i] for i in index} - set(read[VIDEO]))
    if missing:
        raise DataError(f"{table}: no row for the video {missing[0]!r}; add it, by its name in the folder")
    return read.set_index(VIDEO).loc[[names[i] for i in index]].reset_index(drop=True)


def _videos(table: Path, clips: Path) -> tuple[list[int], list[str]]:
    """Of each clip the index of its video, and the names of all videos; both stand beside the clips."""
    factors, described = clips.with_suffix(".csv"), clips.with_name("videos.json")
    if not (factors.is_file() and described.is_file()):
        raise DataError(
            f"{table}: names videos, but {factors.name} and {described.name} are not beside {clips}; give it a row for "
            "each clip, or clips of a video_folder"
        )
    names = [str(video["name"]) for video in read_json(described)["videos"]]
    return pd.read_csv(factors)[VIDEO].tolist(), names


def _numbers(table: Path, name: str, values: "pd.Series[str]") -> tuple[NDArray[np.float64], str]:
    """A column as numbers, and its kind; raises `DataError` for an empty cell, or one that is no number among them."""
    empty = values.str.strip() == ""
    if empty.any():
        raise DataError(
            f"{table}: column {name!r} has an empty cell for clip {int(empty.to_numpy().argmax())}; fill it"
        )
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    if np.isnan(numbers).all():
        labels = pd.Categorical(values)
        return labels.codes.astype(np.float64), "discrete"
    if not np.isfinite(numbers).all():
        row = int((~np.isfinite(numbers)).argmax())
        raise DataError(
            f"{table}: column {name!r} has {values.iloc[row]!r} for clip {row} among numbers; must be one too"
        )
    whole = (numbers == np.round(numbers)).all() and len(np.unique(numbers)) <= MOST_LABELS
    return numbers, "discrete" if whole else "continuous"
