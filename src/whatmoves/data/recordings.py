"""Recordings: what a camera saw and what the controls said, of any game or robot; or a generated sample drive.

The format is that of tinyDreams: a folder of pictures and a JSONL log (`whatmoves.data.recording_log`, docs/
recordings.md). Without a folder, `make` writes a recording in that format first (`whatmoves.data.sample_drive`), so
that there is one way to read.

- `video`: pictures resized once, so that input and target are the same pixels.
- `actions` `[N, T, A]`: controls with mean 0 and deviation 1 over the training sessions; one that never changes there
  is 0 (`whatmoves.data.recording_controls`). That of frame t leads to frame t + 1.

Whole sessions are for training, validation or test: neighbouring frames look alike, so a split of frames would leak.
No clip crosses a gap, a session's border or a line that was skipped. Stored clips share no frame; training clips may
begin at any frame and are drawn by the training seed and the clip's index alone.

The training frames are stored inside `validation.npz`, the one file that a training declares as its input: so they are
part of its receipt, and neither the recording nor a second reading of it is needed afterwards.
"""

import hashlib
import logging
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from whatmoves.data import sample_drive
from whatmoves.data.clips import Batch, ClipShape, Split, sent
from whatmoves.data.factor_tables import FIX, read_factors
from whatmoves.data.recording_controls import KEYS, STATISTICS, scale_of, tell_unseen
from whatmoves.data.recording_frames import apart_starts, clip_starts, read_frames, split_sessions
from whatmoves.data.recording_log import Session, TimestampUnit, find_logs, logs_digest, named_pictures, read_sessions
from whatmoves.data.recording_problems import Problems
from whatmoves.data.recording_store import FACTOR_ROLES, check_arrays, factors
from whatmoves.data.streams import uniforms
from whatmoves.errors import DataError
from whatmoves.files import atomic, read_arrays, write_arrays, write_json
from whatmoves.settings import Settings

__all__ = [
    "FACTOR_ROLES",
    "Config",
    "Recordings",
    "make",
    "more_files",
    "open_source",
    "outside_files",
    "require_files",
]

log = logging.getLogger(__name__)

PARTS = ("train", "test", "validation")  # as `split_sessions` numbers them
SAMPLE = "sample"  # folder of the generated recording, beside the splits
PROBLEMS = "problems.json"

Indices = NDArray[np.int64]


class Config(Settings):
    """Which recording, and how clips are cut from it. The defaults are the sample drive's."""

    folder: Path | None = Field(None, description="Folder of the recording's logs; null: a generated sample drive.")
    controls: int = Field(4, ge=0, le=64, description="Numbers that a line's controls have; 0: controls are not read.")
    frames: int = Field(8, ge=2, le=1000, description="Frames in a clip.")
    image_px: int = Field(32, ge=8, le=512, description="Side of the square frame that pictures become, pixels.")
    timestamp_unit: TimestampUnit = Field("s", description="Unit of the log's timestamp (the other clock has ns).")
    gap_s: float | None = Field(
        None, gt=0, description="A longer step lacks frames, seconds; null: 1.5 times the session's usual step."
    )
    pause_s: float = Field(5.0, gt=0, description="A longer step begins a session where none is named, seconds.")
    on_problem: Literal["skip", "stop"] = Field("skip", description="What happens to a line that cannot be used.")
    validation_share: float = Field(0.15, gt=0, lt=1, description="Part of the recording for validation, in sessions.")
    test_share: float = Field(0.25, gt=0, lt=1, description="Part of the recording for testing, in whole sessions.")
    validation_clips: int = Field(64, ge=1, le=100_000, description="Most validation clips stored.")
    test_clips: int = Field(128, ge=1, le=100_000, description="Most test clips stored.")
    sample_sessions: int = Field(24, ge=3, le=1000, description="Sessions of the sample drive.")
    sample_frames: int = Field(150, ge=8, le=10_000, description="Frames of each, less five that are dropped.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the sample drive and of the split.")

    @model_validator(mode="after")
    def _values_fit_together(self) -> "Config":
        if self.validation_share + self.test_share >= 1:
            raise ValueError(
                f"validation_share and test_share are {self.validation_share:g} and {self.test_share:g}; "
                "must leave a part for training"
            )
        if self.gap_s is not None and self.gap_s > self.pause_s:
            raise ValueError(f"gap_s is {self.gap_s:g}; must be at most pause_s, {self.pause_s:g}")
        if self.folder is None and self.controls not in (0, sample_drive.STICKS):
            raise ValueError(f"controls is {self.controls}; the sample drive has {sample_drive.STICKS}, set folder")
        if self.folder is None and self.sample_frames < 2 * self.frames:
            raise ValueError(
                f"sample_frames is {self.sample_frames}; must be at least {2 * self.frames}, twice the frames of a clip"
            )
        return self


def more_files(config: Config) -> tuple[str, ...]:
    """What `make` writes beside the files of every data set."""
    return (STATISTICS, PROBLEMS, *([SAMPLE] if config.folder is None else []))


def require_files(config: Config) -> None:
    """Raise `DataError` where there are no logs."""
    if config.folder is not None:
        find_logs(config.folder.expanduser())


def outside_files(config: Config) -> list[Path]:
    """What `make` reads: the logs and the pictures they name, or nothing for the sample drive, which it makes."""
    if config.folder is None:
        return []
    source = config.folder.expanduser()
    return [*find_logs(source), *named_pictures(source)]


def make(config: Config, folder: Path) -> None:
    """Write both stored splits (`.npz`, `.csv`), the control statistics, and the problems into `folder`.

    Tells of all problems in the log, each kind once, and of controls that training does not show. Raises `DataError`
    where a recording gives no three sessions with clips, or at the first problem if the settings say so.
    """
    shutil.rmtree(folder / SAMPLE, ignore_errors=True)  # of earlier settings
    if config.folder is None:
        source = folder / SAMPLE
        sample_drive.write_recording(source, config.sample_sessions, config.sample_frames, config.seed)
    else:
        source = config.folder.expanduser()
    problems = Problems(config.on_problem)
    sessions = read_sessions(source, config.controls, config.timestamp_unit, config.pause_s, problems)
    recording = read_frames(sessions, config.controls, config.image_px, config.gap_s, problems)
    problems.tell()
    clips = np.bincount(recording.sessions[clip_starts(recording.runs, config.frames)], minlength=len(sessions))
    _require_clips(config, source, sessions, clips, problems)

    split = split_sessions(clips.tolist(), (config.test_share, config.validation_share), config.seed)
    of_part = np.array(split)[recording.sessions]
    parts = {name: recording.part(of_part == number) for number, name in enumerate(PARTS)}
    scale = scale_of(parts["train"].controls)
    others = {name: parts[name] for name in ("validation", "test")}
    tell_unseen(
        scale,
        {name: (part.controls, part.sessions, part.lines) for name, part in others.items()},
        [session.name for session in sessions],
    )
    stamps = {
        "recording": _bytes(recording.digest),
        "logs": _bytes(logs_digest(find_logs(source))),
        "settings": _bytes(_settings_digest(config)),
    }
    train = parts["train"]
    training: dict[str, NDArray[Any]] = {
        "train_frames": train.frames,
        "train_controls": scale.stored(train.controls),
        "train_runs": train.runs,
        "train_sessions": train.sessions,
        "train_lines": train.lines,
        "train_times_s": train.times_s,
    }
    for name, most in (("validation", config.validation_clips), ("test", config.test_clips)):
        part = parts[name]
        starts = apart_starts(part.runs, config.frames, most)
        rows = starts[:, None] + np.arange(config.frames)
        arrays = {"video": part.frames[rows], "actions": scale.stored(part.controls)[rows], **stamps}
        write_arrays(folder / f"{name}.npz", arrays | (training if name == "validation" else {}))
        with atomic(folder / f"{name}.csv") as temporary:
            factors(part.sessions, part.lines, part.times_s, starts).to_csv(temporary, index=False, lineterminator="\n")
        log.info("%s: %d clips of %d frames that share none", name, len(starts), config.frames)
    log.info("train: clips may begin at %d of %d frames", clip_starts(train.runs, config.frames).size, len(train.runs))
    described = [
        {"name": session.name, "split": PARTS[part], "frames": int(count), "clips": int(possible)}
        for session, part, count, possible in zip(
            sessions, split, np.bincount(recording.sessions, minlength=len(sessions)), clips, strict=True
        )
    ]
    write_json(
        folder / STATISTICS,
        {
            "recording_sha256": recording.digest,
            **{key: values.tolist() for key, values in zip(KEYS, scale, strict=True)},
            "sessions": described,
        },
    )
    write_json(folder / PROBLEMS, problems.table(source))


def open_source(config: Config, folder: Path) -> "Recordings":
    """Open the data set whose stored splits lie in `folder`; reads nothing yet."""
    return Recordings(config, folder)


class _Training(NamedTuple):
    """The training frames on a device, and where clips may begin."""

    frames: Tensor
    controls: Tensor
    starts: Indices


class Recordings:
    """The opened data set, a `whatmoves.data.clips.Source`."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.shape = ClipShape(config.frames, 3, config.image_px, config.image_px, actions=config.controls)
        self.has_centres = False
        self._read: dict[str, dict[str, NDArray[Any]]] = {}
        self._training: dict[torch.device, _Training] = {}

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`, cut on `device`."""
        if device not in self._training:
            arrays = self._arrays("validation")
            self._training[device] = _Training(
                torch.from_numpy(arrays["train_frames"]).to(device),
                torch.from_numpy(arrays["train_controls"]).to(device),
                clip_starts(arrays["train_runs"], self.config.frames),
            )
        training = self._training[device]
        rows = sent(self._rows(training.starts, "train", seed, first, count), device)
        video = training.frames[rows].float().div_(255)
        return Batch(video, training.controls[rows] if self.config.controls else None)

    def train_split(self, count: int) -> Split:
        """`count` clips of the training sessions with their factors, from a stream no training run reads."""
        arrays = self._arrays("validation")
        starts = clip_starts(arrays["train_runs"], self.config.frames)
        rows = self._rows(starts, "probe", 0, 0, count)
        table = factors(arrays["train_sessions"], arrays["train_lines"], arrays["train_times_s"], rows[:, 0])
        return self._split(arrays["train_frames"][rows], table, arrays["train_controls"][rows])

    def split(self, name: str) -> Split:
        """The stored split `validation` or `test`.

        Raises `DataError` when its files are missing or damaged, belong to other settings, or not to each other.
        """
        arrays = self._arrays(name)
        path = self.folder / f"{name}.csv"
        table = read_factors(path, [*FACTOR_ROLES], FACTOR_ROLES)
        if len(table) != len(arrays["video"]):
            raise DataError(f"{path}: {len(table)} rows for the {len(arrays['video'])} clips of {name}.npz; {FIX}")
        return self._split(arrays["video"], table, arrays["actions"])

    def _split(self, video: NDArray[np.uint8], table: pd.DataFrame, actions: NDArray[np.float32]) -> Split:
        return Split(video, table, actions if self.config.controls else None)

    def _rows(self, starts: Indices, stream: str, stream_seed: int, first: int, count: int) -> Indices:
        """Frames `[count, T]` of drawn clips."""
        uniform = uniforms(self.config.seed, stream, stream_seed, first, count, 4)[:, 0]
        begins = starts[(uniform * len(starts)).astype(np.int64)]
        return np.asarray(begins[:, None] + np.arange(self.config.frames))

    def _arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """The checked arrays of a stored split, read once."""
        if name not in self._read:
            path = self.folder / f"{name}.npz"
            arrays = read_arrays(path)
            check_arrays(path, arrays, self.shape, training=name == "validation")
            stamps = {key: arrays[key].tobytes().hex() for key in ("settings", "logs")}
            if stamps["settings"] != _settings_digest(self.config):
                raise DataError(f"{path}: made with other settings; {FIX}")
            source = self.config.folder and self.config.folder.expanduser()
            if source is not None and source.is_dir() and stamps["logs"] != logs_digest(find_logs(source)):
                raise DataError(f"{path}: the logs in {source} are no longer those it was made of; {FIX}")
            self._read[name] = arrays
        return self._read[name]


def _require_clips(
    config: Config, source: Path, sessions: Sequence[Session], clips: Indices, problems: Problems
) -> None:
    """Raise `DataError` with what a user can do where fewer than three sessions have a clip."""
    found = int((clips > 0).sum())
    if found >= len(PARTS):
        return
    first = problems.first()
    because = f" (first problem: {first})" if first else ""
    if not sessions:
        raise DataError(f"{source}: no line of its logs can be used{because}; mend them")
    if not found:
        steps = [
            of_log[0].step_s(before, after)
            for path in dict.fromkeys(session.log for session in sessions)
            for of_log in [[session for session in sessions if session.log == path]]
            for before, after in pairwise(entry for session in of_log for entry in session.entries)
        ]
        usual = f"{np.median(steps):g} s" if steps else "unknown"
        raise DataError(
            f"{source}: no {config.frames} frames follow each other{because}; the usual step between lines is {usual}: "
            "set timestamp_unit, gap_s and pause_s to suit it, or frames lower"
        )
    raise DataError(
        f"{source}: sessions with {config.frames} frames in a row: {found}{because}; must be {len(PARTS)} or more, "
        "since training, validation and test share none: record more, name sessions, or set pause_s or frames lower"
    )


def _settings_digest(config: Config) -> str:
    """What decides about the splits beside the recording; the same recording may lie elsewhere."""
    return hashlib.sha256(config.model_dump_json(exclude={"folder"}).encode()).hexdigest()


def _bytes(digest: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(digest), np.uint8)
