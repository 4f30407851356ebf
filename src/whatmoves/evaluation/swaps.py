"""Swaps: the content of one test clip with the motion of another, from a fixed list of pairs, and the true pictures."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.data.clips import Split
from whatmoves.errors import DataError
from whatmoves.evaluation.factors import classes
from whatmoves.models.interface import abilities

BLOCKS = ("content", "motion")


class Swaps(NamedTuple):
    """The task every model gets: test rows `[P, 2]` (content, motion), and the rendered answers `[P, T, C, H, W]`."""

    pairs: NDArray[np.int64]
    truth: NDArray[np.uint8]


def swap_pairs(factors: pd.DataFrame, count: int, seed: int = 0) -> NDArray[np.int64]:
    """`count` different pairs of rows `[P, 2]` whose clips show different classes: (content source, motion source).

    The same table, count and seed always give the same list, and a longer list begins with the shorter one. Without
    class columns any two different rows may pair. Raises `DataError` when there are not so many pairs.
    """
    shown = classes(factors)
    rng = np.random.default_rng(seed)
    found: dict[tuple[int, int], None] = {}
    for _ in range(100 * count):
        content, motion = (int(row) for row in rng.integers(len(factors), size=2))
        same = content == motion if shown is None else bool((shown[content] == shown[motion]).all())
        if not same:
            found[content, motion] = None
        if len(found) == count:
            return np.array(list(found), np.int64)
    raise DataError(
        f"evaluation.swap_pairs is {count}, but the {len(factors)} test clips give only {len(found)} pairs of "
        f"different classes; use fewer pairs or more test clips"
    )


def true_swaps(module: ModuleType, config: Any, test: Split, count: int) -> Swaps | None:
    """The pairs and the rendered true swaps, or None where the data kind cannot render its factors."""
    if not (hasattr(module, "swap_factors") and hasattr(module, "render_factors")):
        return None
    pairs = swap_pairs(test.factors, count)
    content, motion = (test.factors.iloc[pairs[:, side]].reset_index(drop=True) for side in (0, 1))
    return Swaps(pairs, module.render_factors(config, module.swap_factors(content, motion)))


def swap_obstacle(model: nn.Module, blocks: Mapping[str, Any] | None) -> str | None:
    """Why a model cannot swap, in words, or None where it can; `blocks` is what its `encode` returned."""
    able = abilities(model)
    if "encode" not in able or blocks is None:
        return "it has no code"
    if not set(BLOCKS) <= set(blocks):
        return "its code has no content and motion blocks"
    return None if "decode" in able else "it cannot draw a clip from a code"


def swap(
    model: nn.Module, codes: Mapping[str, NDArray[np.float32]], pairs: NDArray[np.int64], device: torch.device
) -> Tensor:
    """The model's clips `[P, T, C, H, W]` for `pairs` `[P, 2]` of rows of its `codes` (blocks `[N, D]`)."""
    mixed = {block: torch.from_numpy(codes[block][pairs[:, side]]).to(device) for side, block in enumerate(BLOCKS)}
    video: Tensor = model.decode(mixed)  # type: ignore[operator]
    return video
