"""Train the judges of a data set and measure how well they judge real clips: what `whatmoves judge --train` does.

judges.pt      weights of both digit judges, the path judge, and the judge of sizes where those are read
quality.json   their ceilings on the stored test clips, whose digits they have never seen
"""

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from whatmoves import plugins
from whatmoves.data.clips import Split
from whatmoves.files import write_json
from whatmoves.judging.drawing import Drawn, Pencil, geometry_of
from whatmoves.judging.judged import CLASSES, digit_sets, kappa, true_sets
from whatmoves.judging.judges import Judges, save_judges
from whatmoves.judging.networks import CELL_PX, Read, at_centres, bumps
from whatmoves.judging.path_errors import NEAR_PX, centroids, path_error, true_paths
from whatmoves.study import Study
from whatmoves.training.runtime import choose_device, tune_malloc

log = logging.getLogger(__name__)

BATCH = 64
PEAK_RATE = 4e-3
WARM_UP = 0.2
PLACE_WEIGHT = 0.5  # of naming each digit where it is, beside naming what the whole frame shows: learns twice as fast
PLACES_NEED_LESS = 2  # a digit's place is learnt from half the frames that its name takes
SEEDS = {
    "first": 1,
    "second": 2,
    "place": 3,
    "size": 4,
}  # the judges' own streams; no training run draws its digits from them


def train_judges(study: Study, dataset: str, data_folder: Path, out_folder: Path, device: str = "auto") -> None:
    """Write `judges.pt` and `quality.json` for one moving-digits data set into `out_folder`.

    One CPU thread, fixed seeds: the same machine gives the same bytes. Raises `ConfigError` or `DataError`.
    """
    tune_malloc()
    torch.set_num_threads(1)
    entry = study.data[dataset]
    module, config = plugins.data_of(dataset, entry.kind, entry.options)
    place = choose_device(device)
    judges = trained(config, study.evaluation.judge_frames, place)
    test: Split = module.open_source(config, data_folder).split("test")
    save_judges(out_folder / "judges.pt", judges)
    write_json(out_folder / "quality.json", ceilings(judges, config, module, test, place))


def trained(config: Any, frames: int, device: torch.device) -> Judges:
    """Judges for the data set of `config`, each trained on `frames` drawn frames."""
    torch.manual_seed(0)
    judges = Judges(geometry_of(config), config.digits == 1 and config.varies_size)
    judges.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # as the frames
    digits = config.digits

    def digit_loss(net: Any, drawn: Drawn) -> Tensor:
        read: Read = net(drawn.frames)
        here = at_centres(read.places, drawn.centres, net.first_place_px).flatten(0, 1)
        by_place = functional.cross_entropy(here, drawn.classes.flatten())
        if digits == 1:
            return functional.cross_entropy(read.frames, drawn.classes[:, 0]) + PLACE_WEIGHT * by_place
        present = functional.one_hot(drawn.classes, CLASSES).amax(1).float()
        return functional.binary_cross_entropy_with_logits(read.frames, present) + PLACE_WEIGHT * by_place

    def place_loss(net: nn.Module, drawn: Drawn) -> Tensor:
        place_map: Tensor = net(drawn.frames)
        return (place_map - bumps(drawn.centres / CELL_PX, *place_map.shape[1:])).square().mean()

    def size_loss(net: Any, drawn: Drawn) -> Tensor:
        read: Read = net(drawn.frames)
        here = at_centres(read.places, drawn.centres, net.first_place_px)[..., 0]
        truth = drawn.sizes.log()
        return (read.frames - truth).square().mean() + PLACE_WEIGHT * (here - truth).square().mean()

    losses = {"first": digit_loss, "second": digit_loss, "place": place_loss}
    for name, loss in (losses | ({} if judges.size is None else {"size": size_loss})).items():
        budget = frames // PLACES_NEED_LESS if name == "place" else frames
        last = _fit(getattr(judges, name), loss, Pencil(config, device, SEEDS[name]), budget)
        log.info("%s judge: loss %.4f after %s frames", name, last, f"{budget:,}")
    return judges


def _fit(net: nn.Module, loss: Callable[[Any, Drawn], Tensor], pencil: Pencil, frames: int) -> float:
    """Train one network on freshly drawn frames; gives the mean loss of the last tenth."""
    steps = max(1, frames // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps))
    losses: list[Tensor] = []
    net.train()
    for _ in range(steps):
        drawn = pencil.draw(BATCH)
        value = loss(net, drawn._replace(frames=drawn.frames.contiguous(memory_format=torch.channels_last)))
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        losses.append(value.detach())
    net.eval()
    return float(torch.stack(losses[-max(1, steps // 10) :]).mean())


def _rate(progress: float) -> float:
    """Share of the peak learning rate: up in a line over the first fifth, then down half a cosine to 0."""
    if progress < WARM_UP:
        return 0.04 + 0.96 * progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP))))


def ceilings(judges: Judges, config: Any, module: Any, test: Split, device: torch.device) -> dict[str, Any]:
    """How well real test clips are judged.

    `accuracy_first`, `accuracy_second` (all digits of the clip right) and Cohen's kappa between the two;
    `path_error_px`, the mean over clips, and the shares of clips `path_near` (below 2 px) and `joint` (that, and the
    first judge right). With one digit, a tracker without any learning, the centroid of intensity, stands beside the
    path judge: its own error, and the mean distance between the two. A digit's ink is not centred in its square, so
    the tracker is off by a constant in each clip: `*_centred` takes out the mean offset of each clip. Where sizes are
    read, `size_error` is the mean distance to the true one.
    """
    judged = judges.judge(test.video, device, ask_second=True)
    assert judged.second_digits is not None
    truth = true_sets(test.factors)
    sets = [digit_sets(chances, config.digits) for chances in (judged.digits, judged.second_digits)]
    right = [(found == truth).all(1) for found in sets]
    paths = true_paths(module, config, test.factors)
    error = path_error(judged.paths, paths)
    found: dict[str, Any] = {
        "clips": len(test.video),
        "accuracy_first": float(right[0].mean()),
        "accuracy_second": float(right[1].mean()),
        "kappa": kappa(*sets),
        "path_error_px": float(error.mean()),
        "path_near": float((error < NEAR_PX).mean()),
        "joint": float((right[0] & (error < NEAR_PX)).mean()),
    }
    if judged.sizes is not None:
        found["size_error"] = float(np.abs(judged.sizes - test.factors.size_1).mean())
    if config.digits == 1:
        tracked = centroids(test.video)
        found["tracker_error_px"] = float(path_error(tracked, paths).mean())
        found["tracker_distance_px"] = float(path_error(tracked, judged.paths).mean())
        offset = (tracked - judged.paths).mean(1, keepdims=True)
        found["tracker_distance_centred_px"] = float(path_error(tracked - offset, judged.paths).mean())
        offset = (tracked - paths).mean(1, keepdims=True)
        found["tracker_error_centred_px"] = float(path_error(tracked - offset, paths).mean())
    return found
