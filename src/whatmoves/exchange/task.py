"""What is exchanged on one data set, what it should look like, and what probes are told of the codes' clips."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.data.clips import Split
from whatmoves.exchange.pairs import Exchanges, exchanges_of
from whatmoves.exchange.reading import Question, question
from whatmoves.study import Study

HAND_COMPONENTS = 8  # what a hand is to a linear probe: principal components of pictures less their class's mean

Columns = Mapping[str, NDArray[np.float64]]  # factor → [N, k]


class ExchangeTask(NamedTuple):
    """The opened data set: exchanges and questions by factor, and columns that stand for each factor, by part."""

    module: ModuleType
    config: Any
    test: Split
    exchanges: dict[str, Exchanges]
    questions: dict[str, Question]
    targets: dict[str, Columns]


def open_exchange(study: Study, dataset: str, data_folder: Path) -> ExchangeTask:
    """Open a data set of one moving digit a clip; raises `ConfigError` or `DataError`."""
    entry, where = study.data[dataset], f"data.{dataset}"
    module, config = plugins.data_module(entry.kind, where), plugins.data_config(entry.kind, entry.options, where)
    source = module.open_source(config, data_folder)
    train, validation, test = (
        source.train_split(study.evaluation.probe_clips), source.split("validation"), source.split("test"),
    )  # fmt: skip
    exchanges = exchanges_of(config, test.factors)
    questions = {name: question(module, config, test.factors, of) for name, of in exchanges.items()}
    targets = columns_of(module.pictures(config), train.factors, validation.factors)
    return ExchangeTask(module, config, test, exchanges, questions, targets)


def columns_of(bank: NDArray[np.uint8], train: pd.DataFrame, validation: pd.DataFrame) -> dict[str, Columns]:
    """Numbers that stand for each factor, part → factor → `[N, k]`; fitted on training clips where anything is."""
    classes = np.unique(train.class_1)
    pictures = bank[train.instance_1].reshape(len(train), -1) / 255
    means = np.stack([pictures[train.class_1 == label].mean(0) for label in classes])
    own = pictures - means[np.searchsorted(classes, train.class_1)]
    axes = np.linalg.svd(own, full_matrices=False)[2][:HAND_COMPONENTS]

    def columns(table: pd.DataFrame) -> Columns:
        place = np.minimum(np.searchsorted(classes, table.class_1), len(classes) - 1)
        hands = (bank[table.instance_1].reshape(len(table), -1) / 255 - means[place]) @ axes.T
        return {
            "class": (table.class_1.to_numpy()[:, None] == classes).astype(np.float64),
            "hand": hands,
            "start": table[["start_y_1", "start_x_1"]].to_numpy(np.float64),
            "direction": table[["direction_sin_1", "direction_cos_1"]].to_numpy(np.float64),
            "speed": table[["speed_1"]].to_numpy(np.float64),
        }

    return {"train": columns(train), "validation": columns(validation)}
