"""Checkpoint files: a round trip, and every way to be handed a wrong one."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from training_fakes.noisy import Config, Model

from whatmoves.data.clips import ClipShape
from whatmoves.errors import CheckpointError
from whatmoves.training.checkpoint import load_checkpoint, save_checkpoint

SHAPE = ClipShape(frames=3, channels=2, height=5, width=4)
META: dict[str, Any] = {"kind": "training_fakes.noisy", "options": {"width": 3}, "shape": SHAPE._asdict(), "seed": 1}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "checkpoint.pt", Model(Config(width=3), SHAPE), META)
    return tmp_path / "checkpoint.pt"


def rewritten(path: Path, change: Any) -> None:
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)


def test_round_trip_gives_the_same_weights_and_bytes(tmp_path: Path, saved: Path) -> None:
    model = Model(Config(width=3), SHAPE)
    model.net[0].weight.data = model.net[0].weight.data.contiguous(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "a.pt", model, META)
    save_checkpoint(tmp_path / "b.pt", model, json.loads(json.dumps(META)))
    loaded = load_checkpoint(tmp_path / "a.pt", expect_kind="training_fakes.noisy")
    assert all(torch.equal(loaded.model.state_dict()[name], value) for name, value in model.state_dict().items())
    assert loaded.meta == {"format": 1, **META}
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    save_checkpoint(tmp_path / "c.pt", loaded.model, META)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "c.pt").read_bytes()
    assert (tmp_path / "a.pt").read_bytes() != saved.read_bytes()


def flip_a_weight(path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(torch.load(path, weights_only=True)["weights"]["net.0.weight"].numpy().tobytes())
    content[at] ^= 1
    path.write_bytes(content)


class Foreign:
    """A class of ours in a pickle would run code when it is read."""


def foreign_class(path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"format": 1, "weights": Foreign()}, stream)
    path.write_bytes(stream.getvalue())


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda p: p.unlink(), "cannot read it (No such file or directory); run the training that makes it"),
        (
            lambda p: p.write_bytes(p.read_bytes()[:-100]),
            "not readable as a checkpoint (BadZipFile); delete it and train again",
        ),
        (
            flip_a_weight,
            "not readable as a checkpoint (archive/data/1 is damaged); delete it and train again",
        ),
        (foreign_class, "not readable as a checkpoint (UnpicklingError); delete it and train again"),
        (
            lambda p: torch.save({"epoch": 3}, p),
            "not a checkpoint of whatmoves; give the checkpoint.pt of a training",
        ),
        (
            lambda p: torch.save([1], p),
            "not a checkpoint of whatmoves; give the checkpoint.pt of a training",
        ),
        (
            lambda p: rewritten(p, lambda c: c.update(format=9)),
            "checkpoint format is 9; this version reads 1; train again",
        ),
        (
            lambda p: rewritten(p, lambda c: c.update(options={"width": 5})),
            "weights do not fit training_fakes.noisy: net.0.weight is [3, 2, 3, 3], must be [5, 2, 3, 3]; "
            "the model's code has changed, train again",
        ),
        (
            lambda p: rewritten(p, lambda c: c["weights"].pop("net.3.bias")),
            "weights do not fit training_fakes.noisy: net.3.bias is missing; the model's code has changed, train again",
        ),
        (
            lambda p: rewritten(p, lambda c: c["weights"].update(extra=torch.zeros(1))),
            "weights do not fit training_fakes.noisy: extra is unknown; the model's code has changed, train again",
        ),
        (
            lambda p: rewritten(p, lambda c: c.update(options={"widht": 3})),
            "its model cannot be built: models.training_fakes.noisy.options.widht is no option of "
            "models.training_fakes.noisy.options; did you mean width? known: width, kl_nats, breaks_at, spoils_at",
        ),
    ],
)
def test_a_wrong_file_is_one_line(saved: Path, damage: Any, expected: str) -> None:
    damage(saved)
    with pytest.raises(CheckpointError) as told:
        load_checkpoint(saved)
    assert str(told.value) == f"{saved}: {expected}"


def test_a_checkpoint_of_another_model(saved: Path) -> None:
    with pytest.raises(CheckpointError) as told:
        load_checkpoint(saved, expect_kind="lstm_vae")
    assert str(told.value) == (
        f"{saved}: checkpoint of a training_fakes.noisy; must be of a lstm_vae; give that model's file"
    )
