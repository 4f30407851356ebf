"""Checkpoints: the finished model that evaluation loads, and the state that an interrupted training resumes from.

Both are dictionaries of tensors, numbers and text, written whole or not at all, and read without unpickling code.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from whatmoves import plugins
from whatmoves.data.clips import ClipShape
from whatmoves.errors import CheckpointError, ConfigError
from whatmoves.files import atomic
from whatmoves.training.history import Row

FORMAT = 1


class Loaded(NamedTuple):
    """A trained model in evaluation mode, and what its checkpoint says about it (see `save_checkpoint`)."""

    model: nn.Module
    meta: dict[str, Any]


@dataclass
class Progress:
    """Where a training stands. `window` holds the loss terms of each step since the last row, `terms` their names."""

    clips_seen: int = 0
    best_loss: float = float("inf")
    best_clips: int = 0
    best_terms: dict[str, float] = field(default_factory=dict)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    bad_validations: int = 0
    stopped_early: bool = False
    rows: list[Row] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    window: list[Tensor] = field(default_factory=list)
    elapsed_s: float = 0.0
    interruptions: int = 0


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the model's parameters and buffers, where they are."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def save_checkpoint(path: Path, model: nn.Module, meta: Mapping[str, Any]) -> None:
    """Write a finished model. Equal models with equal `meta` give equal bytes.

    `meta` is JSON: kind, options, shape (of a `ClipShape`), model, dataset, seed, clips_seen, stopped_early (whether
    patience ended it before its budget), best_clips, best_validation (or null), validation (terms of the saved
    weights) and collapsed (names of collapsed KL terms).
    """
    # The bytes of a pickle tell which of its strings are one object; a round trip through JSON makes that always alike.
    content: dict[str, Any] = {"format": FORMAT, **json.loads(json.dumps(meta, sort_keys=True, allow_nan=False))}
    content["weights"] = {name: v.detach().cpu().contiguous().clone() for name, v in model.state_dict().items()}
    _write(path, content)


def load_checkpoint(path: Path | str, device: torch.device | str = "cpu", expect_kind: str | None = None) -> Loaded:
    """Load a finished model; no code from the file runs.

    Raises `CheckpointError` when the file is missing, damaged, none of ours, of another kind than `expect_kind`, or
    does not fit the present code of its model.
    """
    path = Path(path)
    content = _read(path)
    found = content.get("format") if isinstance(content, dict) else None
    if found is None or not isinstance(content.get("weights"), dict):
        raise CheckpointError(f"{path}: not a checkpoint of whatmoves; give the checkpoint.pt of a training")
    if found != FORMAT:
        raise CheckpointError(f"{path}: checkpoint format is {found}; this version reads {FORMAT}; train again")
    kind = content["kind"]
    if expect_kind is not None and kind != expect_kind:
        raise CheckpointError(f"{path}: checkpoint of a {kind}; must be of a {expect_kind}; give that model's file")
    weights = content.pop("weights")
    try:
        model = plugins.build_model(kind, content["options"], ClipShape(**content["shape"]))
    except ConfigError as error:
        raise CheckpointError(f"{path}: its model cannot be built: {error}") from None
    problem = _misfit(model.state_dict(), weights)
    if problem:
        raise CheckpointError(
            f"{path}: weights do not fit {kind}: {problem}; the model's code has changed, train again"
        )
    model.load_state_dict(weights)
    return Loaded(model.to(device).eval(), content)


def save_state(
    path: Path,
    identity: Mapping[str, Any],
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    progress: Progress,
    device: torch.device,
) -> None:
    """Write all that `load_state` needs to go on as if nothing had happened."""
    _write(
        path,
        {
            "identity": json.dumps(identity, sort_keys=True),
            "model": copy_weights(model),
            "optimiser": optimiser.state_dict(),
            "scaler": scaler.state_dict(),
            "cpu_random": torch.get_rng_state(),
            "device_random": _device_random(device),
            "progress": vars(progress),
        },
    )


def load_state(
    path: Path,
    identity: Mapping[str, Any],
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    device: torch.device,
) -> Progress:
    """Set model, optimiser, scaler and random numbers to a saved state and return its progress.

    Raises `CheckpointError` when the file is damaged or of a run with other settings or inputs.
    """
    state = _read(path)
    if not isinstance(state, dict) or state.get("identity") != json.dumps(identity, sort_keys=True):
        raise CheckpointError(
            f"{path}: state of a run with other settings or inputs; delete {path.parent} to start anew"
        )
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    scaler.load_state_dict(state["scaler"])
    progress = Progress(**state["progress"])
    progress.best_weights = {name: value.to(device) for name, value in progress.best_weights.items()}
    progress.window = [terms.to(device) for terms in progress.window]
    progress.interruptions += 1
    torch.set_rng_state(state["cpu_random"])
    if state["device_random"] is not None and device.type in ("cuda", "mps"):
        (torch.cuda if device.type == "cuda" else torch.mps).set_rng_state(state["device_random"])
    return progress


def _device_random(device: torch.device) -> Tensor | None:
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    # As a stream: to a name, torch.save writes that name into the file.
    with atomic(path) as temporary, temporary.open("wb") as stream:
        torch.save(content, stream)


def _read(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot read it ({error.strerror}); run the training that makes it") from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            damaged = archive.testzip()  # checks sums that torch.load does not look at
        if damaged is None:
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        reason = f"{damaged} is damaged"
    except Exception as error:  # what a broken pickle raises has no common type
        reason = type(error).__name__
    raise CheckpointError(f"{path}: not readable as a checkpoint ({reason}); delete it and train again")


def _misfit(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str | None:
    """The first difference in names or shapes, in words."""
    for name, value in wanted.items():
        if name not in found:
            return f"{name} is missing"
        if found[name].shape != value.shape:
            return f"{name} is {list(found[name].shape)}, must be {list(value.shape)}"
    extra = [name for name in found if name not in wanted]
    return f"{extra[0]} is unknown" if extra else None
