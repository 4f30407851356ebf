"""A data set of one's own that is drawn: from how factors are drawn and clips are rendered, all that a kind must have.

    make, open_source, swap_factors, test_factors = drawn(FACTOR_ROLES, draw_factors, render_factors, numbers=5)

`draw_factors(config, uniform)` turns uniform numbers `[N, numbers]` in [0, 1) into a table with the columns of
`FACTOR_ROLES`, a row a clip; `render_factors(config, factors)` draws uint8 video `[N, T, C, H, W]` of it. Both
must be functions of what they are given and nothing else: then any clip can be drawn again, and so can a swap.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field

from whatmoves.data.clips import Batch, ClipShape, Split
from whatmoves.data.factor_tables import FIX, FactorRole, read_factors
from whatmoves.data.streams import uniforms
from whatmoves.errors import DataError
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.settings import Settings

Roles = Mapping[str, FactorRole]
Draw = Callable[[Any, NDArray[np.float64]], pd.DataFrame]
Render = Callable[[Any, pd.DataFrame], NDArray[np.uint8]]


class DrawnConfig(Settings):
    """What every drawn data set has; a kind's own `Config` adds to it."""

    image_px: int = Field(32, ge=12, le=256, description="Side of the frame, pixels.")
    frames: int = Field(12, ge=2, le=1000, description="Frames in a clip.")
    validation_clips: int = Field(500, ge=1, le=100_000, description="Stored validation clips.")
    test_clips: int = Field(1000, ge=1, le=100_000, description="Stored test clips.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the whole data set, apart from training seeds.")


class Kind(NamedTuple):
    """What `whatmoves.plugins.data_module` asks of a module, in the order in which it is unpacked."""

    make: Callable[[Any, Path], None]
    open_source: Callable[[Any, Path], "Drawn"]
    swap_factors: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
    test_factors: Callable[[Any], pd.DataFrame]


def drawn(roles: Roles, draw: Draw, render: Render, numbers: int) -> Kind:
    """A kind of data set; a clip takes so many uniform `numbers`."""

    def factors(config: Any, stream: str, stream_seed: int, first: int, count: int) -> pd.DataFrame:
        blocks = -(-numbers // 4) * 4  # a clip begins at a whole block
        table = draw(config, uniforms(config.seed, stream, stream_seed, first, count, blocks)[:, :numbers])
        if list(table.columns) != list(roles) or len(table) != count:
            raise DataError(
                f"draw_factors gives columns {', '.join(map(str, table.columns))} and {len(table)} rows; must give "
                f"those of FACTOR_ROLES in its order ({', '.join(roles)}), a row for each of {count} clips"
            )
        return table

    def make(config: Any, folder: Path) -> None:
        """Write `validation` and `test` into `folder`: the clips as `.npz`, their factors as `.csv`."""
        for name, clips in (("validation", config.validation_clips), ("test", config.test_clips)):
            table = factors(config, name, 0, 0, clips)
            write_arrays(folder / f"{name}.npz", {"video": _checked(config, render(config, table), clips)})
            with atomic(folder / f"{name}.csv") as temporary:
                table.to_csv(temporary, index=False, lineterminator="\n")

    def open_source(config: Any, folder: Path) -> "Drawn":
        """Open the data set whose stored splits lie in `folder`; draws one clip, reads nothing yet."""
        channels = render(config, factors(config, "probe", 0, 0, 1)).shape[2]
        shape = ClipShape(config.frames, channels, config.image_px, config.image_px)
        return Drawn(config, folder, shape, roles, factors, render)

    def swap_factors(content: pd.DataFrame, motion: pd.DataFrame) -> pd.DataFrame:
        """Row by row the content columns of the one with all others of the other."""
        names = [name for name, role in roles.items() if role.role == "content"]
        return motion.assign(**{name: content[name].to_numpy() for name in names})

    def test_factors(config: Any) -> pd.DataFrame:
        """The factors of the stored test clips, drawn anew, without a frame."""
        return factors(config, "test", 0, 0, config.test_clips)

    return Kind(make, open_source, swap_factors, test_factors)


class Drawn:
    """The opened data set, a `whatmoves.data.clips.Source`."""

    has_centres = False

    def __init__(
        self,
        config: Any,
        folder: Path,
        shape: ClipShape,
        roles: Roles,
        factors: Callable[[Any, str, int, int, int], pd.DataFrame],
        render: Render,
    ) -> None:
        self.config, self.folder, self.shape = config, folder, shape
        self._roles, self._factors, self._render = roles, factors, render

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`."""
        return self._split("train", seed, first, count).batch(slice(None), device)

    def train_split(self, count: int) -> Split:
        """`count` clips with their factors, from a stream no training run reads."""
        return self._split("probe", 0, 0, count)

    def split(self, name: str) -> Split:
        """The stored split `validation` or `test`; raises `DataError` when it is missing, damaged or of other clips."""
        path = self.folder / f"{name}.npz"
        video = read_arrays(path).get("video")
        table = read_factors(self.folder / f"{name}.csv", [*self._roles], self._roles)
        if video is None or video.dtype != np.uint8 or video.shape != (len(table), *self.shape[:4]):
            said = "no uint8 array 'video'" if video is None else f"video is {video.dtype} {list(video.shape)}"
            raise DataError(f"{path}: {said}, its factors are of {[len(table), *self.shape[:4]]}; {FIX}")
        return Split(video, table)

    def _split(self, stream: str, stream_seed: int, first: int, count: int) -> Split:
        table = self._factors(self.config, stream, stream_seed, first, count)
        return Split(_checked(self.config, self._render(self.config, table), count), table)


def _checked(config: Any, video: NDArray[np.uint8], clips: int) -> NDArray[np.uint8]:
    """The rendered video, if it is one."""
    N, T, H, W = clips, config.frames, config.image_px, config.image_px
    if video.dtype != np.uint8 or video.ndim != 5 or (*video.shape[:2], *video.shape[3:]) != (N, T, H, W):
        raise DataError(
            f"render_factors gives {video.dtype} {list(video.shape)}; must give uint8 [{N}, {T}, channels, {H}, {W}]"
        )
    return video
