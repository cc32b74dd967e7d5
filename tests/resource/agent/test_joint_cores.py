"""Tasks that take the cores of several workers: who lends them, and when."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.resource.agent.joint_cores import JointCores, in_use, span_of
from pilot_kernel.resource.agent.waiting_room import CORES, MEMORY, Demand

CPU = frozenset({("CPU", 1)})


def wants(cores, memory=0):
    return Demand(CPU, cores=cores, memory_bytes=memory)


def task(cores):
    notes = {CORES: cores} if cores > 1 else {}
    return SimpleNamespace(
        annotations=notes,
        resource_restrictions={"CPU": 1},
        worker_restrictions=None,
        host_restrictions=None,
    )


class Worker:
    """What is read of Dask's state of a worker."""

    def __init__(self, name, *running, cores=1, memory=100, kind="CPU"):
        self.name = name
        self.resources = {kind: 1, "cores": cores, "memory": memory}
        self.processing = [task(each) for each in running]


def joint(*workers, wide=True):
    """Workers called node-number; those of one node are mates."""
    cores = JointCores()
    cores.nodes = lambda: {ws.name: ws.name.split("-")[0] for ws in workers}
    cores.arrange(workers)
    if wide:
        cores.wide.add("a key")
    return cores


@pytest.mark.parametrize(
    ("demand", "offers", "span"),
    [
        (wants(1), {"CPU": 1, "cores": 1, "memory": 9}, 1),
        (wants(4), {"CPU": 1, "cores": 4, "memory": 9}, 1),
        (wants(5), {"CPU": 1, "cores": 2, "memory": 9}, 3),
        (wants(5, 27), {"CPU": 1, "cores": 2, "memory": 9}, 3),
        (wants(5, 28), {"CPU": 1, "cores": 2, "memory": 9}, None),
        (wants(2, 10), {"CPU": 1, "cores": 2, "memory": 9}, None),
        (wants(2), {"GPU": 1, "cores": 1, "memory": 9}, None),
        (wants(2), {"GPU": 1, "cores": 2, "memory": 9}, 1),
    ],
)
def test_how_many_workers_a_task_takes(demand, offers, span):
    assert span_of(demand, offers) == span


def test_the_demand_of_a_task_has_its_sizes():
    ts = task(3)
    ts.annotations[MEMORY] = 50
    assert Demand.of(ts) == Demand(frozenset({("CPU", 1)}), cores=3, memory_bytes=50)
    assert Demand.of(task(1)).cores == 1


def test_mates_have_a_node_and_all_that_they_offer_in_common():
    a, b, c = Worker("x-0"), Worker("x-1"), Worker("y-0")
    d, e = Worker("x-2", memory=50), Worker("x-3", kind="GPU")
    cores = joint(a, b, c, d, e)
    assert cores.mates(a) == cores.mates(b) == [a, b]
    assert [cores.mates(each) for each in (c, d, e)] == [[c], [d], [e]]
    assert cores.mates(Worker("z-0")) != []
    assert cores.could_hold(wants(2), a)
    assert not cores.could_hold(wants(3), a)
    assert not cores.could_hold(wants(2), d)
    assert not cores.could_hold(wants(2), e)


running = st.lists(st.lists(st.sampled_from([1, 1, 2, 3]), max_size=3), min_size=1, max_size=6)


@given(running, st.integers(1, 6), st.integers(1, 3))
def test_what_is_begun_never_makes_more_use_of_a_node_than_it_has(held, cores, each):
    workers = [Worker(f"x-{k}", *names, cores=each) for k, names in enumerate(held)]
    room = joint(*workers)
    demand = wants(cores)
    for ws in workers:
        fits = room.fits(demand, ws)
        begun = [*(max(map(_span(each), names), default=0) for names in held)]
        need = _span(each)(cores)
        before, total = sum(begun), len(workers)
        begun[workers.index(ws)] = max(begun[workers.index(ws)], need)
        if fits and before <= total:
            assert sum(begun) <= total
        if not ws.processing:
            assert fits == (before + need <= total)
        elif need > 1:
            assert not fits


def _span(each):
    return lambda cores: max(1, math.ceil(cores / each))


def test_without_wide_tasks_nothing_is_counted():
    busy = [Worker(f"x-{k}", 1) for k in range(3)]
    room = joint(*busy, wide=False)
    assert room.fits(wants(1), busy[0])
    assert not room.fits(wants(2), busy[0])
    assert in_use(Worker("x-9", 1, 3)) == 3


def test_as_many_nodes_are_kept_free_as_tasks_wait_and_those_that_lack_least():
    x = [Worker("x-0", 1), Worker("x-1", 1), Worker("x-2", 1)]
    y = [Worker("y-0", 1), Worker("y-1"), Worker("y-2", 1)]
    z = [Worker("z-0", 1), Worker("z-1", 1)]
    large = Worker("w-0", 1, cores=4)
    room = joint(*x, *y, *z, large)

    def kept(count, allowed=lambda ws: True):
        def meets(demand, ws):
            return allowed(ws) and room.could_hold(demand, ws)

        # Two workloads ask for the same.
        demands = [(wants(3), count - 1), (wants(1), 5), (wants(3), 1)]
        may = room.kept_free(demands, meets)
        assert all(may(wants(1), ws) for ws in (*x, *y, *z, large))
        return [ws.name for ws in (*x, *y, *z, large) if may(wants(3), ws)]

    assert kept(1) == ["w-0"]  # one task less, on one worker
    assert kept(2) == ["y-0", "y-1", "y-2", "w-0"]
    assert kept(9) == ["x-0", "x-1", "x-2", "y-0", "y-1", "y-2", "w-0"]
    assert kept(1, lambda ws: ws.name.startswith("x")) == ["x-0", "x-1", "x-2"]
