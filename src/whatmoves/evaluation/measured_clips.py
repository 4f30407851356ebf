"""The clips that a model is measured on, with their factors' roles and the swaps that every model is asked for."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import pandas as pd

from whatmoves.data.clips import Source, Split
from whatmoves.evaluation.factors import Role
from whatmoves.evaluation.swaps import Swaps, true_swaps
from whatmoves.study import Evaluation


class Clips(NamedTuple):
    """Everything of a data set that measuring needs. Without true swaps codes have nothing to be held against and there
    is no `train` split to fit probes on; `unswapped` says why. `conventions` are measures of predictions that the data
    kind asks for beside those of all."""

    splits: dict[str, Split]
    roles: Mapping[str, Role]
    swaps: Swaps | None
    past_frames: int
    other_tests: Mapping[str, Split]
    unswapped: str
    conventions: tuple[str, ...] = ()

    @property
    def test(self) -> Split:
        """The clips that every measure is of."""
        return self.splits["test"]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Factors by part."""
        return {part: split.factors for part, split in self.splits.items()}


def open_clips(
    module: ModuleType,
    config: Any,
    source: Source,
    settings: Evaluation,
    past_frames: int,
    judged: bool,
) -> Clips:
    """The splits, factor roles and true swaps of a data set, whose predictions start from `past_frames`.

    For a model that is not to be judged there are no swaps: it is asked for nothing that its codes hold.
    """
    splits = {name: source.split(name) for name in ("validation", "test")}
    swaps = true_swaps(module, config, splits["test"], settings.swap_pairs) if judged else None
    if swaps is not None:
        splits["train"] = source.train_split(settings.probe_clips)
    others = {word: source.split(name) for word, name in getattr(module, "OTHER_TESTS", {}).items()}
    unswapped = "the data set cannot render its factors" if judged else "the study leaves its codes unjudged"
    conventions = getattr(module, "CONVENTIONS", ())
    return Clips(splits, getattr(module, "FACTOR_ROLES", {}), swaps, past_frames, others, unswapped, conventions)
