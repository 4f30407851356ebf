"""Judge one model on one data set, all its seeds in one process: what its codes know, and what its swaps show.

All of it from numbers that the evaluation stored: no clip is opened, no network is run, and no GPU is of use.

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
from whatmoves.evaluation.factors import NO_TARGETS
from whatmoves.evaluation.stored import PARTS, of_seed, table
from whatmoves.evaluation.swaps import BLOCKS, Codes, swap_pairs
from whatmoves.files import read_arrays, write_arrays, write_json
from whatmoves.judging.control import judged_swaps
from whatmoves.judging.information import coded, gap_and_leaks, information
from whatmoves.judging.judged import Arrays
from whatmoves.judging.task import Facts, facts_of
from whatmoves.judging.tracks import track_scores
from whatmoves.study import Evaluation, Study
from whatmoves.training.runtime import tune_malloc


def judge(
    study: Study, dataset: str, model: str, evaluation_folder: Path, out_folder: Path, work_folder: Path | None = None
) -> None:
    """Judge all seeds of `model` from what `whatmoves.evaluation.evaluate` stored in `evaluation_folder`; write the
    files above.

    The verdict on a seed is kept in `work_folder`, if there is one, and not reached again. Raises `DataError` or
    `ConfigError` for what is missing, damaged or of other settings.
    """
    tune_malloc()
    torch.set_num_threads(1)
    codes, answers = (read_arrays(evaluation_folder / f"{name}.npz") for name in ("codes", "answers"))
    entry, where = study.data[dataset], f"data.{dataset}"
    module = plugins.data_module(entry.kind, where)
    config: Any = plugins.data_config(entry.kind, entry.options, where)
    tables = {part: table(answers, part) for part in PARTS}
    facts = facts_of(module, config, tables, answers["pairs"])
    if not np.array_equal(facts.pairs, swap_pairs(tables["test"], study.evaluation.swap_pairs)):
        raise DataError(f"{evaluation_folder / 'answers.npz'}: other pairs than this study's; run the evaluation again")
    verdicts: dict[int, Verdict] = {}
    for seed in study.seeds_of(model):
        mine = Seed(
            codes_of_seed(codes, "seed", seed), codes_of_seed(codes, "fresh", seed), of_seed(answers, "seed", seed)
        )
        verdicts[seed] = kept(
            work_folder, seed, partial(judged_seed, mine, facts, study.evaluation, config.digit_px / 2)
        )
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
    """What the evaluation stored of one seed: codes by part of the trained and of a fresh network (no blocks where
    there are none), and what the judges said (nothing where it cannot be swapped)."""

    codes: dict[str, Codes]
    fresh: dict[str, Codes]
    answers: Arrays


class Verdict(NamedTuple):
    """What is judged of one seed; `split` is None where its codes are not split."""

    values: dict[str, float]
    untrained: dict[str, float]
    clips: dict[str, NDArray[np.float64]]
    cannot: dict[str, str]
    split: str | None


def judged_seed(of: Seed, facts: Facts, settings: Evaluation, near_px: float) -> Verdict:
    """Everything about one seed; a track is near within `near_px`, half a digit."""
    values: dict[str, float] = {}
    untrained: dict[str, float] = {}
    clips: dict[str, NDArray[np.float64]] = {}
    cannot: dict[str, str] = {}
    train = of.codes["train"]
    named = set(BLOCKS) <= set(train)
    if not train:
        cannot["information"] = "it has no code"
    elif facts.targets is None:
        cannot["information"] = NO_TARGETS
    else:
        values |= information(of.codes, facts.targets, settings)
        if of.fresh["train"]:
            untrained = gap_and_leaks(coded(of.fresh, facts.targets), facts.targets["train"])
    if not of.answers:
        cannot["swap"] = "it cannot be swapped; its evaluation says why"
    else:
        clips, numbers = judged_swaps(of.answers, facts)
        values |= numbers
        if "path" in of.answers:
            tracks = track_scores(of.answers["path"], facts.paths, near_px)
            values |= {f"track_{name}": float(number) for name, number in tracks._asdict().items()}
    known = named or (train and facts.targets is not None)
    return Verdict(values, untrained, clips, cannot, ("blocks" if named else "learned") if known else None)


def codes_of_seed(arrays: Mapping[str, NDArray[np.float32]], word: str, seed: int) -> dict[str, Codes]:
    """Part → block → `[N, D]` from the arrays of a `codes.npz`; `word` is `seed` or, of fresh networks, `fresh`."""
    mine = of_seed(arrays, word, seed)
    return {
        part: {name.removeprefix(f"{part}_"): mine[name] for name in mine if name.startswith(f"{part}_")}
        for part in PARTS
    }
