"""What is asked of every model on one data set: its clips, factors, true paths and the pairs that are swapped."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.data.clips import Source, past_of
from whatmoves.evaluation import factors
from whatmoves.evaluation.factors import Targets
from whatmoves.evaluation.measured_clips import Clips, open_clips
from whatmoves.evaluation.swaps import Swaps
from whatmoves.judging.judges import true_sets
from whatmoves.judging.path_errors import true_paths
from whatmoves.judging.swap_scores import Intended
from whatmoves.study import Study


class Task(NamedTuple):
    """The opened data set. `sets` `[N, 10]` and `paths` `[N, T, O, 2]` are the truth of the test clips; `targets` the
    factors that codes are asked about, by part, or None where none vary."""

    module: ModuleType
    config: Any
    source: Source
    clips: Clips
    swaps: Swaps
    sets: NDArray[np.bool_]
    paths: NDArray[np.float64]
    targets: Mapping[str, Targets] | None

    def intended(self, pairs: NDArray[np.int64]) -> Intended:
        """The sources of the swaps `pairs` `[P, 2]` of test rows (content, motion)."""
        content, motion = pairs.T
        return Intended(self.sets[content], self.sets[motion], self.paths[content], self.paths[motion])


def open_task(study: Study, dataset: str, data_folder: Path, swaps: Swaps | None = None) -> Task:
    """Open a data set of moving digits, with true `swaps` that were rendered before, if there are any.

    Raises `ConfigError` or `DataError`.
    """
    entry, where = study.data[dataset], f"data.{dataset}"
    module, config = plugins.data_module(entry.kind, where), plugins.data_config(entry.kind, entry.options, where)
    source = module.open_source(config, data_folder)
    past_frames = past_of(entry.past_frames, source.shape.frames)
    clips = open_clips(module, config, source, study.evaluation, past_frames, judged=True, swaps=swaps)
    assert clips.swaps is not None, "only data sets that draw their factors are judged"
    table = clips.test.factors
    return Task(
        module, config, source, clips, clips.swaps, true_sets(table), true_paths(module, config, table),
        factors.of_parts({part: split.factors for part, split in clips.splits.items()}, clips.roles),
    )  # fmt: skip
