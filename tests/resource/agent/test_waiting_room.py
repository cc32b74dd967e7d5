"""The order in which tasks are to have workers, with made-up tasks."""

import random
from dataclasses import dataclass, field

from pilot_kernel.resource.agent.fair_share import FairShare
from pilot_kernel.resource.agent.waiting_room import Demand, WaitingRoom


@dataclass(eq=False)
class Task:
    """What a waiting room reads of a task."""

    key: str
    priority: tuple[int, int, int] = (0, 0, 0)
    annotations: dict = field(default_factory=dict)
    resource_restrictions: dict | None = None
    worker_restrictions: set | None = None
    host_restrictions: set | None = None


def task(number, workload="", priority=0, timeout_s=None, **resources):
    notes = {"workload": workload, "timeout_s": timeout_s}
    return Task(f"t{number:05}", (-priority, number, 0), notes, resources or {"CPU": 1})


def anything(demand):
    return True


def drained(room, fits=anything):
    """All tasks, in the order in which they leave."""
    keys = []
    while (found := room.first(fits, 0.0)) is not None:
        room.pop(found)
        keys.append(found.key)
    return keys


def room_with(*tasks):
    room = WaitingRoom(FairShare())
    for each in tasks:
        room[each] = 0.0
    return room


def test_first_come_first_served():
    tasks = [task(number) for number in range(50)]
    mixed = random.Random(1).sample(tasks, 50)
    assert drained(room_with(*mixed)) == [each.key for each in tasks]


def test_priorities_are_strict_whoever_has_had_least():
    low, high = task(1, "a"), task(2, "b", priority=1)
    assert drained(room_with(low, high)) == [high.key, low.key]


def test_only_what_fits_is_given():
    cpu, large, other = task(1), task(2, memory=100, CPU=1), task(3, GPU=1)
    room = room_with(cpu, large, other)
    small = {"CPU": 1, "memory": 50}
    assert drained(room, lambda demand: demand.met_by(small)) == [cpu.key]
    assert drained(room, lambda demand: demand.met_by({**small, "memory": 100})) == [large.key]
    assert set(room) == {other}


def test_workloads_take_turns():
    share = FairShare()
    room = WaitingRoom(share)
    for number in range(1000):
        room[task(number, "many")] = 0.0
    for number in range(1000, 1010):
        room[task(number, "few")] = 0.0
    served = []
    for now in range(20):
        found = room.first(anything, float(now))
        room.pop(found)
        workload = found.annotations["workload"]
        share.hand_out(workload, found.key, 1.0, float(now))
        share.take_back(found.key, 1.0)
        served.append(workload)
    assert served.count("few") in (9, 10)


def test_those_that_went_are_not_given_and_leave_nothing():
    tasks = [task(number) for number in range(5000)]
    room = room_with(*tasks)
    for each in tasks[:4990]:
        room.pop(each)
    assert room.pop(tasks[0], "gone") == "gone"
    [line] = room._lines.values()
    assert len(line.heap) < 200
    assert drained(room) == [each.key for each in tasks[4990:]]
    assert not room._lines
    assert not room._line_of
    assert not room._waiting
    assert not room


def test_one_that_comes_back_has_its_place_again():
    first, second = task(1), task(2)
    room = room_with(first, second)
    room.pop(first)
    room[first] = 1.0
    room[first] = 2.0  # once more, as Dask may do
    assert drained(room) == [first.key, second.key]


def test_one_that_was_dealt_out_and_lost_its_worker_has_its_place_again():
    first, second = task(1, priority=4), task(2, priority=4)
    room = room_with(second)
    first.priority = (-4, 77, 1, 0)
    room[first] = 1.0
    assert first.priority == (-4, 1, 0)
    assert drained(room) == [first.key, second.key]


def test_a_few_stand_for_all_of_their_line():
    room = room_with(*(task(number) for number in range(500)), task(600, GPU=1))
    few, count = room.some(lambda demand: demand.met_by({"CPU": 1}), 100)
    assert (len(few), count) == (100, 500)
    assert room.some(lambda demand: False, 100) == ([], 0)


def test_what_a_task_asks_for():
    asked = Demand.of(task(1, timeout_s=5.0, CPU=1, memory=7))
    assert asked == Demand(frozenset({("CPU", 1), ("memory", 7)}), timeout_s=5.0)
    assert asked.met_by({"CPU": 1, "memory": 7, "tag:x": 1})
    assert not asked.met_by({"CPU": 1, "memory": 6})
    assert not asked.met_by({"memory": 9})
