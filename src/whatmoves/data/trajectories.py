"""Where digits are at every frame, in closed form, and the random draws that decide it.

A digit's top-left corner lives in the box [0, range]², range = image − drawn digit pixels, flies straight and is
reflected exactly at the walls: each axis is a triangle wave of time, so frame t needs no frame before it. Frame 0 is
the start. Axis order is y (down), x (right) everywhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS_PER_DIGIT = 8  # two Philox blocks of four; six are used, so a new factor need not move the old ones

Room = float | NDArray[np.float64]  # way a corner can go along one axis, pixels: one for all digits, or `[N, O]`


class Draws(NamedTuple):
    """The primary factors of N clips with O digits.

    `instances` `[N, O]` are indices into the digit bank, `start_px` `[N, O, 2]` the corner (y, x) at frame 0 of a digit
    of size 1, `velocity_px` `[N, O, 2]` the velocity (y, x) in pixels per frame before any bounce and `sizes` `[N, O]`
    the digits' sides beside that of a digit of size 1.
    """

    instances: NDArray[np.int64]
    start_px: NDArray[np.float64]
    velocity_px: NDArray[np.float64]
    sizes: NDArray[np.float64]


def draw(
    uniform: NDArray[np.float64],
    pool: range,
    range_px: int,
    speed_px: tuple[float, float],
    size: tuple[float, float] = (1.0, 1.0),
) -> Draws:
    """Turn uniforms `[N, O, 8]` into factors, all uniform: instance in `pool`, start in the box of a digit of size 1,
    speed, direction, size."""
    instances = pool.start + (uniform[..., 0] * len(pool)).astype(np.int64)
    start_px = uniform[..., 1:3] * range_px
    speed = speed_px[0] + uniform[..., 3] * (speed_px[1] - speed_px[0])
    angle = 2 * np.pi * uniform[..., 4]
    velocity_px = speed[..., None] * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    sizes = size[0] + uniform[..., 5] * (size[1] - size[0])
    return Draws(instances, start_px, velocity_px, sizes)


def positions(
    start_px: NDArray[np.float64], velocity_px: NDArray[np.float64], frames: int, range_px: Room
) -> NDArray[np.float64]:
    """Corners (y, x) in pixels `[N, O, T, 2]` for starts and velocities `[N, O, 2]`, reflected at 0 and `range_px`."""
    t = np.arange(frames, dtype=np.float64)[:, None]
    range_px = np.asarray(range_px)[..., None, None]
    unfolded = start_px[:, :, None] + velocity_px[:, :, None] * t
    return np.asarray(range_px - np.abs(np.mod(unfolded, 2 * range_px) - range_px))


def bounces(
    start_px: NDArray[np.float64], velocity_px: NDArray[np.float64], frames: int, range_px: Room
) -> NDArray[np.int64]:
    """Wall contacts between the first and the last frame `[N, O]`; a corner hit counts twice, once a wall."""
    end = start_px + velocity_px * (frames - 1)
    return np.asarray(np.abs(np.floor(end / np.asarray(range_px)[..., None])).sum(-1), dtype=np.int64)


def first_bounce(
    start_px: NDArray[np.float64], velocity_px: NDArray[np.float64], frames: int, range_px: Room
) -> NDArray[np.float64]:
    """Time of the first wall contact `[N, O]` in frames; `frames − 1`, the last frame, where a clip has none."""
    way = np.where(velocity_px > 0, np.asarray(range_px)[..., None] - start_px, start_px)
    speed = np.abs(velocity_px)
    last = float(frames - 1)
    time = np.divide(way, speed, out=np.full_like(way, last), where=speed * last > way)
    return np.asarray(time.min(-1))
