"""How fast videos of one's own are read and stored beside the bare decoder, and what training then reads; one core.

Films of noise-like pictures are made in a temporary folder. `make` reads, resizes, checks and stores them; beside it,
in the same run, the same ffmpeg decodes the same films and throws the pictures away, and does so with the resizing.
Then training batches are read from the mapped file, in grey, beside the generated world of the same size. Seconds are
the processor's, of ffmpeg too; turns alternate and the best counts. Exit code 1 where `make` takes twice the bare
decoder with resizing or more, or training reads slower than the world is drawn.

    python benchmarks/videos.py [FOLDER]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported

import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch

from whatmoves.data import moving_digits, video_folder
from whatmoves.data.clips import Source
from whatmoves.data.video_reader import SCALING

FILMS, LONG_S, RATE, WIDTH, HEIGHT, PX = 4, 15, 30, 640, 360, 64
BATCH, BATCHES, TURNS, MOST = 64, 20, 3, 2.0


def ffmpeg(*arguments: str) -> None:
    """Run the program that films are read by, on one thread."""
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-nostdin", "-loglevel", "error", "-threads", "1"]
    subprocess.run([*program, *arguments], check=True, stdout=subprocess.DEVNULL)


def seconds() -> float:
    """Processor time of this process and those it has run."""
    return sum(os.times()[:4])


def decode(films: list[Path], *filters: str) -> None:
    """Decode films and throw the pictures away."""
    for film in films:
        ffmpeg("-i", str(film), "-filter_threads", "1", *filters, "-f", "null", "-")


def batches(source: Source, turn: int) -> None:
    """Training clips in batches, as floats on the CPU; each turn reads others."""
    for batch in range(turn * BATCHES, (turn + 1) * BATCHES):
        source.train_batch(0, batch * BATCH, BATCH, torch.device("cpu"))


def main(folder: Path) -> int:
    """Print the figures; 1 if one is not reached."""
    torch.set_num_threads(1)
    logging.disable()
    for number in range(FILMS):
        pattern = f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}:duration={LONG_S},noise=alls=12:allf=t:all_seed={number}"
        film = folder / "films" / f"{number}.mp4"
        film.parent.mkdir(exist_ok=True)
        ffmpeg("-f", "lavfi", "-i", pattern, "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", str(film))
    films = sorted((folder / "films").iterdir())
    frames = FILMS * LONG_S * RATE
    options = {"folder": folder / "films", "frames": 16, "image_px": PX}

    def convert() -> None:
        shutil.rmtree(folder / "made", ignore_errors=True)
        video_folder.make(video_folder.Config(**options), folder / "made")

    scale = f"scale=-2:{PX}:flags={SCALING},format=rgb24,crop={PX}:{PX}"
    contestants: dict[str, Callable[[], None]] = {
        "the decoder alone": lambda: decode(films),
        "the decoder, resizing": lambda: decode(films, "-vf", scale),
        "decoded and stored": convert,
    }
    best_s = dict.fromkeys(contestants, np.inf)
    for _ in range(TURNS):
        for name, turn in contestants.items():
            start = seconds()
            turn()
            best_s[name] = min(best_s[name], seconds() - start)
    print(f"{FILMS} films of {LONG_S * RATE} frames, {WIDTH}×{HEIGHT}, H.264, to {PX}×{PX}")
    for name, spent_s in best_s.items():
        times = spent_s / best_s["the decoder alone"]
        print(f"{name:<24}{frames / spent_s:>8,.0f} frames/s{times:>8.2f} times its time")

    options["channels"] = 1
    convert()
    sources: dict[str, Source] = {
        "the mapped file": video_folder.open_source(video_folder.Config(**options), folder / "made"),
        "the generated world": moving_digits.open_source(
            moving_digits.Config(image_px=PX, digit_px=28, digits=2, frames=16), folder
        ),
    }
    clips_per_s = dict.fromkeys(sources, 0.0)
    for turn in range(TURNS):
        for name, source in sources.items():
            start = seconds()
            batches(source, turn)
            clips_per_s[name] = max(clips_per_s[name], BATCHES * BATCH / (seconds() - start))
    for name, clips in clips_per_s.items():
        print(f"training clips of 16 frames from {name}: {clips:,.0f}/s")
    read, drawn = clips_per_s.values()
    slow = best_s["decoded and stored"] >= MOST * best_s["the decoder, resizing"]
    return int(slow or read < drawn)


if __name__ == "__main__":
    place = Path(tempfile.mkdtemp(prefix="videos-", dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        sys.exit(main(place))
    finally:
        shutil.rmtree(place)
