"""What is exchanged on one data set, what it should look like, and what linear probes are told of clips."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves.exchange.pairs import Exchanges, exchanges_of
from whatmoves.exchange.reading import Question, question

HAND_COMPONENTS = 8  # what a hand is to a linear probe: principal components of pictures less their class's mean

Columns = Mapping[str, NDArray[np.float64]]  # factor → [N, k]


class ExchangeTask(NamedTuple):
    """What is exchanged, and what is asked of it, by factor."""

    module: ModuleType
    config: Any
    exchanges: dict[str, Exchanges]
    questions: dict[str, Question]


def exchange_task(module: ModuleType, config: Any, test: pd.DataFrame) -> ExchangeTask:
    """The task of a data set of one moving digit a clip, from the factor table of its test clips."""
    exchanges = exchanges_of(config, test)
    questions = {name: question(module, config, test, of) for name, of in exchanges.items()}
    return ExchangeTask(module, config, exchanges, questions)


def columns_of(bank: NDArray[np.uint8], train: pd.DataFrame, *others: pd.DataFrame) -> list[Columns]:
    """Numbers that stand for each factor in the clips of each table; fitted on `train` where anything is."""
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
            **({"size": table[["size_1"]].to_numpy(np.float64)} if "size_1" in table else {}),
            "start": table[["start_y_1", "start_x_1"]].to_numpy(np.float64),
            "direction": table[["direction_sin_1", "direction_cos_1"]].to_numpy(np.float64),
            "speed": table[["speed_1"]].to_numpy(np.float64),
        }

    return [columns(table) for table in (train, *others)]
