"""Codes of whole splits, batch by batch."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data.clips import Split
from whatmoves.models.interface import Encodes

Codes = dict[str, NDArray[np.float32]]


def encoded(model: Encodes, split: Split, batch_size: int, device: torch.device) -> Codes:
    """Blocks `[N, D]` float32 of all clips of a split."""
    parts: list[dict[str, Tensor]] = []
    for rows in batches(len(split.video), batch_size):
        parts.append(model.encode(split.batch(rows, device).video))
    return {block: torch.cat([part[block] for part in parts]).float().cpu().numpy() for block in parts[0]}


def batches(count: int, size: int) -> Iterator[slice]:
    """`count` rows in slices of `size`, the last one shorter."""
    return (slice(first, min(first + size, count)) for first in range(0, count, size))
