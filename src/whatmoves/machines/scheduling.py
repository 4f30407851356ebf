"""When jobs of a cluster end, simulated: who waits for whom, who waits for a GPU, and what a conductor notices late.

List scheduling without looking ahead, as SLURM's first-come queue under Snakemake does it: a job is sent when
all that it takes is there, and begins when a GPU is free, in the order sent, then by priority, then as listed.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

NEAR = 1.1
"""A wall time within a tenth of a bound is as good as that."""


class Task(NamedTuple):
    """One job. `after` are the names of those whose results it takes; a `local` one runs beside the conductor."""

    name: str
    seconds: float
    gpus: int = 0
    after: tuple[str, ...] = ()
    local: bool = False
    priority: int = 0


class Cluster(NamedTuple):
    """What there is. Jobs without GPU never wait for a core: of those a cluster has many, and we have few such jobs."""

    gpus: int
    start_s: float = 0.0  # from a job's beginning, with what it asked for in its hands, to its work
    notice_s: float = 0.0  # from a job's end until the conductor knows of it
    local_cores: int = 1


@dataclass
class Schedule:
    """`began` and `ended` (s) of each job, with start-up; `known` is when what waits for it may go on."""

    began: dict[str, float]
    ended: dict[str, float]
    known: dict[str, float]

    @property
    def wall_s(self) -> float:
        """Until the last job is known to have ended."""
        return max(self.known.values(), default=0.0)

    def gpu_s(self, tasks: Sequence[Task]) -> float:
        """GPU-seconds held, start-up included."""
        return sum((self.ended[task.name] - self.began[task.name]) * task.gpus for task in tasks)


def schedule(tasks: Sequence[Task], cluster: Cluster) -> Schedule:
    """When each job begins and ends. ValueError for a job that can never begin: too many GPUs, or a circle."""
    for task in tasks:
        if task.gpus > cluster.gpus:
            raise ValueError(f"{task.name} asks for {task.gpus} GPUs; there are {cluster.gpus}")
    left = {task.name: len(set(task.after)) for task in tasks}
    waits: dict[str, list[int]] = {task.name: [] for task in tasks}
    for index, task in enumerate(tasks):
        for name in set(task.after):
            waits[name].append(index)
    result = Schedule({}, {}, {})
    ready: list[tuple[float, int, int]] = [(0.0, -t.priority, i) for i, t in enumerate(tasks) if not t.after]
    free = {"gpus": cluster.gpus, "local": cluster.local_cores}
    events: list[tuple[float, int, int, int]] = []  # (time, 0: it ends or 1: its end is known, order, job)
    now_s = 0.0
    while ready or events:
        waiting = []
        for entry in sorted(ready):
            task = tasks[entry[2]]
            fits = task.gpus <= free["gpus"] and (not task.local or free["local"] > 0)
            if not fits:
                waiting.append(entry)
                continue
            free["gpus"] -= task.gpus
            free["local"] -= task.local
            result.began[task.name] = now_s
            end_s = now_s + task.seconds + (0 if task.local else cluster.start_s)
            heapq.heappush(events, (end_s, 0, entry[2], entry[2]))
        ready = waiting
        if not events:
            break
        now_s, kind, _, index = heapq.heappop(events)
        task = tasks[index]
        if kind == 0:
            free["gpus"] += task.gpus
            free["local"] += task.local
            result.ended[task.name] = now_s
            heapq.heappush(events, (now_s + (0 if task.local else cluster.notice_s), 1, index, index))
        else:
            result.known[task.name] = now_s
            for other in waits[task.name]:
                left[tasks[other].name] -= 1
                if left[tasks[other].name] == 0:
                    ready.append((now_s, -tasks[other].priority, other))
    if len(result.known) < len(tasks):
        raise ValueError("the jobs wait for each other in a circle")
    return result


def longest_chain(tasks: Sequence[Task], cluster: Cluster) -> list[str]:
    """The chain of jobs that no number of GPUs can shorten, first job first."""
    free = cluster._replace(gpus=max(cluster.gpus, sum(task.gpus for task in tasks)), local_cores=max(1, len(tasks)))
    result, by_name = schedule(tasks, free), {task.name: task for task in tasks}
    chain = [max(result.known, key=lambda name: result.known[name])] if tasks else []
    while by_name[chain[0]].after if chain else ():
        chain.insert(0, max(by_name[chain[0]].after, key=lambda name: result.known[name]))
    return chain


def limit(tasks: Sequence[Task], cluster: Cluster, found: Schedule) -> str:
    """What keeps a schedule from being shorter: `GPUs` (all busy, nearly always), `longest chain`, or `few long jobs`
    where it is longer than either asks for: they do not fill the GPUs evenly, or began late."""
    by_name = {task.name: task for task in tasks}
    chain_s = 0.0
    for task in (by_name[name] for name in longest_chain(tasks, cluster)):
        chain_s += task.seconds + (0 if task.local else cluster.start_s + cluster.notice_s)
    gpus_s = found.gpu_s(tasks) / cluster.gpus if cluster.gpus else 0.0
    if found.wall_s > NEAR * max(chain_s, gpus_s):
        return "few long jobs"
    return "GPUs" if gpus_s > chain_s else "longest chain"
