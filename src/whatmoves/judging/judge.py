"""Judge one model on one data set, all its seeds in one process: what its codes know, and what its swaps show.

Written into the model's folder:

    judgement.json   `seeds`: one number per seed and measure; `untrained`: the same of fresh networks (information
                     only); `split`: whose blocks they are; `cannot`: what there is none of, with the reason
    clips.npz        `seed<s>_<measure>` `[P]` per swapped pair: what bootstraps draw from

The names of measures are explained in `whatmoves.analysis.metrics`.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.by_seed import kept
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
    work_folder: Path | None = None,
) -> None:
    """Judge the `checkpoints` (by seed) of `model` from their stored codes and swaps; write the files above.

    `evaluation_folder` is where `whatmoves.evaluation.evaluate` wrote them. The verdict on a seed is kept in
    `work_folder`, if there is one, and not reached again. Raises `DataError`, `CheckpointError` or
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
    verdicts: dict[int, Verdict] = {}
    for seed, path in checkpoints.items():
        mine, swapped = codes_of_seed(codes, seed), swaps.get(f"seed{seed}_swapped")
        of_seed = Seed(seed, path, mine, swapped, swaps.get(f"seed{seed}_projector"))
        verdicts[seed] = kept(work_folder, seed, partial(judged_seed, of_seed, study, model, task, judges, place))
    cannot: dict[str, str] = {}
    for verdict in verdicts.values():
        cannot |= verdict.cannot
    splits = {verdict.split for verdict in verdicts.values() if verdict.split}
    write_arrays(
        out_folder / "clips.npz",
        {f"seed{seed}_{name}": array for seed, verdict in verdicts.items() for name, array in verdict.clips.items()},
    )
    record: dict[str, Any] = {"dataset": dataset, "model": model, "split": next(iter(splits), None), "cannot": cannot}
    record["seeds"] = {str(seed): verdict.values for seed, verdict in verdicts.items()}
    record["untrained"] = {str(seed): verdict.untrained for seed, verdict in verdicts.items() if verdict.untrained}
    write_json(out_folder / "judgement.json", record)


class Seed(NamedTuple):
    """One trained seed: its checkpoint and what the evaluation stored of it."""

    seed: int
    checkpoint: Path
    codes: dict[str, Codes]
    swapped: NDArray[np.uint8] | None
    projector: NDArray[Any] | None


class Verdict(NamedTuple):
    """What is judged of one seed; `split` is None where its codes are not split."""

    values: dict[str, float]
    untrained: dict[str, float]
    clips: dict[str, NDArray[np.float64]]
    cannot: dict[str, str]
    split: str | None


def judged_seed(of: Seed, study: Study, model: str, task: Task, judges: Judges, device: torch.device) -> Verdict:
    """Everything about one trained seed."""
    values: dict[str, float] = {}
    untrained: dict[str, float] = {}
    clips: dict[str, NDArray[np.float64]] = {}
    cannot: dict[str, str] = {}
    train = of.codes["train"]
    named = set(BLOCKS) <= set(train)
    split = "blocks" if named else "learned"
    if not train:
        cannot["information"] = "it has no code"
    elif task.targets is None:
        cannot["information"] = NO_TARGETS
    else:
        values |= information(of.codes, task.targets, study.evaluation)
        untrained = of_fresh_network(study, task, model, of.seed, device)
    if of.swapped is None:
        cannot["swap"] = "it cannot be swapped; its evaluation says why"
    else:
        net: Any = load_checkpoint(of.checkpoint, device, study.models[model].kind).model
        coder = Coder(net, Mixer(split, of.projector), train, of.codes["test"], device)
        clips, numbers = judged_swaps(coder, of.swapped, task, judges, study.evaluation)
        values |= numbers
        if task.config.digits > 1 and callable(getattr(net, "path", None)):
            test, size = task.clips.test, study.evaluation.batch_size
            tracks = track_scores(net.path, task.module, task.config, test, size, device)
            values |= {f"track_{name}": float(number) for name, number in tracks._asdict().items()}
    known = named or (train and task.targets is not None)
    return Verdict(values, untrained, clips, cannot, split if known else None)


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
