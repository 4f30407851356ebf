"""Where digits are at every frame, in closed form, and the random draws that decide it.

A digit's top-left corner lives in the box [0, range]², range = image − digit pixels, flies straight and is reflected
exactly at the walls: each axis is a triangle wave of time, so frame t needs no frame before it. Frame 0 is the start.
Axis order is y (down), x (right) everywhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS_PER_DIGIT = 8  # two Philox blocks of four; five are used, so a new factor need not move the old ones
STREAMS = {"train": 0, "probe": 1, "validation": 2, "test": 3}


class Draws(NamedTuple):
    """The primary factors of N clips with O digits.

    `instances` `[N, O]` are indices into the digit bank, `start_px` `[N, O, 2]` the corner (y, x) at frame 0 and
    `velocity_px` `[N, O, 2]` the velocity (y, x) in pixels per frame before any bounce.
    """

    instances: NDArray[np.int64]
    start_px: NDArray[np.float64]
    velocity_px: NDArray[np.float64]


def uniforms(data_seed: int, stream: str, stream_seed: int, first: int, count: int, digits: int) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1) `[count, digits, 8]` of the clips `first … first+count-1`.

    Philox-4×64 (Salmon et al. 2011) keyed by (data seed, stream, stream seed) with a counter that is the clip's index
    times its number of blocks: any clip can be drawn alone, a range in one call, and no two streams share a key.
    """
    assert 0 <= stream_seed < 2**32, "it would run into the stream's part of the key"
    blocks_per_clip = digits * DRAWS_PER_DIGIT // 4
    key = np.array([data_seed, STREAMS[stream] << 32 | stream_seed], dtype=np.uint64)
    generator = np.random.Philox(key=key, counter=first * blocks_per_clip)
    bits = np.asarray(generator.random_raw(count * digits * DRAWS_PER_DIGIT))
    unit = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return unit.reshape(count, digits, DRAWS_PER_DIGIT)


def draw(uniform: NDArray[np.float64], pool: range, range_px: int, speed_px: tuple[float, float]) -> Draws:
    """Turn uniforms `[N, O, 8]` into factors, all uniform: instance in `pool`, start in the box, speed, direction."""
    instances = pool.start + (uniform[..., 0] * len(pool)).astype(np.int64)
    start_px = uniform[..., 1:3] * range_px
    speed = speed_px[0] + uniform[..., 3] * (speed_px[1] - speed_px[0])
    angle = 2 * np.pi * uniform[..., 4]
    velocity_px = speed[..., None] * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    return Draws(instances, start_px, velocity_px)


def positions(
    start_px: NDArray[np.float64], velocity_px: NDArray[np.float64], frames: int, range_px: int
) -> NDArray[np.float64]:
    """Corners (y, x) in pixels `[N, O, T, 2]` for starts and velocities `[N, O, 2]`, reflected at 0 and `range_px`."""
    t = np.arange(frames, dtype=np.float64)[:, None]
    unfolded = start_px[:, :, None] + velocity_px[:, :, None] * t
    return np.asarray(range_px - np.abs(np.mod(unfolded, 2 * range_px) - range_px))


def bounces(
    start_px: NDArray[np.float64], velocity_px: NDArray[np.float64], frames: int, range_px: int
) -> NDArray[np.int64]:
    """Wall contacts between the first and the last frame `[N, O]`; a corner hit counts twice, once a wall."""
    end = start_px + velocity_px * (frames - 1)
    return np.asarray(np.abs(np.floor(end / range_px)).sum(-1), dtype=np.int64)


def first_bounce(
    start_px: NDArray[np.float64], velocity_px: NDArray[np.float64], frames: int, range_px: int
) -> NDArray[np.float64]:
    """Time of the first wall contact `[N, O]` in frames; `frames − 1`, the last frame, where a clip has none."""
    way = np.where(velocity_px > 0, range_px - start_px, start_px)
    speed = np.abs(velocity_px)
    last = float(frames - 1)
    time = np.divide(way, speed, out=np.full_like(way, last), where=speed * last > way)
    return np.asarray(time.min(-1))
