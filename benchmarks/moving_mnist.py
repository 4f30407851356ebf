"""Megabytes a second of converting a Moving MNIST file of 10,000 clips, its peak memory, and what training then reads.

The file is made in the public form, of noise, in a temporary folder. It is converted by a process of its own, which
tells its peak memory; the file is in the system's cache, so that this is the code's speed and not the disk's. A plain
copy of the file, flushed as little, says what the disk takes. Batches of training clips are read from what was made,
beside the generated world of the same size; turns alternate and the best counts. Exit code 1 under 200 MB/s, over 1 GB
or if reading is slower than drawing.

    python benchmarks/moving_mnist.py [FOLDER]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from whatmoves.data import moving_digits, moving_mnist
from whatmoves.data.clips import Source

CLIPS, BATCH, BATCHES, TURNS = 10_000, 64, 20, 5
REQUIRED_MB_S, ALLOWED_MB = 200, 1000


def write_file(file: Path) -> None:
    """A file of the public form, 20 frames of 10,000 clips, written frame by frame."""
    rng = np.random.default_rng(0)
    array = np.lib.format.open_memmap(file, "w+", np.uint8, (20, CLIPS, 64, 64))
    for frame in range(20):
        array[frame] = rng.integers(0, 256, (CLIPS, 64, 64), np.uint8)
        array.flush()


def convert(file: str, folder: str) -> None:
    """What `whatmoves data` does but for the receipt; prints seconds and peak memory."""
    start = time.perf_counter()
    moving_mnist.make(moving_mnist.Config(file=Path(file)), Path(folder))
    seconds = time.perf_counter() - start
    # Not what getrusage says, which counts this process's parent too; mapped pages of the file count in both.
    [peak] = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(seconds, 1024 * int(peak.split()[1]))


def clips_per_second(source: Source, turn: int) -> float:
    """Training clips a second, in batches as floats on the CPU; each turn reads others."""
    start = time.perf_counter()
    for batch in range(turn * BATCHES, (turn + 1) * BATCHES):
        source.train_batch(0, batch * BATCH, BATCH, torch.device("cpu"))
    return BATCHES * BATCH / (time.perf_counter() - start)


def main(parent: str | None) -> int:
    """Print the figures; 1 if one is not reached."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=parent, prefix="moving-mnist-") as name:
        folder, file = Path(name), Path(name) / "mnist_test_seq.npy"
        write_file(file)
        megabytes = file.stat().st_size / 1e6
        runs = []
        for _ in range(3):
            command = [sys.executable, __file__, "--convert", str(file), str(folder / "made")]
            made = subprocess.run(command, capture_output=True, text=True, check=True)
            runs.append([float(number) for number in made.stdout.split()])
            start = time.perf_counter()
            shutil.copyfile(file, folder / "copy.npy")
            runs[-1].append(time.perf_counter() - start)
        seconds, peak_bytes, copy_seconds = (min(column) for column in zip(*runs, strict=True))
        speed, peak_mb = megabytes / seconds, peak_bytes / 1e6
        copied = megabytes / copy_seconds
        print(f"conversion of {megabytes:.0f} MB: {speed:.0f} MB/s (a copy: {copied:.0f}), peak {peak_mb:.0f} MB")
        world = moving_digits.Config(image_px=64, digit_px=28, digits=2, frames=20)
        sources: dict[str, Source] = {
            "file": moving_mnist.open_source(moving_mnist.Config(file=file), folder / "made"),
            "generated": moving_digits.open_source(world, folder),
        }
        best = dict.fromkeys(sources, 0.0)
        for turn in range(TURNS):
            for key, source in sources.items():
                best[key] = max(best[key], clips_per_second(source, turn))
        print(f"training clips a second: {best['file']:.0f} from the file, {best['generated']:.0f} generated")
    return int(speed < REQUIRED_MB_S or peak_mb > ALLOWED_MB or best["file"] < best["generated"])


if __name__ == "__main__":
    if "--convert" in sys.argv:
        convert(*sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
