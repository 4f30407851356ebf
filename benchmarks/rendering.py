"""Clips per second of our integer renderer against the usual Moving MNIST generator, as a ratio in the same run.

The rival is what most generators are: clip by clip, digit by digit, a loop over steps and bounces, a loop over frames
with a maximum into each, clips of float32. The same loop with bytes for floats stands beside it. Everyone makes their
own trajectories. One core; the contestants take turns, so that a busy moment hits all, and the best turn counts.
Exit code 1 under 10×.

    python benchmarks/rendering.py
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported: one core against one core

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.digits import load_bank
from whatmoves.data.render import Drawing, render
from whatmoves.data.streams import uniforms
from whatmoves.data.trajectories import draw, positions

DIGITS, FRAMES, IMAGE_PX, DIGIT_PX, CLIPS, TURNS = 2, 20, 64, 28, 256, 15
RANGE_PX = IMAGE_PX - DIGIT_PX
REQUIRED_RATIO = 10


def trajectory(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tops and lefts of one digit: unit direction × 3.6 px a frame, walls clamp and flip, whole pixels."""
    y, x = rng.uniform(0, RANGE_PX, 2)
    angle = rng.uniform(0, 2 * np.pi)
    speed_y, speed_x = 3.6 * np.sin(angle), 3.6 * np.cos(angle)
    tops, lefts = np.zeros(FRAMES), np.zeros(FRAMES)
    for frame in range(FRAMES):
        y, x = y + speed_y, x + speed_x
        if not 0 <= y <= RANGE_PX:
            y, speed_y = min(max(y, 0), RANGE_PX), -speed_y
        if not 0 <= x <= RANGE_PX:
            x, speed_x = min(max(x, 0), RANGE_PX), -speed_x
        tops[frame], lefts[frame] = y, x
    return tops.astype(np.int64), lefts.astype(np.int64)


def usual_loop(images: NDArray[np.uint8], clips: int, dtype: type[np.float32] | type[np.uint8]) -> NDArray[Any]:
    """The common generator: one clip after the other, one frame after the other, then a batch of them."""
    rng = np.random.default_rng(0)
    batch = []
    for _ in range(clips):
        video = np.zeros((FRAMES, IMAGE_PX, IMAGE_PX), dtype)
        for _ in range(DIGITS):
            image = images[rng.integers(len(images))]
            tops, lefts = trajectory(rng)
            for frame in range(FRAMES):
                top, left = tops[frame], lefts[frame]
                bottom, right = top + DIGIT_PX, left + DIGIT_PX
                video[frame, top:bottom, left:right] = np.maximum(video[frame, top:bottom, left:right], image)
        batch.append(video)
    return np.stack(batch)


def ours(images: NDArray[np.uint8], clips: int, drawing: Drawing) -> NDArray[np.uint8]:
    """The same work with our closed-form trajectories and renderer."""
    draws = draw(
        uniforms(0, "train", 0, 0, clips, 8 * DIGITS).reshape(clips, DIGITS, 8),
        range(len(images)),
        RANGE_PX,
        (3.6, 3.6),
    )
    corners = positions(draws.start_px, draws.velocity_px, FRAMES, RANGE_PX)
    return render(images[draws.instances], corners, IMAGE_PX, drawing)


def main() -> int:
    """Print the table; 1 when the required ratio is missed."""
    images = load_bank("uci", DIGIT_PX).images
    contestants: dict[str, Callable[[], NDArray[Any]]] = {
        "usual loop, float32": lambda: usual_loop(images, CLIPS, np.float32),
        "usual loop, uint8": lambda: usual_loop(images, CLIPS, np.uint8),
        "ours, integer": lambda: ours(images, CLIPS, "integer"),
        "ours, subpixel": lambda: ours(images, CLIPS, "subpixel"),
    }
    best_s = dict.fromkeys(contestants, np.inf)
    for _ in range(TURNS):
        for name, make in contestants.items():
            start = time.perf_counter()
            make()
            best_s[name] = min(best_s[name], time.perf_counter() - start)
    usual_s = best_s["usual loop, float32"]
    print(f"{DIGITS} digits of {DIGIT_PX} px, {FRAMES} frames of {IMAGE_PX}×{IMAGE_PX}, one core")
    print(f"{'generator':<22}{'clips/s':>10}{'ratio':>9}")
    for name, seconds in best_s.items():
        print(f"{name:<22}{CLIPS / seconds:>10,.0f}{usual_s / seconds:>8.1f}×")
    ratio = usual_s / best_s["ours, integer"]
    if ratio < REQUIRED_RATIO:
        print(f"ours, integer is {ratio:.1f}× the usual loop; {REQUIRED_RATIO}× is required", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
