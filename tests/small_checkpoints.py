"""Checkpoints of small untrained models, as a training would write them, and the receipt beside one."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from whatmoves.data.clips import ClipShape
from whatmoves.files import sha256, write_arrays, write_json
from whatmoves.plugins import build_model
from whatmoves.training.checkpoint import save_checkpoint

SHAPE = ClipShape(frames=6, channels=1, height=16, width=16)
OPTIONS: dict[str, dict[str, Any]] = {
    "disentangled_vae": {
        "channels": [4, 8], "motion_channels": [4], "features": 16, "content_dim": 4, "motion_dim": 4, "hidden": 8
    },
    "lstm_vae": {"channels": [4, 8], "features": 16, "latent_dim": 4, "hidden": 8, "layers": 1},
}  # fmt: skip


def write_checkpoint(
    path: Path, kind: str = "disentangled_vae", seed: int = 0, shape: ClipShape = SHAPE, **more: Any
) -> Path:
    """A checkpoint of an untrained model of a kind; `more` goes into what it says of itself."""
    torch.manual_seed(seed)
    options = OPTIONS.get(kind, {})
    meta: dict[str, Any] = {
        "kind": kind, "options": options, "shape": shape._asdict(), "model": kind, "dataset": "digits", "seed": seed,
        "clips_seen": 640, "stopped_early": False, "best_clips": 320, "best_validation": 1.5,
        "validation": {"total": 1.5}, "collapsed": [],
    }  # fmt: skip
    save_checkpoint(path, build_model(kind, options, shape), meta | more)
    return path


def write_clips(path: Path, count: int = 60, shape: ClipShape = SHAPE) -> Path:
    """Clips of noise with the factors of one moving digit, and one that is derived from others."""
    rng = np.random.default_rng(0)
    write_arrays(path, {"video": rng.integers(0, 256, (count, *shape[:4]), dtype=np.uint8)})
    columns = {name: rng.uniform(-1, 1, count) for name in ("velocity_x_1", "velocity_y_1", "start_x_1", "speed_1")}
    pd.DataFrame({"class_1": np.arange(count) % 3, **columns}).to_csv(path.with_suffix(".csv"), index=False)
    return path


def write_receipt(path: Path, kind: str, inputs: list[Path], outputs: list[Path]) -> None:
    """A receipt of a training or an evaluation of model `m` on data set `digits`, a `moving_digits`."""
    settings = {
        "arithmetic": "portable",
        "data": {"name": "digits", "kind": "moving_digits", "options": {"mnist_folder": "/home/somebody/mnist"}},
        "training": {"clips": 640},
    }
    core = {
        "format": 1, "kind": kind, "wildcards": {"dataset": "digits", "model": "m"}, "code": {"whatmoves": "00"},
        "settings": settings, "environment": {},
        "inputs": {file.name: {"sha256": sha256(file)} for file in inputs},
        "outputs": {file.name: {"sha256": sha256(file)} for file in outputs},
    }  # fmt: skip
    run = {
        "git": {"commit": "abc123", "dirty": False}, "versions": {"torch": "9.9"}, "device": "Abacus",
        "started": "then", "ended": "later",
    }  # fmt: skip
    write_json(path, {"core": core, "run": run})
