"""Judge one model on one data set, all its seeds in one process: what its codes know, and what its swaps show.

Written into the model's folder:

    judgement.json   `seeds`: one number per seed and measure; `untrained`: the same of fresh networks (information
                     only); `split`: whose blocks they are; `cannot`: what there is none of, with the reason
    clips.npz        `seed<s>_<measure>` `[P]` per swapped pair: what bootstraps draw from

The names of measures are explained in `whatmoves.analysis.metrics`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.errors import DataError
from whatmoves.evaluation.encoding import encoded
from whatmoves.evaluation.factors import NO_TARGETS
from whatmoves.evaluation.swaps import BLOCKS, Codes, Mixer, Swaps, swap_pairs
from whatmoves.files import read_arrays, write_arrays, write_json
from whatmoves.judging.control import Coder, led, own_reconstructions, resampled
from whatmoves.judging.information import PARTS, coded, gap_and_leaks, information
from whatmoves.judging.judges import Judged, Judges, digit_sets, kappa, load_judges
from whatmoves.judging.swap_scores import SwapScores, intervention, swap_scores
from whatmoves.judging.task import Task, open_task
from whatmoves.judging.tracks import track_scores
from whatmoves.models.interface import Encodes, Fits
from whatmoves.study import Evaluation, Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.runtime import choose_device, tune_malloc

PER_PAIR = ("content_a", "content_b", "motion_b", "motion_a", "joint", "identity", "path_error_px")


def judge(
    study: Study,
    dataset: str,
    model: str,
    checkpoints: Mapping[int, Path],
    evaluation_folder: Path,
    judges_file: Path,
    data_folder: Path,
    out_folder: Path,
    device: str = "auto",
) -> None:
    """Judge the `checkpoints` (by seed) of `model` from their stored codes and swaps; write the files above.

    `evaluation_folder` is where `whatmoves.evaluation.evaluate` wrote them. Raises `DataError`, `CheckpointError` or
    `ConfigError` for what is missing, damaged or of other settings.
    """
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    codes, swaps = read_arrays(evaluation_folder / "codes.npz"), read_arrays(evaluation_folder / "swaps.npz")
    rendered = Swaps(swaps["pairs"], swaps["truth"], swaps["others"]) if "pairs" in swaps else None
    task, judges = open_task(study, dataset, data_folder, rendered), load_judges(judges_file, place)
    if not np.array_equal(task.swaps.pairs, swap_pairs(task.clips.test.factors, study.evaluation.swap_pairs)):
        raise DataError(f"{evaluation_folder / 'swaps.npz'}: other pairs than this study's; run the evaluation again")
    seeds: dict[str, dict[str, float]] = {}
    untrained: dict[str, dict[str, float]] = {}
    clips: dict[str, NDArray[np.float64]] = {}
    cannot: dict[str, str] = {}
    splits: set[str] = set()
    for seed, path in checkpoints.items():
        values: dict[str, float] = {}
        mine = codes_of_seed(codes, seed)
        swapped = swaps.get(f"seed{seed}_swapped")
        named = set(BLOCKS) <= set(mine["train"])
        if named or (mine["train"] and task.targets is not None):
            splits.add("blocks" if named else "learned")
        if not mine["train"]:
            cannot["information"] = "it has no code"
        elif task.targets is None:
            cannot["information"] = NO_TARGETS
        else:
            values |= information(mine, task.targets, study.evaluation)
            untrained[str(seed)] = of_fresh_network(study, task, model, seed, place)
        if swapped is None:
            cannot["swap"] = "it cannot be swapped; its evaluation says why"
        else:
            mixer = Mixer("blocks" if named else "learned", swaps.get(f"seed{seed}_projector"))
            net: Any = load_checkpoint(path, place, study.models[model].kind).model
            coder = Coder(net, mixer, mine["train"], mine["test"], place)
            of_pairs, numbers = judged_swaps(coder, swapped, task, judges, study.evaluation)
            values |= numbers
            if task.config.digits > 1 and callable(getattr(net, "path", None)):
                test, size = task.clips.test, study.evaluation.batch_size
                tracks = track_scores(net.path, task.module, task.config, test, size, place)
                values |= {f"track_{name}": float(number) for name, number in tracks._asdict().items()}
            clips |= {f"seed{seed}_{name}": array for name, array in of_pairs.items()}
        seeds[str(seed)] = values
    record = {"dataset": dataset, "model": model, "split": next(iter(splits), None), "cannot": cannot}
    write_arrays(out_folder / "clips.npz", clips)
    fresh = {seed: values for seed, values in untrained.items() if values}
    write_json(out_folder / "judgement.json", {**record, "seeds": seeds, "untrained": fresh})


def codes_of_seed(arrays: Mapping[str, NDArray[np.float32]], seed: int) -> dict[str, Codes]:
    """Part → block → `[N, D]` from the arrays of a `codes.npz`."""
    prefixes = {part: f"seed{seed}_{part}_" for part in PARTS}
    return {
        part: {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        for part, prefix in prefixes.items()
    }


def judged_swaps(
    coder: Coder, swapped: NDArray[np.uint8], task: Task, judges: Judges, settings: Evaluation
) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """Everything about the swaps of one trained model: arrays per pair, and numbers."""

    def ask(video: NDArray[np.uint8]) -> Judged:
        return judges.judge(video, coder.device)

    of_pairs, numbers = scored(swapped, task, judges, coder.device)
    own = own_reconstructions(coder, task, ask, settings.batch_size)
    of_pairs |= own
    numbers |= {name: float(array.mean()) for name, array in own.items()}
    if numbers["own_joint"] > 0:  # otherwise nothing is recognised, swapped or not, and there is no ratio
        numbers["swap_joint_relative"] = numbers["swap_joint"] / numbers["own_joint"]
    numbers |= resampled(coder, task, ask, settings.batch_size)
    numbers |= led(coder, task, ask, settings.batch_size)
    return of_pairs, numbers


def scored(
    video: NDArray[np.uint8], task: Task, judges: Judges, device: torch.device
) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """What both judges say of clips that should be the swaps: `swap_*` per pair `[P]`, and numbers."""
    judged = judges.judge(video, device, ask_second=True)
    assert judged.second_digits is not None
    intended = task.intended(task.swaps.pairs)
    scores: SwapScores = swap_scores(judged, intended)
    of_pairs = {f"swap_{name}": getattr(scores, name) for name in PER_PAIR}
    digits = task.config.digits
    first, second = digit_sets(judged.digits, digits), digit_sets(judged.second_digits, digits)
    by_second = (second == task.sets[task.swaps.pairs[:, 0]]).all(1) & (scores.motion_b > 0)
    numbers = {name: float(array.mean()) for name, array in of_pairs.items()}
    numbers |= {
        "swap_motion_r2": scores.r2,
        "swap_intervention": intervention(scores, intended),
        "swap_joint_second": float(by_second.mean()),
        "swap_judges_kappa": kappa(first, second),
    }
    return of_pairs, numbers


def of_fresh_network(study: Study, task: Task, model: str, seed: int, device: torch.device) -> dict[str, float]:
    """BlockGap and leaks of the model with fresh weights: what its shape alone knows; {} if it is fitted."""
    entry = study.models[model]
    torch.manual_seed(seed)
    net = plugins.build_model(entry.kind, entry.options, task.source.shape, f"models.{model}").to(device).eval()
    if not isinstance(net, Encodes) or isinstance(net, Fits) or task.targets is None:
        return {}
    with torch.inference_mode():
        codes: dict[str, Any] = {
            part: encoded(net, split, study.evaluation.batch_size, device) for part, split in task.clips.splits.items()
        }
    return gap_and_leaks(coded(codes, task.targets), task.targets["train"])
