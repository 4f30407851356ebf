"""Moving digits: one to three handwritten digits fly straight over a black square and bounce off its walls.

After Srivastava et al. 2015 (Moving MNIST), with exact reflection, closed-form trajectories and factors known exactly.
A clip is a row of factors and a renderer: `render_factors` draws any table, so the true picture of a swap is
`render_factors(config, swap_factors(content, motion))`.

Splits share nothing: each has its own pool of digit instances (`whatmoves.data.digits`) and its own random stream
(`whatmoves.data.trajectories`). Training clips are never stored; they are drawn when asked for, as a pure function of
the training seed and the clip's index.

Digits may differ in size (`size`). Each then flies between walls of its own: its velocity is in pixels per frame
whatever its size, its start that of a digit of size 1, in proportion to the room it has itself.
"""

import math
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from whatmoves.data import mnist, trajectories
from whatmoves.data.clips import Batch, ClipShape, Split, sent
from whatmoves.data.digits import NATIVE_PX, DigitBank, load_bank, resized
from whatmoves.data.factor_tables import FIX, FactorRole, read_factors
from whatmoves.data.render import Drawing, Pixel, render, render_torch
from whatmoves.data.streams import uniforms
from whatmoves.data.trajectories import DRAWS_PER_DIGIT, Draws
from whatmoves.errors import DataError
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.settings import Settings

MAX_DIGITS = 3
CHECKED_CLIPS = 8  # stored clips that are drawn again when a split is opened


class Config(Settings):
    """What moves, where, and how fast. The defaults are the `quick` study's."""

    digit_bank: Literal["uci", "mnist"] = Field("uci", description="Digits: scikit-learn's UCI digits, or MNIST.")
    mnist_folder: Path | None = Field(
        None, description="Folder of MNIST's four IDX files, plain or .gz, or of what tensorflow-datasets prepared."
    )
    download: bool = Field(False, description="Fetch MNIST into mnist_folder (null: the user's cache) if not there.")
    digits: int = Field(1, ge=1, le=MAX_DIGITS, description="Digits in a clip.")
    image_px: int = Field(32, ge=8, le=256, description="Side of the square frame, pixels.")
    digit_px: int = Field(14, ge=4, le=128, description="Side of a digit's square, its margin included, pixels.")
    size: tuple[float, float] = Field(
        (1.0, 1.0), description="Smallest and largest size of a digit, times digit_px; each digit has its own."
    )
    frames: int = Field(12, ge=2, le=1000, description="Frames in a clip.")
    speed_px: tuple[float, float] = Field((1.0, 3.0), description="Slowest and fastest speed, pixels per frame.")
    drawing: Drawing = Field("subpixel", description="Place digits exactly (bilinear), or cut to whole pixels.")
    validation_clips: int = Field(500, ge=1, le=100_000, description="Stored validation clips.")
    test_clips: int = Field(1000, ge=1, le=100_000, description="Stored test clips.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the whole data set, apart from training seeds.")

    @model_validator(mode="after")
    def _values_fit_together(self) -> "Config":
        if self.digit_px >= self.image_px:
            raise ValueError(
                f"digit_px is {self.digit_px}; must be smaller than image_px, {self.image_px}, for a digit to move"
            )
        smallest, largest = self.size
        if not 0 < smallest <= largest:
            raise ValueError(
                f"size is [{smallest:g}, {largest:g}]; must be [smallest, largest] with 0 < smallest ≤ largest"
            )
        if largest * self.digit_px >= self.image_px:
            raise ValueError(
                f"size is [{smallest:g}, {largest:g}], so digits are up to {largest * self.digit_px:g} pixels wide; "
                f"must be smaller than image_px, {self.image_px}, for a digit to move"
            )
        slowest, fastest = self.speed_px
        if not 0 < slowest <= fastest:
            raise ValueError(
                f"speed_px is [{slowest:g}, {fastest:g}]; must be [slowest, fastest] with 0 < slowest ≤ fastest"
            )
        return self

    @property
    def range_px(self) -> int:
        """Way the corner of a digit of size 1 can go along one axis, pixels."""
        return self.image_px - self.digit_px

    @property
    def varies_size(self) -> bool:
        """Whether digits differ in size."""
        return self.size[0] < self.size[1]


# Every factor column by name; `_1`, `_2`, `_3` is the digit it speaks of. Content and motion columns fix the clip.
FACTOR_ROLES: dict[str, FactorRole] = {
    f"{name}_{digit}": role
    for digit in range(1, MAX_DIGITS + 1)
    for name, role in {
        "class": FactorRole("content", "discrete", "digit shown, 0 … 9"),
        "instance": FactorRole("content", "discrete", "index of the handwritten picture in the digit bank"),
        "size": FactorRole("content", "continuous", "side of its square over digit_px; a column where sizes differ"),
        "start_y": FactorRole("motion", "continuous", "top edge at frame 0 if of size 1, pixels from the top"),
        "start_x": FactorRole("motion", "continuous", "left edge at frame 0 if of size 1, pixels from the left"),
        "velocity_y": FactorRole("motion", "continuous", "downward velocity before any bounce, pixels per frame"),
        "velocity_x": FactorRole("motion", "continuous", "rightward velocity before any bounce, pixels per frame"),
        "speed": FactorRole("derived", "continuous", "length of the velocity, pixels per frame; bounces keep it"),
        "direction_sin": FactorRole("derived", "continuous", "velocity_y / speed"),
        "direction_cos": FactorRole("derived", "continuous", "velocity_x / speed"),
        "bounces": FactorRole("derived", "discrete", "wall contacts within the clip"),
        "first_bounce": FactorRole("derived", "continuous", "time of the first, frames; the last frame if none"),
        "end_y": FactorRole("derived", "continuous", "top edge at the last frame, pixels"),
        "end_x": FactorRole("derived", "continuous", "left edge at the last frame, pixels"),
    }.items()
}


# What test clips may be shifted by, one thing at a time (`shifted`): half as fast again; larger by three tenths; half
# the contrast; digits mirrored at their diagonal; one digit more; from training digits to those of the test pool.
SHIFTS = ("speed", "size", "contrast", "class", "objects", "hands")


def outside_files(config: Config) -> list[Path]:
    """What the digits come from outside the package: the files of MNIST, fetched if they are to be."""
    return mnist.find_files(config.mnist_folder, config.download) if config.digit_bank == "mnist" else []


def make(config: Config, folder: Path) -> None:
    """Write `validation` and `test` into `folder`: the clips as `.npz`, their factors as `.csv`."""
    for name, clips in _stored(config).items():
        split = _drawn_split(config, name, 0, clips)
        write_arrays(folder / f"{name}.npz", {"video": split.video})
        with atomic(folder / f"{name}.csv") as temporary:
            split.factors.to_csv(temporary, index=False, lineterminator="\n")


def open_source(config: Config, folder: Path) -> "MovingDigits":
    """Open the data set whose stored splits lie in `folder`; reads nothing yet."""
    return MovingDigits(config, folder)


class MovingDigits:
    """The opened data set, a `whatmoves.data.clips.Source`."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.shape = ClipShape(config.frames, 1, config.image_px, config.image_px)
        self._pictures: dict[torch.device, Tensor] = {}

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`, drawn on `device`.

        Pixels have the 8 bits of stored clips; between devices one may differ by 1/255.
        """
        config = self.config
        draws = _draws(config, "train", seed, first, count)
        corners = _corners(config, draws)
        centres = sent(_centres(config, draws, corners), device)
        if device.type == "cpu":
            return Batch(torch.from_numpy(_video(config, draws, corners, np.float32)), centres_px=centres)
        images = self._images(draws, device).float().div_(255)
        video = render_torch(images, corners, config.image_px, config.drawing)
        return Batch(video.mul_(255).round_().div_(255), centres_px=centres)

    def _images(self, draws: Draws, device: torch.device) -> Tensor:
        """The digits of clips `[N, O, d, d]`, of a bank that lies on the device where they have one size."""
        if self.config.size != (1.0, 1.0):
            return sent(_images(self.config, draws), device)
        if device not in self._pictures:
            self._pictures[device] = torch.from_numpy(_bank(self.config).images.copy()).to(device)
        return self._pictures[device][sent(draws.instances, device)]

    def train_split(self, count: int) -> Split:
        """`count` clips of the training digits with their factors, from a stream no training run reads."""
        return _drawn_split(self.config, "probe", 0, count)

    def split(self, name: str) -> Split:
        """The stored split `validation` or `test`.

        Raises `DataError` when its files are missing or damaged, belong to other settings, or not to each other.
        """
        video_path, factors_path = self.folder / f"{name}.npz", self.folder / f"{name}.csv"
        video = read_arrays(video_path).get("video")
        expected = (_stored(self.config)[name], *self.shape[:4])
        if video is None or video.dtype != np.uint8:
            raise DataError(f"{video_path}: no uint8 array 'video' in it; {FIX}")
        if video.shape != expected:
            raise DataError(f"{video_path}: video is {video.shape}, these settings make {expected}; {FIX}")
        factors = read_factors(factors_path, _columns(self.config), FACTOR_ROLES)
        if len(factors) != len(video):
            raise DataError(f"{factors_path}: {len(factors)} rows for the {len(video)} clips of {name}.npz; {FIX}")
        shown = render_factors(self.config, factors[:CHECKED_CLIPS])
        if np.abs(shown.astype(np.int16) - video[:CHECKED_CLIPS]).max() > 1:  # another machine may round otherwise
            raise DataError(f"{factors_path}: these factors do not draw the clips of {name}.npz; {FIX}")
        return Split(video, factors, centres_px=centres(self.config, factors))


def test_factors(config: Config) -> pd.DataFrame:
    """The factors of the stored test clips, drawn anew, without a frame."""
    return _factors(config, _draws(config, "test", 0, 0, config.test_clips))


def render_factors(config: Config, factors: pd.DataFrame) -> NDArray[np.uint8]:
    """Video uint8 `[N, T, 1, H, W]` of a factor table; only its content and motion columns are read.

    Raises `DataError` when a column is missing, an instance is not in the bank, or a size does not fit the frame.
    """
    draws = _read_draws(config, factors)
    bank = _bank(config)
    if draws.sizes.size and not 0 < draws.sizes.min() <= draws.sizes.max() < config.image_px / config.digit_px:
        raise DataError(f"factors: a size is not above 0 and below {config.image_px / config.digit_px:g}, the frame's")
    if draws.instances.size and not 0 <= draws.instances.min() <= draws.instances.max() < len(bank.images):
        raise DataError(f"factors: an instance is outside the {config.digit_bank} bank, 0 … {len(bank.images) - 1}")
    return _video(config, draws, _corners(config, draws))


def positions(config: Config, factors: pd.DataFrame) -> NDArray[np.float64]:
    """Each digit's true top-left corner (y, x) in pixels, `[N, O, T, 2]`; `integer` drawing cuts it to whole pixels."""
    return _corners(config, _read_draws(config, factors))


def sides(config: Config, factors: pd.DataFrame) -> NDArray[np.float64]:
    """The side of each digit's square in pixels, `[N, O]`."""
    return config.digit_px * _read_draws(config, factors).sizes


def centres(config: Config, factors: pd.DataFrame) -> NDArray[np.float32]:
    """Centres of the digits' squares (y, x) in pixels from the frame's top left edge, `[N, T, O, 2]`."""
    draws = _read_draws(config, factors)
    return _centres(config, draws, _corners(config, draws))


def pictures(config: Config) -> NDArray[np.uint8]:
    """The digit bank `[n, d, d]`, d = `digit_px`: what an instance looks like at size 1."""
    return _bank(config).images


def swap_factors(content: pd.DataFrame, motion: pd.DataFrame) -> pd.DataFrame:
    """Row by row the digits of `content` with starts, velocities and all that follows from them of `motion`.

    With several digits, slot by slot: digit 1 of the one flies as digit 1 of the other. Derived columns are those of
    `motion`: a digit of another size bounces at other times. Unequal lengths raise ValueError.
    """
    if len(content) != len(motion):
        raise ValueError(f"content has {len(content)} rows, motion {len(motion)}; a swap needs as many of each")
    swapped = motion.reset_index(drop=True)
    for column in (name for name in swapped.columns if FACTOR_ROLES[name].role == "content"):
        swapped[column] = content[column].to_numpy()
    return swapped


def shifted(config: Config, name: str, count: int) -> Split:
    """The first `count` test clips with one thing changed, as `SHIFTS` says of each name; their centres are theirs."""
    if name == "hands":
        bank = _bank(config)
        tested = _draws(config, "test", 0, 0, count)
        draws = tested._replace(instances=tested.instances % len(bank.pools["train"]) + bank.pools["train"].start)
        return _split_of(config, draws)
    changed = _shifted_config(config, name)
    split = _with_another(config, changed, count) if name == "objects" else _drawn_split(changed, "test", 0, count)
    factors, centres = split.factors, split.centres_px
    if name == "class" and centres is not None:  # what mirrors a digit at its diagonal mirrors its way
        parts = {name: str(name).rsplit("_", 2) for name in factors}
        other = {"y": "x", "x": "y"}
        factors = factors.rename(columns={n: f"{p[0]}_{other[p[1]]}_{p[2]}" for n, p in parts.items() if p[1] in other})
        centres = np.ascontiguousarray(centres[..., ::-1])
    return Split(_seen_through(name, split.video), factors, centres_px=centres)


def _with_another(config: Config, changed: Config, count: int) -> Split:
    """The first test clips with the first digit of the clip before as one more."""
    own = _draws(config, "test", 0, 0, count)
    draws = Draws(*(np.concatenate([array, np.roll(array[:, :1], 1, axis=0)], axis=1) for array in own))
    return _split_of(changed, draws)


def shifted_truth(config: Config, name: str, factors: pd.DataFrame) -> NDArray[np.uint8]:
    """`render_factors` of clips of `shifted`; not of `class`, whose digits nobody swaps."""
    return _seen_through(name, render_factors(_shifted_config(config, name), factors))


def shifted_centres(config: Config, name: str, factors: pd.DataFrame) -> NDArray[np.float32]:
    """`centres` of clips of `shifted`; not of `class`, whose digits nobody swaps."""
    return centres(_shifted_config(config, name), factors)


def _shifted_config(config: Config, name: str) -> Config:
    """The settings under which the same draws make the clips of a shift."""
    slowest, fastest = config.speed_px
    smallest, largest = config.size
    larger: dict[str, Any] = {"digit_px": min(round(config.digit_px * 1.3), config.image_px - 1)}
    if config.size != (1.0, 1.0):
        times = min(1.3, (config.image_px - 1) / (config.digit_px * largest))
        larger = {"size": (times * smallest, times * largest)}
    changes: dict[str, dict[str, Any]] = {
        "speed": {"speed_px": (1.5 * slowest, 1.5 * fastest)},
        "size": larger,
        "objects": {"digits": config.digits + 1},
    }
    return config.model_copy(update=changes.get(name, {}))


def _seen_through(name: str, video: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if name == "contrast":
        return video // 2
    return np.ascontiguousarray(video.swapaxes(-1, -2)) if name == "class" else video


def _stored(config: Config) -> dict[str, int]:
    """The stored splits and their sizes."""
    return {"validation": config.validation_clips, "test": config.test_clips}


def _bank(config: Config) -> DigitBank:
    return load_bank(config.digit_bank, config.digit_px, config.mnist_folder, config.download)


def _draws(config: Config, stream: str, stream_seed: int, first: int, count: int) -> Draws:
    """Draw clips of a stream: training and probe streams take the training digits, the others their own."""
    pool = _bank(config).pools["train" if stream == "probe" else stream]
    size = (count, config.digits, DRAWS_PER_DIGIT)
    uniform = uniforms(config.seed, stream, stream_seed, first, count, size[1] * size[2]).reshape(size)
    return trajectories.draw(uniform, pool, config.range_px, config.speed_px, config.size)


def _drawn_split(config: Config, stream: str, stream_seed: int, count: int) -> Split:
    return _split_of(config, _draws(config, stream, stream_seed, 0, count))


def _split_of(config: Config, draws: Draws) -> Split:
    corners = _corners(config, draws)
    return Split(_video(config, draws, corners), _factors(config, draws), centres_px=_centres(config, draws, corners))


def _flight(config: Config, draws: Draws) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners that digits of their size start from `[N, O, 2]`, and the way each can go along one axis `[N, O]`."""
    room = config.image_px - config.digit_px * draws.sizes
    return draws.start_px * (room / config.range_px)[..., None], room


def _corners(config: Config, draws: Draws) -> NDArray[np.float64]:
    start, room = _flight(config, draws)
    return trajectories.positions(start, draws.velocity_px, config.frames, room)


def _centres(config: Config, draws: Draws, corners: NDArray[np.float64]) -> NDArray[np.float32]:
    halves = config.digit_px * draws.sizes[:, None, :, None] / 2
    return cast(NDArray[np.float32], (corners.transpose(0, 2, 1, 3) + halves).astype(np.float32))


def _images(config: Config, draws: Draws) -> NDArray[np.uint8]:
    """The digits of clips `[N, O, d, d]` in their sizes: squares that hold the largest, black beside the smaller ones.

    Each is drawn from the bank's own pictures, never from one that was resized before.
    """
    if config.size == (1.0, 1.0):
        return _bank(config).images[draws.instances]
    native = load_bank(config.digit_bank, NATIVE_PX, config.mnist_folder, config.download).images
    # The settings' largest, not that of these clips: a clip's last bit must not hang on its neighbours.
    pixels = math.ceil(config.digit_px * max(config.size[1], draws.sizes.max(initial=0)))
    images = resized(native[draws.instances.ravel()], config.digit_px * draws.sizes.ravel(), pixels)
    return images.reshape(*draws.sizes.shape, pixels, pixels)


def _video(config: Config, draws: Draws, corners: NDArray[np.float64], dtype: Pixel = np.uint8) -> NDArray[Any]:
    images, side = _images(config, draws), config.image_px
    # Beside a small digit its square is black, and may stand out of the frame: drawn in a larger one, that is cut off.
    spare = images.shape[-1] - math.floor(config.digit_px * draws.sizes.min(initial=config.size[0]))
    if not spare:
        return render(images, corners, side, config.drawing, dtype)
    return np.ascontiguousarray(render(images, corners, side + spare, config.drawing, dtype)[..., :side, :side])


def _columns(config: Config) -> list[str]:
    """Names of the factor columns: all of digit 1, then all of digit 2, …; `size` where sizes differ."""
    names = [name for name in FACTOR_ROLES if int(name[-1]) <= config.digits]
    return [name for name in names if config.varies_size or not name.startswith("size_")]


def _factors(config: Config, draws: Draws) -> pd.DataFrame:
    """The factor table of N clips; its columns are described in `FACTOR_ROLES`."""
    (start, room), velocity = _flight(config, draws), draws.velocity_px
    speed = np.hypot(velocity[..., 0], velocity[..., 1])
    end = _corners(config, draws)[:, :, -1]
    by_name: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {
        "class": _bank(config).labels[draws.instances],
        "instance": draws.instances,
        "size": draws.sizes,
        "start_y": draws.start_px[..., 0],
        "start_x": draws.start_px[..., 1],
        "velocity_y": velocity[..., 0],
        "velocity_x": velocity[..., 1],
        "speed": speed,
        "direction_sin": velocity[..., 0] / speed,
        "direction_cos": velocity[..., 1] / speed,
        "bounces": trajectories.bounces(start, velocity, config.frames, room),
        "first_bounce": trajectories.first_bounce(start, velocity, config.frames, room),
        "end_y": end[..., 0],
        "end_x": end[..., 1],
    }
    return pd.DataFrame({name: by_name[name[:-2]][:, int(name[-1]) - 1] for name in _columns(config)})


def _read_draws(config: Config, factors: pd.DataFrame) -> Draws:
    """The primary factors out of a table."""
    needed = [name for name in _columns(config) if FACTOR_ROLES[name].role != "derived" and name[:-2] != "class"]
    missing = [name for name in needed if name not in factors.columns]
    if missing:
        raise DataError(
            f"factors: no column {missing[0]!r}; a clip of {config.digits} digit(s) needs {', '.join(needed)}"
        )

    def stack(*names: str) -> NDArray[np.float64]:
        columns = [[factors[f"{name}_{o}"] for name in names] for o in range(1, config.digits + 1)]
        return np.asarray(columns, dtype=np.float64).transpose(2, 0, 1)  # [O, names, N] → [N, O, names]

    instances = cast(NDArray[np.int64], stack("instance")[..., 0].astype(np.int64))
    sizes = stack("size")[..., 0] if config.varies_size else np.full(instances.shape, config.size[0])
    return Draws(instances, stack("start_y", "start_x"), stack("velocity_y", "velocity_x"), sizes)
