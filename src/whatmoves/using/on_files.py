"""One trained model put to use on files: encode, sample, swap. What the commands of the same names do."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from whatmoves.data.clips import to_bytes
from whatmoves.errors import CheckpointError, DataError
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.models.interface import abilities
from whatmoves.training.checkpoint import Loaded
from whatmoves.training.runtime import choose_device
from whatmoves.using.exported import load_model
from whatmoves.using.own_factors import scoreable

log = logging.getLogger(__name__)

BATCH = 100
GIF_ZOOM = 5
GIF_FRAME_MS = 120


def encode_file(checkpoint: Path, clips: Path, out: Path, device: str = "auto", factors: Path | None = None) -> None:
    """Codes `[N, D]` of each block for the clips of a `.npz`; with a table of `factors`, what `whatmoves score` reads.

    Raises `CheckpointError` or `DataError` in one line.
    """
    place = choose_device(device)
    model: Any = able(checkpoint, place, "encode").model
    video = read_video(clips, model.shape)
    parts: list[dict[str, Tensor]] = []
    with torch.inference_mode():
        for first in range(0, len(video), BATCH):
            parts.append(model.encode(as_floats(video[first : first + BATCH], place)))
    codes = {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in parts[0]}
    write_arrays(out, codes if factors is None else scoreable(codes, factors, clips))


def sample_file(checkpoint: Path, out: Path, count: int, seed: int, device: str = "auto") -> None:
    """`count` new clips; raises `CheckpointError` for a model that cannot sample."""
    if count < 1:
        raise DataError(f"--count is {count}; must be at least 1")
    model: Any = able(checkpoint, choose_device(device), "sample").model
    with torch.inference_mode():
        video = model.sample(count, torch.Generator().manual_seed(seed))
    write_video(out, {"video": to_bytes(video)})


def swap_file(checkpoint: Path, clips: Path, content: int, motion: int, out: Path, device: str = "auto") -> None:
    """Clips `content` and `motion` of a file and the swap of the two, side by side."""
    place = choose_device(device)
    model: Any = able(checkpoint, place, "encode", "decode").model
    video = read_video(clips, model.shape)
    for name, row in (("content", content), ("motion", motion)):
        if not 0 <= row < len(video):
            raise DataError(f"{name} is row {row}, but {clips} holds rows 0 … {len(video) - 1}; name one of them")
    with torch.inference_mode():
        code = model.encode(as_floats(video[[content, motion]], place))
        if not {"content", "motion"} <= set(code):
            blocks = ", ".join(sorted(code))
            raise CheckpointError(f"{checkpoint}: its code has blocks {blocks}; a swap needs content and motion")
        swapped = model.decode({"content": code["content"][:1], "motion": code["motion"][1:]})
    shown = {"content_source": video[[content]], "motion_source": video[[motion]], "swap": to_bytes(swapped)}
    write_video(out, shown)


def able(checkpoint: Path, device: torch.device, *needed: str) -> Loaded:
    """The model of a checkpoint or an exported folder, which has the `needed` abilities."""
    loaded = load_model(checkpoint, device)
    lacking = [name for name in needed if name not in abilities(loaded.model)]
    if lacking:
        raise CheckpointError(f"{checkpoint}: a {loaded.meta['kind']} cannot {' or '.join(lacking)}; use another model")
    return loaded


def read_video(path: Path, shape: Any) -> NDArray[np.uint8]:
    """The clips `[N, T, C, H, W]` of a `.npz`; raises `DataError` where they are not of the model's `shape`."""
    arrays = read_arrays(path)
    video = arrays.get("video")
    if video is None or video.dtype != np.uint8:
        raise DataError(f"{path}: no uint8 array `video` in it; it holds {', '.join(arrays) or 'nothing'}")
    if video.shape[1:] != tuple(shape[:4]):
        raise DataError(f"{path}: clips are {video.shape[1:]}, the model was trained on {tuple(shape[:4])}")
    return video


def as_floats(video: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Stored intensities as models read them, in [0, 1]."""
    return torch.from_numpy(video).to(device).float().div_(255)


def check_video_name(out: Path) -> None:
    """Raise `DataError` for a name that `write_video` does not know how to write, before any work."""
    if out.suffix not in (".npz", ".gif"):
        raise DataError(f"--out is {out}; its name must end in .npz or .gif")


def write_video(out: Path, videos: dict[str, NDArray[np.uint8]]) -> None:
    """`.npz` with the arrays, or `.gif` with all clips side by side; another suffix is a `DataError`."""
    check_video_name(out)
    if out.suffix == ".npz":
        write_arrays(out, videos)
    else:
        import imageio.v3 as iio

        strip = np.concatenate([clip for video in videos.values() for clip in video], axis=-1)  # [T, C, H, all W]
        large = strip.repeat(GIF_ZOOM, axis=-2).repeat(GIF_ZOOM, axis=-1)
        frames = np.moveaxis(large, 1, -1) if large.shape[1] == 3 else large[:, 0]
        with atomic(out) as temporary:
            iio.imwrite(temporary, frames, duration=GIF_FRAME_MS, loop=0)
        log.info("%s: equal neighbouring frames are one in a GIF, shown longer; .npz keeps every number", out)
