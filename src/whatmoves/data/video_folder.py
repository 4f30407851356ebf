"""A folder of videos of your own: films, GIFs, folders of numbered pictures (docs/videos.md).

`make` reads every video once (`whatmoves.data.video_reader` says how), as squares of `image_px`. A clip is `frames`
frames of one video in a row. Whole videos are for training, validation or test: two clips of one video look alike. The
subfolders `train/`, `test/` and `validation/` are the parts where they are there; else videos are drawn by `seed`.
Stored clips share no frame; training clips may begin at any frame, drawn by the training seed and the clip's index.

- `actions` `[N, T, A]`: the rows of `NAME.actions.csv` beside each video, one a frame, with mean 0 and deviation 1 over
  the training videos (`whatmoves.data.recording_controls`). That of frame t leads to frame t + 1.

All frames stand in `frames.npy`, uint8 `[F, C, H, W]`, video after video, which is mapped from then on; where training
videos begin in it, and what tells these very frames from others, in `validation.npz`, the one file that a training
declares as its input. A conversion that was killed goes on with the video it was at (`whatmoves.data.growing_arrays`).
"""

import errno
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator

from whatmoves.data.clips import Batch, ClipShape, Split
from whatmoves.data.factor_tables import FIX, FactorRole, read_factors
from whatmoves.data.growing_arrays import GrowingArrays
from whatmoves.data.large_arrays import map_npy, marks
from whatmoves.data.recording_controls import KEYS, STATISTICS, Scale, scale_of
from whatmoves.data.recording_frames import apart_starts, split_sessions
from whatmoves.data.streams import uniforms
from whatmoves.data.video_files import FACTORS, Video, content_files, input_files, usable_videos
from whatmoves.data.video_frames import SHOWN_NAMES, Read, Reading, more_of, read_videos, tell_cuts, tell_rates
from whatmoves.data.video_reader import reader_version
from whatmoves.errors import DataError
from whatmoves.files import atomic, read_arrays, write_arrays, write_json
from whatmoves.settings import Settings

__all__ = [
    "FACTOR_ROLES",
    "Config",
    "VideoFolder",
    "make",
    "more_files",
    "open_source",
    "outside_files",
    "require_files",
]

log = logging.getLogger(__name__)

FRAMES, VIDEOS = "frames.npy", "videos.json"
PARTS = ("train", "test", "validation")  # as `split_sessions` numbers them

FACTOR_ROLES: dict[str, FactorRole] = {
    "video": FactorRole("derived", "discrete", "index of the video; videos.json has their names"),
    "first_frame": FactorRole("derived", "discrete", "place of the clip's first frame in its video, from 0"),
}

Indices = NDArray[np.int64]


class Config(Settings):
    """Which folder, and how clips are cut from its videos."""

    folder: Path = Field(description="Folder of the videos: films, GIFs, and folders of numbered pictures.")
    frames: int = Field(16, ge=2, le=1000, description="Frames in a clip.")
    image_px: int = Field(64, ge=8, le=512, description="Side of the square that is cut from a frame's middle, pixels.")
    channels: Literal[1, 3] = Field(3, description="3: colour; 1: grey.")
    frames_per_s: float | None = Field(
        None, gt=0, le=1000, description="Frames a second that films and GIFs are brought to; null: as they are."
    )
    actions: int = Field(0, ge=0, le=64, description="Columns of NAME.actions.csv beside each video; 0: none is read.")
    validation_share: float = Field(0.15, gt=0, lt=1, description="Part of the clips for validation, in whole videos.")
    test_share: float = Field(0.25, gt=0, lt=1, description="Part of the clips for testing, in whole videos.")
    validation_clips: int = Field(256, ge=1, le=100_000, description="Most validation clips stored.")
    test_clips: int = Field(256, ge=1, le=100_000, description="Most test clips stored.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the choice of videos.")

    @model_validator(mode="after")
    def _values_fit_together(self) -> "Config":
        if self.validation_share + self.test_share >= 1:
            raise ValueError(
                f"validation_share and test_share are {self.validation_share:g} and {self.test_share:g}; "
                "must leave a part for training"
            )
        if self.actions and self.frames_per_s is not None:
            raise ValueError(
                f"actions is {self.actions} and frames_per_s {self.frames_per_s:g}; must be one alone, for actions are "
                "those of a film's own frames: bring films and tables to one rate first"
            )
        return self


def more_files(config: Config) -> tuple[str, ...]:
    """What `make` writes beside the files of every data set."""
    return (FRAMES, VIDEOS, *([STATISTICS] if config.actions else []))


def require_files(config: Config) -> None:
    """Raise `DataError` where there are no videos, too few, or some without their actions."""
    usable_videos(config.folder, config.actions)


def outside_files(config: Config) -> list[Path]:
    """What `make` reads."""
    options = config.model_dump()
    return [*input_files(options), *content_files(options)]


def make(config: Config, folder: Path) -> None:
    """Write both stored splits (`.npz`, `.csv`), all frames, and what the videos are, into `folder`.

    `frames.npy` appears last, when all is whole. Raises `DataError` for a video or table that is not whole, for videos
    too few or too short, and for a disk without room.
    """
    for name in ("validation.npz", FRAMES):
        (folder / name).unlink(missing_ok=True)  # of earlier settings: no half may pass for a whole
    videos = usable_videos(config.folder, config.actions)
    _tell_unread(config, videos)
    log.info("%s: %d videos, read by %s", config.folder, len(videos), reader_version())
    how = Reading(config.image_px, config.channels, config.frames_per_s, config.actions)
    try:
        with GrowingArrays(folder, "frames", how.columns, how.stamp) as growing:
            read = read_videos(how, videos, growing)
            if config.frames_per_s is None:
                tell_rates(read)
            tell_cuts(read)
            _write_all(config, folder, read, growing)
            growing.finish("video", folder / FRAMES)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DataError(
            f"{folder}: {error.strerror}, with the frames half written; make room and run again: it goes on from there"
        ) from None


def open_source(config: Config, folder: Path) -> "VideoFolder":
    """Open the data set whose stored splits lie in `folder`; reads nothing yet."""
    return VideoFolder(config, folder)


class _Training(NamedTuple):
    """The mapped frames, and of each training video: its number, its first row, and the clips that begin before its."""

    frames: NDArray[np.uint8]
    actions: NDArray[np.float32]
    videos: Indices
    firsts: Indices
    clips_before: Indices  # [V + 1]
    rows_before: Indices  # [V + 1], in `actions`, which has training videos alone


class VideoFolder:
    """The opened data set, a `whatmoves.data.clips.Source`."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.shape = _shape(config)
        self.has_centres = False
        self._read: dict[str, dict[str, NDArray[Any]]] = {}
        self._training: _Training | None = None

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`, drawn with replacement."""
        return self._drawn("train", seed, first, count).batch(slice(None), device)

    def train_split(self, count: int) -> Split:
        """`count` training clips, from a stream no training run reads."""
        return self._drawn("probe", 0, 0, count)

    def split(self, name: str) -> Split:
        """The stored split `validation` or `test`.

        Raises `DataError` when its files are missing or damaged, belong to other settings, or not to each other.
        """
        arrays = self._arrays(name)
        path = self.folder / f"{name}.csv"
        table = read_factors(path, [*FACTOR_ROLES], FACTOR_ROLES)
        if len(table) != len(arrays["video"]):
            raise DataError(f"{path}: {len(table)} rows for the {len(arrays['video'])} clips of {name}.npz; {FIX}")
        return Split(arrays["video"], table, arrays["actions"] if self.config.actions else None)

    def _drawn(self, stream: str, stream_seed: int, first: int, count: int) -> Split:
        training = self._mapped()
        uniform = uniforms(self.config.seed, stream, stream_seed, first, count, 4)[:, 0]
        clips = (uniform * training.clips_before[-1]).astype(np.int64)
        video = np.searchsorted(training.clips_before, clips, side="right") - 1
        begins = clips - training.clips_before[video]  # in its video
        steps = np.arange(self.config.frames)
        rows = (training.firsts[video] + begins)[:, None] + steps
        of_actions = (training.rows_before[video] + begins)[:, None] + steps
        actions = training.actions[of_actions] if self.config.actions else None
        return Split(training.frames[rows], _factors(training.videos[video], begins), actions)

    def _mapped(self) -> _Training:
        """What training clips are cut from, checked once to be what `validation.npz` was made with."""
        if self._training is None:
            path, arrays = self.folder / FRAMES, self._arrays("validation")
            frames = map_npy(path)
            expected = (int(arrays["all_frames"][0]), *self.shape[1:4])
            if frames.dtype != np.uint8 or frames.shape != expected:
                raise DataError(
                    f"{path}: is {frames.dtype} {frames.shape}, validation.npz speaks of uint8 {expected}; {FIX}"
                )
            if (marks(frames) != arrays["marks"]).any():
                raise DataError(f"{path}: these are not the frames that validation.npz was made with; {FIX}")
            videos, firsts, rows = arrays["train_videos"].T
            self._training = _Training(
                frames, arrays["train_actions"], videos, firsts, _before(rows - self.config.frames + 1), _before(rows)
            )
        return self._training

    def _arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """The checked arrays of a stored split, read once."""
        if name not in self._read:
            path = self.folder / f"{name}.npz"
            arrays = read_arrays(path)
            clips, rows, videos = (
                len(arrays[key]) if key in arrays else 0 for key in ("video", "train_actions", "train_videos")
            )
            expected: dict[str, tuple[type, tuple[int, ...]]] = {
                "video": (np.uint8, (clips, *self.shape[:4])),
                "actions": (np.float32, (clips, self.config.frames, self.config.actions)),
                "settings": (np.uint8, (32,)),
            }
            if name == "validation":
                expected |= {
                    "train_actions": (np.float32, (rows, self.config.actions)),
                    "train_videos": (np.int64, (videos, 3)),
                    "all_frames": (np.int64, (1,)),
                    "marks": (np.uint8, (32,)),
                }
            for key, (kind, shape) in expected.items():
                found = arrays.get(key)
                if found is None or found.dtype != kind:
                    raise DataError(f"{path}: no {np.dtype(kind)} array {key!r} in it; {FIX}")
                if found.shape != shape:
                    raise DataError(f"{path}: {key} is {found.shape}, these settings make {shape}; {FIX}")
            if arrays["settings"].tobytes() != _settings_digest(self.config):
                raise DataError(f"{path}: made with other settings; {FIX}")
            self._read[name] = arrays
        return self._read[name]


def _write_all(config: Config, folder: Path, read: Sequence[Read], growing: GrowingArrays) -> None:
    """Everything but `frames.npy`; `validation.npz` last."""
    part_of = _parts(config, read)
    frames, actions = growing.mapped("video"), growing.mapped("actions")
    members = {part: [n for n, found in enumerate(part_of) if found == part] for part in PARTS}
    rows_of = {
        part: np.concatenate([np.arange(read[n].first, read[n].first + read[n].rows) for n in numbers])
        for part, numbers in members.items()
    }
    scale = scale_of(np.asarray(actions[rows_of["train"]])) if config.actions else None
    settings = np.frombuffer(_settings_digest(config), np.uint8)
    for name, most in (("test", config.test_clips), ("validation", config.validation_clips)):
        runs = np.repeat(members[name], [read[n].rows for n in members[name]])
        starts = apart_starts(runs, config.frames, most)
        rows = rows_of[name][starts[:, None] + np.arange(config.frames)]
        arrays = {"video": np.asarray(frames[rows]), "actions": _scaled(scale, actions[rows]), "settings": settings}
        if name == "validation":
            train = [read[n] for n in members["train"]]
            arrays |= {
                "train_actions": _scaled(scale, actions[rows_of["train"]]),
                "train_videos": np.array(
                    [(n, one.first, one.rows) for n, one in zip(members["train"], train, strict=True)]
                ),
                "all_frames": np.array([growing.rows["video"]]),
                "all_sha256": np.frombuffer(growing.sha256("video"), np.uint8),
                "marks": marks(frames),
            }
            _write_facts(config, folder, read, part_of, scale)
        with atomic(folder / f"{name}.csv") as temporary:
            videos = runs[starts]
            begins = rows[:, 0] - np.array([read[n].first for n in videos])
            _factors(videos, begins).to_csv(temporary, index=False, lineterminator="\n")
        write_arrays(folder / f"{name}.npz", arrays)
        log.info("%s: %d clips of %d frames that share none", name, len(starts), config.frames)
    clips = sum(read[n].rows - config.frames + 1 for n in members["train"])
    log.info("train: %d videos, clips may begin at %d frames", len(members["train"]), clips)


def _write_facts(
    config: Config, folder: Path, read: Sequence[Read], part_of: Sequence[str | None], scale: Scale | None
) -> None:
    table = [
        {
            "name": one.video.name,
            "sha256": one.sha256,
            "part": part,
            "first_row": one.first,
            "frames": one.rows,
            "width": one.facts.width,
            "height": one.facts.height,
            "frames_per_s": one.facts.frames_per_s,
            "varies": one.facts.varies,
        }
        for one, part in zip(read, part_of, strict=True)
    ]
    write_json(folder / VIDEOS, {"reader": reader_version(), "videos": table})
    if scale is not None:
        write_json(folder / STATISTICS, {key: values.tolist() for key, values in zip(KEYS, scale, strict=True)})


def _parts(config: Config, read: Sequence[Read]) -> list[str | None]:
    """The part of each video; None for one that is too short for a clip."""
    clips = [max(one.rows - config.frames + 1, 0) for one in read]
    short = [one for one, count in zip(read, clips, strict=True) if not count]
    if short:
        told = ", ".join(f"{one.video.name} {one.rows}" for one in short[:SHOWN_NAMES])
        what = "%d videos have fewer frames than a clip, %d, and are left out: %s"
        log.warning(what, len(short), config.frames, more_of(told, short))
    part_of: list[str | None] = [one.video.part if count else None for one, count in zip(read, clips, strict=True)]
    drawn = [n for n, one in enumerate(read) if one.video.part in (None, "train")]
    if all(one.video.part is None for one in read):
        names, shares = list(PARTS), [config.test_share, config.validation_share]
    elif not any(one.video.part == "validation" for one in read):
        names, shares = ["train", "validation"], [config.validation_share]
    else:
        names, shares = ["train"], []
    if sum(clips[n] > 0 for n in drawn) >= len(names):
        given = split_sessions([clips[n] for n in drawn], shares, config.seed)
        for n, number in zip(drawn, given, strict=True):
            part_of[n] = names[number] if clips[n] else None
    else:
        part_of = [None] * len(read)
    for part in PARTS:
        if part not in part_of:
            longest = sorted((one.rows for one in read), reverse=True)
            raise DataError(
                f"{config.folder}: videos with {config.frames} frames: {sum(map(bool, clips))} of {len(read)}, none "
                f"for {part}; add longer videos, or set frames to at most {longest[min(len(PARTS), len(longest)) - 1]}"
            )
    return part_of


def _tell_unread(config: Config, videos: Sequence[Video]) -> None:
    """Tables that nobody reads."""
    folder = config.folder.expanduser()
    tables = [video.actions for video in videos if video.actions.is_file()]
    if tables and not config.actions:
        log.warning("%s and %d more are not read; set actions to their number of columns", tables[0], len(tables) - 1)
    if (folder / FACTORS).is_file():
        told = "%s is not read: codes are held against factors where clips can be rendered anew; see docs/videos.md"
        log.warning(told, folder / FACTORS)


def _scaled(scale: Scale | None, actions: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(actions, np.float32) if scale is None else scale.stored(actions)


def _factors(videos: Indices, begins: Indices) -> pd.DataFrame:
    """The factor table of clips; its columns are described in `FACTOR_ROLES`."""
    return pd.DataFrame({"video": videos, "first_frame": begins})


def _shape(config: Config) -> ClipShape:
    return ClipShape(config.frames, config.channels, config.image_px, config.image_px, actions=config.actions)


def _before(counts: Indices) -> Indices:
    """The sum of all before each, and of all."""
    return np.concatenate([[0], np.cumsum(counts)])


def _settings_digest(config: Config) -> bytes:
    """What decides about the splits beside the videos; the same ones may lie elsewhere."""
    return hashlib.sha256(config.model_dump_json(exclude={"folder"}).encode()).digest()
