"""A trained model as a folder that needs no study and unpickles nothing: weights, settings, and a card.

    model.safetensors   parameters and buffers under their names in the model
    config.json         kind, options and clip shape, of which the model is built, and what its checkpoint says of it
    README.md           the card: whatmoves.using.card

The model's code is the package's, or a module on Python's path where `kind` names one.
"""

import textwrap
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from whatmoves import plugins
from whatmoves.data.clips import ClipShape
from whatmoves.errors import CheckpointError, ConfigError, DataError
from whatmoves.files import read_json, write_bytes, write_json, write_text
from whatmoves.training.checkpoint import Loaded, load_checkpoint
from whatmoves.using.card import model_card
from whatmoves.using.origin import origin_of

FORMAT = 1
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
NEEDED = ("kind", "options", "shape", "model", "dataset", "seed", "data_kind")


def export(checkpoint: Path, out: Path) -> list[Path]:
    """Write the folder `out` of a checkpoint; returns its files. Equal checkpoints give equal weights, to the byte.

    Raises `CheckpointError` for what is no checkpoint, or does not fit the present code of its model.
    """
    loaded = load_checkpoint(checkpoint)
    origin = origin_of(checkpoint, loaded.meta["seed"])
    weights = {name: value.detach().contiguous().clone() for name, value in loaded.model.state_dict().items()}
    write_bytes(out / WEIGHTS, save(weights, metadata={"format": "pt"}))
    kind = data["kind"] if (data := origin.data()) else None
    more = {"format": FORMAT, "data_kind": kind, "checkpoint_sha256": origin.sha256}
    write_json(out / CONFIG, {**loaded.meta, **more})
    write_text(out / CARD, model_card(loaded, origin))
    return [out / name for name in (WEIGHTS, CONFIG, CARD)]


def load_exported(folder: Path | str, device: torch.device | str = "cpu") -> Loaded:
    """The model of an exported folder, in evaluation mode: the same outputs as its checkpoint's, to the byte.

    Raises `CheckpointError`, in one line, for a file that is missing, damaged or does not fit the code of its model.
    """
    folder = Path(folder)
    config = _config(folder / CONFIG)
    try:
        model = plugins.build_model(config["kind"], config["options"], ClipShape(**config["shape"]))
        weights = load((folder / WEIGHTS).read_bytes())
        model.load_state_dict(weights)
    except (ConfigError, TypeError) as error:  # the latter of a shape that is none
        raise CheckpointError(f"{folder / CONFIG}: its model cannot be built: {error}") from None
    except OSError as error:
        raise CheckpointError(
            f"{folder / WEIGHTS}: cannot read it ({error.strerror}); export the model again"
        ) from None
    except (SafetensorError, RuntimeError) as error:  # what is no such file; names or shapes that do not fit
        lines = [line.strip() for line in str(error).splitlines()]
        reason = textwrap.shorten(lines[1] if len(lines) > 1 else lines[0], 160, placeholder=" …")
        raise CheckpointError(
            f"{folder / WEIGHTS}: no weights of a {config['kind']} as its code is now ({reason}); export it again"
        ) from None
    return Loaded(model.to(device).eval(), config)


def load_model(path: Path, device: torch.device | str = "cpu") -> Loaded:
    """A model from a checkpoint, or from a folder that `export` wrote; raises `CheckpointError`."""
    return load_exported(path, device) if path.is_dir() else load_checkpoint(path, device)


def _config(path: Path) -> dict[str, Any]:
    try:
        config = read_json(path)
    except DataError:
        raise CheckpointError(
            f"{path}: missing or not JSON; give a checkpoint.pt, or a folder that `whatmoves export` wrote"
        ) from None
    if not isinstance(config, dict) or config.get("format") != FORMAT or not set(NEEDED) <= set(config):
        raise CheckpointError(f"{path}: not as this version of whatmoves exports it; export the model again")
    return config
