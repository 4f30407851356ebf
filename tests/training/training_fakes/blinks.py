"""Random clips, each a pure function of its index; `before_batch` lets a test strike at a chosen clip."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from whatmoves.data.clips import Batch, ClipShape, Split
from whatmoves.settings import Settings

before_batch: Callable[[int], None] = lambda first: None  # noqa: E731


class Config(Settings):
    pass


def make(config: Config, folder: Path) -> None:
    folder.mkdir(parents=True)


def open_source(config: Config, folder: Path) -> "Blinks":
    return Blinks()


class Blinks:
    shape = ClipShape(frames=3, channels=2, height=5, width=4)

    def train_batch(self, seed: int, first: int, count: int, device: torch.device) -> Batch:
        before_batch(first)
        clips = [np.random.default_rng([seed, first + i]).random(self.shape[:4], np.float32) for i in range(count)]
        return Batch(torch.from_numpy(np.stack(clips)).to(device))

    def train_split(self, count: int) -> Split:
        return self.split("train")

    def split(self, name: str) -> Split:
        video = np.random.default_rng(7).integers(0, 256, (11, *self.shape[:4]), dtype=np.uint8)
        return Split(video, pd.DataFrame(index=range(11)))
