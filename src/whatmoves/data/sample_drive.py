"""A sample recording, made instead of downloaded: somebody walks about a walled yard with a two-stick gamepad.

A yard of coloured blocks is seen in the first person, by casting one ray a picture column. The left stick steps
sideways (x) and forward (y), the right stick turns (x) and looks up and down (y); at a wall one stops. Sticks follow
no plan that the past tells: each target is drawn anew every few frames, and only a wall ahead forces a turn.

`write_recording` leaves PNG pictures and a log in the format of `whatmoves.data.recording_log`, with sessions a minute
apart and, in the middle of each, a moment whose frames were dropped: what any real recording holds.
"""

import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from whatmoves.files import write_bytes, write_text

LOG_NAME = "recording_log.jsonl"
STICK_RANGE = 50.0  # full deflection in the log's own unit
FRAME_NS = 100_000_000
JITTER_NS = 10_000_000
SESSION_PAUSE_NS = 60_000_000_000
DROPPED_FRAMES = 5  # at the middle of a session

YARD_CELLS = 11
BLOCKS = 14
BODY_CELLS = 0.3  # how near one comes to a wall
STEP_CELLS = (0.10, 0.22)  # a frame's way at full deflection: sideways, forward
TURN_RAD = 0.16
LOOK_SCREENS = 0.06
MOST_LOOK_SCREENS = 0.2
VIEW = 0.75  # half of the picture's width at distance 1: a view of 74°
WALL_CELLS = 1.0

WALLS = np.array(
    [[214, 84, 64], [236, 178, 62], [92, 170, 98], [66, 142, 190], [150, 106, 184], [226, 134, 160], [200, 200, 190]]
)
FLOOR = np.array([[118, 112, 104], [84, 80, 78]])
SKY = np.array([[40, 84, 150], [206, 222, 236]])  # at the zenith, at the horizon
SUN = np.array([255, 240, 190])


class Walk(NamedTuple):
    """One session: poses `[T, 4]` (x and y in cells, heading in radians, look in screens) and sticks `[T, 4]`.

    The sticks of frame t, in the log's unit, lead to the pose of frame t + 1.
    """

    poses: NDArray[np.float64]
    sticks: NDArray[np.float64]


def write_recording(folder: Path, sessions: int, frames: int, image_px: int, seed: int) -> None:
    """Write `sessions` sessions of `frames` frames each, less the dropped ones, as `frames/*.png` and the log."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    yard = build_yard(rng)
    dropped = range(frames // 2, frames // 2 + DROPPED_FRAMES)
    lines, number, now_ns = [], 0, 1_700_000_000_000_000_000
    for _ in range(sessions):
        walk = stroll(yard, frames, rng)
        jitter_ns = rng.integers(-JITTER_NS, JITTER_NS, frames, endpoint=True)
        for t, picture in enumerate(draw(yard, walk.poses, image_px)):
            if t in dropped:
                continue
            name = f"frames/{number:06d}.png"
            number += 1
            content = io.BytesIO()
            Image.fromarray(picture).save(content, format="PNG")
            write_bytes(folder / name, content.getvalue())
            left_x, left_y, right_x, right_y = walk.sticks[t].tolist()
            controls = {"leftStick": {"x": left_x, "y": left_y}, "rightStick": {"x": right_x, "y": right_y}}
            time_ns = now_ns + t * FRAME_NS + int(jitter_ns[t])
            lines.append(json.dumps({"frame_filename": name, "controls": controls, "server_timestamp_ns": time_ns}))
        now_ns += frames * FRAME_NS + SESSION_PAUSE_NS
    write_text(folder / LOG_NAME, "\n".join(lines) + "\n")


def build_yard(rng: np.random.Generator) -> NDArray[np.int64]:
    """A map `[y, x]` of cells: 0 free, else 1 + index of the wall's colour. Its rim is wall, its middle free."""
    yard = rng.integers(1, len(WALLS) + 1, (YARD_CELLS, YARD_CELLS))
    inside = np.zeros((YARD_CELLS - 2, YARD_CELLS - 2), dtype=np.int64)
    places = rng.choice(inside.size, BLOCKS, replace=False)
    inside.flat[places] = rng.integers(1, len(WALLS) + 1, BLOCKS)
    middle = len(inside) // 2
    inside[middle - 1 : middle + 2, middle - 1 : middle + 2] = 0
    yard[1:-1, 1:-1] = inside
    return yard


def stroll(yard: NDArray[np.int64], frames: int, rng: np.random.Generator) -> Walk:
    """One session from the middle of the yard in a random direction."""
    pose = np.array([YARD_CELLS / 2, YARD_CELLS / 2, rng.uniform(0, 2 * np.pi), 0.0])
    target, sticks_now, hold = np.zeros(4), np.zeros(4), 0
    poses, sticks = np.empty((frames, 4)), np.empty((frames, 4))
    for t in range(frames):
        if hold == 0:
            target, hold = rng.uniform((-0.8, -0.4, -1, -0.7), (0.8, 1, 1, 0.7)), int(rng.integers(2, 7))
        hold -= 1
        ahead = pose[:2] + 0.9 * np.array([np.cos(pose[2]), np.sin(pose[2])])
        if _blocked(yard, ahead):
            target[1], target[2] = -0.3, 1.0 if target[2] >= 0 else -1.0
        sticks_now = 0.5 * sticks_now + 0.5 * target
        poses[t], sticks[t] = pose, np.round(sticks_now * STICK_RANGE, 1)
        pose = move(yard, pose, sticks[t])
    return Walk(poses, sticks)


def move(yard: NDArray[np.int64], pose: NDArray[np.float64], sticks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pose one frame after `pose` `[4]` under `sticks` `[4]`; a wall stops either axis by itself."""
    sideways, forward, turn, look = sticks / STICK_RANGE
    x, y, heading, pitch = pose
    ahead = np.array([np.cos(heading), np.sin(heading)])
    across = np.array([-ahead[1], ahead[0]])
    step = STEP_CELLS[1] * forward * ahead + STEP_CELLS[0] * sideways * across
    if not _blocked(yard, np.array([x + step[0], y])):
        x += step[0]
    if not _blocked(yard, np.array([x, y + step[1]])):
        y += step[1]
    pitch = np.clip(pitch + LOOK_SCREENS * look, -MOST_LOOK_SCREENS, MOST_LOOK_SCREENS)
    return np.array([x, y, heading + TURN_RAD * turn, pitch])


def _blocked(yard: NDArray[np.int64], place: NDArray[np.float64]) -> bool:
    """Whether a body at `place` (x, y) would touch a wall."""
    low, high = np.floor(place - BODY_CELLS).astype(int), np.floor(place + BODY_CELLS).astype(int)
    return bool(yard[low[1] : high[1] + 1, low[0] : high[0] + 1].any())


def draw(yard: NDArray[np.int64], poses: NDArray[np.float64], image_px: int) -> NDArray[np.uint8]:
    """Pictures uint8 `[N, H, W, 3]`, H = W = `image_px`, seen from `poses` `[N, 4]`."""
    x, y, heading, look = poses.T[..., None]  # each [N, 1]
    across = VIEW * (2 * (np.arange(image_px) + 0.5) / image_px - 1)  # [W], at distance 1
    direction_x = np.cos(heading) - across * np.sin(heading)  # [N, W]; length 1 along the line of sight
    direction_y = np.sin(heading) + across * np.cos(heading)
    distance, colour = _cast(yard, x, y, direction_x, direction_y)

    rows = np.arange(image_px)[None, :, None] + 0.5  # [1, H, 1]
    horizon = (image_px * (0.5 + look))[..., None]  # [N, 1, 1]
    screens = (rows - horizon) / image_px * 2 * VIEW  # below the horizon positive, at distance 1
    wall = np.abs(screens) < WALL_CELLS / 2 / distance[:, None]  # [N, H, W]

    # The floor half a wall below the eye is met where the ray through this row has fallen so far.
    far = np.minimum(WALL_CELLS / 2 / np.maximum(screens, 1e-3), 50)
    floor_x, floor_y = x[..., None] + far * direction_x[:, None], y[..., None] + far * direction_y[:, None]
    tile = (np.floor(2 * floor_x) + np.floor(2 * floor_y)).astype(np.int64) % 2  # half-cell tiles
    ground = FLOOR[tile] * _haze(far)[..., None]

    height = np.clip(-screens, 0, 1)[..., None]
    sky = SKY[1] + (SKY[0] - SKY[1]) * height
    toward_sun = direction_x[:, None] / np.hypot(direction_x, direction_y)[:, None] - 2 * (screens + 0.45) ** 2
    glow = np.clip((toward_sun - 0.9) / 0.1, 0, 1)[..., None]
    sky = sky + (SUN - sky) * glow

    pictures = np.where((screens > 0)[..., None], ground, sky)
    pictures = np.where(wall[..., None], (colour * _haze(distance)[..., None])[:, None], pictures)
    return np.asarray(np.clip(np.rint(pictures), 0, 255), dtype=np.uint8)


def _haze(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of a colour is left at a distance in cells."""
    return np.asarray(0.35 + 0.65 / (1 + 0.04 * distance**2))


def _cast(
    yard: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    direction_x: NDArray[np.float64],
    direction_y: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance `[N, W]` and colour `[N, W, 3]` of the first wall along each ray, cell by cell (Amanatides, Woo 1987)."""
    shape = direction_x.shape
    cell_x, cell_y = np.broadcast_to(np.floor(x), shape).astype(int), np.broadcast_to(np.floor(y), shape).astype(int)
    slope_x, slope_y = (np.where(np.abs(d) < 1e-9, 1e-9, d) for d in (direction_x, direction_y))
    next_x = (cell_x + (slope_x > 0) - x) / slope_x  # distance at which the ray leaves its cell through either wall
    next_y = (cell_y + (slope_y > 0) - y) / slope_y
    distance, through_x = np.zeros(shape), np.zeros(shape, dtype=bool)
    going = np.ones(shape, dtype=bool)
    while going.any():
        nearer_x = next_x < next_y
        distance = np.where(going, np.where(nearer_x, next_x, next_y), distance)
        through_x = np.where(going, nearer_x, through_x)
        step_x, step_y = going & nearer_x, going & ~nearer_x
        cell_x, cell_y = cell_x + step_x * np.sign(slope_x).astype(int), cell_y + step_y * np.sign(slope_y).astype(int)
        next_x, next_y = next_x + step_x / np.abs(slope_x), next_y + step_y / np.abs(slope_y)
        going &= yard[cell_y, cell_x] == 0
    along = np.where(through_x, y + distance * direction_y, x + distance * direction_x) % 1
    paint = np.where(np.abs(along - 0.5) > 0.44, 0.6, 1.0) * np.where(through_x, 1.0, 0.8)  # joints; one side in shade
    colour = WALLS[yard[cell_y, cell_x] - 1] * paint[..., None]
    return np.maximum(distance, 0.05), colour
