"""State of an interrupted training is never resumed on data that changed, and is removed once it is of no use."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image
from tools import ROOT

from whatmoves.cli import main
from whatmoves.data.clips import Batch
from whatmoves.data.recordings import Recordings
from whatmoves.data.sample_drive import write_recording
from whatmoves.training.runtime import locked
from whatmoves.training.train import TRIED_CLIPS
from whatmoves.training.work import sweep_others, tell_of_others

RUN = "drive.mind.seed-0"


def whatmoves(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--configfile", "study.yaml"])
    assert ended.value.code == 0


def train(monkeypatch: pytest.MonkeyPatch, dies_at: int | None = None) -> list[int]:
    """Train, or die before the batch that begins with clip `dies_at`; the first clips of all batches drawn."""
    drawn: list[int] = []
    whole = Recordings.train_batch

    def watched(self: Recordings, seed: int, first: int, count: int, device: torch.device) -> Batch:
        if count > TRIED_CLIPS:
            drawn.append(first)
        if first == dies_at:
            raise ZeroDivisionError
        return whole(self, seed, first, count, device)

    with monkeypatch.context() as patched:
        patched.setattr(Recordings, "train_batch", watched)
        if dies_at is None:
            whatmoves("train", "--model", "mind")
        else:
            with pytest.raises(ZeroDivisionError):
                main(["train", "--model", "mind", "--configfile", "study.yaml"])
    return drawn


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A recording and a study of one small model on it, in the current folder, with the data made."""
    monkeypatch.chdir(tmp_path)
    write_recording(tmp_path / "recording", sessions=4, frames=24, seed=0)
    tiny = yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8"))
    drive = {"kind": "recordings", "options": {"folder": "recording", "image_px": 16, "frames": 4}}
    mind = {"kind": "tinydreams", "options": tiny["models"]["tinydreams_drive"]["options"], "trains_on": ["drive"]}
    settings = {**tiny["training"], "clips": 48, "checkpoint_every": 8}
    study = {"study": "s", "seeds": [0], "data": {"drive": drive}, "models": {"mind": mind}, "training": settings}
    Path("study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    whatmoves("data", "--dataset", "drive")
    return study


def test_on_a_changed_picture_an_interrupted_training_starts_anew(
    study: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert train(monkeypatch, dies_at=24) == [0, 8, 16, 24]
    assert train(monkeypatch, dies_at=32) == [24, 32], "on the same data it goes on where it was"
    [left] = Path("results/s/work").iterdir()
    for picture in Path("recording/frames").iterdir():
        Image.new("RGB", (64, 64), "red").save(picture)
    whatmoves("data", "--dataset", "drive")
    caplog.clear()
    assert train(monkeypatch)[0] == 0
    assert f"{RUN}: starts anew, for its inputs changed since a training of it was interrupted" in caplog.messages
    assert not left.exists()
    out = Path("results/s/train/drive/mind/seed-0")
    resumed = {name: (out / name).read_bytes() for name in ("checkpoint.pt", "history.csv")}
    train(monkeypatch)
    assert resumed == {name: (out / name).read_bytes() for name in resumed}, "as a training that nothing interrupted"


def state(folder: Path, made_of: str, age: int = 0) -> Path:
    """A work folder with a state that is `age` seconds old."""
    work = folder / f"{RUN}.{made_of}"
    work.mkdir(parents=True)
    (work / "state.pt").touch()
    os.utime(work / "state.pt", (1e9 - age, 1e9 - age))
    return work


def test_why_a_training_starts_anew_is_told_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state(tmp_path, "1-2-3-4", age=1)
    state(tmp_path, "0-0-0-0", age=2)
    (tmp_path / "drive.mind.seed-01.9-9-9-9").mkdir()
    tell_of_others(tmp_path / f"{RUN}.1-5-3-6")
    assert caplog.messages == [
        f"{RUN}: starts anew, for its settings and inputs changed since a training of it was interrupted"
    ]
    tell_of_others(tmp_path / f"{RUN}.1-2-3-4")  # it goes on
    tell_of_others(tmp_path / "drive.other.seed-0.1-5-3-6")
    assert len(caplog.messages) == 1


def test_useless_states_of_a_run_are_removed_but_for_one_that_is_held(tmp_path: Path) -> None:
    free, taken = state(tmp_path, "1-2-3-4"), state(tmp_path, "1-2-3-5")
    others = [tmp_path / name for name in ("drive.mind.seed-01.1-2-3-4", "drive.mind_2.seed-0.1-2-3-4")]
    for other in others:
        other.mkdir()
    with locked(taken):
        sweep_others(tmp_path / f"{RUN}.1-2-3-6")
        assert not free.exists()
        assert (taken / "state.pt").exists()
    assert all(other.exists() for other in others)


def test_a_state_says_which_files_it_is_of(study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    train(monkeypatch, dies_at=24)
    [left] = Path("results/s/work").iterdir()
    identity = json.loads(torch.load(left / "state.pt", weights_only=True)["identity"])
    assert set(identity["inputs"]) == {"data/drive/validation.npz", "data/drive/validation.csv"}
    assert all(len(found["sha256"]) == 64 for found in identity["inputs"].values())
