"""Exported models: the same outputs to the byte, files that others can read, cards that say what is proven."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file
from small_checkpoints import SHAPE, write_checkpoint, write_receipt
from tools import ROOT

from whatmoves.data.clips import ClipShape
from whatmoves.errors import CheckpointError
from whatmoves.files import write_json
from whatmoves.loading import load_study
from whatmoves.models.interface import Future
from whatmoves.plugins import build_model, open_source
from whatmoves.training.checkpoint import load_checkpoint, save_checkpoint
from whatmoves.training.estimate import noise
from whatmoves.using.exported import export, load_exported

STUDY = load_study(ROOT / "config/tiny.yaml")


@pytest.mark.parametrize("name", STUDY.models)
def test_an_exported_model_answers_as_its_checkpoint_to_the_byte(name: str, tmp_path: Path) -> None:
    entry = STUDY.models[name]
    data = STUDY.data[entry.trains_on[0]]
    shape = open_source(data.kind, data.options, tmp_path).shape
    torch.manual_seed(1)
    model = build_model(entry.kind, entry.options, shape)
    meta = {"kind": entry.kind, "options": entry.options, "shape": shape._asdict(), "model": name, "dataset": "d"}
    more = {"seed": 1, "clips_seen": 0, "stopped_early": False, "best_validation": None, "collapsed": []}
    save_checkpoint(tmp_path / "checkpoint.pt", model, meta | more)
    files = export(tmp_path / "checkpoint.pt", tmp_path / "out")
    assert [path.name for path in files] == ["model.safetensors", "config.json", "README.md"]
    kept, exported = load_checkpoint(tmp_path / "checkpoint.pt").model, load_exported(tmp_path / "out").model
    batch = noise(ClipShape(*shape), 2)
    assert not exported.training
    answered = 0
    with torch.inference_mode():
        for ability, arguments in (("encode", [batch.video]), ("reconstruct", [batch.video]), ("sample", [2])):
            if hasattr(kept, ability):
                answers = [_tensors(_asked(one, ability, arguments)) for one in (kept, exported)]
                assert all(torch.equal(a, b) for a, b in zip(*answers, strict=True))
                answered += 1
        if hasattr(kept, "predict"):
            past = batch.video[:, :-1]
            answers = [
                one.predict(past, 1, Future(batch.actions, batch.states, torch.Generator().manual_seed(0)))
                for one in (kept, exported)
            ]
            assert torch.equal(*answers)
            answered += 1
    assert answered


def _asked(model: torch.nn.Module, ability: str, arguments: list) -> object:
    more = [torch.Generator().manual_seed(0)] if ability == "sample" else []
    return getattr(model, ability)(*arguments, *more)


def _tensors(answer: object) -> list[torch.Tensor]:
    return list(answer.values()) if isinstance(answer, dict) else [answer]


def test_others_read_the_weights_and_equal_checkpoints_give_equal_bytes(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint.pt")
    first, second = (export(checkpoint, tmp_path / name)[0].read_bytes() for name in ("a", "b"))
    assert first == second
    arrays = load_file(tmp_path / "a/model.safetensors")
    weights = load_checkpoint(checkpoint).model.state_dict()
    assert set(arrays) == set(weights)
    assert all((arrays[name] == value.numpy()).all() for name, value in weights.items())
    config = json.loads((tmp_path / "a/config.json").read_text())
    assert config["kind"] == "disentangled_vae"
    assert ClipShape(**config["shape"]) == SHAPE


def _without(name: str):
    return lambda folder: (folder / name).unlink()


def _config(**changed: object):
    def damage(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        write_json(folder / "config.json", config | changed)

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without("config.json"), "config.json: missing or not JSON; give a checkpoint.pt, or a folder that"),
        (_without("model.safetensors"), "model.safetensors: cannot read it (No such file or directory); export"),
        (_config(format=0), "config.json: not as this version of whatmoves exports it; export the model again"),
        (_config(shape={"frames": 6}), "config.json: its model cannot be built: "),
        (_config(kind="lstm_vea"), "did you mean lstm_vae?"),
        (_config(options={}), "model.safetensors: no weights of a disentangled_vae as its code is now (Missing key"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(b"12345678nothing"),
            "model.safetensors: no weights of a disentangled_vae as its code is now (",
        ),
    ],
)
def test_what_is_no_exported_model_is_told_in_one_line(damage, message: str, tmp_path: Path) -> None:
    export(write_checkpoint(tmp_path / "checkpoint.pt"), tmp_path / "out")
    damage(tmp_path / "out")
    with pytest.raises(CheckpointError) as error:
        load_exported(tmp_path / "out")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_card_says_what_the_files_beside_prove_and_what_not(tmp_path: Path) -> None:
    run = tmp_path / "results/s/train/digits/m/seed-3"
    checkpoint = write_checkpoint(run / "checkpoint.pt", seed=3, collapsed=["kl_motion_nats"])

    def card() -> str:
        export(checkpoint, tmp_path / "out")
        return (tmp_path / "out/README.md").read_text()

    bare = card()
    assert "trainable parameters: " in bare
    assert "- It cannot predict, detect." in bare
    assert "- Collapsed: `kl_motion_nats` carry next to nothing." in bare
    assert "no such file" in bare.partition("- not proven: ")[2]
    assert str(tmp_path) not in bare  # cards are given away

    write_receipt(run / "receipt.json", "train", [], [checkpoint])
    proven = card()
    assert "commit `abc123`" in proven
    assert "licence: CC-BY-4.0" in proven
    assert "`mnist_folder: mnist`" in proven  # a path by its last name
    assert "None: no evaluation of these very weights" in proven

    folder = tmp_path / "results/s/evaluate/digits/m"
    write_json(folder / "quality.json", {"seeds": {"3": {"psnr_frame": 21.5, "collapsed": True}}})
    write_receipt(folder / "receipt.json", "evaluate", [checkpoint], [folder / "quality.json"])
    measured = card()
    assert "| `psnr_frame` | 21.5 |" in measured
    assert "not proven" not in measured

    write_json(folder / "quality.json", {"seeds": {"3": {"psnr_frame": 99.0}}})
    assert "99" not in (edited := card())
    assert "- not proven: the evaluation is of other files than these weights" in edited

    (folder / "quality.json").unlink()
    assert "- not proven: the evaluation is of other files than these weights" in card()
    write_json(folder / "quality.json", {"seeds": {"0": {"psnr_frame": 1.0}}})
    write_receipt(folder / "receipt.json", "evaluate", [checkpoint], [folder / "quality.json"])
    assert "- not proven: the evaluation has no seed 3" in card()

    write_checkpoint(checkpoint, seed=4)
    other = card()
    assert "- not proven: the receipt beside the checkpoint is of another file" in other
    assert "abc123" not in other
