"""One checkpoint measured and shown by itself, in or outside a study: what `whatmoves evaluate --checkpoint` does."""

import re
from pathlib import Path
from typing import Any

from whatmoves.errors import ConfigError
from whatmoves.files import sha256
from whatmoves.training.runtime import choose_device
from whatmoves.using.compare import evaluate_model
from whatmoves.using.exported import WEIGHTS, load_model
from whatmoves.using.own_clips import file_of, open_clips


def evaluate_checkpoint(
    model: Path, clips: Path | None, num_samples: int, out: Path, device: str = "auto"
) -> tuple[dict[str, Any], list[Path]]:
    """Write what `evaluate_model` writes of a checkpoint or an exported folder, named by the model's name in its study;
    returns the metrics and the files.

    Without `clips` the test split of its study serves. Raises `CheckpointError` or `DataError` in one line.
    """
    if num_samples < 1:
        raise ConfigError(f"--num-samples is {num_samples}; must be at least 1")
    place = choose_device(device)
    loaded = load_model(model, place)
    file = file_of(model, loaded, clips)
    loader = open_clips(model, loaded, file, shown=num_samples)
    about = {name: loaded.meta[name] for name in ("model", "kind", "dataset", "seed")}
    about |= {"sha256": sha256(model / WEIGHTS if model.is_dir() else model), "clips_file": str(file)}
    name = re.sub(r"[^\w.-]+", "_", str(loaded.meta["model"]))
    metrics = evaluate_model(loaded.model, loader, place, out, name, num_samples, about)
    written = [out / f"{name}_metrics.json"]
    cannot = {"reconstructions": "reconstruct", "samples": "sample", "interpolation": "interpolation"}
    written += [out / f"{name}_{shown}.png" for shown, ability in cannot.items() if ability not in metrics["cannot"]]
    return metrics, written
