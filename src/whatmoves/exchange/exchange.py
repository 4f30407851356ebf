"""Factors exchanged one by one: did this factor change, and did anything else?

For each factor alone it is taken from one test clip and put into the code of another, in two ways:

    block  the block that claims it (content: class, hand, size; motion: start, direction, speed), own or learned
    part   the part of the code that linear probes attribute to it (`whatmoves.exchange.parts`)

and what the model then draws is read by the judges and compared with the truth (`whatmoves.exchange.reading`). Written
into the model's folder:

    exchange.json   `seeds`: numbers by seed; `cannot`: what there is none of, with the reason
    clips.npz       `seed<s>_<measure>` `[P]` per pair

Measures: `exchange_<way>_<factor>_<read>`, the share of pairs in which `<read>` is right after `<factor>` was exchanged
(1 is best everywhere: the exchanged factor is A's, the others are B's; `all`: all of them); the same with `none` for
the receiver's own reconstruction; `exchange_explained_<factor>`; and the score `exchange_<way>` (`score`). After the
interventions of MSD-Benchmark (2025), which asks classifiers of every factor and knows no true picture.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.data.clips import ClipShape
from whatmoves.evaluation.stored import table
from whatmoves.evaluation.swaps import Codes, Mixer
from whatmoves.exchange.pairs import CONTENT, FACTORS, NOTHING, Exchanges, read_after
from whatmoves.exchange.parts import LEAST_EXPLAINED, Parts, fitted_parts
from whatmoves.exchange.reading import read
from whatmoves.exchange.task import ExchangeTask, columns_of, exchange_task
from whatmoves.files import read_arrays, read_json, write_arrays, write_json
from whatmoves.judging.asking import Coder, rows_of
from whatmoves.judging.judge import codes_of_seed
from whatmoves.judging.judges import Judges, load_judges
from whatmoves.models.interface import Encodes
from whatmoves.study import Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.runtime import choose_device, tune_malloc

WAYS = ("block", "part")
COPIES, TRUTH = ("copy_giver", "copy_receiver"), "true_render"

Frame = Mapping[str, Mapping[str, float]]  # row (floors and ceiling) → measure → number
Right = Mapping[str, Mapping[str, NDArray[np.bool_]]]  # exchanged factor → factor read → [P]


class Found(NamedTuple):
    """Numbers, arrays per pair, and what cannot be said."""

    values: dict[str, float]
    clips: dict[str, NDArray[np.float64]]
    cannot: dict[str, str]


def exchange(
    study: Study,
    dataset: str,
    model: str,
    checkpoints: Mapping[int, Path],
    evaluation_folder: Path,
    floors_file: Path,
    judges_file: Path,
    out_folder: Path,
    device: str = "auto",
) -> None:
    """Exchange factors in the stored codes of the `checkpoints` (by seed) of `model`; write the files above.

    Raises `DataError`, `CheckpointError` or `ConfigError` for what is missing, damaged or of other settings.
    """
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    entry, judges = study.data[dataset], load_judges(judges_file, place)
    module, config = plugins.data_of(dataset, entry.kind, entry.options)
    answers = read_arrays(evaluation_folder / "answers.npz")
    task = exchange_task(module, config, table(answers, "test"))
    train, validation = columns_of(module.pictures(config), table(answers, "train"), table(answers, "validation"))
    frame = {row: found["seeds"]["0"] for row, found in read_json(floors_file)["rows"].items()}
    stored, swaps = read_arrays(evaluation_folder / "codes.npz"), read_arrays(evaluation_folder / "swaps.npz")
    of_seeds: dict[int, Found] = {}
    for seed, path in checkpoints.items():
        loaded = load_checkpoint(path, place, study.models[model].kind)
        net: Any = loaded.model
        codes, projector = codes_of_seed(stored, "seed", seed), swaps.get(f"seed{seed}_projector")
        if narrowed(net, codes["test"], ClipShape(**loaded.meta["shape"]), place):
            of_seeds[seed] = Found({}, {}, {"exchange": "its code is so wide that only principal components were kept"})
            continue
        mixer = Mixer("blocks" if projector is None else "learned", projector)
        coder = Coder(net, mixer, place)
        parts = fitted_parts(codes["train"], codes["validation"], train, validation)
        of_seeds[seed] = exchanged(coder, codes["test"], parts, task, judges, frame, study.evaluation.batch_size)
    cannot: dict[str, str] = {}
    for found in of_seeds.values():
        cannot |= found.cannot
    seeds = {str(seed): found.values for seed, found in of_seeds.items()}
    clips = {f"seed{seed}_{name}": array for seed, found in of_seeds.items() for name, array in found.clips.items()}
    write_arrays(out_folder / "clips.npz", clips)
    write_json(out_folder / "exchange.json", {"dataset": dataset, "model": model, "seeds": seeds, "cannot": cannot})


def exchanged(
    coder: Coder,
    codes: Codes,
    parts: Parts,
    task: ExchangeTask,
    judges: Judges,
    frame: Mapping[str, Mapping[str, float]],
    batch_size: int,
) -> Found:
    """All exchanges in the test `codes` of one trained model; `frame` holds the numbers of floors and ceiling."""
    found = Found({}, {}, {})
    for factor, explained in parts.explained.items():
        found.values[f"exchange_explained_{factor}"] = explained
    for way in WAYS:
        right: dict[str, dict[str, NDArray[np.bool_]]] = {}
        for factor, of in task.exchanges.items():
            if way == "part" and factor != NOTHING and parts.explained[factor] < LEAST_EXPLAINED:
                found.cannot[f"exchange_part_{factor}"] = (
                    f"a linear probe explains {parts.explained[factor]:.0%} of it on validation clips"
                )
                continue
            if way == "part" and factor == NOTHING:
                continue  # said once, with the blocks
            with torch.inference_mode():
                video = coder.draw(mixed(way, of, coder.mixer, codes, parts), batch_size)
            right[factor] = read(video, judges.judge(video, coder.device), task.questions[factor])
        enter(found, way, right)
        if (scored := score(way, found.values, frame)) is not None:
            found.values[f"exchange_{way}"] = scored
    return found


def narrowed(net: Encodes, codes: Codes, shape: ClipShape, device: torch.device) -> bool:
    """Whether the stored `codes` are not as the model makes them (`whatmoves.codes.splits.reduced`)."""
    with torch.inference_mode():
        made = net.encode(torch.zeros(1, *shape[:4], device=device))
    return any(made[block].shape[1] != values.shape[1] for block, values in codes.items())


def mixed(way: str, of: Exchanges, mixer: Mixer, codes: Codes, parts: Parts) -> Codes:
    """The codes `[P, D]` that should show the exchange."""
    giver, receiver = (rows_of(codes, rows) for rows in of.pairs.T)
    if of.factor == NOTHING:
        return receiver
    if way == "part":
        return parts.exchanged(of.factor, giver, receiver)
    return mixer.mix(*((giver, receiver) if of.factor in CONTENT else (receiver, giver)))


def enter(found: Found, way: str, right: Right) -> None:
    """What was read after the exchanges of one way."""
    for factor, reads in right.items():
        for name, flags in reads.items():
            measure = f"exchange_none_{name}" if factor == NOTHING else f"exchange_{way}_{factor}_{name}"
            found.clips[measure] = flags.astype(np.float64)
            found.values[measure] = float(flags.mean())


def score(way: str, values: Mapping[str, float], frame: Frame) -> float | None:
    """How well factors are exchanged, mean over those that were; None where none was.

    Of one factor: 0 for the better of the two sources left as they are, 1 for the true render (rows of `frame`), of the
    mean of the factor's own share and the others' mean share, so that to exchange everything is worth no more than to
    exchange nothing. Worse than both is 0.
    """

    def balanced(of: Mapping[str, float], factor: str) -> float:
        names = (f"exchange_{way}_{factor}_{read}" for read in read_after(factor) if read != factor)
        others = [of[name] for name in names if name in of]  # clips may have one size
        return (of[f"exchange_{way}_{factor}_{factor}"] + sum(others) / len(others)) / 2

    scores = []
    for factor in (name for name in FACTORS if f"exchange_{way}_{name}_all" in values):
        floor, ceiling = max(balanced(frame[row], factor) for row in COPIES), balanced(frame[TRUTH], factor)
        share = (balanced(values, factor) - floor) / (ceiling - floor) if ceiling > floor else 0.0
        scores.append(min(max(share, 0.0), 1.0))
    return sum(scores) / len(scores) if scores else None
