"""Push world: an effector on a table pushes coloured objects about, seen from above, with its commands and places.

The schema is BAIR's robot pushing (Ebert et al. 2017): RGB 64×64, 30 frames, an `action` of four numbers, an
`endeffector_pos` of three, and two test splits: `test` shows the shapes and colours of training, `test_novel` others.
It is made, not recorded, and simpler than a robot: a substitute that needs no download of 30 GB.

- `actions` `[N, T, 4]`: commands in −1 … 1, right, down, up, open. That of frame t leads to frame t + 1.
- `states` `[N, T, 3]`: where the effector truly is: x and y in sides of the table, height 0 … 1.

Commands obey no plan that the past tells (`whatmoves.data.push_physics`), so a prediction that ignores them must blur.
A clip is a row of factors and its commands: `replay_factors` draws any such pair again. Training clips are never
stored; they are drawn when asked for, as a pure function of the training seed and the clip's index.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator

from whatmoves.data import push_physics
from whatmoves.data.clips import Batch, ClipShape, Split, sent
from whatmoves.data.factor_tables import FIX, FactorRole, read_factors
from whatmoves.data.push_physics import MARGIN, POLICY_DRAWS, Motion, Setting
from whatmoves.data.push_render import COLOURS, SHAPES, Looks, render
from whatmoves.data.streams import uniforms
from whatmoves.errors import DataError
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.settings import Settings

MAX_OBJECTS = 4
SEEN = (range(3), range(6))  # shapes and colours of all splits but test_novel, which has the rest
NOVEL = (range(3, len(SHAPES)), range(6, len(COLOURS)))
CHECKED_CLIPS = 8  # stored clips that are drawn again when a split is opened
MOST_CLIPS = 100_000  # that a split stores


class Config(Settings):
    """How many objects, frames and pixels. The defaults are BAIR's schema."""

    objects: int = Field(3, ge=1, le=MAX_OBJECTS, description="Objects on the table.")
    radius: tuple[float, float] = Field((0.08, 0.12), description="Smallest and largest object, sides of the table.")
    image_px: int = Field(64, ge=16, le=256, description="Side of the square frame, pixels.")
    frames: int = Field(30, ge=2, le=1000, description="Frames in a clip.")
    validation_clips: int = Field(256, ge=1, le=MOST_CLIPS, description="Stored validation clips.")
    test_clips: int = Field(256, ge=1, le=MOST_CLIPS, description="Stored test clips of seen objects.")
    novel_clips: int = Field(256, ge=1, le=MOST_CLIPS, description="Stored test clips of novel objects.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the whole data set, apart from training seeds.")

    @model_validator(mode="after")
    def _radii_are_in_order(self) -> "Config":
        smallest, largest = self.radius
        if not 0.03 <= smallest <= largest <= 0.15:
            raise ValueError(
                f"radius is [{smallest:g}, {largest:g}]; must be [smallest, largest] "
                f"with 0.03 ≤ smallest ≤ largest ≤ 0.15"
            )
        return self


# Every factor column by name; `_1`, `_2`, … is the object it speaks of. Content and motion columns with the clip's
# commands fix the clip.
FACTOR_ROLES: dict[str, FactorRole] = {
    "effector_y": FactorRole("motion", "continuous", "effector at frame 0, sides from the top"),
    "effector_x": FactorRole("motion", "continuous", "effector at frame 0, sides from the left"),
    "height": FactorRole("motion", "continuous", "its height at frame 0, 0 … 1; below 0.5 it pushes"),
    "opening": FactorRole("motion", "continuous", "its opening at frame 0, 0 … 1"),
    "pushing_frames": FactorRole("derived", "discrete", "frames at whose end some object has moved"),
    "way_effector": FactorRole("derived", "continuous", "length of the effector's path, sides"),
} | {
    f"{name}_{number}": role
    for number in range(1, MAX_OBJECTS + 1)
    for name, role in {
        "shape": FactorRole("content", "discrete", f"index into {', '.join(SHAPES)}"),
        "colour": FactorRole("content", "discrete", f"index into {', '.join(COLOURS)}"),
        "angle": FactorRole("content", "continuous", "how far the shape is turned, radians"),
        "radius": FactorRole("content", "continuous", "radius, sides"),
        "start_y": FactorRole("motion", "continuous", "centre at frame 0, sides from the top"),
        "start_x": FactorRole("motion", "continuous", "centre at frame 0, sides from the left"),
        "end_y": FactorRole("derived", "continuous", "centre at the last frame, sides from the top"),
        "end_x": FactorRole("derived", "continuous", "centre at the last frame, sides from the left"),
        "way": FactorRole("derived", "continuous", "length of its path, sides"),
    }.items()
}
_CLIP_DRAWS = 8  # uniforms a clip, then as many an object


DRAWN_AT_ONCE = 64  # training clips: in batches of four, drawing them takes four times as long
OTHER_TESTS = {"novel": "test_novel"}  # splits that predictions are tested on beside `test`, by the measures' word


# What test clips may be shifted by, one thing at a time (`shifted`): larger by a quarter; half the contrast; one object
# more; shapes and colours never seen.
SHIFTS = ("size", "contrast", "objects", "looks")
LARGER = 1.25


def more_files(config: Config) -> tuple[str, ...]:
    """What `make` writes beside the files of every data set."""
    return ("test_novel.npz", "test_novel.csv")


def make(config: Config, folder: Path) -> None:
    """Write `validation`, `test` and `test_novel` into `folder`: clips and commands as `.npz`, factors as `.csv`."""
    for name, clips in _stored(config).items():
        split = _drawn_split(config, name, clips)
        arrays: dict[str, NDArray[Any]] = {"video": split.video}
        for key, values in (("actions", split.actions), ("states", split.states)):
            assert values is not None
            arrays[key] = values
        write_arrays(folder / f"{name}.npz", arrays)
        with atomic(folder / f"{name}.csv") as temporary:
            split.factors.to_csv(temporary, index=False, lineterminator="\n")


def open_source(config: Config, folder: Path) -> "PushWorld":
    """Open the data set whose stored splits lie in `folder`; reads nothing yet."""
    return PushWorld(config, folder)


class Ahead(NamedTuple):
    """Training clips of stream `seed` from clip `first` on, drawn before they are asked for."""

    seed: int
    first: int
    video: NDArray[np.uint8]
    actions: NDArray[np.float32]
    states: NDArray[np.float32]


class PushWorld:
    """The opened data set, a `whatmoves.data.clips.Source`."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.has_centres = False
        self.shape = ClipShape(config.frames, 3, config.image_px, config.image_px, actions=4, states=3)
        self._ahead: Ahead | None = None

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`, drawn on the CPU, with actions and states."""
        ahead = self._ahead
        if ahead is None or ahead.seed != seed or not ahead.first <= first <= ahead.first + len(ahead.video) - count:
            looks, _, motion = _drawn(self.config, "train", seed, first, max(count, DRAWN_AT_ONCE))
            video = render(looks, motion, self.config.image_px)
            ahead = self._ahead = Ahead(seed, first, video, motion.actions, _states(motion))
        rows = slice(first - ahead.first, first - ahead.first + count)
        video, actions, states = ahead.video[rows], ahead.actions[rows], ahead.states[rows]
        return Batch(
            sent(video, device).float().div_(255),
            sent(actions, device),
            sent(states, device),
        )

    def train_split(self, count: int) -> Split:
        """`count` clips of the training objects with their factors, from a stream no training run reads."""
        return _drawn_split(self.config, "probe", count)

    def split(self, name: str) -> Split:
        """The stored split `validation`, `test` (seen objects) or `test_novel`.

        Raises `DataError` when its files are missing or damaged, belong to other settings, or not to each other.
        """
        arrays_path, factors_path = self.folder / f"{name}.npz", self.folder / f"{name}.csv"
        arrays = read_arrays(arrays_path)
        clips = _stored(self.config)[name]
        frames, channels, height, width, commands, places = self.shape
        expected: dict[str, tuple[type, tuple[int, ...]]] = {
            "video": (np.uint8, (clips, frames, channels, height, width)),
            "actions": (np.float32, (clips, frames, commands)),
            "states": (np.float32, (clips, frames, places)),
        }
        for key, (kind, shape) in expected.items():
            found = arrays.get(key)
            if found is None or found.dtype != kind:
                raise DataError(f"{arrays_path}: no {np.dtype(kind)} array {key!r} in it; {FIX}")
            if found.shape != shape:
                raise DataError(f"{arrays_path}: {key} is {found.shape}, these settings make {shape}; {FIX}")
        factors = read_factors(factors_path, _columns(self.config), FACTOR_ROLES)
        if len(factors) != clips:
            raise DataError(f"{factors_path}: {len(factors)} rows for the {clips} clips of {name}.npz; {FIX}")
        shown = replay_factors(self.config, factors[:CHECKED_CLIPS], arrays["actions"][:CHECKED_CLIPS])
        if np.abs(shown.astype(np.int16) - arrays["video"][:CHECKED_CLIPS]).max() > 2:  # machines round differently
            raise DataError(f"{factors_path}: these factors do not draw the clips of {name}.npz; {FIX}")
        return Split(arrays["video"], factors, arrays["actions"], arrays["states"])


def replay_factors(config: Config, factors: pd.DataFrame, actions: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Video uint8 `[N, T, 3, H, W]` of a factor table and commands `[N, T, 4]`; derived columns are not read.

    Raises `DataError` when a column is missing or a shape or colour is unknown.
    """
    looks, setting = _read_clips(config, factors)
    for name, values, known in (("shape", looks.shapes, SHAPES), ("colour", looks.colours, COLOURS)):
        if values.size and not 0 <= values.min() <= values.max() < len(known):
            raise DataError(f"factors: a {name} is outside 0 … {len(known) - 1}")
    return render(looks, push_physics.replay(setting, actions), config.image_px)


def further_test_clips(config: Config, first: int, count: int) -> tuple[Looks, Motion]:
    """Clips `first … first+count-1` as `test` has them, and that no study stores: they go on where `test` must end."""
    looks, _, motion = _drawn(config, "test", 0, MOST_CLIPS + first, count)
    return looks, motion


def shifted(config: Config, name: str, count: int) -> Split:
    """The first `count` test clips with one thing changed, as `SHIFTS` says of each name."""
    smallest, largest = config.radius
    changes: dict[str, dict[str, Any]] = {
        "size": {"radius": (smallest * LARGER, largest * LARGER)},
        "objects": {"objects": min(config.objects + 1, MAX_OBJECTS)},
    }
    changed = config.model_copy(update=changes.get(name, {}))
    split = _drawn_split(changed, "test_novel" if name == "looks" else "test", count)
    return split._replace(video=split.video // 2) if name == "contrast" else split


def _stored(config: Config) -> dict[str, int]:
    """The stored splits and their sizes."""
    return {"validation": config.validation_clips, "test": config.test_clips, "test_novel": config.novel_clips}


def _drawn(config: Config, stream: str, stream_seed: int, first: int, count: int) -> tuple[Looks, Setting, Motion]:
    """Draw clips of a stream."""
    beginnings = _CLIP_DRAWS * (1 + config.objects)
    per_clip = beginnings + POLICY_DRAWS * config.frames
    uniform = uniforms(config.seed, stream, stream_seed, first, count, per_clip)
    clip = uniform[:, :_CLIP_DRAWS]
    item = uniform[:, _CLIP_DRAWS:beginnings].reshape(count, config.objects, _CLIP_DRAWS)
    shapes, colours = NOVEL if stream == "test_novel" else SEEN
    smallest, largest = config.radius
    looks = Looks(
        shapes.start + (item[..., 0] * len(shapes)).astype(np.int64),
        colours.start + (item[..., 1] * len(colours)).astype(np.int64),
        2 * np.pi * item[..., 2],
        smallest + (largest - smallest) * item[..., 3],
    )
    place = MARGIN + (1 - 2 * MARGIN) * clip[:, :2]
    effector = np.concatenate([place, clip[:, 2:3] < 0.3, clip[:, 3:4]], axis=1)  # three in ten start lifted
    setting = push_physics.settle(Setting(item[..., 4:6], looks.radii, effector))
    policy = uniform[:, beginnings:].reshape(count, config.frames, POLICY_DRAWS)
    return looks, setting, push_physics.drive(setting, policy)


def _drawn_split(config: Config, stream: str, count: int) -> Split:
    looks, setting, motion = _drawn(config, stream, 0, 0, count)
    video = render(looks, motion, config.image_px)
    return Split(video, _factors(config, looks, setting, motion), motion.actions, _states(motion))


def _states(motion: Motion) -> NDArray[np.float32]:
    """True effector positions `[N, T, 3]`: x, y, height."""
    return motion.effector[..., [1, 0, 2]].astype(np.float32)


def _columns(config: Config) -> list[str]:
    """Names of the factor columns: the effector's, then all of object 1, then all of object 2, …"""
    return [name for name in FACTOR_ROLES if not name[-1].isdigit() or int(name[-1]) <= config.objects]


def _factors(config: Config, looks: Looks, setting: Setting, motion: Motion) -> pd.DataFrame:
    """The factor table of N clips; its columns are described in `FACTOR_ROLES`."""
    moved = np.linalg.norm(np.diff(motion.centres, axis=1), axis=-1)  # [N, T − 1, O]
    travelled = np.linalg.norm(np.diff(motion.effector[..., :2], axis=1), axis=-1)
    of_clip: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {
        **dict(zip(("effector_y", "effector_x", "height", "opening"), setting.effector.T, strict=True)),
        "pushing_frames": (moved > 1e-6).any(-1).sum(1),
        "way_effector": travelled.sum(1),
    }
    of_object: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {
        "shape": looks.shapes,
        "colour": looks.colours,
        "angle": looks.angles,
        "radius": looks.radii,
        "start_y": setting.centres[..., 0],
        "start_x": setting.centres[..., 1],
        "end_y": motion.centres[:, -1, :, 0],
        "end_x": motion.centres[:, -1, :, 1],
        "way": moved.sum(1),
    }
    for name in _columns(config)[len(of_clip) :]:
        of_clip[name] = of_object[name[:-2]][:, int(name[-1]) - 1]
    return pd.DataFrame(of_clip)


def _read_clips(config: Config, factors: pd.DataFrame) -> tuple[Looks, Setting]:
    """Looks and beginnings out of a table."""
    needed = [name for name in _columns(config) if FACTOR_ROLES[name].role != "derived"]
    missing = [name for name in needed if name not in factors.columns]
    if missing:
        raise DataError(
            f"factors: no column {missing[0]!r}; a clip of {config.objects} object(s) needs {', '.join(needed)}"
        )

    def column(name: str) -> NDArray[np.float64]:
        return np.stack([factors[f"{name}_{o}"].to_numpy(np.float64) for o in range(1, config.objects + 1)], axis=1)

    shapes, colours = column("shape").astype(np.int64), column("colour").astype(np.int64)
    looks = Looks(shapes, colours, column("angle"), column("radius"))
    effector = factors[["effector_y", "effector_x", "height", "opening"]].to_numpy(np.float64)
    return looks, Setting(np.stack([column("start_y"), column("start_x")], axis=-1), looks.radii, effector)
