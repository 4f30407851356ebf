"""How the push world looks: a wooden table from above, light from the top left, objects with soft shadows, jaws on top.

Everything is drawn by its signed distance in pixels (negative inside), so edges are exact to a part of a pixel and a
small motion changes the picture a little. A thing is drawn only on the square patch that holds it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.push_physics import JAW_RADIUS, JAW_REACH, Motion, jaw_reach

Pixels = NDArray[np.float32]

SHAPES = ("disc", "box", "hexagon", "triangle", "ring")
COLOURS = {
    "red": (0.84, 0.20, 0.18),
    "yellow": (0.97, 0.80, 0.18),
    "green": (0.22, 0.62, 0.32),
    "blue": (0.18, 0.42, 0.80),
    "purple": (0.52, 0.30, 0.66),
    "white": (0.95, 0.94, 0.90),
    "orange": (0.96, 0.52, 0.12),
    "turquoise": (0.12, 0.70, 0.70),
    "pink": (0.95, 0.50, 0.66),
}
GRAPHITE = (0.17, 0.19, 0.23)
STEEL = (0.62, 0.66, 0.72)
CHUNK_CLIPS = 8  # what a chunk touches stays in the cache


class Looks(NamedTuple):
    """Objects of N clips, all `[N, O]`: index into `SHAPES`, into `COLOURS`, angle in radians, radius in sides."""

    shapes: NDArray[np.int64]
    colours: NDArray[np.int64]
    angles: NDArray[np.float64]
    radii: NDArray[np.float64]


def render(looks: Looks, motion: Motion, image_px: int) -> NDArray[np.uint8]:
    """Video uint8 `[N, T, 3, H, W]`, H = W = `image_px`, of objects `looks` that move as `motion`."""
    clips, frames, objects, _ = motion.centres.shape
    video = np.empty((clips, frames, 3, image_px, image_px), np.uint8)
    pad = int(np.ceil(0.25 * image_px)) + 3  # patches may reach over the edge; that part is cut off at the end
    wood = np.pad(table(image_px), ((0, 0), (pad, pad), (pad, pad)))
    inner = slice(pad, pad + image_px)
    for first in range(0, clips, CHUNK_CLIPS):
        rows = slice(first, first + CHUNK_CLIPS)
        centres = (motion.centres[rows] * image_px).astype(np.float32)
        canvas = np.broadcast_to(wood, (*centres.shape[:2], *wood.shape)).copy()
        for o in range(objects):
            shown_looks = Looks(
                looks.shapes[rows, o], looks.colours[rows, o], looks.angles[rows, o], looks.radii[rows, o]
            )
            _draw_object(canvas, pad, image_px, centres[:, :, o], shown_looks)
        _draw_effector(canvas, pad, image_px, motion.effector[rows].astype(np.float32))
        shown = canvas[..., inner, inner]
        shown *= 255
        shown += 0.5
        video[rows] = shown  # intensities lie in 0 … 1, so the cast to uint8 cuts 0.5 … 255.5 and rounds
    return video


def table(image_px: int) -> Pixels:
    """The empty table `[3, H, W]`: planks with grain, a little darker towards the bottom right and along the rim."""
    at = (np.arange(image_px, dtype=np.float64) + 0.5) / image_px
    y, x = at[:, None], at[None, :]
    bend = 0.02 * np.sin(7 * y + 1) + 0.012 * np.sin(17 * y)
    grain = np.sin(2 * np.pi * (13 * (x + bend))) + 0.6 * np.sin(2 * np.pi * (29 * (x + 1.7 * bend)) + 2)
    seam = np.exp(-((((x * 4) % 1 - 0.5) ** 2 - 0.25) ** 2) / 2e-4)  # planks are a quarter of the table wide
    rim = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    light = 1.04 - 0.10 * (x + y) / 2 + 0.018 * grain - 0.07 * seam - 0.25 * np.exp(-rim / 0.02)
    return np.asarray(np.clip(light * np.array([0.80, 0.66, 0.49])[:, None, None], 0, 1), dtype=np.float32)


class _Patch(NamedTuple):
    """Square patches round centres `[N, T, 2]`: top-left pixels `[N, T]` in the canvas, and the way of every pixel from
    the centre, `y` `[N, T, p, 1]` and `x` `[N, T, 1, p]`, in pixels."""

    top: NDArray[np.int64]
    left: NDArray[np.int64]
    y: Pixels
    x: Pixels


def _patch(centres: Pixels, extent_px: float, pad: int) -> _Patch:
    half = int(np.ceil(extent_px)) + 1
    corner = np.floor(centres).astype(np.int64) - half
    offset = np.arange(2 * half, dtype=np.float32) + np.float32(0.5)
    way = (corner - centres).astype(np.float32)[..., None] + offset  # [N, T, 2, p]
    assert pad + corner.min() >= 0, "the canvas is padded enough"
    return _Patch(corner[..., 0] + pad, corner[..., 1] + pad, way[:, :, 0, :, None], way[:, :, 1, None, :])


def _cover(distance: Pixels, softness_px: float | Pixels = 1.0) -> Pixels:
    """Part of a pixel that lies inside, 0 … 1, for an edge `softness_px` wide."""
    return np.asarray(np.clip(0.5 - distance / softness_px, 0, 1), dtype=np.float32)


def _blend(canvas: Pixels, patch: _Patch, cover: Pixels, colour: Pixels | np.float32) -> None:
    """Lay `colour` (fits `[N, T, 3, p, p]`) over `canvas` `[N, T, 3, H, W]` where `cover` `[N, T, p, p]` is 1."""
    clips, frames, channels, height, width = canvas.shape
    size = cover.shape[-1]
    # A patch's row is one item, at every place it can start: whole rows are copied, much faster than pixels.
    row = np.dtype((np.void, size * canvas.itemsize))
    places = (clips, frames, channels, height - size + 1, width - size + 1, size)
    windows = np.ndarray(places, row, canvas, strides=(*canvas.strides, canvas.strides[3]))
    clip, frame = np.ogrid[:clips, :frames]
    index = (clip, frame, slice(None), patch.top, patch.left)
    under = np.ascontiguousarray(windows[index]).view(np.float32).reshape(clips, frames, channels, size, size)
    under += cover[:, :, None] * (colour - under)
    windows[index] = under.reshape(clips, frames, channels, size * size).view(row)


def _draw_object(canvas: Pixels, pad: int, image_px: int, centres: Pixels, looks: Looks) -> None:
    """One object a clip, its shadow first; `centres` `[N, T, 2]` in pixels, the fields of `looks` `[N]`."""
    radius = (looks.radii * image_px).astype(np.float32)[:, None, None, None]
    patch = _patch(centres, 1.5 * float(radius.max()) + 1, pad)
    away = np.hypot(patch.y - 0.3 * radius, patch.x - 0.3 * radius) - 0.95 * radius
    _blend(canvas, patch, 0.4 * _cover(away, 0.6 * radius + 1), np.float32(0.10))

    distance = _object_distance(patch, looks, radius)
    bevel = 0.72 + 0.28 * np.clip(-3 * distance / radius, 0, 1)
    light = 1.05 - 0.16 * (patch.x + patch.y) / radius
    colour = np.array(list(COLOURS.values()), np.float32)[looks.colours]  # [N, 3]
    shaded = np.clip(colour[:, None, :, None, None] * (bevel * light)[:, :, None], 0, 1)
    _blend(canvas, patch, _cover(distance), shaded)


def _object_distance(patch: _Patch, looks: Looks, radius: Pixels) -> Pixels:
    """Distance to the outline `[N, T, p, p]`: of polygons to the farthest side, of discs and rings to the circle."""
    # Normals of a side each, six a shape: shapes with fewer sides name some twice. Corners lie a little outside the
    # collision radius, so that all shapes have about the same area.
    turns = np.array([[0] * 6, [0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2], [0] * 6])
    sides = np.array([1, 4, 6, 3, 1])
    inradius = np.array([1.0, 0.87, 0.95, 0.70, 1.0], np.float32)[looks.shapes][:, None, None, None]
    round_ = np.isin(looks.shapes, (SHAPES.index("disc"), SHAPES.index("ring")))
    ring = looks.shapes == SHAPES.index("ring")
    angle = looks.angles[:, None] + 2 * np.pi * turns[looks.shapes] / sides[looks.shapes][:, None]
    normal = np.stack([np.sin(angle), np.cos(angle)], axis=-1).astype(np.float32)[..., None, None, None]  # [N, 6, 2, …]
    farthest = normal[:, 0, 0] * patch.y + normal[:, 0, 1] * patch.x
    for side in range(1, 6):
        np.maximum(farthest, normal[:, side, 0] * patch.y + normal[:, side, 1] * patch.x, out=farthest)
    distance = farthest - inradius * radius
    centre = np.hypot(patch.y[round_], patch.x[round_])
    distance[round_] = centre - radius[round_]
    distance[ring] = np.maximum(distance[ring], 0.5 * radius[ring] - np.hypot(patch.y[ring], patch.x[ring]))
    return np.asarray(distance, dtype=np.float32)


def _draw_effector(canvas: Pixels, pad: int, image_px: int, effector: Pixels) -> None:
    """The jaws and the bar between them, above their shadow; `effector` `[N, T, 4]` (y, x, height, opening).

    Height shows twice: the higher, the larger the jaws, and the farther away, softer and fainter their shadow.
    """
    centre, height, opening = effector[..., :2] * image_px, effector[..., 2], effector[..., 3]
    scale = (image_px * (1 + 0.25 * height))[..., None, None].astype(np.float32)
    reach = jaw_reach(opening[..., None, None]).astype(np.float32) * scale
    jaw = np.float32(JAW_RADIUS) * scale
    extent = 1.25 * (JAW_RADIUS + JAW_REACH[1]) * image_px
    up = height[..., None, None]

    shadow = _patch(centre + image_px * (0.025 + 0.09 * height)[..., None], extent + 0.05 * image_px, pad)
    distance = np.hypot(np.maximum(np.abs(shadow.x) - reach, 0), shadow.y) - jaw
    _blend(canvas, shadow, (0.5 - 0.22 * up) * _cover(distance, 1 + (0.03 + 0.07 * up) * image_px), np.float32(0.08))

    patch = _patch(centre, extent, pad)
    bar = np.hypot(np.maximum(np.abs(patch.x) - reach, 0), patch.y) - 0.55 * jaw
    shade = (1.15 - 0.45 * patch.y / jaw)[:, :, None] * np.array(STEEL, np.float32)[:, None, None]
    _blend(canvas, patch, _cover(bar), np.clip(shade, 0, 1))
    away = np.hypot(np.abs(patch.x) - reach, patch.y)
    shade = (1.1 - 0.5 * (patch.x + patch.y) / scale / JAW_RADIUS / 3 + 1.4 * _cover(away - 0.35 * jaw, 2.0))[
        :, :, None
    ]
    _blend(canvas, patch, _cover(away - jaw), np.clip(shade * np.array(GRAPHITE, np.float32)[:, None, None], 0, 1))
