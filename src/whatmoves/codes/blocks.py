"""Does each block know its own factors and only those? Scores of whole blocks, aware of their roles, signed.

These scores are this project's own. Per-dimension scores cannot answer the question: they punish a block for spreading
a factor over its dimensions, and are the same when the two blocks change roles.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.dci import completeness_from_importance, disentanglement_from_importance
from whatmoves.codes.probes import Usable, permuted, usable_information
from whatmoves.codes.rows import Blocks, Roles, Rows

PROBE_NOISE = 0.01  # usable information that probes find in noise now and then; an entropy of such crumbs means nothing


class Gap(NamedTuple):
    """Of some score U of a block about a factor: `content` is the mean over content factors of U[content block] -
    U[motion block], `motion` the other way round, `score` their mean. -1…1, higher is better, chance 0; with roles
    swapped the sign turns."""

    score: float
    content: float
    motion: float


class BlockDci(NamedTuple):
    """Entropies (base 2) of the 2 × 2 matrix of usable information by block and group of factors, cells under 0.01
    taken as 0. 0…1, chance 0.

    Unsigned, as DCI is. `informativeness` is the usable information of both blocks together.
    """

    disentanglement: float
    completeness: float
    informativeness: float


class BlockScores(NamedTuple):
    """`block_gap` is the headline: usable information, best probe. `content_in_motion` and `motion_in_content` are the
    leaks (0 is none), printed beside it always.

    `block_sap`: linear probes, chance-corrected accuracy (R² for numbers). `block_mig`: lower bound on the
    information / entropy of the factor. `own_linear` and `own_best`: what a linear and the best probe read of a block's
    own factors; equal when the code is explicit. `usable` `[2, K]` (content block, motion block), `linear` likewise.
    `both` is the usable information `[K]` of the two blocks together, `control` `[K]` the same with factors of other
    clips: the noise of the measure.
    """

    block_gap: Gap
    block_sap: Gap
    block_mig: Gap
    content_in_motion: float
    motion_in_content: float
    block_dci: BlockDci
    own_linear: float
    own_best: float
    usable: NDArray[np.float64]
    linear: NDArray[np.float64]
    families: tuple[tuple[str, ...], tuple[str, ...]]
    both: NDArray[np.float64]
    control: NDArray[np.float64]


def block_scores(
    train: Rows,
    validation: Rows,
    test: Rows,
    kinds: Sequence[str],
    blocks: Blocks,
    roles: Roles,
    rng: np.random.Generator,
) -> BlockScores:
    """Probe each block, and both together, for every factor: fitted on `train`, chosen on `validation`, scored on
    `test`.
    """

    def probe(dims: NDArray[np.int64]) -> Usable:
        return usable_information(train.block(dims), validation.block(dims), test.block(dims), kinds, rng)

    content, motion = probe(blocks.content), probe(blocks.motion)
    whole = np.concatenate([blocks.content, blocks.motion])
    both = probe(whole).best
    shuffled = [permuted(part.block(whole), rng) for part in (train, validation, test)]
    control = usable_information(shuffled[0], shuffled[1], shuffled[2], kinds, rng).best
    usable = np.stack([content.best, motion.best])
    linear = np.stack([content.linear, motion.linear])
    groups = [list(roles.content), list(roles.motion)]
    matrix = np.array([[row[group].mean() for group in groups] for row in usable])  # [block, group]
    known = np.where(matrix < PROBE_NOISE, 0.0, matrix)
    own = [(0, k) for k in roles.content] + [(1, k) for k in roles.motion]
    return BlockScores(
        block_gap=gap(usable, roles),
        block_sap=gap(np.stack([content.linear_accuracy, motion.linear_accuracy]), roles),
        block_mig=gap(np.stack([u.nats / u.entropy_nats for u in (content, motion)]), roles),
        content_in_motion=float(matrix[1, 0]),
        motion_in_content=float(matrix[0, 1]),
        block_dci=BlockDci(
            disentanglement_from_importance(known),
            completeness_from_importance(known),
            float(both[groups[0] + groups[1]].mean()),
        ),
        own_linear=float(np.mean([linear[cell] for cell in own])),
        own_best=float(np.mean([usable[cell] for cell in own])),
        usable=usable,
        linear=linear,
        families=(content.family, motion.family),
        both=both,
        control=control,
    )


def gap(scores: NDArray[np.float64], roles: Roles) -> Gap:
    """The signed gap of a table `[2, K]` (content block, motion block)."""
    difference = scores[0] - scores[1]
    content = float(difference[list(roles.content)].mean())
    motion = float(-difference[list(roles.motion)].mean())
    return Gap((content + motion) / 2, content, motion)
