"""How the push world moves: an effector on a square table, objects it pushes, and a policy that draws its commands.

Lengths are fractions of the table's side, y points down and x right; heights and jaw openings are 0 … 1. A command is
four numbers in −1 … 1: right, down, up, open. The effector is seen from above as a capsule, two jaws with a bar between
them. While it is low it pushes what it touches; objects are discs to each other and to it, and the table's edge holds
them. There is no momentum: what nothing touches stands still, so only commands make a clip move.

`drive` draws commands while it simulates; `replay` simulates given ones, and agrees with `drive` to the last bit.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 0.11  # farthest the effector goes in a frame
LIFT_STEP = 0.5
JAW_STEP = 0.5
JAW_RADIUS = 0.055
JAW_REACH = (0.03, 0.085)  # from the effector's centre to a jaw's: shut, open
MARGIN = 0.1  # the effector's centre stays this far inside the table
LOW = 0.5  # below this height it touches objects
SUBSTEPS = 2  # a substep is shorter than any object is wide, so nothing is jumped over
PUSH = 0.07  # most that one substep pushes: what the jaws come down upon slides out, it does not jump
POLICY_DRAWS = 8  # uniforms a frame: two Philox blocks


class Setting(NamedTuple):
    """How N clips with O objects begin: `centres` `[N, O, 2]` (y, x), `radii` `[N, O]`, `effector` `[N, 4]`.

    The effector's numbers are y, x, height, opening.
    """

    centres: Floats
    radii: Floats
    effector: Floats


class Motion(NamedTuple):
    """What follows: `effector` `[N, T, 4]`, `centres` `[N, T, O, 2]`, and the commands between, `[N, T, 4]` float32.

    The command of frame t leads to frame t + 1; that of the last frame leads out of the clip.
    """

    effector: Floats
    centres: Floats
    actions: NDArray[np.float32]


def settle(setting: Setting, rounds: int = 30) -> Setting:
    """The same objects moved apart until none overlap each other or low jaws and all lie on the table.

    Crowds that do not fit keep a little overlap after `rounds`.
    """
    centres = _inside(setting.centres, setting.radii)
    for _ in range(rounds):
        centres = _pushed(setting.effector, centres, setting.radii)
        centres = _inside(_separated(centres, setting.radii), setting.radii)
    return setting._replace(centres=centres)


def drive(setting: Setting, uniform: Floats) -> Motion:
    """Draw commands from `uniform` `[N, T, 8]` and simulate them.

    The effector heads for a point, behind an object as a rule, in a smooth and noisy way; after four frames or so it
    thinks of another. What it will do next can be read from no frame before.
    """
    clips, frames, _ = uniform.shape
    goal = np.full((clips, 4), np.nan)  # no goal yet: frame 0 chooses
    command = np.zeros((clips, 4))
    row = np.arange(clips)
    objects = setting.radii.shape[1]

    def next_command(frame: int, effector: Floats, centres: Floats) -> Floats:
        nonlocal goal, command
        u = uniform[:, frame]
        target = centres[row, (u[:, 1] * objects).astype(np.int64)]
        way = target - effector[:, :2]
        behind = target + 0.2 * way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
        place = np.where(u[:, 2:3] < 0.75, behind, u[:, 3:5])
        pose = np.stack([u[:, 5] < 0.25, (u[:, 5] * 8) % 1], axis=1)  # up or down, and how wide
        changed = (u[:, :1] < 0.25) | np.isnan(goal[:, :1])
        goal = np.where(changed, np.concatenate([place, pose], axis=1), goal)
        wish = np.clip((goal - effector) / (STEP, STEP, LIFT_STEP, JAW_STEP), -1, 1)
        noise = np.zeros_like(wish)
        noise[:, :2] = 1.2 * (u[:, 6:8] - 0.5)
        command = np.clip(0.4 * command + 0.6 * wish + noise, -1, 1)
        return command

    return _simulated(setting, frames, next_command)


def replay(setting: Setting, actions: NDArray[np.float32]) -> Motion:
    """Simulate the commands `actions` `[N, T, 4]`, in the order right, down, up, open."""
    commands = actions[..., [1, 0, 2, 3]].astype(np.float64)
    return _simulated(setting, actions.shape[1], lambda frame, effector, centres: commands[:, frame])


def _simulated(setting: Setting, frames: int, next_command: Callable[[int, Floats, Floats], Floats]) -> Motion:
    """Ask for a command `[N, 4]` (down, right, up, open) at every frame and obey it."""
    effector, centres = setting.effector, setting.centres
    clips, objects, _ = centres.shape
    effectors = np.empty((clips, frames, 4))
    places = np.empty((clips, frames, objects, 2))
    actions = np.empty((clips, frames, 4), np.float32)
    for t in range(frames):
        effectors[:, t], places[:, t] = effector, centres
        command = next_command(t, effector, centres)
        actions[:, t] = command[:, [1, 0, 2, 3]]
        obeyed = actions[:, t, [1, 0, 2, 3]].astype(np.float64)  # what is stored, not what was meant
        if t + 1 < frames:
            effector, centres = _step(effector, centres, setting.radii, obeyed)
    return Motion(effectors, places, actions)


def _step(effector: Floats, centres: Floats, radii: Floats, command: Floats) -> tuple[Floats, Floats]:
    """One frame: the effector obeys as far as its range goes, low jaws push, pushed objects push each other."""
    change = command * (STEP, STEP, LIFT_STEP, JAW_STEP) / SUBSTEPS
    lowest = (MARGIN, MARGIN, 0.0, 0.0)
    highest = (1 - MARGIN, 1 - MARGIN, 1.0, 1.0)
    for _ in range(SUBSTEPS):
        effector = np.clip(effector + change, lowest, highest)
        centres = _inside(_pushed(effector, centres, radii), radii)
        for _ in range(2):
            centres = _inside(_separated(centres, radii), radii)
    return effector, centres


def _pushed(effector: Floats, centres: Floats, radii: Floats) -> Floats:
    """Objects that low jaws overlap, moved out along the shortest way."""
    away = centres - effector[:, None, :2]  # [N, O, 2]
    reach = jaw_reach(effector[:, None, 3])
    away[..., 1] -= np.clip(away[..., 1], -reach, reach)  # from the nearest point of the bar between the jaws
    distance = np.maximum(np.hypot(away[..., 0], away[..., 1]), 1e-9)
    overlap = np.clip(JAW_RADIUS + radii - distance, 0, PUSH) * (effector[:, None, 2] < LOW)
    return np.asarray(centres + away * (overlap / distance)[..., None])


def jaw_reach(opening: NDArray[np.floating[Any]]) -> Floats:
    """Distance from the effector's centre to a jaw's at `opening` 0 … 1."""
    return np.asarray(JAW_REACH[0] + (JAW_REACH[1] - JAW_REACH[0]) * opening)


def _separated(centres: Floats, radii: Floats) -> Floats:
    """Overlapping objects moved apart, each by half of the overlap."""
    moved = centres.copy()
    for a in range(radii.shape[1]):
        for b in range(a + 1, radii.shape[1]):
            away = centres[:, b] - centres[:, a]
            distance = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-9)
            overlap = np.maximum(radii[:, a] + radii[:, b] - distance, 0)
            half = away * (0.5 * overlap / distance)[:, None]
            moved[:, a] -= half
            moved[:, b] += half
    return moved


def _inside(centres: Floats, radii: Floats) -> Floats:
    return np.clip(centres, radii[..., None], 1 - radii[..., None])
