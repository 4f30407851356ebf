"""A stored clip carried on by a fake model: which action leads to which frame, and one line for what does not fit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playing_fakes.mover import Config, Model

from whatmoves.data.clips import ClipShape
from whatmoves.errors import CheckpointError, DataError
from whatmoves.files import read_arrays, write_arrays
from whatmoves.training.checkpoint import save_checkpoint
from whatmoves.using import play as played
from whatmoves.using.controls import read_script
from whatmoves.using.play import Stage, open_scene, play, rolled_out

SHAPE = ClipShape(frames=5, channels=1, height=4, width=6, actions=3, states=1)
CPU = torch.device("cpu")


def checkpoint(folder: Path, kind: str = "playing_fakes.mover", shape: ClipShape = SHAPE, **options: Any) -> Path:
    """An untrained fake, saved."""
    model = Model(Config(**options), shape) if kind.endswith("mover") else torch.nn.Module()
    meta = {"kind": kind, "options": options, "shape": shape._asdict(), "model": "fake"}
    save_checkpoint(folder / "checkpoint.pt", model, meta)
    return folder / "checkpoint.pt"


def clips(folder: Path, states: bool = False, **replaced: Any) -> Path:
    """Three clips: clip n starts at grey 20 n and rises by one a frame; actions up to 1, 2 and 3; states 5 to 9."""
    arrays: dict[str, Any] = {
        "video": np.broadcast_to(
            (20 * np.arange(3)[:, None] + np.arange(5)).astype(np.uint8)[:, :, None, None, None], (3, 5, 1, 4, 6)
        ),
        "actions": np.broadcast_to(np.float32([1, -2, 3]) * np.float32([0.5, 1, 0, 0, 0])[:, None], (3, 5, 3)),
    }
    if states:
        arrays["states"] = np.broadcast_to(np.float32([5, 6, 7, 8, 9])[:, None], (3, 5, 1))
    write_arrays(folder / "clips.npz", {**arrays, **replaced})
    return folder / "clips.npz"


def grey(video: np.ndarray) -> list[int]:
    """The grey of each frame, which must be the same all over it."""
    values = [np.unique(frame).tolist() for frame in video]
    assert all(len(value) == 1 for value in values)
    return [value[0] for value in values]


def by_script(folder: Path, script: str | None, steps: int | None = None, clip: int = 0, **options: Any) -> list[int]:
    """Grey values of what a script made."""
    point = checkpoint(folder, **options)
    play(point, folder / "clips.npz", clip, script, steps, folder / "out.npz", 0.5, 0, "cpu")
    return grey(read_arrays(folder / "out.npz")["video"][0])


def test_the_first_action_leads_from_the_last_given_frame(tmp_path: Path) -> None:
    clips(tmp_path)
    assert by_script(tmp_path, "right 2, rest, left 1", clip=1) == [20, 21, 31, 41, 41, 31]
    scene = open_scene(tmp_path / "checkpoint.pt", tmp_path / "clips.npz", 1, CPU)
    rolled_out(scene, np.float32([[1, 2, 3], [4, 5, 6]]), 0)
    past, horizon, actions, states = scene.model.asked[0]
    assert (past, horizon, states) == ([1, 2, 1, 4, 6], 2, None)
    assert actions is not None
    assert actions.tolist() == [[[0.5, -1, 1.5], [1, 2, 3], [4, 5, 6], [0, 0, 0]]]  # of frame 0 the stored one


def test_frame_by_frame_is_the_same_as_all_at_once(tmp_path: Path) -> None:
    scene = open_scene(checkpoint(tmp_path), clips(tmp_path, states=True), 2, CPU)
    script = np.float32([[1, 0, 0], [-0.5, 0, 0], [0, 9, 9], [2, 0, 0]])
    at_once = rolled_out(scene, script, 0)
    stage = Stage(scene, 0)
    np.testing.assert_array_equal(at_once[2:], [stage.advance(action) for action in script])
    assert grey(at_once) == [40, 41, 57, 58, 64, 90]  # ten an action, and six a frame of the state held at frame 1
    assert all(asked[:2] == ([1, 2, 1, 4, 6], 1) for asked in scene.model.asked[1:])
    assert scene.model.asked[2][2].tolist() == [[[1, 0, 0], [-0.5, 0, 0], [0, 0, 0]]]


def of_recording(folder: Path, **changes: Any) -> Path:
    """The clips as a recording's: control 1 had mean 4 and deviation 2 in training, control 2 never moved from 7."""
    stamps = {key: np.arange(32, dtype=np.uint8) for key in ("recording", "logs", "settings")}
    told = {
        "recording_sha256": bytes(range(32)).hex(),
        "control_mean": [4, 7, 0],
        "control_deviation": [2, 0, 1],
        "control_min": [-2, 7, 0],
        "control_max": [8, 7, 1],
    }
    told = {key: value for key, value in (told | changes).items() if value is not None}
    (folder / "statistics.json").write_text(json.dumps(told))
    return clips(folder, **stamps)


def asked_of(folder: Path, script: str) -> list[list[float]]:
    """What the model is told of the frames that a script asks for."""
    scene = open_scene(checkpoint(folder), folder / "clips.npz", 0, CPU)
    rolled_out(scene, read_script(script, scene.full), 0)
    actions = scene.model.asked[0][2]
    assert actions is not None
    asked: list[list[float]] = actions[0, 1:-1].tolist()
    return asked


def test_a_script_and_rest_are_in_the_units_of_the_log(tmp_path: Path) -> None:
    of_recording(tmp_path)
    (tmp_path / "a.json").write_text("[[8, 50, 0.5], [4, 7, 0], [0, 0, 0]]")
    assert asked_of(tmp_path, str(tmp_path / "a.json")) == [[2, 0, 0.5], [0, 0, 0], [-2, 0, 0]]
    # Words go as far as training did to that side of 0; rest is a released stick.
    assert asked_of(tmp_path, "right, left, 3+, 3-, rest") == [
        [2, 0, 0],
        [-3, 0, 0],
        [-2, 0, 1],
        [-2, 0, 0],
        [-2, 0, 0],
    ]
    # Frame by frame as well: the grey of the fake rises by ten a unit of the first.
    scene = open_scene(tmp_path / "checkpoint.pt", tmp_path / "clips.npz", 2, CPU)
    stage = Stage(scene, 0)
    assert grey(np.stack([stage.advance(np.float32([a, 0, 0])) for a in (4, 5, 0)])) == [41, 46, 26]


def test_what_training_never_saw_is_said_of_a_script(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    of_recording(tmp_path)

    def said(script: str, steps: int | None = None) -> list[str]:
        caplog.clear()
        (tmp_path / "a.json").write_text(script)
        by_script(tmp_path, str(tmp_path / "a.json") if script.startswith("[") else script, steps)
        return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]

    assert said("[[12, 7, 1], [-6, 0, 0]]") == []
    assert said("[[12, 7, 1], [-50, 0, 0], [-70, 0, 0]]") == [
        "--actions: control 1 is -70, far outside the stored range -2 … 8; what follows means little"
    ]
    assert said("[[0, 50, 0]]") == ["--actions: control 2 is 50, but in training it is always 7; it has no effect"]
    assert said("3- 2") == ["--actions: '3- 2': number 3 is never on that side of 0 in what is stored; it rests"]
    of_recording(tmp_path, control_min=[1000, 7, 0], control_max=[2000, 7, 1], control_mean=[1500, 7, 0])
    assert said("[[1500, 7, 0]]") == []
    rests = "--actions: control 1 is 0, far outside the stored range 1000 … 2000; what follows means little"
    assert said("[[1500, 7, 0]]", steps=2) == [rests]
    # Of clips that are no recording, the range is that of the clips themselves.
    clips(tmp_path)
    assert said("[[0.5, -2, 90]]") == [
        "--actions: control 3 is 90, far outside the stored range 0 … 3; what follows means little"
    ]


FIX = "make the data set again, or copy this file from beside the original clips"
NO_UNITS: dict[str, tuple[dict[str, Any] | None, str]] = {
    "missing": (None, "no such file, so the controls of clips.npz have no units"),
    "older": ({"control_min": None}, "no control_min in it, so the controls have no units"),
    "another's": ({"recording_sha256": "00"}, "belongs to another recording than clips.npz"),
    "no numbers": ({"control_mean": ["a", 0, 0]}, "not readable (could not convert string to float: 'a')"),
    "too few": (
        {"control_max": [1]},
        "must have 3 finite numbers under control_mean, control_deviation, control_min, control_max",
    ),
}


@pytest.mark.parametrize("case", NO_UNITS)
def test_controls_without_units_are_refused(case: str, tmp_path: Path) -> None:
    changes, message = NO_UNITS[case]
    of_recording(tmp_path, **(changes or {}))
    if changes is None:
        (tmp_path / "statistics.json").unlink()
    with pytest.raises(DataError) as error:
        by_script(tmp_path, "right")
    assert str(error.value) == f"{tmp_path}/statistics.json: {message}; {FIX}"


def test_steps_cut_a_script_or_let_it_rest(tmp_path: Path) -> None:
    clips(tmp_path)
    assert by_script(tmp_path, "right 3", steps=1) == [0, 1, 11]
    assert by_script(tmp_path, "right", steps=3) == [0, 1, 11, 11, 11]


def test_a_model_without_actions_carries_the_clip_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clips(tmp_path)
    caplog.set_level("INFO")
    assert by_script(tmp_path, None, reads_actions=False) == [0, 1, 2, 3, 4]  # as long as the clip
    assert by_script(tmp_path, None, steps=1, reads_actions=False, past_frames=None) == [0, 1, 2]  # half of five: two
    said = "a playing_fakes.mover reads no actions: it carries the clip on, whatever is asked for"
    assert said in caplog.messages
    with pytest.raises(DataError, match="reads no actions; leave it out"):
        by_script(tmp_path, "right", reads_actions=False)


def test_what_is_played_at_the_keyboard_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hands(given: Any, advance: Any, controls: Any, steps: int | None) -> Any:
        assert grey(given) == [0, 1]
        assert steps is None
        controls.press("right")
        return np.stack([*given, *(advance(controls.advance()) for _ in range(2))])

    monkeypatch.setattr("whatmoves.using.terminal.obstacle", lambda: None)
    monkeypatch.setattr("whatmoves.using.terminal.play_in_terminal", hands)
    play(checkpoint(tmp_path), clips(tmp_path), 0, None, None, tmp_path / "out.npz", 0.0, 0, "cpu")
    assert grey(read_arrays(tmp_path / "out.npz")["video"][0]) == [0, 1, 11, 21]


def test_a_script_becomes_a_gif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    play(checkpoint(tmp_path), clips(tmp_path), 0, "right 2", None, None, 0.5, 0, "cpu")
    assert (tmp_path / played.DEFAULT_OUT).read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clip": 3}, "--clip is 3, but {clips} holds rows 0 … 2; name one of them"),
        ({"clip": -1}, "--clip is -1, but {clips} holds rows 0 … 2; name one of them"),
        ({"steps": 0}, "--steps is 0; must be at least 1"),
        ({"out": Path("play.mp4")}, "--out is play.mp4; its name must end in .npz or .gif"),
        (
            {"script": None},
            "this is no terminal, so no keys can be read; give --actions, such as --actions 'right 5, up 3'",
        ),
        ({"script": "up 0"}, "--actions: 'up 0': '0' is no number of frames; write 1 … 100000, as in 'right 5'"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_said_in_a_line(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    stored = clips(tmp_path)
    asked = {"clip": 0, "script": "right", "steps": None, "out": None, "smoothing": 0.5, "seed": 0, "device": "cpu"}
    with pytest.raises(DataError) as error:
        play(checkpoint(tmp_path), stored, **{**asked, **settings})
    assert str(error.value) == message.format(clips=stored)


def test_clips_without_the_conditions_are_refused(tmp_path: Path) -> None:
    point, stored = checkpoint(tmp_path), clips(tmp_path)
    arrays = read_arrays(stored)
    write_arrays(stored, {"video": arrays["video"]})
    with pytest.raises(DataError, match="no array `actions` in it, but the model reads them"):
        open_scene(point, stored, 0, CPU)
    for wrong, found in (
        (arrays["actions"][:, :, :2], r"\[3, 5, 2\]"),
        (np.full_like(arrays["actions"], np.inf), r"\[3, 5, 3\]"),
    ):
        write_arrays(stored, {"video": arrays["video"], "actions": wrong})
        with pytest.raises(DataError, match=rf"`actions` is {found}; must be finite and \[3, 5, 3\]"):
            open_scene(point, stored, 0, CPU)


def test_a_model_that_cannot_predict_is_refused(tmp_path: Path) -> None:
    shape = ClipShape(frames=5, channels=1, height=4, width=6)
    model_free = checkpoint(tmp_path, "playing_fakes.silent", shape)
    with pytest.raises(CheckpointError, match=r"a playing_fakes\.silent cannot predict; use another model$"):
        open_scene(model_free, clips(tmp_path), 0, CPU)
