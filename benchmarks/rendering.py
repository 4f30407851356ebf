"""Training batches of our generator against the usual Moving MNIST generator, in seconds of one core's processor.

The rival does what OpenSTL's `__getitem__` does: clip by clip, digit by digit, a loop over steps and bounces, a loop
over frames with a maximum into each, then two float tensors of half a clip. A training gets 32 of them stacked by
PyTorch's loader; the items alone stand beside that. Both sides take turns and draw digits of the same bank, with memory
set up as for a training. What it takes merely to write a batch's floats stands beside both: no renderer can be faster.

    python benchmarks/rendering.py
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported: one core against one core

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rows import Row, keep, seconds_of_both
from torch import Tensor
from torch.utils.data import default_collate

from whatmoves.data.digits import load_bank
from whatmoves.data.moving_digits import Config, open_source
from whatmoves.data.render import Drawing, render
from whatmoves.data.streams import uniforms
from whatmoves.data.trajectories import DRAWS_PER_DIGIT, draw, positions
from whatmoves.training.runtime import tune_malloc

DIGITS, FRAMES, IMAGE_PX, DIGIT_PX, CLIPS, STEP, TURNS = 2, 20, 64, 28, 32, 0.1, 101
RANGE_PX = IMAGE_PX - DIGIT_PX
CPU = torch.device("cpu")


def trajectory(rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Tops and lefts of one digit: a step of a tenth of its range a frame, walls clamp and flip, whole pixels."""
    y, x = rng.random(), rng.random()
    angle = rng.random() * 2 * np.pi
    speed_y, speed_x = np.sin(angle), np.cos(angle)
    tops, lefts = np.zeros(FRAMES), np.zeros(FRAMES)
    for frame in range(FRAMES):
        y, x = y + speed_y * STEP, x + speed_x * STEP
        if not 0 < y < 1:
            y, speed_y = min(max(y, 0.0), 1.0), -speed_y
        if not 0 < x < 1:
            x, speed_x = min(max(x, 0.0), 1.0), -speed_x
        tops[frame], lefts[frame] = y, x
    return (RANGE_PX * tops).astype(np.int32), (RANGE_PX * lefts).astype(np.int32)


def item(images: NDArray[np.uint8], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One clip of the usual generator, its first and its second half."""
    video = np.zeros((FRAMES, IMAGE_PX, IMAGE_PX), np.float32)
    for _ in range(DIGITS):
        tops, lefts = trajectory(rng)
        image = images[rng.integers(len(images))].copy()
        for frame in range(FRAMES):
            top, left = tops[frame], lefts[frame]
            bottom, right = top + DIGIT_PX, left + DIGIT_PX
            video[frame, top:bottom, left:right] = np.maximum(video[frame, top:bottom, left:right], image)
    half = FRAMES // 2
    first, second = (
        torch.from_numpy(part[:, None] / 255.0).contiguous().float() for part in (video[:half], video[half:])
    )
    return first, second


def to_bytes(images: NDArray[np.uint8], drawing: Drawing) -> NDArray[np.uint8]:
    """Our clips as they are stored."""
    uniform = uniforms(0, "train", 0, 0, CLIPS, DRAWS_PER_DIGIT * DIGITS).reshape(CLIPS, DIGITS, DRAWS_PER_DIGIT)
    draws = draw(uniform, range(len(images)), RANGE_PX, (STEP * RANGE_PX, STEP * RANGE_PX))
    return render(
        images[draws.instances], positions(draws.start_px, draws.velocity_px, FRAMES, RANGE_PX), IMAGE_PX, drawing
    )


def only_written() -> NDArray[np.float32]:
    """As many floats as a batch has, all black."""
    video = np.empty((CLIPS, FRAMES, 1, IMAGE_PX, IMAGE_PX), np.float32)
    video.fill(0)
    return video


def main() -> None:
    """Print and keep the rows."""
    tune_malloc()
    torch.set_num_threads(1)
    rng, images = np.random.default_rng(0), load_bank("uci", DIGIT_PX).images

    def items() -> list[tuple[Tensor, Tensor]]:
        return [item(images, rng) for _ in range(CLIPS)]

    drawings: tuple[tuple[Drawing, float], ...] = (("integer", 10), ("subpixel", 3))
    rows = []
    for drawing, at_least in drawings:
        speed_px = (STEP * RANGE_PX, STEP * RANGE_PX)
        source = open_source(
            Config(
                digits=DIGITS,
                image_px=IMAGE_PX,
                digit_px=DIGIT_PX,
                frames=FRAMES,
                speed_px=speed_px,
                drawing=drawing,
            ),
            Path(),
        )
        for what, ours, theirs, peer, asked in (
            (f"`train_batch({CLIPS})`", lambda s=source: s.train_batch(0, 0, CLIPS, CPU), items, "items", at_least),
            (
                f"`train_batch({CLIPS})`",
                lambda s=source: s.train_batch(0, 0, CLIPS, CPU),
                lambda: default_collate(items()),
                "items, stacked",
                None,
            ),
            (f"{CLIPS} clips to bytes", lambda d=drawing: to_bytes(images, d), items, "items", None),
        ):
            ours_s, theirs_s = seconds_of_both(ours, theirs, TURNS)
            rows.append(Row(f"{what}, {drawing}", 1e3 * ours_s, "ms", 1e3 * theirs_s, peer, asked))
    ours_s, theirs_s = seconds_of_both(only_written, items, TURNS)
    rows.append(Row(f"only to write the bytes of `train_batch({CLIPS})`", 1e3 * ours_s, "ms", 1e3 * theirs_s, "items"))
    how = (
        f"{DIGITS} digits of {DIGIT_PX} pixels, {FRAMES} frames of {IMAGE_PX}×{IMAGE_PX}; theirs: a loop as in "
        f"OpenSTL's `__getitem__`, always in integer drawing. One thread, the median of {TURNS} turns."
    )
    keep("generator", rows, how)


if __name__ == "__main__":
    main()
