"""A trained model played: a stored clip that it carries on, under the keyboard or by a script of actions.

After an idea of TinyDreams (Nikims/tinyDreams, its play script). A script is one prediction, as evaluation asks for it.
At the keyboard a frame is asked for at a time, from the P frames before it, the model's own among them: the same for a
model that reads a fixed number of frames, and all there can be where actions are not known beforehand.

Actions are asked for in the data set's own units. A recording's controls are stored otherwise, and converted here with
the statistics beside the clips.

The action of frame t leads to frame t + 1, so a player's first action takes the place of the stored one of the last
given frame. States of frames to come are not known: the last known one is held.
"""

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from whatmoves.data.clips import to_bytes
from whatmoves.data.recording_controls import Scale, read_scale
from whatmoves.errors import DataError
from whatmoves.files import read_arrays
from whatmoves.models.interface import Future
from whatmoves.training.runtime import choose_device
from whatmoves.using.controls import Controls, full_actions, full_controls, own_scale, read_script, tell_unseen
from whatmoves.using.on_files import able, as_floats, check_video_name, read_video, write_video

log = logging.getLogger(__name__)

DEFAULT_OUT = Path("play.gif")


class Scene(NamedTuple):
    """Where a play starts: the first P frames of a clip, and what belongs to them as far as the model reads it.

    video `[1, P, C, H, W]` in [0, 1]; actions `[1, P, A]`, of which the last is the player's to replace, and states
    `[1, P, S]`, or None, all as stored; `full`: a full action to either side of each number `[2, A]` in its own unit,
    of width 0 where the model reads none; `scale`: of that unit; `frames`: of the stored clip.
    """

    model: Any
    name: str
    video: Tensor
    actions: Tensor | None
    states: Tensor | None
    full: NDArray[np.float32]
    scale: Scale
    frames: int


class Stage:
    """A scene that goes on frame by frame: the last P frames, their states, and the actions of all but the last."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._model, self._video, self._states = scene.model, scene.video, scene.states
        self._scale = scene.scale
        self._actions = None if scene.actions is None else scene.actions[:, :-1]
        self._generator = Generator().manual_seed(seed)

    def advance(self, action: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The next frame `[C, H, W]`, to which `action` `[A]`, in its own unit, leads."""
        action = self._scale.stored(action)
        actions = None if self._actions is None else _extended(self._actions, action[None])
        states = None if self._states is None else _held(self._states, 1)
        asked = None if actions is None else _extended(actions, np.zeros_like(action)[None])
        with torch.inference_mode():
            frame = self._model.predict(self._video, 1, Future(asked, states, self._generator))
        self._video = torch.cat((self._video[:, 1:], frame), dim=1)
        self._actions = None if actions is None else actions[:, 1:]
        self._states = None if states is None else states[:, 1:]
        return to_bytes(frame[0, 0])


def play(
    checkpoint: Path,
    clips: Path,
    clip: int,
    script: str | None,
    steps: int | None,
    out: Path | None,
    smoothing: float,
    seed: int,
    device: str = "auto",
) -> None:
    """Play a checkpoint from row `clip` of the clips, at the keyboard or, where a script is given or needed, to `out`.

    Raises `CheckpointError` for a model that cannot predict and `DataError` for clips or a script that do not fit it,
    or where actions could come neither from a script nor from a keyboard.
    """
    from whatmoves.using.terminal import obstacle, play_in_terminal

    if steps is not None and steps < 1:
        raise DataError(f"--steps is {steps}; must be at least 1")
    if out is not None:
        check_video_name(out)
    scene = open_scene(checkpoint, clips, clip, choose_device(device))
    if not scene.full.shape[1]:
        log.info("a %s reads no actions: it carries the clip on, whatever is asked for", scene.name)
        if script is not None:
            raise DataError(f"--actions is {script!r}, but a {scene.name} reads no actions; leave it out")
    if scene.states is not None and getattr(scene.model, "reads_future_states", False):
        log.info("this model learnt from the true states of frames to come; here the last known one is held")
    hindrance = obstacle()
    if script is None and hindrance is None:
        tell_unseen(scene.scale, np.zeros_like(scene.full[:1]), "rest")
        controls, stage = Controls(scene.full, smoothing), Stage(scene, seed)
        played = play_in_terminal(to_bytes(scene.video[0]), stage.advance, controls, steps)
    elif script is not None or not scene.full.shape[1]:
        played = rolled_out(scene, _actions_of(scene, script, steps), seed)
        out = out or DEFAULT_OUT
    else:
        raise DataError(f"{hindrance}, so no keys can be read; give --actions, such as --actions 'right 5, up 3'")
    if out is not None:
        write_video(out, {"video": played[None]})
        log.info("%s: %d frames, the first %d are the clip's own", out, len(played), scene.video.shape[1])


def open_scene(checkpoint: Path, clips: Path, clip: int, device: torch.device) -> Scene:
    """The model and the beginning of row `clip`: as many frames as its training began with, else half of the clip."""
    loaded = able(checkpoint, device, "predict")
    model: Any = loaded.model
    video = read_video(clips, model.shape)
    if not 0 <= clip < len(video):
        raise DataError(f"--clip is {clip}, but {clips} holds rows 0 … {len(video) - 1}; name one of them")
    frames = video.shape[1]
    past = getattr(model.config, "past_frames", None) or max(1, frames // 2)
    reads = bool(getattr(model, "reads_actions", False))
    actions = _conditions(clips, "actions", model.shape, len(video), True) if reads else None
    states = _conditions(clips, "states", model.shape, len(video), False)

    def beginning(values: NDArray[np.float32] | None) -> Tensor | None:
        return None if values is None else torch.from_numpy(values[[clip], :past]).to(device)

    stored = np.zeros((1, 1, 0), np.float32) if actions is None else actions
    scale = None if actions is None else read_scale(clips, read_arrays(clips))
    return Scene(
        model=model,
        name=loaded.meta["kind"],
        video=as_floats(video[[clip], :past], device),
        actions=beginning(actions),
        states=beginning(states),
        full=full_actions(stored) if scale is None else full_controls(scale),
        scale=own_scale(stored) if scale is None else scale,
        frames=frames,
    )


def rolled_out(scene: Scene, actions: NDArray[np.float32], seed: int) -> NDArray[np.uint8]:
    """The given frames and, after them, one for each of `actions` `[N, A]`, in their own unit: `[P + N, C, H, W]`."""
    actions = scene.scale.stored(actions)
    steps = len(actions)
    asked = None
    if scene.actions is not None:  # the action of the last frame leads nowhere
        asked = _extended(scene.actions[:, :-1], np.concatenate((actions, np.zeros_like(actions[:1]))))
    states = None if scene.states is None else _held(scene.states, steps)
    with torch.inference_mode():
        made = scene.model.predict(scene.video, steps, Future(asked, states, Generator().manual_seed(seed)))
    return to_bytes(torch.cat((scene.video, made), dim=1)[0])


def _actions_of(scene: Scene, script: str | None, steps: int | None) -> NDArray[np.float32]:
    """The script's actions `[N, A]`, cut or followed by rest where `steps` says so; without one, none of width 0."""
    if script is None:
        return np.zeros((steps or max(1, scene.frames - scene.video.shape[1]), 0), np.float32)
    actions = read_script(script, scene.full)
    count = steps or len(actions)
    rest = np.zeros((max(0, count - len(actions)), actions.shape[1]), np.float32)
    actions = np.concatenate((actions, rest))[:count]
    tell_unseen(scene.scale, actions, "--actions")
    return actions


def _conditions(clips: Path, name: str, shape: Any, count: int, needed: bool) -> NDArray[np.float32] | None:
    """`actions` or `states` `[N, T, …]` of stored clips, None where there are none and none are needed."""
    width = getattr(shape, name)
    values = read_arrays(clips).get(name) if width else None
    if values is None:
        if needed:
            raise DataError(f"{clips}: no array `{name}` in it, but the model reads them; give clips that have them")
        return None
    if values.shape != (count, shape.frames, width) or not np.isfinite(values).all():
        raise DataError(
            f"{clips}: `{name}` is {list(values.shape)}; must be finite and {[count, shape.frames, width]}, as the "
            "model was trained on"
        )
    return values.astype(np.float32)


def _extended(actions: Tensor, more: NDArray[np.float32]) -> Tensor:
    """`[1, T, A]` and `[N, A]` → `[1, T + N, A]`."""
    return torch.cat((actions, torch.from_numpy(more).to(actions)[None]), dim=1)


def _held(states: Tensor, count: int) -> Tensor:
    """States `[1, P, S]`, the last of them `count` times more."""
    return torch.cat((states, states[:, -1:].expand(-1, count, -1)), dim=1)
