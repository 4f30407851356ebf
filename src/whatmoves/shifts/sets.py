"""Test sets in which one factor leaves its training range, and what floor and ceiling are on each.

A data kind names its shifts in `SHIFTS` (small letters) and draws their clips with `shifted(config, name, count)`:
those of the stored test split, with that one thing changed. `hands` is told the other
way round: test digits were never trained on, so its clips are of training digits, and the test set is what is shifted.

    sets.npz     `<set>_video` uint8 `[N, T, C, H, W]`, `<set>_actions`, `<set>_states`, `<set>_factor_<column>` `[N]`
    shift.json   `frame`: set → measure → [floor, ceiling]
"""

from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.data.clips import Source, Split, past_of
from whatmoves.errors import DataError
from whatmoves.evaluation.swaps import swap_pairs
from whatmoves.files import read_arrays, write_arrays, write_json
from whatmoves.judging.judged import digit_sets, true_sets
from whatmoves.judging.judges import Judges, load_judges
from whatmoves.judging.path_errors import NEAR_PX, path_error
from whatmoves.study import Study
from whatmoves.training.runtime import choose_device, tune_malloc

TEST = "test"  # the set that nothing is changed in
SEEN_HANDS = "hands"  # the set that stands before the test set instead of after it
CLIPS = 200  # of each set, at most
PAIRS = 100  # of clips that are swapped on each set
UNREAD = ("class", "objects")  # shifts after which nobody can say which digit a clip shows

Frame = dict[str, dict[str, tuple[float, float]]]  # set → measure → floor, ceiling


class Opened(NamedTuple):
    """A data set with its sets by name, the test set first."""

    module: ModuleType
    config: Any
    source: Source
    past_frames: int
    sets: dict[str, Split]


def before_and_after(shift: str) -> tuple[str, str]:
    """The sets that a shift leads from and to."""
    return (SEEN_HANDS, TEST) if shift == SEEN_HANDS else (TEST, shift)


def open_sets(study: Study, dataset: str, data_folder: Path, stored: Path | None = None) -> Opened:
    """Open a data set and draw its sets, or read those that were `stored`; raises `ConfigError` or `DataError`."""
    entry = study.data[dataset]
    module, config = plugins.data_of(dataset, entry.kind, entry.options)
    source = module.open_source(config, data_folder)
    test = source.split(TEST)
    count = min(CLIPS, len(test.video))
    sets = {TEST: _first(test, count)}
    if stored is None:
        sets |= {name: module.shifted(config, name, count) for name in module.SHIFTS}
    else:
        sets |= unpacked(read_arrays(stored))
    return Opened(module, config, source, past_of(entry.past_frames, source.shape.frames), sets)


def shift_floors(
    study: Study, dataset: str, judges_file: Path | None, data_folder: Path, out_folder: Path, device: str = "auto"
) -> None:
    """Draw the shifted sets of a data set and measure floors and ceilings on them; write the files above."""
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    opened = open_sets(study, dataset, data_folder)
    judges = None if judges_file is None else load_judges(judges_file, place)
    mean = opened.source.train_split(study.evaluation.probe_clips).video.mean((0, 1))
    frame = {name: framed(name, split, mean, opened, judges, place) for name, split in opened.sets.items()}
    write_arrays(out_folder / "sets.npz", packed({name: s for name, s in opened.sets.items() if name != TEST}))
    write_json(out_folder / "shift.json", {"dataset": dataset, "frame": frame})


def framed(
    name: str, split: Split, mean: NDArray[np.float64], opened: Opened, judges: Judges | None, device: torch.device
) -> dict[str, tuple[float, float]]:
    """Floor and ceiling of each measure on one set.

    Squared errors: that of the mean training frame, for predictions that or the last past frame's, whichever is less;
    the ceiling is 0. Joint swap success: the motion's source left as it is, and the rendered true swap.
    """
    past = opened.past_frames
    video = split.video.astype(np.float32)
    of_mean = np.square(video - mean).mean((2, 3, 4)) / 255**2  # [N, T]
    of_last = np.square(video[:, past:] - video[:, past - 1 : past]).mean() / 255**2
    found = {
        "reconstruct": (float(of_mean.mean()), 0.0),
        "predict": (min(float(of_mean[:, past:].mean()), float(of_last)), 0.0),
    }
    pairs = None if name in UNREAD else pairs_of(split)
    if judges is not None and pairs is not None:
        content, motion = (split.factors.iloc[rows].reset_index(drop=True) for rows in pairs.T)
        truth = opened.module.shifted_truth(opened.config, name, opened.module.swap_factors(content, motion))
        found["swap"] = (
            float(joint(split.video[pairs[:, 1]], name, opened, pairs, judges, device).mean()),
            float(joint(truth, name, opened, pairs, judges, device).mean()),
        )
    return found


def pairs_of(split: Split) -> NDArray[np.int64] | None:
    """`PAIRS` pairs of clips to swap, or a half, a quarter, … of them in a small set; None where there are no four."""
    count = PAIRS
    while count >= 4:
        try:
            return swap_pairs(split.factors, count)
        except DataError:
            count //= 2
    return None


def joint(
    video: NDArray[np.uint8], name: str, opened: Opened, pairs: NDArray[np.int64], judges: Judges, device: torch.device
) -> NDArray[np.float64]:
    """Whether clips `[P, …]` show the digit of the pair's first on the path of its second, 0 or 1, `[P]`; the pairs are
    clips of the set `name`."""
    factors = opened.sets[name].factors
    judged = judges.judge(video, device)
    content = (digit_sets(judged.digits, 1) == true_sets(factors)[pairs[:, 0]]).all(1)
    swapped = opened.module.swap_factors(*(factors.iloc[rows].reset_index(drop=True) for rows in pairs.T))
    centres = opened.module.shifted_centres(opened.config, name, swapped)
    paths = centres.astype(np.float64) - 0.5  # of pixel centres, as judges count
    found: NDArray[np.float64] = (content & (path_error(judged.paths, paths) < NEAR_PX)).astype(np.float64)
    return found


def packed(sets: dict[str, Split]) -> dict[str, NDArray[Any]]:
    """The arrays of `sets.npz`."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, split in sets.items():
        named = {"video": split.video, "actions": split.actions, "states": split.states, "centres": split.centres_px}
        arrays |= {f"{name}_{key}": array for key, array in named.items() if array is not None}
        arrays |= {f"{name}_factor_{column}": split.factors[column].to_numpy() for column in split.factors}
    return arrays


def unpacked(arrays: dict[str, NDArray[Any]]) -> dict[str, Split]:
    """The sets of `sets.npz`."""
    names = [key.removesuffix("_video") for key in arrays if key.endswith("_video")]
    sets = {}
    for name in names:
        prefix = f"{name}_factor_"
        table = pd.DataFrame({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
        rest = (arrays.get(f"{name}_{key}") for key in ("actions", "states", "centres"))
        sets[name] = Split(arrays[f"{name}_video"], table, *rest)
    return sets


def _first(split: Split, count: int) -> Split:
    arrays = (None if array is None else array[:count] for array in (split.actions, split.states, split.centres_px))
    return Split(split.video[:count], split.factors[:count], *arrays)
