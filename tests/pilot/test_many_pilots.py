"""Several pilots, which come, grow, shrink and go while tasks run, with real processes."""

import os
import time
from collections import Counter
from pathlib import Path

import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError, PlacementError
from pilot_kernel.resource.pilot import PilotState
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import wait_until


@pytest.fixture
def own(registry_home):
    with pilot_kernel.Session() as session:
        yield session


def pilot_of(session, name, cores=1, **keys):
    """A pilot whose workers are up."""
    pilot = session.add_pilot("local://", cores_per_node=cores, name=name, **keys)
    wait_until(lambda: pilot.status.workers == pilot.status.wanted)
    return pilot


def note_then_wait(path, gate):
    """Say which process this is, then wait."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not Path(gate).exists():
        time.sleep(0.01)
    return os.getpid()


def held(session, tmp_path, count, name="held", **options):
    """Tasks that run until their gate opens."""
    gate = tmp_path / f"{name}-gate"
    paths = [tmp_path / f"{name}-{number}" for number in range(count)]
    tasks = [session.submit(note_then_wait, str(p), str(gate), name=name, **options) for p in paths]
    return tasks, gate, paths


def ran_once(paths):
    return all(len(path.read_text().splitlines()) == 1 for path in paths)


def short_idle(dask_scheduler):
    from pilot_kernel.resource.agent import upkeep

    upkeep.IDLE_S = 0.5


# ---- what a task needs


def test_a_task_runs_where_its_needs_are_met(own):
    pilot_of(own, "small", memory_per_node_bytes=10**9, tags=["near"])
    pilot_of(own, "large", cores=2, cores_per_worker=2, memory_per_node_bytes=2 * 10**9)
    where = {
        "cores": own.submit(pow, 2, 2, cores=2),
        "memory": own.submit(pow, 2, 2, memory_bytes=10**9 + 1),
        "tags": own.submit(pow, 2, 2, tags=["near"]),
        "on": own.submit(pow, 2, 2, on="large", cores=1),
    }
    assert {task.result(60) for task in where.values()} == {4}
    found = {need: task.record.pilot for need, task in where.items()}
    assert found == {"cores": "large", "memory": "large", "tags": "small", "on": "large"}
    with pytest.raises(PlacementError, match=r"cores=3.*at most 2 cores"):
        own.submit(pow, 2, 2, cores=3)
    with pytest.raises(PlacementError, match=r"tags=.*tags are: near"):
        own.submit(pow, 2, 2, tags=["far"])


def test_whoever_meets_a_need_later_is_given_what_waits(own, tmp_path):
    pilot_of(own, "one", tags=["x"])
    [first], gate, _ = held(own, tmp_path, 1, tags=["x"])
    wait_until(first.running)
    second = own.submit(pow, 2, 5, tags=["x"])
    pilot_of(own, "two", tags=["x", "y"])
    assert (second.result(60), second.record.pilot) == (32, "two")
    gate.touch()
    first.result(60)


# ---- who is first


def test_higher_priorities_are_first_and_nothing_is_interrupted(own, tmp_path):
    pilot_of(own, "one")
    [runs], gate, _ = held(own, tmp_path, 1)
    wait_until(runs.running)
    order = tmp_path / "order"

    def note(word):
        with order.open("a") as file:
            file.write(word)

    ranks = {"c": 0, "a": 2, "b": 1, "d": -1}
    tasks = [own.submit(note, word, priority=rank) for word, rank in ranks.items()]
    gate.touch()
    for task in [runs, *tasks]:
        task.result(60)
    assert order.read_text() == "abcd"


def test_ten_tasks_do_not_wait_for_ten_thousand_of_another_workload(own):
    """Shares are of time: if a worker is held up amid one of the few, the many catch up on that."""
    pilot_of(own, "two", cores=2)
    own.submit(pow, 2, 2).result(60)
    many = [own.submit(time.sleep, 0.01, workload="many", name="nap") for _ in range(3000)]
    wait_until(lambda: sum(task.done() for task in many) > 20)
    few = [own.submit(time.sleep, 0.01, workload="few", name="nap") for _ in range(10)]
    for task in few:
        task.result(60)
    records = own.history([task.key for task in [*many, *few]])
    last = max(record.finished for record in records[-10:])
    before = [each for each in records[:-10] if each.finished is not None and each.finished < last]
    assert len(before) < len(many) / 2
    for task in many:
        task.cancel()


def test_two_workloads_have_equal_shares_of_the_time(own):
    """To within what is handed out at once, as tasks have taken, however long they should have."""
    workers = 2
    pilot_of(own, "two", cores=workers)
    long = [own.submit(time.sleep, 0.4, workload="long", name="long") for _ in range(60)]
    short = [own.submit(time.sleep, 0.1, workload="short", name="short") for _ in range(120)]
    for task in short[:60]:
        task.result(60)
    at = own.history([short[59].key])[0].finished
    keys = [task.key for task in [*long, *short]]
    waiting = {record.key for record in own.history(keys) if record.worker is None}
    for task in [*long, *short]:
        if task.key in waiting:
            task.cancel()
    for task in [*long, *short]:
        if task.key not in waiting:
            task.result(60)  # what runs now has had some of that time, too
    had, longest = Counter(), 0.0
    for record in own.history(keys):
        if record.started is not None and record.state is TaskState.DONE:
            had[record.name] += max(0.0, min(record.finished, at) - record.started)
            longest = max(longest, record.finished - record.started)
    # By numbers, or first come first served, one would have had four times as much.
    assert abs(had["long"] - had["short"]) / 2 <= (workers + 2) * (longest + 0.5)


# ---- drain


def test_a_pilot_drains_while_tasks_run_and_wait(own, tmp_path):
    leaves = pilot_of(own, "leaves", cores=2)
    runs, gate, paths = held(own, tmp_path, 2)
    wait_until(lambda: all(task.running() for task in runs))
    waiting = [own.submit(pow, number, 2) for number in range(50)]
    large = own.submit(bytes, 10)
    stays = pilot_of(own, "stays")
    leaves.drain()
    assert leaves.status.draining
    assert [task.result(60) for task in waiting] == [number**2 for number in range(50)]
    assert {task.record.pilot for task in waiting} == {"stays"}
    assert all(task.running() for task in runs)
    with pytest.raises(PlacementError, match="draining"):
        own.submit(pow, 2, 2, on="leaves")
    with pytest.raises(PilotError, match="draining"):
        leaves.scale(3)
    gate.touch()
    for task in runs:
        task.result(60)
    wait_until(lambda: leaves.state is PilotState.DONE)
    assert ran_once(paths)
    assert own.submit(len, large).result(60) == 10
    assert stays.status.workers == 1
    assert not any(record.deaths for record in own.history())


def test_a_pilot_that_is_not_up_yet_drains_at_once(own):
    pilot = own.add_pilot("local://", cores_per_node=1, name="new")
    pilot.drain()
    wait_until(lambda: pilot.state is PilotState.DONE)
    assert own.pilots == []


# ---- scale


def test_shrinking_takes_idle_workers_first_and_lets_tasks_end(own, tmp_path):
    pilot = pilot_of(own, "p", cores=3)
    runs, gate, paths = held(own, tmp_path, 2)
    wait_until(lambda: all(task.running() for task in runs))
    [idle] = {f"p-{n}" for n in range(3)} - {task.record.worker for task in runs}
    pilot.scale(2)
    assert {w.name for w in own.activity().pilots[0].workers if w.up} == (
        {"p-0", "p-1", "p-2"} - {idle}
    )
    pilot.scale(0)
    assert pilot.status.wanted == 0
    assert all(task.running() for task in runs)
    gate.touch()
    for task in runs:
        task.result(60)
    wait_until(lambda: not own.activity().pilots[0].workers)
    assert ran_once(paths)
    assert pilot.state is PilotState.ACTIVE
    pilot.scale(1)
    assert own.submit(pow, 2, 3).result(60) == 8


def test_a_worker_that_was_to_go_is_kept_when_more_are_wanted_again(own, tmp_path):
    pilot = pilot_of(own, "p")
    [runs], gate, _ = held(own, tmp_path, 1)
    wait_until(runs.running)
    pilot.scale(0)
    pilot.scale(1)
    behind = own.submit(os.getpid)
    gate.touch()
    runs.result(60)
    behind.result(60)
    assert behind.record.worker == runs.record.worker == "p-0"
    assert pilot.status.wanted == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "maximum="),
        ({"workers": -1}, "workers=-1"),
        ({"workers": 1.5}, "workers=1.5"),
        ({"workers": True}, "workers=True"),
        ({"workers": 1, "maximum": 2}, "either"),
        ({"minimum": 1}, "maximum="),
        ({"minimum": 3, "maximum": 2}, "minimum=3 is more than maximum=2"),
        ({"maximum": 0}, "maximum=0"),
    ],
)
def test_impossible_numbers_of_workers(session, given, words):
    pilot = session.pilots[0]
    with pytest.raises(PilotError, match=words):
        pilot.scale(**given)


def test_an_adaptive_pilot_grows_with_what_waits_and_shrinks_by_what_is_idle(own, tmp_path):
    own._link.client.run_on_scheduler(short_idle)
    pilot = own.add_pilot("local://", cores_per_node=1, name="grows")
    pilot.scale(minimum=0, maximum=3)
    assert pilot.status.adaptive == (0, 3)
    wait_until(lambda: pilot.status.wanted == 0)
    runs, gate, paths = held(own, tmp_path, 8)
    wait_until(lambda: sum(task.running() for task in runs) == 3)
    assert pilot.status.wanted == 3
    gate.touch()
    for task in runs:
        task.result(60)
    assert ran_once(paths)
    wait_until(lambda: pilot.status.wanted == 0 and pilot.status.workers == 0)
    [last], gate, paths = held(own, tmp_path, 1, name="last")
    wait_until(last.running)
    time.sleep(1.2)  # longer than a worker with nothing to do is kept
    assert last.running()
    gate.touch()
    last.result(60)
    assert ran_once(paths)
    pilot.scale(1)
    assert pilot.status.adaptive is None


# ---- walltime


def end_in(session, seconds, workers):
    """Have workers say that their job ends."""
    at = time.time() + seconds

    def say(dask_worker):
        dask_worker.metrics["pilot_ends_at"] = lambda _: at

    addresses = session._link.client.run(lambda dask_worker: dask_worker.name)
    there = [address for address, name in addresses.items() if name in workers]
    assert len(there) == len(workers)
    session._link.client.run(say, workers=there)


def test_work_leaves_a_worker_whose_job_ends_and_another_takes_over(own, tmp_path):
    pilot = pilot_of(own, "p", cores=1)
    wait_until(
        lambda: all(
            own._link.client.run(
                lambda dask_worker: "pilot_task_process" in dask_worker.metrics
            ).values()
        )
    )
    tasks = [own.submit(time.sleep, 0.1, name="nap") for _ in range(150)]
    end_in(own, 12.0, {"p-0"})
    wait_until(lambda: pilot.status.ends_at is not None)
    wait_until(lambda: pilot.status.ends_at is None and pilot.status.workers == 1)
    for task in tasks:
        task.result(60)
    records = own.history([task.key for task in tasks])
    assert {record.worker for record in records} == {"p-0", "p-1"}
    assert not any(record.deaths for record in records)
    assert (pilot.status.wanted, len(own.activity().pilots[0].workers)) == (1, 1)


def test_a_task_that_still_runs_at_the_end_runs_again_and_is_not_to_blame(own, tmp_path):
    pilot = pilot_of(own, "p", cores=1)
    [task], gate, [path] = held(own, tmp_path, 1, retries=0)
    wait_until(task.running)
    end_in(own, 6.0, {"p-0"})
    wait_until(lambda: path.exists() and len(path.read_text().splitlines()) == 2)
    gate.touch()
    assert str(task.result(60)) == path.read_text().splitlines()[1]
    record = task.record
    assert (record.deaths, record.worker, record.state) == (0, "p-1", TaskState.DONE)
    assert "has gone" in task.output.text()
    assert pilot.status.wanted == 1


def test_a_task_that_takes_longer_than_a_job_has_left_is_begun_elsewhere(own):
    pilot_of(own, "ends", tags=["t"])
    end_in(own, 100.0, {"ends-0"})
    wait_until(lambda: own.pilots[0].status.ends_at is not None)
    task = own.submit(pow, 2, 2, tags=["t"], timeout_s=200.0)
    assert own.submit(pow, 2, 3, tags=["t"], timeout_s=50.0).result(60) == 8
    assert not task.done()
    pilot_of(own, "stays", tags=["t"])
    assert (task.result(60), task.record.pilot) == (4, "stays")


def test_a_job_that_ended_with_nothing_to_do_is_started_again_when_there_is_work(own):
    pilot = pilot_of(own, "p")
    end_in(own, 5.0, {"p-0"})
    wait_until(lambda: not own.activity().pilots[0].workers and pilot.status.note)
    status = pilot.status
    assert (status.state, status.workers, status.wanted) == (PilotState.ACTIVE, 0, 1)
    assert "walltime" in status.note
    assert own.submit(pow, 2, 3).result(60) == 8
    assert "walltime" not in pilot.status.note
