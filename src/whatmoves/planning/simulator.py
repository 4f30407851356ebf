"""What truly follows when a plan is obeyed: the push world itself, all tasks and samples at once."""

import numpy as np
from numpy.typing import NDArray

from whatmoves.data import push_physics
from whatmoves.data.push_physics import Motion, Setting
from whatmoves.data.push_render import Looks, render
from whatmoves.planning.tasks import Tasks, taken

Plans = NDArray[np.float32]


def obeyed(tasks: Tasks, plans: Plans) -> Motion:
    """What truly follows when plans `[N, S, commands, 4]` are obeyed, S a task: N · S clips of commands + 1 frames."""
    samples = plans.shape[1]
    start, radii = tasks.start, tasks.looks.radii
    setting = Setting(*(np.repeat(values, samples, axis=0) for values in (start.centres, radii, start.effector)))
    commands = plans.reshape(-1, *plans.shape[2:])
    last = np.zeros((len(commands), 1, 4), np.float32)  # it would lead out of the clip
    return push_physics.replay(setting, np.concatenate((commands, last), axis=1))


def missed(tasks: Tasks, motion: Motion) -> NDArray[np.float64]:
    """How far the object to be moved ends from its goal, in sides, `[N, S]`, after what `obeyed` gave."""
    ends = motion.centres[:, -1].reshape(tasks.size, -1, *tasks.goal_places.centres.shape[1:])  # [N, S, O, 2]
    row = np.arange(tasks.size)
    off = ends[row, :, tasks.moved] - tasks.goal_places.centres[row, tasks.moved][:, None]
    return np.hypot(off[..., 0], off[..., 1])


def shown(tasks: Tasks, motion: Motion, image_px: int) -> NDArray[np.uint8]:
    """The frames `[N · S, T, C, H, W]` of N · S clips of N tasks."""
    samples = len(motion.centres) // tasks.size
    looks: Looks = taken(tasks.looks, np.repeat(np.arange(tasks.size), samples))
    return render(looks, motion, image_px)
