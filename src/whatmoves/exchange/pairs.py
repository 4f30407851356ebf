"""One factor exchanged between two test clips: which clips, and what the clip should then show.

Clip A gives the factor, clip B receives it. The two differ in everything else as well, so that whatever else comes
along is seen: in the digit's class, and in start, direction, speed and, where digits differ in size, size by enough to
be told apart. Only where the hand is exchanged they show one class, because a hand is a way to write a class; for the
same reason nobody can say what the hand should be once the class was exchanged, and it is not asked.
"""

import itertools
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whatmoves.judging.path_errors import true_paths

CONTENT, MOTION = ("class", "hand", "size"), ("start", "direction", "speed")
FACTORS = (*CONTENT, *MOTION)
NOTHING = "none"  # the receiver's own code: what of a clip is still right when nothing was exchanged
PAIRS = 100  # of clips whose class differs, and as many of clips that share it
FEWEST_PAIRS = 8  # in a small test set; under this, a factor is not exchanged
TRIES = 400  # per pair looked for
PAIR_SEED = 1  # not that of the swaps' pairs
LEAST_TURN = np.pi / 4  # between directions of a pair, radians
LEAST_SPEED_SHARE = 1 / 3  # between speeds, of the range from slowest to fastest
LEAST_START_SHARE = 1 / 4  # between starts, of the way a corner can go
LEAST_SIZE_SHARE = 1 / 2  # between sizes, of the range from smallest to largest


def read_after(factor: str) -> tuple[str, ...]:
    """The factors that have a right answer once one was exchanged, as far as clips have them."""
    return tuple(name for name in FACTORS if (factor, name) != ("class", "hand"))


class Exchanges(NamedTuple):
    """Exchanges of one factor: test rows `[P, 2]` (giver A, receiver B), and the table of what should be shown."""

    factor: str
    pairs: NDArray[np.int64]
    wanted: pd.DataFrame


def exchanges_of(config: Any, test: pd.DataFrame) -> dict[str, Exchanges]:
    """All exchanges that the test clips (one digit each) allow, by factor; the same table gives the same ones."""
    found: dict[str, Exchanges] = {}
    sized = ("size",) if config.varies_size else ()
    for factors, same_class in (((NOTHING, "class", *sized, *MOTION), False), (("hand",), True)):
        pairs = find_pairs(config, test, same_class)
        if len(pairs) >= FEWEST_PAIRS:
            found |= {name: Exchanges(name, pairs, exchanged_table(name, test, pairs)) for name in factors}
    return {name: found[name] for name in (NOTHING, *FACTORS) if name in found}


def find_pairs(config: Any, test: pd.DataFrame, same_class: bool) -> NDArray[np.int64]:
    """Up to `PAIRS` different rows (A, B) whose motions differ in every factor, of one class or of two."""
    rng = np.random.default_rng(PAIR_SEED)
    drawn = rng.integers(len(test), size=(PAIRS * TRIES, 2))
    a, b = (test.iloc[rows].reset_index(drop=True) for rows in drawn.T)
    turn = np.abs(np.angle(np.exp(1j * (_angle(a) - _angle(b)))))
    way = np.hypot(a.start_y_1 - b.start_y_1, a.start_x_1 - b.start_x_1)
    slowest, fastest = config.speed_px
    apart = (
        (turn >= LEAST_TURN)
        & (way >= LEAST_START_SHARE * config.range_px)
        & ((a.speed_1 - b.speed_1).abs() >= LEAST_SPEED_SHARE * (fastest - slowest))
        & (a.instance_1 != b.instance_1)
        & ((a.class_1 == b.class_1) == same_class)
    )
    if config.varies_size:
        apart &= (a.size_1 - b.size_1).abs() >= LEAST_SIZE_SHARE * (config.size[1] - config.size[0])
    unique = list(dict.fromkeys(map(tuple, drawn[apart.to_numpy()].tolist())))[:PAIRS]
    return np.array(unique, np.int64).reshape(-1, 2)


def exchanged_table(factor: str, test: pd.DataFrame, pairs: NDArray[np.int64]) -> pd.DataFrame:
    """The factors of B `[P]` with one factor of A, as `render_factors` draws them; `none` leaves B as it is."""
    a, b = (test.iloc[rows].reset_index(drop=True) for rows in pairs.T)
    picture = a if factor in ("class", "hand") else b
    return composed(picture, *((a if name == factor else b) for name in ("size", *MOTION)))


def composed(
    picture: pd.DataFrame, size: pd.DataFrame, start: pd.DataFrame, direction: pd.DataFrame, speed: pd.DataFrame
) -> pd.DataFrame:
    """A table whose digit, its size, start, direction and speed come from five others, row by row."""
    velocity = {
        f"velocity_{axis}_1": speed.speed_1 * direction[f"velocity_{axis}_1"] / direction.speed_1 for axis in "yx"
    }
    sizes = {name: size[name] for name in size.columns if name == "size_1"}
    return start.assign(
        class_1=picture.class_1, instance_1=picture.instance_1, speed_1=speed.speed_1, **velocity, **sizes
    )


def motion_sources(module: ModuleType, config: Any, test: pd.DataFrame, pairs: NDArray[np.int64]) -> "MotionSources":
    """The paths of every combination of A's and B's start, direction and speed; where sizes differ, of either's size,
    which meet the walls elsewhere."""
    a, b = (test.iloc[rows].reset_index(drop=True) for rows in pairs.T)
    of_a = list(itertools.product((False, True) if config.varies_size else (False,), *([(False, True)] * len(MOTION))))
    tables = [composed(b, *((a if mine else b) for mine in combination)) for combination in of_a]
    paths = np.stack([true_paths(module, config, table)[:, :, 0] for table in tables])
    return MotionSources(np.array(of_a)[:, 1:], paths)


class MotionSources(NamedTuple):
    """`of_a` `[C, 3]`: which of start, direction and speed are A's, in each of C combinations, 8 or with sizes 16;
    `paths` `[C, P, T, 2]`: centres (y, x), pixels."""

    of_a: NDArray[np.bool_]
    paths: NDArray[np.float64]


def _angle(table: pd.DataFrame) -> NDArray[np.float64]:
    angle: NDArray[np.float64] = np.arctan2(table.velocity_y_1.to_numpy(float), table.velocity_x_1.to_numpy(float))
    return angle
