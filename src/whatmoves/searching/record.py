"""The record of a search: every trial of every model, kept with the source. Imports no torch: the paper reads it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from whatmoves.errors import DataError
from whatmoves.files import read_json, write_json
from whatmoves.settings import Settings

Score = Literal["reconstruction", "prediction"]


class Trial(Settings):
    """One point of a grid, and by seed the squared error per pixel on the validation clips."""

    point: dict[str, Any]
    validation_mse_pixel: dict[str, float] = Field(min_length=1)

    @property
    def mean_error(self) -> float:
        """The mean over its seeds."""
        return float(np.mean(list(self.validation_mse_pixel.values())))


class Searched(Settings):
    """One model: its training budget, what it was scored by, and its trials, finalists first, each best first."""

    clips: int = Field(gt=0)
    score: Score = "reconstruction"
    trials: tuple[Trial, ...] = Field(min_length=1)


class Record(Settings):
    """All models searched on one study."""

    study: str
    models: dict[str, Searched] = Field({})


def read_record(path: Path) -> Record:
    """A record; raises `DataError` in one line where it is missing or none."""
    try:
        return Record.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path}: {where}: {first['msg']}; not a record of `whatmoves search`") from None


def keep(path: Path, study: str, model: str, clips: int, score: Score, trials: Sequence[Trial]) -> None:
    """Put one model into the record, as it stands now: another process may be searching another model, and waits."""
    with _alone(path.parent):
        record = read_record(path) if path.exists() else Record(study=study)
        if record.study != study:
            raise DataError(f"{path}: the record of study {record.study}, not of {study}; give another --out")
        models = {**record.models, model: Searched(clips=clips, score=score, trials=tuple(trials))}
        write_json(path, Record(study=study, models=models).model_dump(mode="json"))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold `folder` until the block ends; other processes that ask for it wait. It needs no file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
