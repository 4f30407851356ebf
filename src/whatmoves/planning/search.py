"""The cross-entropy method over sequences of commands, for all tasks at once (Rubinstein 1999; as planners of models
use it: Finn and Levine 2017, Hafner et al. 2019).

Every round tries S plans a task. The first are drawn about nothing, with one half of their variance shared by all
commands of a plan, so that many go one way for long and reach something (plans correlated in time: Pinneri et al.
2020); those of later rounds about the mean of the best plans, with their spread, but no less than `LEAST_SPREAD`.
Commands end at −1 and 1, and two of the best plans stay in the next round. The answer is the best plan ever tried.

A task's random numbers are its own, from (seed, its number) alone: the order of tasks and their company change nothing,
and everything that is planned with has the same ones.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.study import Planning

Plans = NDArray[np.float32]
Cost = Callable[[Plans], NDArray[np.float64]]
"""The cost `[N, S]` of plans `[N, S, commands, A]`, S for each of N tasks; less is better."""

FIRST_SPREAD = 1.6  # of the first plans: beyond the ends of a command, so that many commands are full ones
LEAST_SPREAD = 0.2
SHARED = 0.5  # of the variance of the first plans is that of a constant command
KEPT = 2  # best plans that stay


class Found(NamedTuple):
    """The best plans `[N, commands, A]` and their costs `[N]`; the costs of the first plans `[N, S]`."""

    plans: Plans
    costs: NDArray[np.float64]
    first_costs: NDArray[np.float64]


def noise(task: int, actions: int, settings: Planning, seed: int = 0) -> NDArray[np.float64]:
    """Standard normal numbers of one task `[rounds, S, commands + 1, A]`; the last command's are shared by all."""
    generator = np.random.Generator(np.random.Philox(key=[seed, task]))
    return generator.standard_normal((settings.rounds, settings.samples, settings.commands + 1, actions))


def first_plans(drawn: NDArray[np.float64]) -> Plans:
    """What round 0 tries: plans `[…, commands, A]` of normal numbers `[…, commands + 1, A]`."""
    own, common = drawn[..., :-1, :], drawn[..., -1:, :]
    return _commands(FIRST_SPREAD * (np.sqrt(1 - SHARED) * own + np.sqrt(SHARED) * common))


def search(cost: Cost, numbers: NDArray[np.int64], actions: int, settings: Planning, seed: int = 0) -> Found:
    """The best plan of each task; `numbers` `[N]` say which tasks they are."""
    drawn = np.stack([noise(int(task), actions, settings, seed) for task in numbers])  # [N, rounds, S, commands + 1, A]
    plans = first_plans(drawn[:, 0])
    row = np.arange(len(plans))
    first_costs = cost(plans)
    best, least = plans[:, 0], np.full(len(plans), np.inf)
    for turn in range(settings.rounds):
        costs = cost(plans) if turn else first_costs
        assert costs.shape == plans.shape[:2], "a cost for every plan"
        order = np.argsort(costs, axis=1, kind="stable")
        first = order[:, 0]
        better = costs[row, first] < least
        best = np.where(better[:, None, None], plans[row, first], best)
        least = np.where(better, costs[row, first], least)
        if turn + 1 < settings.rounds:
            elites = np.take_along_axis(plans, order[:, : settings.elites, None, None], axis=1)
            mean = elites.mean(1, keepdims=True, dtype=np.float64)
            spread = np.maximum(elites.std(1, keepdims=True, dtype=np.float64), LEAST_SPREAD)
            plans = _commands(mean + spread * drawn[:, turn + 1, :, :-1])
            plans[:, :KEPT] = elites[:, :KEPT]
    return Found(best, least, first_costs)


def _commands(values: NDArray[np.float64]) -> Plans:
    return np.clip(values, -1, 1).astype(np.float32)
