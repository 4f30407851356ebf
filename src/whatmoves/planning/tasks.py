"""Tasks of the push world: a beginning, a goal picture, and the object that is to be where the picture shows it.

A task is cut out of a clip that is drawn as those of `test` are and stored by no study: frame t, at which the effector
is low, and the goal, which is the picture `commands` frames later. In between the clip's own commands move some object
by `moved` sides of the table or more, so every task can be solved, and what solves it lies within the effector's reach.
The first such frame of a clip is taken, one task a clip, so that tasks are independent of each other.

A planner is shown the frames up to t with the commands between them, and the goal picture; where things truly are is
for the simulator alone.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves import plugins
from whatmoves.data.clips import past_of
from whatmoves.data.push_physics import LOW, Motion
from whatmoves.data.push_render import Looks, render
from whatmoves.data.push_world import Config, further_test_clips
from whatmoves.errors import ConfigError
from whatmoves.study import Planning, Study

CLIPS_AT_ONCE = 256  # drawn in search of tasks
MOST_CLIPS_A_TASK = 100  # from here on the settings leave too few tasks


class Places(NamedTuple):
    """Where N scenes' objects `[N, O, 2]` (y, x) and effectors `[N, 4]` (y, x, height, opening) are, in sides."""

    centres: NDArray[np.float64]
    effector: NDArray[np.float64]


class Tasks(NamedTuple):
    """N tasks.

    past uint8 `[N, P, C, H, W]`, the last one frame t; actions `[N, P − 1, 4]` between them and states `[N, P, 3]`, as
    the data set has them; goal uint8 `[N, C, H, W]`; start and goal_places: where things truly are at frame t and in
    the goal picture; moved `[N]`: which object is to be moved; drawn `[N, commands, 4]`: what the clip did.
    """

    looks: Looks
    past: NDArray[np.uint8]
    actions: NDArray[np.float32]
    states: NDArray[np.float32]
    goal: NDArray[np.uint8]
    start: Places
    goal_places: Places
    moved: NDArray[np.int64]
    drawn: NDArray[np.float32]

    @property
    def size(self) -> int:
        """How many tasks there are."""
        return len(self.moved)

    def rows(self, index: NDArray[np.int64] | slice) -> "Tasks":
        """Some of the tasks, in that order."""
        found: Tasks = taken(self, index)
        return found


class _Cuts(NamedTuple):
    """Clips `[N]` by row, with the frame each task begins at and the object that moves farthest from there on."""

    clip: NDArray[np.int64]
    frame: NDArray[np.int64]
    moved: NDArray[np.int64]


def tasks_of_study(study: Study, dataset: str) -> Tasks:
    """The tasks of a study on one of its data sets; see `tasks_of`."""
    entry, where = study.data[dataset], f"data.{dataset}"
    config = plugins.data_config(entry.kind, entry.options, where)
    assert isinstance(config, Config), "only the push world has a simulator here"
    return tasks_of(config, past_of(entry.past_frames, config.frames), study.planning, where)


def tasks_of(config: Config, past_frames: int, settings: Planning, where: str = "data") -> Tasks:
    """The tasks that these settings give on a data set; the first ones are the same however many are asked for.

    Raises `ConfigError` where clips are too short or move too little.
    """
    if past_frames + settings.commands > config.frames:
        raise ConfigError(
            f"planning.commands is {settings.commands}, but clips of {where} have {config.frames} frames, of which "
            f"{past_frames} are given; must be ≤ {config.frames - past_frames}. Give longer clips, fewer commands, or "
            f"planning.tasks: 0"
        )
    found: list[Tasks] = []
    missing = settings.tasks
    for first in range(0, settings.tasks * MOST_CLIPS_A_TASK, CLIPS_AT_ONCE):
        looks, motion = further_test_clips(config, first, CLIPS_AT_ONCE)
        cuts = _cuts(motion, past_frames, settings)
        cuts = _Cuts(*(values[:missing] for values in cuts))
        found.append(_cut(looks, motion, cuts, past_frames, settings.commands, config.image_px))
        missing -= len(cuts.clip)
        if not missing:
            joined: Tasks = _joined(tuple(found))
            return joined
    raise ConfigError(
        f"planning.moved is {settings.moved:g}, but on {where} only {settings.tasks - missing} of "
        f"{settings.tasks * MOST_CLIPS_A_TASK} clips have an object that moves so far within {settings.commands} "
        f"commands; planning.tasks asks for {settings.tasks}. Ask for less"
    )


def _cuts(motion: Motion, past_frames: int, settings: Planning) -> _Cuts:
    frames, horizon = motion.centres.shape[1], settings.commands
    starts = np.arange(past_frames - 1, frames - horizon)
    way = motion.centres[:, starts + horizon] - motion.centres[:, starts]
    ways = np.hypot(way[..., 0], way[..., 1])  # [N, starts, O]
    fit = (ways.max(2) >= settings.moved) & (motion.effector[:, starts, 2] < LOW)
    clip = np.flatnonzero(fit.any(1))
    at = fit[clip].argmax(1)
    return _Cuts(clip, starts[at], ways[clip, at].argmax(1))


def _cut(looks: Looks, motion: Motion, cuts: _Cuts, past_frames: int, commands: int, image_px: int) -> Tasks:
    clip, start = cuts.clip, cuts.frame
    shown: Looks = taken(looks, clip)
    given = start[:, None] + np.arange(1 - past_frames, 1)  # [N, P]
    goal = start + commands
    frames = np.concatenate((given, goal[:, None]), axis=1)
    row = clip[:, None]
    seen = Motion(motion.effector[row, frames], motion.centres[row, frames], motion.actions[row, frames])
    video = render(shown, seen, image_px)
    return Tasks(
        looks=shown,
        past=video[:, :past_frames],
        actions=motion.actions[row, given[:, :-1]],
        states=states_of(motion.effector[row, given]),
        goal=video[:, past_frames],
        start=Places(motion.centres[clip, start], motion.effector[clip, start]),
        goal_places=Places(motion.centres[clip, goal], motion.effector[clip, goal]),
        moved=cuts.moved,
        drawn=motion.actions[row, start[:, None] + np.arange(commands)],
    )


def taken(part: Any, index: NDArray[np.int64] | slice) -> Any:
    """Rows of every array in a named tuple, and in those within it."""
    return type(part)(*(taken(values, index) if isinstance(values, tuple) else values[index] for values in part))


def _joined(parts: tuple[Any, ...]) -> Any:
    """Named tuples of arrays one after the other."""
    columns = zip(*parts, strict=True)
    joined = (_joined(of) if isinstance(of[0], tuple) else np.concatenate(of) for of in columns)
    return type(parts[0])(*joined)


def states_of(effector: NDArray[np.float64]) -> NDArray[np.float32]:
    """The data set's states `[…, 3]` (x, y, height) of effectors `[…, 4]`."""
    return effector[..., [1, 0, 2]].astype(np.float32)
