"""What a clip is: the shapes and containers that data, models, training and evaluation share.

Letters everywhere: B clips, T frames, C channels, H W pixels, A action, S state, D code width, N samples, K factors.
Video is `[B, T, C, H, W]`, float32 in [0, 1] in computation and uint8 on disk.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor


class ClipShape(NamedTuple):
    """Sizes of one clip of a data set; `actions` and `states` are 0 where a data set has none."""

    frames: int
    channels: int
    height: int
    width: int
    actions: int = 0
    states: int = 0


class Batch(NamedTuple):
    """B clips. `actions` `[B, T, A]` (that of frame t leads to frame t + 1), `states` `[B, T, S]` and the objects'
    `centres_px` `[B, T, O, 2]` ((y, x) from the frame's top left edge) are None where the data set has none."""

    video: Tensor
    actions: Tensor | None = None
    states: Tensor | None = None
    centres_px: Tensor | None = None


class Split(NamedTuple):
    """A stored split: uint8 video `[N, T, C, H, W]`, its factor table (one row a clip), conditions and
    the objects' true centres `[N, T, O, 2]` if any."""

    video: NDArray[np.uint8]
    factors: pd.DataFrame
    actions: NDArray[np.float32] | None = None
    states: NDArray[np.float32] | None = None
    centres_px: NDArray[np.float32] | None = None

    def batch(self, rows: slice | Sequence[int], device: torch.device) -> Batch:
        """The clips `rows` as a float batch on `device`."""

        def tensor(values: NDArray[np.float32] | None) -> Tensor | None:
            return None if values is None else sent(values[rows], device)

        video = sent(self.video[rows], device).float().div_(255)
        return Batch(video, tensor(self.actions), tensor(self.states), tensor(self.centres_px))


def sent(values: NDArray[Any] | Tensor, device: torch.device) -> Tensor:
    """An array of the host as a tensor on `device`, for a batch of a training.

    To a GPU it goes by pinned memory: a copy from ordinary memory has the host wait until the GPU has done all that it
    was told before, at every step.
    """
    tensor = torch.as_tensor(values)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def to_bytes(video: Tensor) -> NDArray[np.uint8]:
    """Video in [0, 1] as uint8 on the CPU, rounded; what lies outside is clipped."""
    array: NDArray[np.uint8] = video.float().clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()
    return array


def past_of(past_frames: int | None, frames: int) -> int:
    """The frames of a clip of `frames` that predictions start from; half of them where a study does not say."""
    return past_frames or frames // 2


class Source(Protocol):
    """A data set, opened. `whatmoves.data.<kind>.open_source(config, folder)` returns one.

    One whose batches never have `centres_px` may say so with `has_centres = False`: what needs them is then refused
    before any job.
    """

    shape: ClipShape

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        """Clips `first … first+count-1` of the training stream `seed`: a pure function, so resume needs no state."""
        ...

    def train_split(self, count: int) -> Split:
        """`count` training clips with their factors (to fit probes on), from a stream no training run uses."""
        ...

    def split(self, name: str) -> Split:
        """The stored split `validation` or `test`; raises `DataError` when its file is missing or damaged."""
        ...
