"""A model with no ability at all."""

from torch import nn

from whatmoves.data.clips import ClipShape
from whatmoves.settings import Settings


class Config(Settings):
    pass


class Model(nn.Module):
    def __init__(self, config: Config, shape: ClipShape) -> None:
        super().__init__()
