"""Which factors of a clip are as they should be, read from pixels by the judges.

`class`: the first digit judge's answer. `start`, `direction`, `speed`: of the eight paths that come of A's and B's
starts, directions and speeds, the one nearest to the judged path says whose each is; if even that one is 2 px away or
more, none is right. `hand`: the digit is cut out along the judged path, and must look most like the wanted picture
among ten of that class (correlation of pixels; chance is one in ten). Where digits differ in size, `size`: the judged
one lies nearer to the wanted one than half of what sizes of a pair differ by at least; paths are those of either size,
and digits are cut out in the judged one, so that a wrong size makes nothing else wrong.
"""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from whatmoves.exchange.pairs import LEAST_SIZE_SHARE, MOTION, Exchanges, MotionSources, motion_sources, read_after
from whatmoves.judging.judged import Judged
from whatmoves.judging.path_errors import NEAR_PX

HANDS = 10  # pictures that the wanted one is found among
LINE_UP_SEED = 2
SLACK_PX = 2  # how far beside the judged path a picture is looked for


class Question(NamedTuple):
    """What is asked of one list of pairs: the right answers, and what clips are held against.

    `classes` `[P]`; `of_a` `[3]`: whether start, direction and speed should be A's; `pictures` `[P, HANDS, d, d]`, the
    wanted one first, or None where no hand is wanted; `sizes` `[P]`, to be met `within` so much, or None where they do
    not differ.
    """

    classes: NDArray[np.int64]
    of_a: NDArray[np.bool_]
    sources: MotionSources
    pictures: NDArray[np.uint8] | None
    sizes: NDArray[np.float64] | None
    within: float


def question(module: ModuleType, config: Any, test: pd.DataFrame, exchange: Exchanges) -> Question:
    """The question of one exchange."""
    asks_hand = "hand" in read_after(exchange.factor)
    return Question(
        exchange.wanted.class_1.to_numpy(np.int64),
        np.array([name == exchange.factor for name in MOTION]),
        motion_sources(module, config, test, exchange.pairs),
        module.pictures(config)[line_up(test, exchange)] if asks_hand else None,
        exchange.wanted.size_1.to_numpy(np.float64) if config.varies_size else None,
        LEAST_SIZE_SHARE * (config.size[1] - config.size[0]) / 2,
    )


def line_up(test: pd.DataFrame, exchange: Exchanges) -> NDArray[np.int64]:
    """Instances `[P, HANDS]` of the wanted class: the wanted one, then others of the test pool, among them the
    receiver's own. Where a class has few, some stand there twice; where it has but one, those of others do."""
    rng = np.random.default_rng(LINE_UP_SEED)
    known = test.drop_duplicates("instance_1")
    rows = []
    replaced = test.instance_1.to_numpy()[exchange.pairs[:, 1]]
    for instance, label, before in zip(exchange.wanted.instance_1, exchange.wanted.class_1, replaced, strict=True):
        alone = known[known.instance_1 != instance]
        of_class = alone.instance_1[alone.class_1 == label]
        others = (of_class if len(of_class) else alone.instance_1).to_numpy(copy=True)
        drawn = rng.permutation(others)[: HANDS - 1]
        if before in others and before not in drawn:
            drawn[0] = before
        rows.append([instance, *np.resize(drawn, HANDS - 1)])
    return np.array(rows, np.int64)


def read(video: NDArray[np.uint8], judged: Judged, asked: Question) -> dict[str, NDArray[np.bool_]]:
    """Whether each factor of the clips uint8 `[P, T, 1, H, W]` is right, by factor `[P]`, and `all` of them."""
    path = judged.paths[:, :, 0]  # [P, T, 2]
    errors = np.linalg.norm(asked.sources.paths - path[None], axis=-1).mean(-1)  # [C, P]
    near, whose = errors.min(0) < NEAR_PX, asked.sources.of_a[errors.argmin(0)]  # [P], [P, 3]
    found = {"class": judged.digits.argmax(1) == asked.classes}
    if asked.pictures is not None:
        cut = cut_out(video, path, asked.pictures.shape[-1] + 2 * SLACK_PX, judged.sizes)
        found["hand"] = likeness(cut, asked.pictures).argmax(1) == 0
    if asked.sizes is not None:
        assert judged.sizes is not None, "these judges read no sizes"
        found["size"] = np.abs(judged.sizes - asked.sizes) < asked.within
    found |= {name: near & (whose[:, k] == asked.of_a[k]) for k, name in enumerate(MOTION)}
    return {**found, "all": np.logical_and.reduce([*found.values()])}


def cut_out(
    video: NDArray[np.uint8], path: NDArray[np.float64], side: int, sizes: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The mean over frames of the square of `side` pixels around a path `[P, T, 2]` of centres: `[P, side, side]`; with
    `sizes` `[P]` of so many times that, brought back to `side`."""
    P, T = path.shape[:2]
    taps = (np.arange(side) - (side - 1) / 2) * (np.ones(P) if sizes is None else sizes)[:, None]  # [P, side]
    clip = np.arange(P)[:, None, None, None]
    frame = np.arange(T)[None, :, None, None]
    y = path[..., 0, None, None] + taps[:, None, :, None]
    x = path[..., 1, None, None] + taps[:, None, None, :]
    at = [np.broadcast_to(values, (P, T, side, side)) for values in (clip, frame, y, x)]
    cut: NDArray[np.float64] = map_coordinates(video[:, :, 0].astype(np.float32), at, order=1).mean(1)
    return cut


def likeness(cut: NDArray[np.float64], pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Correlation of each cut with each picture of its line `[P, K, d, d]`, at the best of all places: `[P, K]`.

    Cuts are `[P, d + 2 SLACK_PX, d + 2 SLACK_PX]`: judged paths lie beside the true ones. 0 for a flat picture.
    """
    side = pictures.shape[-1]
    windows = sliding_window_view(cut, (side, side), axis=(1, 2)).reshape(len(cut), -1, side * side)
    mine = windows - windows.mean(-1, keepdims=True)  # [P, places, d²]
    theirs = pictures.reshape(*pictures.shape[:2], -1).astype(np.float64)
    theirs -= theirs.mean(-1, keepdims=True)
    norm = np.linalg.norm(mine, axis=-1)[:, :, None] * np.linalg.norm(theirs, axis=-1)[:, None]
    alike = np.divide(mine @ theirs.mT, norm, out=np.zeros(norm.shape), where=norm > 0)
    best: NDArray[np.float64] = alike.max(1)
    return best
