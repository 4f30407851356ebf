"""What is asked of every model on one data set: its clips, factors, true paths and the pairs that are swapped."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.data.clips import past_of
from whatmoves.evaluation import factors
from whatmoves.evaluation.factors import Targets
from whatmoves.evaluation.measured_clips import Clips, open_clips
from whatmoves.evaluation.swaps import Swaps
from whatmoves.judging.judged import true_sets
from whatmoves.judging.path_errors import true_paths
from whatmoves.judging.swap_scores import Intended
from whatmoves.study import Study


class Facts(NamedTuple):
    """The truth that answers are held against: how many digits a clip has, the swapped pairs `[P, 2]` of test rows
    (content, motion), digit sets `[N, 10]` and paths `[N, T, O, 2]` of the test clips, the paths that true swaps of
    pairs take, and the factors that codes are asked about, by part, or None where none vary."""

    digits: int
    pairs: NDArray[np.int64]
    sets: NDArray[np.bool_]
    paths: NDArray[np.float64]
    swap_paths: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    targets: Mapping[str, Targets] | None

    def intended(self, pairs: NDArray[np.int64]) -> Intended:
        """The sources of the swaps `pairs` `[P, 2]`."""
        content, motion = pairs.T
        return Intended(self.sets[content], self.sets[motion], self.paths[content], self.swap_paths(pairs))


class Task(NamedTuple):
    """The opened data set, and the truth about it."""

    module: ModuleType
    config: Any
    clips: Clips
    swaps: Swaps
    facts: Facts


def facts_of(module: ModuleType, config: Any, tables: Mapping[str, pd.DataFrame], pairs: NDArray[np.int64]) -> Facts:
    """The truth from factor tables by part, without a frame."""
    test = tables["test"]
    targets = factors.of_parts(tables, getattr(module, "FACTOR_ROLES", {}))

    def swap_paths(pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        content, motion = (test.iloc[rows].reset_index(drop=True) for rows in pairs.T)
        return true_paths(module, config, module.swap_factors(content, motion))

    return Facts(config.digits, pairs, true_sets(test), true_paths(module, config, test), swap_paths, targets)


def open_task(study: Study, dataset: str, data_folder: Path) -> Task:
    """Open a data set of moving digits and render its true swaps. Raises `ConfigError` or `DataError`."""
    entry = study.data[dataset]
    module, config = plugins.data_of(dataset, entry.kind, entry.options)
    source = module.open_source(config, data_folder)
    past_frames = past_of(entry.past_frames, source.shape.frames)
    clips = open_clips(module, config, source, study.evaluation, past_frames, judged=True)
    assert clips.swaps is not None, "only data sets that draw their factors are judged"
    return Task(module, config, clips, clips.swaps, facts_of(module, config, clips.tables, clips.swaps.pairs))
