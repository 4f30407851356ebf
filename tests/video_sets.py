"""Small videos made here by the ffmpeg binary and Pillow: frame t of a film is a grey that says t."""

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from PIL import Image

CODECS = {
    ".mp4": ("-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p"),
    ".mov": ("-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p"),
    ".mkv": ("-c:v", "ffv1", "-pix_fmt", "bgr0"),
    ".webm": ("-c:v", "libvpx-vp9", "-lossless", "1", "-pix_fmt", "yuv420p"),
    ".avi": ("-c:v", "ffv1", "-pix_fmt", "bgr0"),
}


def ffmpeg(*arguments: Any, content: bytes = b"") -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *map(str, arguments)]
    subprocess.run(command, input=content, check=True)


def greys(frames: int, first: int = 20, step: int = 8, height: int = 32, width: int = 32) -> np.ndarray:
    """Frames `[T, H, W, 3]`, each of one grey."""
    levels = (first + step * np.arange(frames)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (frames, height, width, 3)).copy()


def film(path: Path, frames: np.ndarray, *more: Any, fps: float = 10) -> Path:
    """A film of frames `[T, H, W, 3]`; `more` goes before its name."""
    _, height, width, _ = frames.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", fps, "-i", "pipe:0")
    ffmpeg(*raw, *CODECS[path.suffix.lower()], *more, path, content=frames.tobytes())
    return path


def uneven(path: Path, frames: np.ndarray) -> Path:
    """A film whose first ten frames come every 40 ms and the others every 500."""
    times = "settb=1/1000,setpts='if(lt(N,10),N*0.04,0.4+(N-10)*0.5)/TB'"
    return film(path, frames, "-vf", times, "-fps_mode", "passthrough", "-enc_time_base", "1:1000")


def gif(path: Path, frames: np.ndarray, duration_ms: Any = 100, **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=rest, duration=duration_ms, loop=0, **more)
    return path


def pictures(folder: Path, frames: np.ndarray, suffix: str = ".png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / f"frame_{number:03d}{suffix}")
    return folder


def write_folder(folder: Path, frames: int = 12) -> Path:
    """Six videos of five kinds; each begins with another grey."""
    film(folder / "a.mp4", greys(frames, 10))
    film(folder / "b.webm", greys(frames, 20))
    gif(folder / "c.gif", greys(frames, 30))
    pictures(folder / "d", greys(frames, 40))
    film(folder / "e.mkv", greys(frames, 50))
    film(folder / "more/f.MOV", greys(frames, 60))
    return folder
