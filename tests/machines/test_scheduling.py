"""The simulated cluster against schedules made by hand."""

import pytest

from whatmoves.machines.scheduling import Cluster, Task, limit, longest_chain, schedule

CHAIN = [Task("a", 10), Task("b", 20, 1, ("a",)), Task("c", 30, 0, ("b",), local=True)]


def test_a_chain_pays_start_and_notice_for_each_job_sent() -> None:
    found = schedule(CHAIN, Cluster(gpus=1, start_s=11, notice_s=19))
    # a: 0 to 21, known at 40. b: to 71, known at 90. c runs beside the conductor: to 120, known at once.
    assert found.ended == {"a": 21, "b": 71, "c": 120}
    assert found.known == {"a": 40, "b": 90, "c": 120}
    assert found.wall_s == 120
    assert found.gpu_s(CHAIN) == 31  # the start-up holds the GPU, the notice does not
    assert longest_chain(CHAIN, Cluster(1)) == ["a", "b", "c"]
    assert limit(CHAIN, Cluster(1, 11, 19), schedule(CHAIN, Cluster(1, 11, 19))) == "longest chain"


@pytest.mark.parametrize(("gpus", "wall_s"), [(1, 60), (2, 30), (4, 20), (6, 10), (64, 10)])
def test_a_fan_of_equal_jobs_fills_the_gpus(gpus: int, wall_s: float) -> None:
    fan = [Task(str(i), 10, 1) for i in range(6)]
    found = schedule(fan, Cluster(gpus))
    assert found.wall_s == wall_s
    assert found.gpu_s(fan) == 60
    assert limit(fan, Cluster(gpus), found) == (
        "longest chain" if gpus >= 6 else "few long jobs" if gpus == 4 else "GPUs"
    )


def test_two_resources_do_not_wait_for_each_other() -> None:
    """Jobs on CPUs begin at once; of local ones only as many as cores; a GPU is free as soon as its job ends."""
    jobs = [
        Task("gpu 1", 10, 1), Task("gpu 2", 10, 1), Task("cpu", 5), Task("local 1", 4, local=True),
        Task("local 2", 4, local=True), Task("after", 1, 1, ("cpu",)),
    ]  # fmt: skip
    found = schedule(jobs, Cluster(gpus=1, local_cores=1))
    assert found.began == {"gpu 1": 0, "gpu 2": 10, "cpu": 0, "local 1": 0, "local 2": 4, "after": 20}
    assert found.wall_s == 21


def test_priority_goes_before_the_order_of_jobs_that_are_ready_at_the_same_time() -> None:
    jobs = [Task("first", 10, 1), Task("more", 10, 1, priority=20)]
    assert schedule(jobs, Cluster(1)).began == {"more": 0, "first": 10}


def test_a_long_job_that_begins_last_is_what_limits() -> None:
    short, long = [Task(f"short {i}", 10, 1) for i in range(4)], Task("long", 40, 1)
    late, early = [*short, long], [long, *short]
    cluster = Cluster(2)
    assert schedule(late, cluster).wall_s == 60
    assert limit(late, cluster, schedule(late, cluster)) == "few long jobs"
    assert schedule(early, cluster).wall_s == 40
    assert limit(early, cluster, schedule(early, cluster)) in ("GPUs", "longest chain")


def test_what_can_never_begin_is_refused() -> None:
    with pytest.raises(ValueError, match="wide asks for 2 GPUs; there are 1"):
        schedule([Task("wide", 1, 2)], Cluster(1))
    with pytest.raises(ValueError, match="in a circle"):
        schedule([Task("a", 1, 0, ("b",)), Task("b", 1, 0, ("a",))], Cluster(1))
    assert schedule([], Cluster(1)).wall_s == 0
