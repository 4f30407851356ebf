"""BAIR robot pushing (Ebert et al. 2017): an arm in a bin of things, its commands and places. RGB 64×64, 30 frames.

The set must be at hand, in any of three forms (`whatmoves.data.bair_files`, docs/data.md); nothing is downloaded.
`make` reads it once. A clip is the first `frames` frames of a trajectory, as the originals cut it.

- `actions` `[N, T, 4]`, `states` `[N, T, 3]`: as the set has them, opaque numbers in its own units. The action of
  frame t leads to frame t + 1.

Whole trajectories are for training or validation: `validation_clips` of the training part, drawn by `seed`; of a set
that has a `validate` part, its first ones. The test part, 256 trajectories in the public set, is the test split.

Training clips stand in `train.npy`, uint8 `[N, T, 3, 64, 64]`, which is memory-mapped: 15.9 GB at 30 frames of the
public set. Their actions and states, and what tells these very pixels from others, stand in `validation.npz`, the one
file that a training declares as its input. A clip of training is drawn by the training seed and its index alone. A
conversion that was killed goes on with the file that it was at (`whatmoves.data.growing_arrays`).
"""

import errno
import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field
from tqdm import tqdm

from whatmoves.data.bair_files import (
    ACTIONS,
    SIDE_PX,
    STATES,
    Camera,
    Form,
    Found,
    Trajectory,
    count_trajectories,
    find_set,
    read_trajectories,
    sources_of,
    state_of,
)
from whatmoves.data.clips import Batch, ClipShape, Split, sent
from whatmoves.data.factor_tables import FIX, FactorRole, read_factors
from whatmoves.data.growing_arrays import Column, GrowingArrays
from whatmoves.data.large_arrays import map_npy, marks
from whatmoves.data.streams import uniforms
from whatmoves.errors import DataError
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.settings import Settings

__all__ = ["FACTOR_ROLES", "Bair", "Config", "make", "more_files", "open_source", "outside_files", "require_files"]

log = logging.getLogger(__name__)

TRAIN = "train.npy"
KEPT = "kept_"  # begins the names of what is kept for validation, while the set is read

FACTOR_ROLES: dict[str, FactorRole] = {
    "trajectory": FactorRole("derived", "discrete", "number of the trajectory in its part of the set, from 0"),
    "way_effector": FactorRole("derived", "continuous", "length of the effector's path in the clip, the set's unit"),
}


class Config(Settings):
    """Where the set is, and how clips are cut from it."""

    folder: Path = Field(description="Folder of the set: the public archive's, a prepared one, or folders of pictures.")
    form: Form | None = Field(
        None, description="TFRecords of the archive, of tensorflow-datasets, or PNG and CSV; null: what is there."
    )
    camera: Camera = Field("aux1", description="Which camera; published numbers are of aux1. Pictures have but one.")
    frames: int = Field(30, ge=2, le=1000, description="Frames in a clip, the first of a trajectory (BAIR: of 30).")
    validation_clips: int = Field(256, ge=1, le=100_000, description="Trajectories kept from training for validation.")
    test_clips: int = Field(256, ge=1, le=100_000, description="Most test clips stored, in the set's order.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the choice of validation trajectories.")


def more_files(config: Config) -> tuple[str, ...]:
    """What `make` writes beside the files of every data set."""
    return (TRAIN,)


def require_files(config: Config) -> None:
    """Raise `DataError` where the set's files are not there."""
    find_set(config.folder, config.form, config.camera)


def outside_files(config: Config) -> list[Path]:
    """What `make` reads: the files of records, or the folder of each part where there are pictures by the million."""
    found = find_set(config.folder, config.form, config.camera)
    return [*found.train, *found.validate, *found.test]


def make(config: Config, folder: Path) -> None:
    """Write both stored splits (`.npz`, `.csv`) and the training clips into `folder`, reading the set once.

    Each file appears when it is whole, `train.npy` last; what an earlier attempt has read of the same set is kept.
    Raises `DataError` for a damaged or short set, one that leaves nothing for training, and a disk without room.
    """
    for name in ("validation.npz", TRAIN):
        (folder / name).unlink(missing_ok=True)  # of earlier settings: no half may pass for a whole
    found = find_set(config.folder, config.form, config.camera)
    sources = sources_of(found.form, found.train)
    counts = [count_trajectories(found.form, source) for source in sources]
    trajectories = sum(counts)
    validation = _validation_rows(config, found, trajectories)
    training = trajectories - len(validation)
    if trajectories < 2:
        raise DataError(f"{config.folder}: {trajectories} trajectories in its training part; fetch the whole set")
    if training < 1:
        raise DataError(
            f"{config.folder}: validation_clips is {config.validation_clips}, and there are {trajectories} training "
            f"trajectories; must be at most {trajectories - 1}, to leave one for training"
        )
    log.info("%s (%s): %d training, %d validation trajectories", config.folder, found.form, training, len(validation))
    stamp = json.dumps([_settings_digest(config), found.form, sorted(validation), trajectories])
    try:
        with GrowingArrays(folder, "train", _columns(config), stamp) as growing:
            notes = [[state_of(found.form, source), count] for source, count in zip(sources, counts, strict=True)]
            kept = growing.keep(notes)
            _require_room(folder, (training - growing.rows["video"]) * growing.columns["video"].row_bytes)
            row = sum(counts[:kept])
            if kept:
                log.info("%d of %d trajectories were read before; going on with the others", row, trajectories)
            with tqdm(total=trajectories, initial=row, unit="clip", disable=not sys.stderr.isatty()) as bar:
                for source, note in zip(sources[kept:], notes[kept:], strict=True):
                    for trajectory in _read(config, found, [source]):
                        prefix = KEPT if row in validation else ""
                        growing.append(**{f"{prefix}{key}": rows[None] for key, rows in trajectory._asdict().items()})
                        row += 1
                        bar.update()
                    growing.commit(note)
            _write_splits(config, folder, found, growing, validation)
            growing.finish("video", folder / TRAIN)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DataError(
            f"{folder}: {error.strerror}, with the clips half written; make room and run again: it goes on from there"
        ) from None


def open_source(config: Config, folder: Path) -> "Bair":
    """Open the data set whose stored splits lie in `folder`; reads nothing yet."""
    return Bair(config, folder)


class Bair:
    """The opened data set, a `whatmoves.data.clips.Source`."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.has_centres = False
        self.shape = ClipShape(config.frames, 3, SIDE_PX, SIDE_PX, actions=ACTIONS, states=STATES)
        self._read: dict[str, dict[str, NDArray[Any]]] = {}
        self._video: NDArray[np.uint8] | None = None

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`, drawn with replacement."""
        video, actions, states = self._drawn("train", seed, first, count)[1:]
        return Batch(
            sent(video, device).float().div_(255),
            sent(actions, device),
            sent(states, device),
        )

    def train_split(self, count: int) -> Split:
        """`count` training clips with their factors, from a stream no training run reads."""
        rows, video, actions, states = self._drawn("probe", 0, 0, count)
        return Split(video, _factors(self._arrays("validation")["train_rows"][rows], states), actions, states)

    def split(self, name: str) -> Split:
        """The stored split `validation` or `test`.

        Raises `DataError` when its files are missing or damaged, belong to other settings, or not to each other.
        """
        arrays = self._arrays(name)
        path = self.folder / f"{name}.csv"
        factors = read_factors(path, [*FACTOR_ROLES], FACTOR_ROLES)
        if len(factors) != len(arrays["video"]):
            raise DataError(f"{path}: {len(factors)} rows for the {len(arrays['video'])} clips of {name}.npz; {FIX}")
        return Split(arrays["video"], factors, arrays["actions"], arrays["states"])

    def _drawn(self, stream: str, stream_seed: int, first: int, count: int) -> tuple[NDArray[Any], ...]:
        """Rows, video, actions and states of drawn training clips."""
        arrays, clips = self._arrays("validation"), self._training_video()
        uniform = uniforms(self.config.seed, stream, stream_seed, first, count, 4)[:, 0]
        rows = (uniform * len(clips)).astype(np.int64)
        return rows, np.asarray(clips[rows]), arrays["train_actions"][rows], arrays["train_states"][rows]

    def _training_video(self) -> NDArray[np.uint8]:
        """The mapped training clips, checked once to be those that `validation.npz` was made with."""
        if self._video is None:
            path, arrays = self.folder / TRAIN, self._arrays("validation")
            video = map_npy(path)
            frames, channels, height, width = self.shape[:4]
            expected = (len(arrays["train_actions"]), frames, channels, height, width)
            if video.dtype != np.uint8 or video.shape != expected:
                raise DataError(
                    f"{path}: is {video.dtype} {video.shape}, validation.npz speaks of uint8 {expected}; {FIX}"
                )
            if (marks(video) != arrays["train_marks"]).any():
                raise DataError(f"{path}: these are not the clips that validation.npz was made with; {FIX}")
            self._video = video
        return self._video

    def _arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """The checked arrays of a stored split, read once."""
        if name not in self._read:
            path = self.folder / f"{name}.npz"
            arrays = read_arrays(path)
            frames, *picture = self.shape[:4]
            clips, training = (len(arrays[key]) if key in arrays else 0 for key in ("video", "train_actions"))
            expected: dict[str, tuple[type, tuple[int, ...]]] = {
                "video": (np.uint8, (clips, frames, *picture)),
                "actions": (np.float32, (clips, frames, ACTIONS)),
                "states": (np.float32, (clips, frames, STATES)),
                "settings": (np.uint8, (32,)),
            }
            if name == "validation":
                expected |= {
                    "train_actions": (np.float32, (training, frames, ACTIONS)),
                    "train_states": (np.float32, (training, frames, STATES)),
                    "train_rows": (np.int64, (training,)),
                    "train_marks": (np.uint8, (32,)),
                }
            for key, (kind, shape) in expected.items():
                found = arrays.get(key)
                if found is None or found.dtype != kind:
                    raise DataError(f"{path}: no {np.dtype(kind)} array {key!r} in it; {FIX}")
                if found.shape != shape:
                    raise DataError(f"{path}: {key} is {found.shape}, these settings make {shape}; {FIX}")
            if arrays["settings"].tobytes().hex() != _settings_digest(self.config):
                raise DataError(f"{path}: made with other settings; {FIX}")
            self._read[name] = arrays
        return self._read[name]


def _columns(config: Config) -> dict[str, Column]:
    """What a trajectory is, once for training and once for those that are kept for validation."""
    trajectory = {
        "video": Column(np.uint8, (config.frames, 3, SIDE_PX, SIDE_PX)),
        "actions": Column(np.float32, (config.frames, ACTIONS)),
        "states": Column(np.float32, (config.frames, STATES)),
    }
    return trajectory | {f"{KEPT}{key}": column for key, column in trajectory.items()}


def _write_splits(
    config: Config, folder: Path, found: Found, growing: GrowingArrays, validation: frozenset[int]
) -> None:
    """Both stored splits, `validation.npz` last; the training clips are in `growing`, and those kept from them."""
    settings = np.frombuffer(bytes.fromhex(_settings_digest(config)), np.uint8)
    test = list(islice(_read(config, found, sources_of(found.form, found.test)), config.test_clips))
    if not test:
        raise DataError(f"{config.folder}: no trajectory in its test part; fetch the whole set")
    _write_split(folder, "test", range(len(test)), _stacked(test), {"settings": settings})
    stored: dict[str, NDArray[Any]] = {
        "settings": settings,
        "train_actions": growing.mapped("actions"),
        "train_states": growing.mapped("states"),
        "train_rows": np.setdiff1d(np.arange(growing.rows["video"] + len(validation)), sorted(validation)),
        "train_sha256": np.frombuffer(growing.sha256("video"), np.uint8),
        "train_marks": marks(growing.mapped("video")),
    }
    rows: Iterable[int] = sorted(validation)
    clips = Trajectory(*(np.asarray(growing.mapped(f"{KEPT}{key}")) for key in Trajectory._fields))
    if found.validate:
        some = islice(_read(config, found, sources_of(found.form, found.validate)), config.validation_clips)
        clips = _stacked(list(some))
        rows = range(len(clips.video))
    _write_split(folder, "validation", rows, clips, stored)


def _stacked(clips: list[Trajectory]) -> Trajectory:
    """Trajectories as one, `[N, …]` each."""
    return Trajectory(*(np.stack(values) for values in zip(*clips, strict=True)))


def _read(config: Config, found: Found, sources: list[Path]) -> Iterator[Trajectory]:
    return read_trajectories(found.form, sources, config.camera, config.frames)


def _validation_rows(config: Config, found: Found, trajectories: int) -> frozenset[int]:
    """The trajectories of the training part that are for validation; none where the set has such a part."""
    if found.validate:
        return frozenset()
    order = np.random.Generator(np.random.Philox(key=config.seed)).permutation(trajectories)
    return frozenset(order[: config.validation_clips].tolist())


def _require_room(folder: Path, needed: int) -> None:
    """Raise `DataError` where the disk cannot hold the training clips: a conversion may take an hour."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DataError(
            f"{folder}: the training clips need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; make room, or "
            "set frames lower"
        )


def _write_split(
    folder: Path, name: str, rows: Iterable[int], clips: Trajectory, more: dict[str, NDArray[Any]]
) -> None:
    with atomic(folder / f"{name}.csv") as temporary:
        table = _factors(np.array([*rows], np.int64), clips.states)
        table.to_csv(temporary, index=False, lineterminator="\n")
    write_arrays(folder / f"{name}.npz", {**clips._asdict(), **more})
    log.info("%s: %d clips of %d frames", name, *clips.video.shape[:2])


def _factors(rows: NDArray[np.int64], states: NDArray[np.float32]) -> pd.DataFrame:
    """The factor table of N clips; its columns are described in `FACTOR_ROLES`."""
    way = np.linalg.norm(np.diff(states.astype(np.float64), axis=1), axis=-1).sum(1)
    return pd.DataFrame({"trajectory": rows, "way_effector": way})


def _settings_digest(config: Config) -> str:
    """What decides about the splits beside the set itself; the same set may lie elsewhere."""
    return hashlib.sha256(config.model_dump_json(exclude={"folder"}).encode()).hexdigest()
