"""What the agent tells of its workers: from made-up schedulers, and from a real one."""

import os
import signal
import time
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

import pilot_kernel
from pilot_kernel.errors import AgentLostError
from pilot_kernel.resource.activity import Activity
from pilot_kernel.resource.agent.monitor import METRIC, Monitor
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from tests.conftest import wait_until, worker_pids


class Scheduler:
    """What a monitor reads of a scheduler."""

    def __init__(self, *workers, waiting=()):
        self.workers = {each.name: each for each in workers}
        self.waiting = list(waiting)

    def homeless(self):
        return {ts for ts in self.waiting if ts.state == "no-worker"}

    def unfinished(self):
        return [ts for ws in self.workers.values() for ts in ws.processing] + self.waiting


@dataclass(eq=False)
class Waiting:
    """What a monitor reads of a task."""

    key: str
    state: str = "processing"
    priority: int = 0


def worker(name, cpu=0.0, memory=100, processing=(), executing=None, heard=True):
    return SimpleNamespace(
        name=name,
        metrics={"cpu": cpu, "memory": memory, METRIC: [0.5, 7]} if heard else {},
        memory_limit=1000,
        resources={"memory": 1000},
        last_seen=time.time(),
        processing=dict.fromkeys(processing),
        executing=executing or {},
    )


def status(name="local", wanted=2):
    return PilotStatus(name, "local://", PilotState.ACTIVE, 1, wanted, 0, 1, ("CPU",), 1000)


def test_samples_line_up_with_their_times():
    monitor, names = Monitor(), {"local": ["a"]}
    monitor.sample(Scheduler(), names)
    monitor.sample(Scheduler(worker("a", 50.0, 200)), names)
    names = {"local": ["a", "b"]}
    scheduler = Scheduler(worker("a", 90.0, 300), worker("b", 4.26, 11))
    monitor.sample(scheduler, names)
    seen = Activity.read(monitor.activity(scheduler, [status()], names))
    [local] = seen.pilots
    assert len(seen.times) == 3
    assert local.cpu_percent == (None, 50.5, 95.3)
    assert local.memory_bytes == (None, 207, 325)
    assert local.memory_limit_bytes == 2000
    assert [each.cpu_percent for each in local.workers] == [
        (None, 50.5, 90.5),
        (None, None, 4.8),
    ]


def test_memory_of_the_past_is_bounded_and_of_pilots_that_are_there():
    monitor = Monitor()
    scheduler = Scheduler(worker("a"), worker("b", heard=False))
    for _ in range(400):
        monitor.sample(scheduler, {"local": ["a", "b"], "other": ["c"]})
    monitor.sample(scheduler, {"local": ["a"]})
    told = monitor.activity(scheduler, [status()], {"local": ["a"]})
    assert len(told["times"]) == len(told["pilots"][0]["cpu_percent"]) == 150
    assert set(monitor._rings) == {("local",), ("local", "a")}


def test_what_a_worker_has_in_hand():
    ended, running, begun, behind = (Waiting(f"t-{at}", priority=at) for at in range(4))
    scheduler = Scheduler(
        worker("a", processing=[behind, running], executing={ended: 9.0, running: 2.5}),
        worker("b", processing=[begun], executing={ended: 1.0}),
        worker("c", executing={ended: 1.0}),
        waiting=[
            *(Waiting(f"dep-{at}", "waiting") for at in range(2)),
            Waiting("gpu-1", "no-worker"),
            Waiting("kept-1", "released"),
        ],
    )
    names = {"local": ["a", "b", "c", "d"]}
    seen = Activity.read(Monitor().activity(scheduler, [status(wanted=4)], names))
    [local] = seen.pilots
    assert [(each.task, each.task_s, each.up) for each in local.workers] == [
        ("t-1", 2.5, True),
        ("t-2", None, True),
        (None, None, True),
        (None, None, False),
    ]
    assert local.busy == 2
    queue = seen.queue
    assert (queue.ready, queue.blocked, queue.homeless) == (1, 2, 1)
    assert queue.following == ("t-3",)


def test_of_many_workers_the_first_are_told_and_all_are_summed():
    names = {"local": [f"w-{at}" for at in range(400)]}
    scheduler = Scheduler(*(worker(name, 10.0, 100) for name in names["local"]))
    monitor = Monitor()
    monitor.sample(scheduler, names)
    [local] = Activity.read(monitor.activity(scheduler, [status()], names)).pilots
    assert len(local.workers) == 16
    assert (local.cpu_percent, local.memory_bytes) == ((4200.0,), (42_800,))


def test_a_real_session_tells_what_runs_and_what_waits(tmp_path):
    gate = str(tmp_path / "gate")
    with pilot_kernel.Session() as session:
        assert session.activity().pilots == ()
        session.add_pilot("local://", cores_per_node=1, name="mine")
        held = session.submit(hold, gate, name="held")
        session.submit(hold, gate, name="behind")
        wait_until(held.running)
        joined = session.submit(int, held, name="joined")
        wait_until(lambda: session.activity().queue.blocked)
        wait_until(lambda: session.activity().pilots[0].cpu_percent[-1] is not None)
        seen = session.activity()
        [mine] = seen.pilots
        [only] = mine.workers
        assert (mine.status.name, mine.status.state, only.name) == ("mine", "ACTIVE", "mine-0")
        assert only.task == held.key
        assert only.memory_bytes[-1] > 10**6
        assert (seen.queue.ready, seen.queue.blocked) == (1, 1)
        # What runs is not forgotten when a task is sent that depends on it.
        assert (held.record.state, held.record.worker) == ("RUNNING", "mine-0")
        [pid] = session._link.client.run(os.getpid).values()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in worker_pids(session).values())
        wait_until(lambda: session.activity().pilots[0].workers[0].up)
        open(gate, "w").close()
        with pytest.raises(TypeError):
            joined.result(60)
        assert joined.record.worker == "mine-0"  # also of what failed at once
        session.pilots[0].stop()
        assert session.activity().pilots == ()
    with pytest.raises(AgentLostError):
        session.activity()


def hold(gate):
    while not os.path.exists(gate):
        time.sleep(0.01)


def test_what_a_task_uses_shows_as_its_worker_s():
    def burn(size):
        held = bytearray(size)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            held[0] += 1
            held[0] = 0

    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        session.submit(burn, 400_000_000)

        def seen():
            pilots = session.activity().pilots
            return pilots and (pilots[0].cpu_percent[-1], pilots[0].memory_bytes[-1])

        wait_until(lambda: seen() and None not in seen() and seen()[1] > 400_000_000)
        wait_until(lambda: seen()[0] > 20)
