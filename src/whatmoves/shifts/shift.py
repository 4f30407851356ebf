"""What a model loses when one factor of its test clips leaves the training range, everything else as in test.

    shift.json   `seeds`: numbers by seed
    clips.npz    `seed<s>_<measure>` per clip `[N]` or pair `[P]`

A measure on a set is the part of the way from floor to ceiling (`whatmoves.shifts.sets`) that the model goes there, 1
at the ceiling: `shift_<set>_<what>`; and `shift_lost_<shift>_<what>` is what a shift takes of it.

    reconstruct   squared error of reconstructions
    predict       squared error of predictions after the study's past frames
    swap          joint success of swaps, by the judges
    content       accuracy of a linear probe of the class, from the whole code; floor: always the commonest class
    motion        variance of starts and velocities explained by linear probes of the whole code; floor: their mean

Probes are fitted on training codes: a shift moves what they read, as it would for whoever uses a code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from whatmoves.data.clips import Split, to_bytes
from whatmoves.evaluation.encoding import encoded
from whatmoves.evaluation.prediction import forecasts
from whatmoves.evaluation.swaps import Codes, Mixer, swap
from whatmoves.exchange.parts import joined
from whatmoves.files import read_arrays, read_json, write_arrays, write_json
from whatmoves.judging.judges import Judges, load_judges
from whatmoves.models.interface import Decodes, Encodes, Predicts, Reconstructs
from whatmoves.shifts.sets import TEST, UNREAD, Opened, before_and_after, joint, open_sets, pairs_of
from whatmoves.study import Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.runtime import choose_device, tune_malloc

WHAT = ("reconstruct", "predict", "swap", "content", "motion")
MOTION = ("start_y_1", "start_x_1", "velocity_y_1", "velocity_x_1")
PROBE_CLIPS = 500  # training clips that probes are fitted on, at most: encoded anew, as stored codes may be reduced
PENALTY = 1.0  # of both probes, on standardised codes


class Probes(NamedTuple):
    """Linear probes of a whole code; `commonest` is the class that always guessing is best with."""

    scaler: Any
    classes: Any
    motion: Any
    commonest: float
    means: NDArray[np.float64]


class Reader(NamedTuple):
    """What a trained seed's codes and swaps are read with; None where there is no code, or no judge."""

    probes: Probes
    mixer: Mixer | None
    judges: Judges


def shift(
    study: Study,
    dataset: str,
    model: str,
    checkpoints: Mapping[int, Path],
    sets_folder: Path,
    data_folder: Path,
    out_folder: Path,
    swaps_file: Path | None = None,
    judges_file: Path | None = None,
    device: str = "auto",
) -> None:
    """Measure the `checkpoints` (by seed) of `model` on every set; write the files above.

    `swaps_file` tells how codes are split, and `judges_file` has the judges, where codes are judged.
    Raises `DataError`, `CheckpointError` or `ConfigError` for what is missing, damaged or of other settings.
    """
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    opened = open_sets(study, dataset, data_folder, sets_folder / "sets.npz")
    frame = read_json(sets_folder / "shift.json")["frame"]
    judges = None if judges_file is None else load_judges(judges_file, place)
    swaps = {} if swaps_file is None else read_arrays(swaps_file)
    train = opened.source.train_split(min(PROBE_CLIPS, study.evaluation.probe_clips)) if judges is not None else None
    values: dict[str, dict[str, float]] = {}
    clips: dict[str, NDArray[np.float64]] = {}
    for seed, path in checkpoints.items():
        net: Any = load_checkpoint(path, place, study.models[model].kind).model
        reader = None
        if judges is not None and train is not None and isinstance(net, Encodes):
            projector = swaps.get(f"seed{seed}_projector")
            can_swap = f"seed{seed}_swapped" in swaps
            mixer = Mixer("blocks" if projector is None else "learned", projector) if can_swap else None
            with torch.inference_mode():
                codes = encoded(net, train, study.evaluation.batch_size, place)
            reader = Reader(fitted(codes, train), mixer, judges)
        found = of_sets(net, opened, frame, reader, study.evaluation.batch_size, place)
        values[str(seed)] = {name: float(array.mean()) for name, array in found.items()}
        clips |= {f"seed{seed}_{name}": array for name, array in found.items()}
    write_arrays(out_folder / "clips.npz", clips)
    write_json(out_folder / "shift.json", {"dataset": dataset, "model": model, "seeds": values})


def of_sets(
    net: Any, opened: Opened, frame: Mapping[str, Any], reader: Reader | None, batch_size: int, device: torch.device
) -> dict[str, NDArray[np.float64]]:
    """Every measure on every set and what each shift takes of it, per clip or pair."""
    kept = {name: of_set(net, name, opened, frame[name], reader, batch_size, device) for name in opened.sets}
    found = {f"shift_{name}_{what}": array for name, of in kept.items() for what, array in of.items()}
    for name in opened.sets:
        before, after = before_and_after(name)
        for what in (what for what in WHAT if name != TEST and what in kept[before] and what in kept[after]):
            paired = len(kept[before][what]) == len(kept[after][what])
            start = kept[before][what] if paired else kept[before][what].mean()
            found[f"shift_lost_{name}_{what}"] = start - kept[after][what]
    return found


def of_set(
    net: Any,
    name: str,
    opened: Opened,
    frame: Mapping[str, Any],
    reader: Reader | None,
    batch_size: int,
    device: torch.device,
) -> dict[str, NDArray[np.float64]]:
    """The measures of one trained model on one set, as parts of the way from floor to ceiling, per clip or pair."""
    found: dict[str, NDArray[np.float64]] = {}
    split = opened.sets[name]

    def way(what: str, value: NDArray[np.float64]) -> None:
        floor, ceiling = frame[what]
        if floor != ceiling:
            found[what] = (value - floor) / (ceiling - floor)

    with torch.inference_mode():
        if isinstance(net, Reconstructs):
            way("reconstruct", reconstruction_errors(net, split, batch_size, device))
        if isinstance(net, Predicts):
            errors = [
                (drawn - true).square().mean((1, 2, 3, 4))
                for drawn, true in forecasts(net, split, opened.past_frames, batch_size, device)
            ]
            way("predict", torch.cat(errors).double().cpu().numpy())
        if reader is None or not isinstance(net, Encodes):
            return found
        codes = encoded(net, split, batch_size, device)
        if "swap" in frame and reader.mixer is not None and isinstance(net, Decodes):
            pairs = pairs_of(split)
            assert pairs is not None, "the frame has swaps of this set"
            batches = (pairs[first : first + batch_size] for first in range(0, len(pairs), batch_size))
            video = np.concatenate([to_bytes(swap(net, codes, reader.mixer, rows, device)) for rows in batches])
            way("swap", joint(video, name, opened, pairs, reader.judges, device))
    return found | probed(codes, split, reader.probes, name)


def reconstruction_errors(
    net: Reconstructs, split: Split, batch_size: int, device: torch.device
) -> NDArray[np.float64]:
    """Squared error per pixel of each clip `[N]`."""
    errors = []
    for first in range(0, len(split.video), batch_size):
        video = split.batch(slice(first, first + batch_size), device).video
        errors.append((net.reconstruct(video).float().clamp(0, 1) - video).square().mean((1, 2, 3, 4)))
    return np.asarray(torch.cat(errors).double().cpu().numpy(), np.float64)


def fitted(codes: Codes, train: Split) -> Probes:
    """Probes from training codes; of several digits nothing is asked but the first's."""
    scaler = StandardScaler().fit(joined(codes))
    rows, table = scaler.transform(joined(codes)), train.factors
    targets = table[list(MOTION)].to_numpy(np.float64)
    labels = table.class_1.to_numpy()
    classes = LogisticRegression(C=1 / PENALTY, max_iter=300).fit(rows, labels)
    commonest = float(np.bincount(labels).argmax())
    return Probes(scaler, classes, Ridge(alpha=PENALTY).fit(rows, targets), commonest, targets.mean(0))


def probed(codes: Codes, split: Split, probes: Probes, name: str) -> dict[str, NDArray[np.float64]]:
    """`content` and `motion` of one set, per clip; means over clips are accuracy and R² between floor and 1."""
    if name == "objects":
        return {}  # of two digits, nobody can say which is meant
    rows, found = probes.scaler.transform(joined(codes)), {}
    if name not in UNREAD:
        labels = split.factors.class_1.to_numpy()
        right, guessed = probes.classes.predict(rows) == labels, float((labels == probes.commonest).mean())
        found["content"] = (right.astype(np.float64) - guessed) / (1 - guessed)
    targets = split.factors[list(MOTION)].to_numpy(np.float64)
    error, around = np.square(probes.motion.predict(rows) - targets), np.square(targets - probes.means).mean(0)
    found["motion"] = 1 - (error / around).mean(1)
    return found
