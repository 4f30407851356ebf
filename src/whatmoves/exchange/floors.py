"""Floors and ceiling of factors exchanged one by one: either source left as it is, and the true render.

exchange.json   `rows`: row → as `exchange.json` of a model
clips.npz       `<row>_seed0_<measure>` `[P]`
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.exchange.exchange import COPIES, TRUTH, WAYS, Found, enter, score
from whatmoves.exchange.pairs import Exchanges
from whatmoves.exchange.reading import read
from whatmoves.exchange.task import ExchangeTask, exchange_task
from whatmoves.files import write_arrays, write_json
from whatmoves.judging.judges import load_judges
from whatmoves.study import Study
from whatmoves.training.runtime import choose_device, tune_malloc


def exchange_floors(
    study: Study, dataset: str, judges_file: Path, data_folder: Path, out_folder: Path, device: str = "auto"
) -> None:
    """Write the files above for one data set; raises `DataError`, `CheckpointError` or `ConfigError`."""
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    entry, judges = study.data[dataset], load_judges(judges_file, place)
    module, config = plugins.data_of(dataset, entry.kind, entry.options)
    test = module.open_source(config, data_folder).split("test")
    task = exchange_task(module, config, test.factors)
    found = {row: Found({}, {}, {}) for row in (*COPIES, TRUTH)}
    for row, of_row in found.items():
        right = {}
        for factor, of in task.exchanges.items():
            video = floor(row, of, task, test.video)
            right[factor] = read(video, judges.judge(video, place), task.questions[factor])
        for way in WAYS:  # the same clips answer both: they stand in the columns of both
            enter(of_row, way, right)
    frame = {row: of_row.values for row, of_row in found.items()}
    for of_row in found.values():
        of_row.values.update({f"exchange_{way}": score(way, of_row.values, frame) or 0.0 for way in WAYS})
    rows = {row: {"seeds": {"0": of_row.values}, "cannot": {}} for row, of_row in found.items()}
    clips = {f"{row}_seed0_{name}": array for row, of_row in found.items() for name, array in of_row.clips.items()}
    write_arrays(out_folder / "clips.npz", clips)
    write_json(out_folder / "exchange.json", {"dataset": dataset, "rows": rows})


def floor(row: str, of: Exchanges, task: ExchangeTask, test: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Clips uint8 `[P, T, C, H, W]` that one row offers as the exchange between `test` clips."""
    if row == TRUTH:
        rendered: NDArray[np.uint8] = task.module.render_factors(task.config, of.wanted)
        return rendered
    return test[of.pairs[:, COPIES.index(row)]]
