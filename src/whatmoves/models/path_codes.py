"""The path of an object through a clip, as a code and back.

Poses `[…, T, P]` ⇄ features or code `[…, D]`, with a linear way through: most of a path is linear in start and
velocity, and only walls bend it. On bouncing paths that halves the error of plain layers in the same number of steps.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATH_GAIN = 3.0  # objects keep away from the frame's rim; this brings their places near unit variance


class BentLinear(nn.Module):
    """`[…, inputs]` → `[…, hidden]`: a linear map, plus another of its positive part."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.straight, self.bent = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)

    def forward(self, values: Tensor) -> Tensor:
        straight: Tensor = self.straight(values)
        bent: Tensor = self.bent(straight.relu())
        return straight + bent


class PathEncoder(nn.Module):
    """The first frames of a path, `[…, at most T, P]`, → features `[…, hidden]`, in float32 also under autocast.

    Frames not yet seen are zeros, and a flag at every frame says which are. One bent layer codes a whole path as well
    as two do, but only two learn what comes after its first frames.
    """

    def __init__(self, frames: int, pose: int, hidden: int) -> None:
        super().__init__()
        self.frames = frames
        self.layers = nn.Sequential(BentLinear(frames * (pose + 1), hidden), BentLinear(hidden, hidden))

    def forward(self, path: Tensor) -> Tensor:
        flagged = F.pad(PATH_GAIN * path, (0, 1), value=1.0)
        whole = F.pad(flagged, (0, 0, 0, self.frames - path.shape[-2]))
        return _exactly(self.layers, whole.flatten(-2))

    def beginnings(self, path: Tensor, fewest: int) -> Tensor:
        """A whole path `[…, T, P]` → features of its first `fewest`, …, T − 1 frames, `[…, T − fewest, hidden]`."""
        flagged = F.pad(PATH_GAIN * path, (0, 1), value=1.0)
        seen = torch.ones(self.frames, self.frames, device=path.device).tril()[fewest - 1 : -1]
        return _exactly(self.layers, (flagged[..., None, :, :] * seen[..., None]).flatten(-2))


class PathDecoder(nn.Module):
    """Code `[…, inputs]` → poses of all frames `[…, T, P]`, in float32 also under autocast."""

    def __init__(self, inputs: int, hidden: int, frames: int, pose: int) -> None:
        super().__init__()
        self.size = (frames, pose)
        self.layers = nn.Sequential(
            BentLinear(inputs, hidden), BentLinear(hidden, hidden), nn.Linear(hidden, frames * pose)
        )

    def forward(self, code: Tensor) -> Tensor:
        return _exactly(self.layers, code).view(*code.shape[:-1], *self.size)


def _exactly(layers: nn.Module, values: Tensor) -> Tensor:
    """In float32 also under autocast: 16 bits know a place to an eighth of a pixel."""
    with torch.autocast(values.device.type, enabled=False):
        found: Tensor = layers(values.float())
    return found
