"""Swaps: the content of one test clip with the motion of another, from a fixed list of pairs, and the true pictures."""

import itertools
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.codes.rows import Rows
from whatmoves.codes.splits import learned_split, reduced
from whatmoves.data.clips import Split
from whatmoves.errors import DataError
from whatmoves.evaluation.factors import Targets, classes
from whatmoves.models.interface import Decodes, Encodes

Codes = Mapping[str, NDArray[np.float32]]  # blocks by name, [N, D] each

BLOCKS = ("content", "motion")


class Swaps(NamedTuple):
    """The task every model gets: test rows `[P, 2]` (content, motion), and the rendered answers `[P, T, C, H, W]`.

    `others` `[orders, P, T, C, H, W]` are the answers with the digits of A in every other order on the paths of B:
    several digits are exchangeable, so each of them is right. Empty with one digit.
    """

    pairs: NDArray[np.int64]
    truth: NDArray[np.uint8]
    others: NDArray[np.uint8]

    def nearest(self, rows: slice, answer: Tensor) -> Tensor:
        """The right answer nearest to `answer` `[B, T, C, H, W]` by squared error, for the pairs `rows`, in [0, 1]."""

        def tensor(video: NDArray[np.uint8]) -> Tensor:
            return torch.from_numpy(video[rows]).to(answer.device).float().div_(255)

        best = tensor(self.truth)
        error = (best - answer).square().mean((1, 2, 3, 4))
        for other in self.others:
            candidate = tensor(other)
            now = (candidate - answer).square().mean((1, 2, 3, 4))
            best = torch.where((now < error)[:, None, None, None, None], candidate, best)
            error = torch.minimum(error, now)
        return best


class Mixer(NamedTuple):
    """How the codes of a model are taken apart and put together.

    `split` is "blocks" where the model names its content and motion, "learned" where a split was fitted on training
    codes: then `projector` `[D, D]` keeps the content part of a difference of whole codes (blocks by name, joined).
    """

    split: str
    projector: NDArray[np.float64] | None

    def mix(self, content: Codes, motion: Codes) -> Codes:
        """Codes `[N, D]` with the content of one and the motion of the other."""
        if self.projector is None:
            return {block: (content if block == "content" else motion)[block] for block in sorted(motion)}
        names = sorted(motion)
        whole_content, whole_motion = (np.concatenate([c[name] for name in names], axis=1) for c in (content, motion))
        mixed = whole_motion + (whole_content - whole_motion) @ self.projector
        borders = np.cumsum([motion[name].shape[1] for name in names])[:-1]
        parts = np.split(mixed.astype(np.float32), borders, axis=1)
        return dict(zip(names, parts, strict=True))


def fitted_mixer(train: Codes, targets: Targets | None) -> Mixer | None:
    """How to mix the codes whose training part is `train`; None where a split would have to be learned without factors.

    The learned split halves the code: the subspace that best tells content, and the rest. See
    `whatmoves.codes.splits`.
    """
    if set(BLOCKS) <= set(train):
        return Mixer("blocks", None)
    if targets is None:
        return None
    whole = np.concatenate([train[name] for name in sorted(train)], axis=1).astype(np.float64)
    narrow = reduced(whole)
    matrix = np.eye(whole.shape[1]) if narrow is None else narrow.matrix
    coded = whole if narrow is None else (whole - narrow.mean) @ narrow.matrix
    split = learned_split(Rows(coded, targets.values), targets.kinds, targets.roles())
    axes = matrix @ split.projection.matrix  # [D, E]
    content = split.blocks.content
    return Mixer("learned", axes[:, content] @ np.linalg.pinv(axes)[content])


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


def can_swap(module: ModuleType) -> bool:
    """Whether a data kind can draw the true picture of a swap."""
    return hasattr(module, "swap_factors") and hasattr(module, "render_factors")


def true_swaps(module: ModuleType, config: Any, test: Split, count: int) -> Swaps | None:
    """The pairs and the rendered true swaps, or None where the data kind cannot render its factors."""
    if not can_swap(module):
        return None
    pairs = swap_pairs(test.factors, count)
    content, motion = (test.factors.iloc[pairs[:, side]].reset_index(drop=True) for side in (0, 1))
    answers = [
        module.render_factors(config, module.swap_factors(reordered, motion)) for reordered in _orders(content, module)
    ]
    return Swaps(
        pairs, answers[0], np.stack(answers[1:]) if answers[1:] else np.empty((0, *answers[0].shape), np.uint8)
    )


def swap_obstacle(model: nn.Module, mixer: Mixer | None) -> str | None:
    """Why a model cannot swap, in words, or None where it can; `mixer` is that of its codes, None without codes."""
    if not isinstance(model, Encodes):
        return "it has no code"
    if not isinstance(model, Decodes):
        return "it cannot draw a clip from a code"
    if mixer is None:
        return "its code has no content and motion blocks, and there are no factors to learn a split from"
    return None


def swap(model: Decodes, codes: Codes, mixer: Mixer, pairs: NDArray[np.int64], device: torch.device) -> Tensor:
    """The model's clips `[P, T, C, H, W]` for `pairs` `[P, 2]` of rows of its `codes` (blocks `[N, D]`)."""
    content, motion = ({block: values[pairs[:, side]] for block, values in codes.items()} for side in (0, 1))
    return decoded(model, mixer.mix(content, motion), device)


def decoded(model: Decodes, codes: Codes, device: torch.device) -> Tensor:
    """Clips `[N, T, C, H, W]` of codes (blocks `[N, D]`)."""
    video: Tensor = model.decode({block: torch.from_numpy(values).to(device) for block, values in codes.items()})
    return video


def _orders(content: pd.DataFrame, module: ModuleType) -> list[pd.DataFrame]:
    """The table with the content columns of its objects in every order, the given one first."""
    roles = module.FACTOR_ROLES
    names = [name[:-2] for name in content.columns if name.endswith("_1") and roles[name].role == "content"]
    objects = [suffix for suffix in range(1, 10) if f"{names[0]}_{suffix}" in content.columns] if names else [1]
    tables = []
    for order in itertools.permutations(objects):
        moved = {
            f"{name}_{to}": content[f"{name}_{of}"] for name in names for to, of in zip(objects, order, strict=True)
        }
        tables.append(content.assign(**moved))
    return tables
