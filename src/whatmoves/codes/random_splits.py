"""Random halves of a code as content and motion: the floor under every split, learned or named."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from whatmoves.codes.blocks import gap
from whatmoves.codes.probes import usable_information
from whatmoves.codes.rows import Blocks, Roles, Rows


class RandomSplits(NamedTuple):
    """Means over random splits, linear probes only, and the spread of the gap between splits."""

    block_gap: float
    block_gap_deviation: float
    content_in_motion: float
    motion_in_content: float
    splits: int


def random_blocks(width: int, count: int, rng: np.random.Generator) -> list[Blocks]:
    """`count` random halvings of the code dimensions."""
    orders = [rng.permutation(width) for _ in range(count)]
    return [Blocks(np.sort(order[: width // 2]), np.sort(order[width // 2 :])) for order in orders]


def random_splits(
    train: Rows,
    validation: Rows,
    test: Rows,
    kinds: Sequence[str],
    roles: Roles,
    rng: np.random.Generator,
    count: int = 20,
) -> RandomSplits:
    """The floor of every split: mean scores of `count` random halvings. Linear probes only, to keep it cheap."""
    gaps, leaks = [], []
    for blocks in random_blocks(train.codes.shape[1], count, rng):
        halves = [(train.block(dims), validation.block(dims), test.block(dims)) for dims in blocks]
        linear = np.stack([usable_information(*half, kinds, rng, ("linear",)).best for half in halves])  # [2, K]
        gaps.append(gap(linear, roles).score)
        leaks.append((linear[1, list(roles.content)].mean(), linear[0, list(roles.motion)].mean()))
    content_in_motion, motion_in_content = np.mean(leaks, axis=0)
    return RandomSplits(
        float(np.mean(gaps)), float(np.std(gaps)), float(content_in_motion), float(motion_in_content), count
    )
