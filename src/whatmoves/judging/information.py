"""What codes know: every measure of codes and factors, by the names under which they enter the value index.

Blocks are the model's own, or a learned split of its whole code (`whatmoves.codes.splits`). Everything that is
fitted is fitted on training clips, chosen on validation clips and scored on test clips.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.blocks import BlockScores, block_scores, gap
from whatmoves.codes.dci import dci
from whatmoves.codes.dependence import dependence
from whatmoves.codes.explicitness import explicitness
from whatmoves.codes.modularity import modularity
from whatmoves.codes.probes import usable_information
from whatmoves.codes.random_splits import random_splits
from whatmoves.codes.rows import Blocks, Rows
from whatmoves.codes.sap import sap
from whatmoves.codes.splits import learned_split, reduced
from whatmoves.evaluation.factors import Targets, short
from whatmoves.evaluation.stored import PARTS
from whatmoves.evaluation.swaps import BLOCKS
from whatmoves.study import Evaluation

PROBE_SEED = 0  # of probes, trees and permutations: the same for every model, so that only the codes differ

Codes = Mapping[str, Mapping[str, NDArray[np.float32]]]  # part → block → [N, D]


class Coded(NamedTuple):
    """The whole code of the three parts with its factors, and which of its dimensions are which block."""

    train: Rows
    validation: Rows
    test: Rows
    blocks: Blocks


def coded(codes: Codes, targets: Mapping[str, Targets]) -> Coded:
    """Codes with content and motion blocks as they are; others turned into the axes of a learned split.

    Blocks wider than 256 are reduced to so many principal components of the training codes.
    """
    whole = sorted(codes["train"])
    named = set(BLOCKS) <= set(whole)
    groups = [[name] for name in BLOCKS] if named else [whole]
    columns: list[list[NDArray[np.float64]]] = []  # group → part → [N, D]
    for group in groups:
        parts = [np.concatenate([codes[part][name] for name in group], axis=1).astype(np.float64) for part in PARTS]
        narrow = reduced(parts[0])
        columns.append(parts if narrow is None else [narrow.codes(part) for part in parts])
    train, validation, test = (
        Rows(np.concatenate([group[k] for group in columns], axis=1), targets[part].values)
        for k, part in enumerate(PARTS)
    )
    if named:
        border = columns[0][0].shape[1]
        blocks = Blocks(np.arange(border), np.arange(border, train.codes.shape[1]))
        return Coded(train, validation, test, blocks)
    project, blocks = learned_split(train, targets["train"].kinds, targets["train"].roles())
    return Coded(project(train), project(validation), project(test), blocks)


def information(codes: Codes, targets: Mapping[str, Targets], settings: Evaluation) -> dict[str, float]:
    """All measures of one trained model's codes."""
    whole, kinds, roles = coded(codes, targets), targets["train"].kinds, targets["train"].roles()
    found = block_measures(whole, targets["train"])
    original = whole
    if not set(BLOCKS) <= set(codes["train"]):  # single dimensions are judged as the model made them
        original = unsplit(codes, targets)
    rng = np.random.default_rng(PROBE_SEED)
    trees = dci(original.train, original.test, kinds, rng)
    gaps = sap(original.train, original.test, kinds)
    modular = modularity(
        original.test.codes, original.test.factors, kinds, rng, settings.code_bins, settings.factor_bins
    )
    found |= {
        "sap_r2": gaps.r2,
        "sap_nonlinear": gaps.nonlinear,
        "dci_disentanglement": trees.disentanglement,
        "dci_completeness": trees.completeness,
        "dci_informativeness": trees.informativeness,
        "dci_plain_disentanglement": trees.plain_disentanglement,
        "dci_plain_completeness": trees.plain_completeness,
        "dci_plain_informativeness": trees.plain_informativeness,
        "modularity": modular.score,
        "modularity_weighted": modular.weighted,
        "explicitness": explicitness(original.train, original.test, kinds, settings.factor_bins).score,
    }
    if gaps.svm is not None:
        found["sap_svm"] = gaps.svm
    floor = random_splits(original.train, original.validation, original.test, kinds, roles, rng)
    found |= {
        "random_split_gap": floor.block_gap,
        "random_split_leak_content": floor.content_in_motion,
        "random_split_leak_motion": floor.motion_in_content,
    }
    content, motion = (whole.test.codes[:, dims] for dims in whole.blocks)
    for name, measured in dependence(content, motion, rng, settings.permutations)._asdict().items():
        found[f"dependence_{name}"] = measured.value
        found[f"dependence_{name}_p"] = measured.p
    return found


def block_measures(whole: Coded, targets: Targets) -> dict[str, float]:
    """The role-aware measures of two blocks: usable information, gaps, leaks, and the noise of the probes."""
    rng = np.random.default_rng(PROBE_SEED)
    scores: BlockScores = block_scores(
        whole.train, whole.validation, whole.test, targets.kinds, whole.blocks, targets.roles(), rng
    )
    found = {
        "block_gap": scores.block_gap.score,
        "block_gap_content": scores.block_gap.content,
        "block_gap_motion": scores.block_gap.motion,
        "leak_content": scores.content_in_motion,
        "leak_motion": scores.motion_in_content,
        "block_sap": scores.block_sap.score,
        "block_mig": scores.block_mig.score,
        "block_dci_disentanglement": scores.block_dci.disentanglement,
        "block_dci_completeness": scores.block_dci.completeness,
        "block_dci_informativeness": scores.block_dci.informativeness,
        "own_linear": scores.own_linear,
        "own_best": scores.own_best,
        "permuted_control": float(scores.control.mean()),
    }
    for k, name in enumerate(targets.names):
        for block, usable in zip(BLOCKS, scores.usable, strict=True):
            found[f"usable_{block}_{short(name)}"] = float(usable[k])
    return found


def gap_and_leaks(whole: Coded, targets: Targets) -> dict[str, float]:
    """`block_gap` and both leaks alone, at half the cost of `block_measures`."""
    rng, roles = np.random.default_rng(PROBE_SEED), targets.roles()
    train, validation, test, blocks = whole

    def probe(dims: NDArray[np.int64]) -> NDArray[np.float64]:
        halves = train.block(dims), validation.block(dims), test.block(dims)
        return usable_information(*halves, targets.kinds, rng).best

    usable = np.stack([probe(dims) for dims in blocks])
    found = gap(usable, roles)
    return {
        "block_gap": found.score,
        "block_gap_content": found.content,
        "block_gap_motion": found.motion,
        "leak_content": float(usable[1, list(roles.content)].mean()),
        "leak_motion": float(usable[0, list(roles.motion)].mean()),
    }


def unsplit(codes: Codes, targets: Mapping[str, Targets]) -> Coded:
    """The whole code on its own axes; `blocks` are its two halves in order and mean nothing."""
    parts = [np.concatenate([codes[part][n] for n in sorted(codes[part])], axis=1).astype(np.float64) for part in PARTS]
    narrow = reduced(parts[0])
    if narrow is not None:
        parts = [narrow.codes(part) for part in parts]
    train, validation, test = (Rows(part, targets[name].values) for part, name in zip(parts, PARTS, strict=True))
    half = np.arange(parts[0].shape[1] // 2)
    return Coded(train, validation, test, Blocks(half, half + len(half)))
