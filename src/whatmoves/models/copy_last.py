"""Floor: the last seen frame, repeated. A prediction that does not beat it knows nothing of motion.

past [B,T,C,H,W] → its frame T, at every time. No trained parameters.
"""

from collections.abc import Iterable

from torch import Generator, Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.settings import Settings

SOURCE = "floor: the last frame, held"
FULL_SHAPE = ClipShape(frames=20, channels=1, height=64, width=64)


class Config(Settings):
    """Copying has nothing to set."""


class Model(nn.Module):
    """The repeated last frame. Abilities: reconstruct, predict."""

    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
        self.config, self.shape = config, shape

    def fit(self, batches: Iterable[Batch]) -> None:
        """Nothing to learn: no batch is read."""

    def reconstruct(self, video: Tensor) -> Tensor:
        """The clip's own last frame at every time, in the shape of `video` `[B, T, C, H, W]`.

        It is the frozen clip with a sharp object in a true place: what perfect content without motion scores.
        """
        return self.predict(video, video.shape[1])

    def predict(
        self, past: Tensor, horizon: int, actions: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """The last frame of `past` `[B, T, C, H, W]`, `horizon` times: `[B, horizon, C, H, W]`."""
        return past[:, -1:].repeat(1, horizon, 1, 1, 1)
