"""Floors and ceilings through the judges' and the probes' own code, without a trained model.

Swaps: `blank`, `mean_video`, `copy_content` (A as it is), `copy_motion` (B as it is), `blurred_truth` and the ceiling
`true_render`. Codes: `oracle` (the factors themselves in their blocks, turned inside each), `oracle_swapped` (in the
other blocks), `noise` (Gaussian) and `raw_inputs` (mean frame and frame changes, 64 principal components of each).

    judgement.json   `rows`: row → as `judgement.json` of a model
    clips.npz        `<row>_seed0_<measure>` `[P]`
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data.clips import Batch, ClipShape, Split, to_bytes
from whatmoves.evaluation import legacy
from whatmoves.evaluation.encoding import encoded
from whatmoves.evaluation.factors import NO_TARGETS, Targets
from whatmoves.evaluation.quality import blurred, summary, swap_quality
from whatmoves.evaluation.stored import PARTS
from whatmoves.evaluation.swaps import Codes
from whatmoves.files import write_arrays, write_json
from whatmoves.floors import FRAMES
from whatmoves.judging.control import scored
from whatmoves.judging.information import information
from whatmoves.judging.judges import load_judges
from whatmoves.judging.task import Task, open_task
from whatmoves.models import pca
from whatmoves.study import Evaluation, Study
from whatmoves.training.runtime import choose_device, tune_malloc

SWAP_ROWS = tuple(name for name, frame in FRAMES.items() if frame.swaps)
CODE_ROWS = tuple(name for name, frame in FRAMES.items() if frame.codes)
NOISE_WIDTH = 16
RAW_WIDTH = 64
FLOOR_SEED = 0


def judge_floors(
    study: Study, dataset: str, judges_file: Path, data_folder: Path, out_folder: Path, device: str = "auto"
) -> None:
    """Write the files above for one data set; raises `DataError`, `CheckpointError` or `ConfigError`."""
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    task, judges = open_task(study, dataset, data_folder), load_judges(judges_file, place)
    rows: dict[str, dict[str, Any]] = {}
    clips: dict[str, NDArray[np.float64]] = {}
    for row in SWAP_ROWS:
        video = swap_floor(row, task)
        of_pairs, numbers = scored(judges.judge(video, place, ask_second=True), task.facts)
        numbers |= _legacy(video, task)
        if not FRAMES[row].clips:  # else the picture quality of its swaps stands in the evaluation's quality.json
            of_quality = swap_quality(_answers(video, task, study.evaluation.batch_size))
            numbers |= summary(of_quality)
            of_pairs |= of_quality
        rows[row] = {"split": None, "seeds": {"0": numbers}, "cannot": {}}
        clips |= {f"{row}_seed0_{name}": array for name, array in of_pairs.items()}
    for row in CODE_ROWS:
        rows[row] = code_floor(row, task, study.evaluation)
    write_arrays(out_folder / "clips.npz", clips)
    write_json(out_folder / "judgement.json", {"dataset": dataset, "rows": rows})


def swap_floor(row: str, task: Task) -> NDArray[np.uint8]:
    """Clips uint8 `[P, T, C, H, W]` that one of `SWAP_ROWS` offers as swaps."""
    test, (pairs, truth, _) = task.clips.test.video, task.swaps
    match row:
        case "blank":
            return np.zeros_like(truth)
        case "mean_video":
            mean = task.clips.splits["train"].video.mean((0, 1))
            return np.broadcast_to(np.rint(mean).astype(np.uint8), truth.shape).copy()
        case "copy_content" | "copy_motion":
            return test[pairs[:, 0 if row == "copy_content" else 1]]
        case "blurred_truth":
            return to_bytes(blurred(torch.from_numpy(truth).float().div_(255)))
        case _:
            return truth


def _legacy(video: NDArray[np.uint8], task: Task) -> dict[str, float]:
    """The original's judgement of swaps, to be held against what judges say of the same clips."""
    pairs, of_test = task.swaps.pairs[: legacy.SWAP_PAIRS], task.clips.test.video
    content, motion = of_test[pairs[:, 0]] / 255, of_test[pairs[:, 1]] / 255
    return legacy.swap_measures(content, motion, video[: legacy.SWAP_PAIRS] / 255)


def code_floor(row: str, task: Task, settings: Evaluation) -> dict[str, Any]:
    """The record of one of `CODE_ROWS`."""
    if task.facts.targets is None:
        return {"split": None, "seeds": {"0": {}}, "cannot": {"information": NO_TARGETS}}
    found = information(floor_codes(row, task), task.facts.targets, settings)
    return {"split": "blocks", "seeds": {"0": found}, "cannot": {}}


def floor_codes(row: str, task: Task) -> dict[str, Codes]:
    """Codes of one of `CODE_ROWS`: part → block → `[N, D]`."""
    assert task.facts.targets is not None
    rng = np.random.default_rng(FLOOR_SEED)
    splits = task.clips.splits
    if row == "raw_inputs":
        return raw_codes(splits)
    if row == "noise":
        return {
            part: {
                block: rng.standard_normal((len(splits[part].video), NOISE_WIDTH)).astype(np.float32)
                for block in ("content", "motion")
            }
            for part in PARTS
        }
    blocks = ("content", "motion") if row == "oracle" else ("motion", "content")
    return oracle_codes(task.facts.targets, blocks, rng)


def oracle_codes(targets: Any, blocks: tuple[str, str], rng: np.random.Generator) -> dict[str, Codes]:
    """The true factors as codes: `blocks[0]` holds content, `blocks[1]` motion, standardised and turned at random.

    A label becomes one dimension a class. Turning shows that a block is a subspace: no measure of blocks may mind.
    """
    result: dict[str, dict[str, NDArray[np.float32]]] = {part: {} for part in PARTS}
    for block, role in zip(blocks, ("content", "motion"), strict=True):
        tables = {part: _columns(targets[part], targets["train"], role) for part in PARTS}
        mean, deviation = tables["train"].mean(0), tables["train"].std(0)
        turn = np.linalg.qr(rng.standard_normal((len(mean), len(mean))))[0]
        for part in PARTS:
            standard = (tables[part] - mean) / np.where(deviation > 0, deviation, 1.0)
            result[part][block] = (standard @ turn).astype(np.float32)
    return dict(result)


def raw_codes(splits: dict[str, Split]) -> dict[str, Codes]:
    """The inputs that the content/motion VAE looks at, as they are but for a linear reduction."""
    _, frames, channels, height, width = splits["train"].video.shape
    shape = ClipShape(frames, channels, height, width)
    model = pca.Model(pca.Config(content_dim=RAW_WIDTH, motion_dim=RAW_WIDTH), shape)
    host = torch.device("cpu")
    with torch.no_grad():
        model.fit([Batch(splits["train"].batch(slice(0, model.config.clips), host).video)])
        return {part: encoded(model, splits[part], 100, host) for part in PARTS}


def _columns(targets: Targets, train: Targets, role: str) -> NDArray[np.float64]:
    """The factors of a role as numbers `[N, D]`, labels as indicators of the classes seen in training."""
    chosen = targets.roles().content if role == "content" else targets.roles().motion
    parts = []
    for k in chosen:
        column = targets.values[:, k]
        known = np.unique(train.values[:, k])
        parts.append((column[:, None] == known).astype(float) if targets.kinds[k] == "discrete" else column[:, None])
    return np.concatenate(parts, axis=1)


def _answers(video: NDArray[np.uint8], task: Task, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for first in range(0, len(video), batch_size):
        rows = slice(first, first + batch_size)
        answer = torch.from_numpy(video[rows]).float().div_(255)
        yield answer, task.swaps.nearest(rows, answer)
