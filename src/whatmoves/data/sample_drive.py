"""A sample recording, made instead of downloaded: a toy car is driven about a small land with a two-stick gamepad.

The land is seen from above by a camera that follows the car: fields, crossing roads, trees, houses and ponds on a map
whose edges meet, so that one can drive for ever and every session shows the same land. The left stick steers (x), the
right stick gives gas (y, down is backwards) and looks round (x); the left stick's y does nothing, as on many a gamepad.
Speed and view follow the sticks with some inertia, and a car turns only while it rolls. The driver has no plan that the
past tells: each wish is drawn anew every few frames, so that a prediction without the sticks must blur.

`write_recording` leaves PNG pictures and a log in the format of `whatmoves.data.recording_log`, with sessions a minute
apart and, in the middle of each, a moment whose frames were dropped: what any real recording holds.

    python -m whatmoves.data.sample_drive FOLDER        # 24 sessions of 150 frames
"""

import io
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from whatmoves.files import write_bytes, write_text

Floats = NDArray[np.float64]

LOG_NAME = "recording_log.jsonl"
PICTURE_PX = 64
STICKS = 4  # left x, left y, right x, right y
STICK_RANGE = 50.0  # full deflection in the log's own unit
FRAME_NS = 100_000_000
JITTER_NS = 10_000_000
SESSION_PAUSE_NS = 60_000_000_000
DROPPED_FRAMES = 5  # in the middle of a session

# Lengths are metres, angles radians.
LAND_M = 256.0  # side of the land; what leaves it on one side comes back on the other
TEXELS = 512  # side of its map
VIEW_M = 48.0  # side of a picture
CAR_AT = (0.5, 0.62)  # where the car stands in a picture: from the left, from the top
CAR_M = (3.2, 5.2)  # half its width, half its length
SPEED_M = 5.0  # a frame's way at full gas
TURN_RAD = 0.30  # a frame's turn at full gas and full lock
LOOK_RAD = 0.9  # the camera's turn at full deflection
INERTIA = 0.5  # what is left of the old speed and view after a frame

ROAD_M = 6.0  # half of a road's width
GRASS, WHEAT, SOIL = np.array([[104, 158, 72], [206, 184, 98], [150, 112, 78]], dtype=np.float64)
ASPHALT, PAINT, WATER, SHORE = np.array([[92, 94, 102], [240, 236, 220], [62, 124, 186], [206, 194, 150]], np.float64)
ROOFS = np.array([[196, 84, 64], [168, 98, 70], [110, 118, 140], [214, 140, 74]], dtype=np.float64)
LEAVES = np.array([[40, 96, 52], [58, 118, 56], [84, 128, 48]], dtype=np.float64)
CAR, GLASS = np.array([[222, 44, 52], [40, 48, 66]], dtype=np.float64)


class Drive(NamedTuple):
    """One session: poses `[T, 5]` (x, y, heading, speed, look) and sticks `[T, 4]` in the log's unit.

    Headings are clockwise from up on the map. The sticks of frame t lead to the pose of frame t + 1.
    """

    poses: Floats
    sticks: Floats


def write_recording(folder: Path, sessions: int, frames: int, seed: int) -> None:
    """Write `sessions` sessions of `frames` frames each, less the dropped ones, as `frames/*.png` and the log."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    land = build_land(rng)
    dropped = range(frames // 2, frames // 2 + DROPPED_FRAMES)
    lines, number, now_ns = [], 0, 1_700_000_000_000_000_000
    for _ in range(sessions):
        drive = wander(frames, rng)
        jitter_ns = rng.integers(-JITTER_NS, JITTER_NS, frames, endpoint=True)
        for t, picture in enumerate(draw(land, drive.poses)):
            if t in dropped:
                continue
            name = f"frames/{number:06d}.png"
            number += 1
            content = io.BytesIO()
            Image.fromarray(picture).save(content, format="PNG", compress_level=1)
            write_bytes(folder / name, content.getvalue())
            left_x, left_y, right_x, right_y = drive.sticks[t].tolist()
            controls = {"leftStick": {"x": left_x, "y": left_y}, "rightStick": {"x": right_x, "y": right_y}}
            time_ns = now_ns + t * FRAME_NS + int(jitter_ns[t])
            lines.append(json.dumps({"frame_filename": name, "controls": controls, "server_timestamp_ns": time_ns}))
        now_ns += frames * FRAME_NS + SESSION_PAUSE_NS
    write_text(folder / LOG_NAME, "\n".join(lines) + "\n")


def wander(frames: int, rng: np.random.Generator) -> Drive:
    """One session from anywhere in any direction."""
    pose = np.array([*rng.uniform(0, LAND_M, 2), rng.uniform(0, 2 * np.pi), 0.0, 0.0])
    wish, now, hold = np.zeros(STICKS), np.zeros(STICKS), 0
    poses, sticks = np.empty((frames, 5)), np.empty((frames, STICKS))
    for t in range(frames):
        if hold == 0:
            wish = rng.uniform((-1, 0, -1, -0.2), (1, 0, 1, 1))
            wish[2] *= rng.random() < 0.3  # one mostly looks ahead
            hold = int(rng.integers(2, 7))
        hold -= 1
        now = 0.4 * now + 0.6 * wish
        poses[t], sticks[t] = pose, np.round(now * STICK_RANGE, 1)
        pose = move(pose, sticks[t])
    return Drive(poses, sticks)


def move(pose: Floats, sticks: Floats) -> Floats:
    """The pose one frame after `pose` `[5]` under `sticks` `[4]`."""
    x, y, heading, speed, look = pose
    steer, _, turn_view, gas = sticks / STICK_RANGE
    speed = INERTIA * speed + (1 - INERTIA) * gas
    look = INERTIA * look + (1 - INERTIA) * turn_view
    heading = heading + TURN_RAD * steer * speed
    way = SPEED_M * speed
    return np.array([(x + way * np.sin(heading)) % LAND_M, (y - way * np.cos(heading)) % LAND_M, heading, speed, look])


def draw(land: NDArray[np.uint8], poses: Floats) -> NDArray[np.uint8]:
    """Pictures uint8 `[N, H, W, 3]` seen from `poses` `[N, 5]`: up is where the camera looks."""
    x, y, heading, _, look = poses.T[..., None, None]  # each [N, 1, 1]
    centre = np.arange(PICTURE_PX) + 0.5
    right = VIEW_M * (centre / PICTURE_PX - CAR_AT[0])[None, None]  # [1, 1, W], metres from the car
    ahead = VIEW_M * (CAR_AT[1] - centre / PICTURE_PX)[None, :, None]  # [1, H, 1]
    view = heading + LOOK_RAD * look
    sine, cosine = np.sin(view), np.cos(view)
    scale = TEXELS / LAND_M
    column = np.floor(scale * (x + right * cosine + ahead * sine)).astype(np.int64) % TEXELS
    row = np.floor(scale * (y + right * sine - ahead * cosine)).astype(np.int64) % TEXELS
    pictures: NDArray[np.uint8] = land.reshape(-1, 3)[row * TEXELS + column]

    # The car keeps its place and turns against the camera.
    turned = -LOOK_RAD * look
    near = np.s_[:, PICTURE_PX // 2 : PICTURE_PX * 3 // 4, PICTURE_PX * 3 // 8 : PICTURE_PX * 5 // 8]
    u = np.abs(right * np.cos(turned) - ahead * np.sin(turned))[near]
    v = (right * np.sin(turned) + ahead * np.cos(turned))[near]
    body = _inside(CAR_M[0] - u) * _inside(CAR_M[1] - np.abs(v))
    glass = _inside(CAR_M[0] - 0.8 - u) * _inside(1.2 - np.abs(v - 1.2))
    shown = pictures[near] + (CAR - pictures[near]) * body[..., None]
    pictures[near] = np.rint(shown + (GLASS - shown) * glass[..., None])
    return pictures


def build_land(rng: np.random.Generator) -> NDArray[np.uint8]:
    """The map uint8 `[TEXELS, TEXELS, 3]` (y, x): fields below water below roads below trees and houses."""
    at = (np.arange(TEXELS) + 0.5) * LAND_M / TEXELS
    y, x = at[:, None], at[None, :]
    fields = _waves(rng, y, x, highest=3)
    land = GRASS + (WHEAT - GRASS) * _inside(3 * (fields - 0.7))[..., None]
    land = land + (SOIL - land) * _inside(3 * (-fields - 0.8))[..., None]
    furrows = np.sin(2 * np.pi * (x + y) / 8) * _inside(3 * (np.abs(fields) - 0.75))
    land = land * (1 + 0.05 * furrows + 0.05 * _waves(rng, y, x, highest=24))[..., None]

    for _ in range(3):
        distance = _away(rng.uniform(0, LAND_M, 2), y, x) + 3 * _waves(rng, y, x, highest=6)
        radius = rng.uniform(12, 20)
        land = land + (SHORE - land) * _inside(radius + 2.5 - distance)[..., None]
        land = land + (WATER - land) * _inside(radius - distance)[..., None]

    roads = np.full((TEXELS, TEXELS), np.inf)
    for number, (along, across) in enumerate([(x, y), (y, x)] * 2):
        middle = LAND_M * (number // 2 + rng.uniform(0, 0.5)) / 2
        bend, phase = rng.uniform(8, 22), rng.uniform(0, 2 * np.pi)
        angle = 2 * np.pi * along / LAND_M + phase
        slope = bend * 2 * np.pi / LAND_M * np.cos(angle)
        distance = np.abs(_wrapped(across - middle - bend * np.sin(angle))) / np.hypot(1, slope)
        roads = np.minimum(roads, distance)
        land = land + (ASPHALT - land) * _inside(ROAD_M - distance)[..., None]
        edge = _inside(0.7 - np.abs(distance - ROAD_M + 1.2))
        dash = _inside(0.7 - distance) * _inside(2.5 - np.abs(along % 10 - 5))
        land = land + (PAINT - land) * np.maximum(edge, dash)[..., None]

    for kind in ["house"] * 14 + ["tree"] * 110:
        place = rng.uniform(0, LAND_M, 2)
        row, column = (place * TEXELS / LAND_M).astype(int)
        size, colour = rng.random(), int(rng.integers(12))
        if roads[row, column] < ROAD_M + (9 if kind == "house" else 5):
            continue
        if kind == "house":
            _add_house(land, place, 5 + 3 * size, ROOFS[colour % len(ROOFS)])
        else:
            _add_tree(land, place, 3 + 2.5 * size, LEAVES[colour % len(LEAVES)])
    return np.asarray(np.clip(np.rint(land), 0, 255), dtype=np.uint8)


def _add_tree(land: Floats, place: Floats, radius: float, colour: Floats) -> None:
    patch, y, x = _patch(place, radius + 3)
    ground = land[patch]
    shade = 0.45 * _inside(radius - _away(place + 1.8, y, x))[..., None]
    crown = _inside(radius - _away(place, y, x))[..., None]
    light = np.clip(1 - _away(place - 0.35 * radius, y, x) / radius, 0, 1)[..., None]
    ground = ground * (1 - shade)
    land[patch] = ground + (colour * (0.85 + 0.6 * light) - ground) * crown


def _add_house(land: Floats, place: Floats, half: float, colour: Floats) -> None:
    patch, y, x = _patch(place, half + 3)

    def box(offset: float) -> Floats:
        down, right = _wrapped(y - place[0] - offset), _wrapped(x - place[1] - offset)
        return (_inside(half - np.abs(right)) * _inside(0.75 * half - np.abs(down)))[..., None]

    ground = land[patch] * (1 - 0.45 * box(2.0))
    roof = np.where(_wrapped(y - place[0]) < 0, 1.15, 0.85)[..., None]  # the sun is in the north-west
    land[patch] = ground + (colour * roof - ground) * box(0.0)


def _patch(place: Floats, reach: float) -> tuple[tuple[NDArray[np.int64], ...], Floats, Floats]:
    """Index of the texels up to `reach` from `place` (y, x) along either axis, and their places y and x."""
    texels = int(np.ceil(reach * TEXELS / LAND_M))
    near = np.arange(-texels, texels + 1)
    rows, columns = ((np.floor(place * TEXELS / LAND_M).astype(np.int64)[:, None] + near) % TEXELS)[..., None]
    at = (np.stack([rows, columns]) + 0.5) * LAND_M / TEXELS
    return (rows, columns.T), at[0], at[1].T


def _wrapped(difference: Floats) -> Floats:
    """A difference of places, the short way round."""
    return (difference + LAND_M / 2) % LAND_M - LAND_M / 2


def _away(place: Floats, y: Floats, x: Floats) -> Floats:
    """Distance of every texel from `place` (y, x)."""
    return np.hypot(_wrapped(y - place[0]), _wrapped(x - place[1]))


def _inside(depth: Floats) -> Floats:
    """How much of a texel lies inside a shape whose edge is `depth` metres away: a soft edge half a metre to either
    side."""
    return np.clip(depth + 0.5, 0, 1)


def _waves(rng: np.random.Generator, y: Floats, x: Floats, highest: int) -> Floats:
    """Smooth noise of mean 0 and variance about 1 that fits where the edges of the land meet."""
    noise: Floats = np.zeros((TEXELS, TEXELS))
    for _ in range(12):
        down, right = rng.integers(-highest, highest, 2, endpoint=True)
        of_y, of_x = 2 * np.pi * down * y / LAND_M, 2 * np.pi * right * x / LAND_M + rng.uniform(0, 2 * np.pi)
        noise += np.cos(of_y) * np.cos(of_x) - np.sin(of_y) * np.sin(of_x)  # the cosine of their sum, cheaper
    return np.asarray(noise / np.sqrt(6))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m whatmoves.data.sample_drive FOLDER")
    write_recording(Path(sys.argv[1]), sessions=24, frames=150, seed=0)
