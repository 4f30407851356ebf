"""Rows that need no model: a blank video, and the truth under a slight blur. Any claim of quality starts above them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves import plugins
from whatmoves.data.clips import past_of
from whatmoves.evaluation.prediction import answers
from whatmoves.evaluation.quality import blurred, quality, summary, swap_quality
from whatmoves.evaluation.swaps import true_swaps
from whatmoves.files import write_arrays, write_json
from whatmoves.study import Study


def evaluate_floor(study: Study, dataset: str, row: str, data_folder: Path, out_folder: Path) -> None:
    """Write `quality.json` and `clips.npz` of a row of `of_clips` into `out_folder`, as of a model with one seed, 0.

    Its swaps are judged too: a blank video, or the blurred true swap, against the rendered true swap.
    """
    torch.set_num_threads(1)
    entry, batch_size = study.data[dataset], study.evaluation.batch_size
    where = f"data.{dataset}"
    config, module = plugins.data_config(entry.kind, entry.options, where), plugins.data_module(entry.kind, where)
    test = module.open_source(config, data_folder).split("test")
    own = plugins.measures(study.evaluation.measures)
    clips, curves = quality(_answers(row, test.video, batch_size), own)
    rest = test.video[:, past_of(entry.past_frames, test.video.shape[1]) :]
    future = answers(_answers(row, rest, batch_size), getattr(module, "CONVENTIONS", ()), own)
    clips |= future.clips
    curves |= future.curves
    swaps = true_swaps(module, config, test, study.evaluation.swap_pairs)
    if swaps is not None:
        clips |= swap_quality(_answers(row, swaps.truth, batch_size), own)
    record = {
        "dataset": dataset,
        "model": row,
        "kind": row,
        "abilities": [],
        "parameters": 0,
        "seeds": {"0": summary(clips)},
        "curves": {"0": curves},
        "cannot": {} if swaps else {"swap": "the data set cannot render its factors"},
    }
    write_arrays(out_folder / "clips.npz", {f"seed0_{name}": values for name, values in clips.items()})
    write_json(out_folder / "quality.json", record)


def _answers(row: str, video: NDArray[np.uint8], batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for first in range(0, len(video), batch_size):
        truth = torch.from_numpy(video[first : first + batch_size]).float().div_(255)
        yield (blurred(truth) if row == "blurred_truth" else torch.zeros_like(truth)), truth
