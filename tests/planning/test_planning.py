"""Planning: tasks that can be solved, a search that finds what is known, and models whose answer is known."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.data.push_world import Config
from whatmoves.errors import ConfigError
from whatmoves.models.interface import Future
from whatmoves.planning.costs import places
from whatmoves.planning.plan import floors, plan_with, ranked_alike, searched
from whatmoves.planning.search import LEAST_SPREAD, first_plans, noise, search
from whatmoves.planning.simulator import missed, obeyed, shown
from whatmoves.planning.tasks import Tasks, states_of, tasks_of
from whatmoves.study import Planning

CPU = torch.device("cpu")
SMALL = Planning(tasks=6, commands=3, samples=12, rounds=2, elites=4)
WORLD = Config(image_px=16, frames=8, objects=2)
TASKS = tasks_of(WORLD, 2, SMALL)


class Simulator(nn.Module):
    """The true world as a model: it knows a task by its last given frame."""

    reads_actions = True

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self.tasks = tasks
        self.known = {frame.tobytes(): row for row, frame in enumerate(tasks.past[:, -1])}

    def predict(self, past: Tensor, horizon: int, future: Future) -> Tensor:
        assert future.actions is not None
        frames = past[:, -1].mul(255).round().byte().numpy()
        rows = np.array([self.known[frame.tobytes()] for frame in frames])
        plans = future.actions[:, past.shape[1] - 1 : -1].numpy()
        assert plans.shape[1] == horizon
        tasks = self.tasks.rows(rows)
        video = shown(tasks, obeyed(tasks, plans[:, None]), past.shape[-1])
        return torch.from_numpy(video[:, 1:]).float().div(255)


class Reads(Simulator):
    """The same with a code: the picture itself as content, and as motion the same number for all."""

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        picture = video[:, -1].flatten(1)
        return {"content": picture, "motion": torch.zeros(len(picture), 1)}


def test_what_the_drawn_clip_did_solves_its_task_to_the_last_bit() -> None:
    motion = obeyed(TASKS, TASKS.drawn[:, None])
    np.testing.assert_array_equal(missed(TASKS, motion), np.zeros((6, 1)))
    np.testing.assert_array_equal(shown(TASKS, motion, 16)[:, -1], TASKS.goal)
    np.testing.assert_array_equal(shown(TASKS, motion, 16)[:, 0], TASKS.past[:, -1])
    np.testing.assert_array_equal(states_of(motion.effector[:, 0]), TASKS.states[:, -1])


def test_the_commands_between_the_given_frames_lead_from_one_to_the_next() -> None:
    given = tasks_of(WORLD, 4, SMALL)
    assert given.actions.shape == (6, 3, 4)
    step = np.diff(given.states[..., 0], axis=1)  # x, moved by the command `right`
    free = np.abs(given.states[:, 1:, 0] - 0.5) < 0.39  # not stopped at the edge
    assert free.sum() > 6
    np.testing.assert_allclose(step[free], 0.11 * given.actions[..., 0][free], atol=1e-6)


def test_every_task_moves_its_object_and_doing_nothing_does_not() -> None:
    row = np.arange(6)
    way = TASKS.goal_places.centres[row, TASKS.moved] - TASKS.start.centres[row, TASKS.moved]
    assert (np.hypot(*way.T) >= SMALL.moved).all()
    still = np.zeros((6, 1, 3, 4), np.float32)
    assert (missed(TASKS, obeyed(TASKS, still)) > SMALL.tolerance).all()


def test_the_first_tasks_are_the_same_however_many_are_asked_for() -> None:
    more = tasks_of(WORLD, 2, SMALL.model_copy(update={"tasks": 300}))
    assert more.size == 300
    for mine, theirs in zip(TASKS.rows(slice(0, 6)), more.rows(slice(0, 6)), strict=True):
        np.testing.assert_equal(mine, theirs)


def test_the_search_finds_a_known_optimum() -> None:
    aim = np.random.default_rng(0).uniform(-1, 1, (5, 1, 2, 3))

    def cost(plans: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.square(plans - aim).sum((2, 3))

    settings = Planning(commands=2, samples=200, rounds=12, elites=10)
    found = search(cost, np.arange(5), 3, settings)
    np.testing.assert_allclose(found.plans, aim[:, 0], atol=LEAST_SPREAD)
    np.testing.assert_array_equal(found.costs, cost(found.plans[:, None])[:, 0])
    assert found.costs.max() < np.min([cost(first_plans(noise(task, 3, settings)[0])[None])[task] for task in range(5)])


def test_the_order_of_tasks_and_their_company_change_nothing() -> None:
    order = np.array([4, 0, 5])
    whole = search(places(TASKS), np.arange(6), 4, SMALL)
    some = search(places(TASKS.rows(order)), order, 4, SMALL)
    np.testing.assert_array_equal(some.plans, whole.plans[order])
    np.testing.assert_array_equal(some.costs, whole.costs[order])


def test_a_model_that_is_the_simulator_reaches_its_ceiling_and_a_code_that_is_the_picture_too() -> None:
    ceiling = floors(TASKS, SMALL, 16)
    found = plan_with(Reads(TASKS), TASKS, SMALL, CPU)
    for cost in ("pixels", "code", "content"):
        np.testing.assert_array_equal(found.plans[cost], ceiling["simulator"].plans["pixels"])
        assert found.values[f"plan_distance_{cost}"] == ceiling["simulator"].values["plan_distance_pixels"]
    np.testing.assert_array_equal(found.plans["motion"], ceiling["copy_last"].plans["pixels"])  # both know nothing
    np.testing.assert_array_equal(
        found.plans["motion"], first_plans(np.stack([noise(t, 4, SMALL)[0, 0] for t in range(6)]))
    )
    assert found.values["plan_distance_pixels"] < ceiling["random_actions"].values["plan_distance"]


def test_a_cost_that_ranks_plans_as_the_truth_does_is_told_from_one_that_knows_nothing() -> None:
    ends = np.array([[0.1, 0.3, 0.2, 0.2]] * 4)
    costs = np.array([[1.0, 9.0, 2.0, 2.0], [-1, -9, -2, -2], [5, 5, 5, 5], [1, 9, 2, 3]])
    # by hand: ranks 1, 4, 2.5, 2.5 against 1, 4, 2, 3: 4.5 / √(4.5 · 5)
    np.testing.assert_allclose(ranked_alike(costs, ends), [1, -1, 0, 4.5 / np.sqrt(4.5 * 5)])


def test_what_cannot_be_planned_says_why() -> None:
    class Blind(Simulator):
        reads_actions = False

    assert plan_with(Blind(TASKS), TASKS, SMALL, CPU).cannot == {"plan": "it reads no actions"}
    assert plan_with(nn.Linear(1, 1), TASKS, SMALL, CPU).cannot == {"plan": "it does not predict frames"}
    assert plan_with(Simulator(TASKS), TASKS, SMALL, CPU).cannot == {"code": "it has no code"}


@pytest.mark.parametrize(
    "settings",
    [Planning(), Planning(commands=3, samples=24, rounds=4, elites=4)],
    ids=["default", "quick"],
)
def test_the_true_simulator_solves_the_tasks_and_random_commands_do_not(settings: Planning) -> None:
    tasks = tasks_of(Config(image_px=16, frames=12), 2, settings)
    random = np.stack([first_plans(noise(task, 4, settings)[0]) for task in range(tasks.size)])
    assert (missed(tasks, obeyed(tasks, random)) <= settings.tolerance).mean() <= 0.05
    assert searched({"places": places(tasks)}, tasks, settings).values["plan_success_places"] >= 0.95


def test_settings_that_leave_no_tasks_are_told_with_what_to_change() -> None:
    with pytest.raises(
        ConfigError, match=r"planning\.commands is 7, but clips of data have 8 frames, of which 2 are given"
    ):
        tasks_of(WORLD, 2, SMALL.model_copy(update={"commands": 7}))
    with pytest.raises(ConfigError, match=r"planning\.moved is 0\.9, but on data only 0 of 600 clips"):
        tasks_of(WORLD, 2, SMALL.model_copy(update={"moved": 0.9}))
