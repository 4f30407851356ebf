"""Moving MNIST as published: the 10,000 clips of `mnist_test_seq.npy` (Srivastava et al. 2015), as everyone has them:
in that file, or prepared by tensorflow-datasets. Both give the same splits (`whatmoves.data.moving_mnist_file`).

Whole clips are for training, validation or test, by their place in the file:

    in_order   the last `test_clips` for test, the `validation_clips` before them for validation, the rest for training
    jepa       as the video JEPA's original code: clips permuted by NumPy's RandomState(2025), the first
               `validation_clips` for validation, the rest for training, each cut into two of 10 frames. It has no
               further test clips: its numbers are of those that its weights were chosen by, and so are these

The published frames are all there is: no factors, no positions, no labels. So codes cannot be asked what they know, and
swaps have no truth; detection targets come from the frames (`whatmoves.models.detection_targets`).

Training clips stand in `validation.npz` too, the one file that a training declares as its input, and are mapped from
there; the public file is not needed after `make`. Each epoch shows every training clip once, in an order that depends
on the training seed and the epoch alone.
"""

import functools
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator

from whatmoves.data.clips import Batch, ClipShape, Split
from whatmoves.data.factor_tables import FIX, FactorRole, read_factors
from whatmoves.data.large_arrays import Blocks, map_array, read_some_arrays, write_large_arrays
from whatmoves.data.moving_mnist_file import FRAMES, SIDE_PX, Prepared, PublicFile, find_files, open_clips
from whatmoves.data.streams import uniforms
from whatmoves.errors import DataError
from whatmoves.files import atomic
from whatmoves.settings import Settings

log = logging.getLogger(__name__)

FACTOR_ROLES: dict[str, FactorRole] = {
    "clip": FactorRole("derived", "discrete", "place of the clip in the public file"),
    "first_frame": FactorRole("derived", "discrete", "place of the first frame in that clip"),
}
CONVENTIONS = (
    "mse_frame",
    "mae_frame",
    "ssim_u7_dr2",
)  # further measures of predictions: the literature's on this file

HALF = FRAMES // 2
BLOCK_CLIPS = 250  # read at once: 20 MB
JEPA_SEED = 2025

Rows = NDArray[np.int64]


class Config(Settings):
    """Where the public file lies, and which of its clips are for what."""

    file: Path = Field(
        description="The public mnist_test_seq.npy, uint8 [20, clips, 64, 64]; or what tensorflow-datasets prepared."
    )
    split: Literal["in_order", "jepa"] = Field(
        "in_order", description="By place in the file; or the JEPA original's: permuted, 10 frames, test = validation."
    )
    validation_clips: int = Field(1000, ge=1, le=100_000, description="Clips of the file for validation.")
    test_clips: int = Field(1000, ge=1, le=100_000, description="Clips of the file for test.")

    @model_validator(mode="after")
    def _jepa_tests_on_validation_clips(self) -> "Config":
        if self.split == "jepa" and self.test_clips != self.validation_clips:
            raise ValueError(
                f"test_clips is {self.test_clips} and validation_clips {self.validation_clips}; "
                "must be equal with split: jepa, where they are the same clips"
            )
        return self


def require_files(config: Config) -> None:
    """Raise `DataError` where the file is not there, not of its form, or shorter than the splits need."""
    split_rows(config, open_clips(config.file.expanduser()).clips)


def outside_files(config: Config) -> list[Path]:
    """The public file, or the prepared set's; raises `DataError` where they are not there or not of their form."""
    open_clips(config.file.expanduser())
    return find_files(config.file.expanduser())


def split_rows(config: Config, clips: int) -> dict[str, Rows]:
    """The places in a file of `clips` that are for `train`, `validation` and `test`, each in ascending order.

    Raises `DataError` where none is left for training.
    """
    held = config.validation_clips + (config.test_clips if config.split == "in_order" else 0)
    if held >= clips:
        raise DataError(
            f"{config.file}: {clips} clips, of which validation and test take {held}; must leave one for training: set "
            "validation_clips and test_clips lower"
        )
    if config.split == "in_order":
        train, validation, test = np.split(np.arange(clips), [clips - held, clips - config.test_clips])
        return {"train": train, "validation": validation, "test": test}
    order = np.random.RandomState(JEPA_SEED).permutation(clips)
    validation, train = np.sort(order[: config.validation_clips]), np.sort(order[config.validation_clips :])
    return {"train": train, "validation": validation, "test": validation}


def make(config: Config, folder: Path) -> None:
    """Write both stored splits (`.npz`, `.csv`) into `folder`, the training clips inside `validation.npz`.

    Memory is that of one stored split and a block of training clips. Raises `DataError` as `outside_files` and
    `split_rows` do, and for a file whose values are not from 0 to 255.
    """
    file = open_clips(config.file.expanduser())
    rows = split_rows(config, file.clips)
    for old in (
        old for split in ("validation", "test") for name in (f"{split}.*", f".{split}-*") for old in folder.glob(name)
    ):
        old.unlink()  # so that no split of this file ever stands beside one of another, nor what a killed attempt left
    training: dict[str, NDArray[Any] | Blocks] = {
        "train_video": Blocks(
            (len(_places(config, rows["train"])), *_shape(config)[:4]), np.uint8, _blocks(config, file, rows["train"])
        ),
        "train_places": _places(config, rows["train"]),
    }
    for name in ("test", "validation"):
        video = np.concatenate(list(_blocks(config, file, rows[name])))
        if video.max() <= 1:
            raise DataError(
                f"{config.file}: values run from 0 to {video.max()}, expected 255; multiply them by 255 and save"
            )
        arrays = {"video": video, "settings": np.frombuffer(_settings_digest(config), np.uint8)}
        write_large_arrays(folder / f"{name}.npz", arrays | (training if name == "validation" else {}))
        with atomic(folder / f"{name}.csv") as temporary:
            _factors(_places(config, rows[name])).to_csv(temporary, index=False, lineterminator="\n")
    if config.split == "jepa":
        log.warning("split: jepa has no test clips of its own: test and validation are the same clips")
    log.info(
        "%s: %s clips of the file",
        config.file,
        ", ".join(f"{name} {len(places)}" for name, places in rows.items()),
    )


def open_source(config: Config, folder: Path) -> "MovingMnist":
    """Open the data set whose stored splits lie in `folder`; reads nothing yet."""
    return MovingMnist(config, folder)


class MovingMnist:
    """The opened data set, a `whatmoves.data.clips.Source`."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.shape = _shape(config)
        self.has_centres = False
        self._training: tuple[NDArray[np.uint8], Rows] | None = None

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`, read from the mapped file."""
        return self._drawn("train", seed, first, count).batch(slice(None), device)

    def train_split(self, count: int) -> Split:
        """`count` training clips, from a stream no training run reads; more than there are begin again."""
        return self._drawn("probe", 0, 0, count)

    def split(self, name: str) -> Split:
        """The stored split `validation` or `test`.

        Raises `DataError` when its files are missing or damaged, belong to other settings, or not to each other.
        """
        path, factors_path = self.folder / f"{name}.npz", self.folder / f"{name}.csv"
        arrays = read_some_arrays(path, ("video", "settings"))
        self._check_settings(path, arrays.get("settings"))
        video = arrays.get("video")
        clips = (self.config.validation_clips if name == "validation" else self.config.test_clips) * _cuts(self.config)
        self._check(path, "video", video, (clips, *self.shape[:4]))
        assert video is not None
        factors = read_factors(factors_path, [*FACTOR_ROLES], FACTOR_ROLES)
        if len(factors) != clips:
            raise DataError(f"{factors_path}: {len(factors)} rows for the {clips} clips of {name}.npz; {FIX}")
        return Split(video, factors)

    def _drawn(self, stream: str, stream_seed: int, first: int, count: int) -> Split:
        video, places = self._train()
        epochs, steps = np.divmod(np.arange(first, first + count), len(video))
        rows = np.empty(count, np.int64)
        for epoch in np.unique(epochs):
            rows[epochs == epoch] = _order(len(video), stream, stream_seed, int(epoch))[steps[epochs == epoch]]
        return Split(video[rows], _factors(places[rows]))

    def _train(self) -> tuple[NDArray[np.uint8], Rows]:
        """The mapped training clips and their places `[N, 2]`, checked once."""
        if self._training is None:
            path = self.folder / "validation.npz"
            arrays = read_some_arrays(path, ("settings", "train_places"))
            self._check_settings(path, arrays.get("settings"))
            video, places = map_array(path, "train_video"), arrays.get("train_places")
            self._check(path, "train_video", video, (len(video), *self.shape[:4]))
            if places is None or places.shape != (len(video), 2):
                raise DataError(f"{path}: train_places are not of its {len(video)} training clips; {FIX}")
            self._training = np.asarray(video), places
        return self._training

    def _check(self, path: Path, key: str, found: NDArray[Any] | None, shape: tuple[int, ...]) -> None:
        if found is None or found.dtype != np.uint8:
            raise DataError(f"{path}: no uint8 array {key!r} in it; {FIX}")
        if found.shape != shape:
            raise DataError(f"{path}: {key} is {found.shape}, these settings make {shape}; {FIX}")

    def _check_settings(self, path: Path, digest: NDArray[Any] | None) -> None:
        if digest is None or digest.tobytes() != _settings_digest(self.config):
            raise DataError(f"{path}: made with other settings; {FIX}")


@functools.lru_cache(maxsize=4)
def _order(clips: int, stream: str, stream_seed: int, epoch: int) -> Rows:
    """The order in which an epoch shows the training clips: that of a random number each."""
    drawn = uniforms(0, stream, stream_seed, epoch * clips, clips, 4)[:, 0]
    return np.argsort(drawn, kind="stable")


def _cuts(config: Config) -> int:
    """Clips that one of the file becomes."""
    return 2 if config.split == "jepa" else 1


def _shape(config: Config) -> ClipShape:
    return ClipShape(FRAMES // _cuts(config), 1, SIDE_PX, SIDE_PX)


def _blocks(config: Config, file: PublicFile | Prepared, rows: Rows) -> Iterator[NDArray[np.uint8]]:
    """The clips `rows` as `[n, T, 1, H, W]`, some at a time."""
    for first in range(0, len(rows), BLOCK_CLIPS):
        yield file.read(rows[first : first + BLOCK_CLIPS]).reshape(-1, *_shape(config)[:4])


def _places(config: Config, rows: Rows) -> Rows:
    """Place in the file and first frame `[N, 2]` of the clips that `rows` become."""
    firsts = np.arange(_cuts(config)) * HALF
    return np.stack([np.repeat(rows, len(firsts)), np.tile(firsts, len(rows))], axis=1)


def _factors(places: Rows) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(FACTOR_ROLES, places.T, strict=True)))


def _settings_digest(config: Config) -> bytes:
    """What decides about the splits beside the file, which may lie elsewhere."""
    return hashlib.sha256(config.model_dump_json(exclude={"file"}).encode()).digest()
