"""Codes of whole splits, batch by batch."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from whatmoves.data.clips import Split
from whatmoves.models.interface import Encodes

Codes = dict[str, NDArray[np.float32]]


def encoded(model: Encodes, split: Split, batch_size: int, device: torch.device) -> Codes:
    """Blocks `[N, D]` float32 of all clips of a split."""
    count, codes = len(split.video), dict[str, NDArray[np.float32]]()
    for rows in batches(count, batch_size):
        for block, values in model.encode(split.batch(rows, device).video).items():
            if block not in codes:
                codes[block] = np.empty((count, values.shape[1]), np.float32)
            codes[block][rows] = values.float().cpu().numpy()
    return codes


def batches(count: int, size: int) -> Iterator[slice]:
    """`count` rows in slices of `size`, the last one shorter."""
    return (slice(first, min(first + size, count)) for first in range(0, count, size))
