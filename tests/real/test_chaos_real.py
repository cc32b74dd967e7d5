"""Classical and quantum load on this machine, batch jobs, hosts and a QPU, while all of it breaks.

Nothing may be lost, run again after it was done, or be left behind. `--chaos-minutes 60` makes it
longer than the usual five; `PILOT_CHAOS_SEED` repeats a run.
"""

import os
import random
import statistics
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

import pilot_kernel
from tests.conftest import wait_until
from tests.pilot import chores
from tests.pilot.load import WEIGHTS, Load
from tests.pilot.mischief import family
from tests.real.breakdowns import Breakdowns
from tests.real.watched import job_processes

pytestmark = pytest.mark.real

AT_ONCE = 16
RELINK_S = 40.0
"""How often the notebook hangs up and comes back."""

LOOK_S = 1.0
GROWTH = 1.10


def add_cluster(session):
    session.add_pilot(
        "slurm://",
        name="cluster",
        interface="lo",
        walltime="30",
        number_of_nodes=2,
        cores_per_node=1,
        memory_per_node_bytes=10**9,
    )


def add_far(session, hosts, place):
    session.add_pilot(
        hosts.url(0, 1),
        name="far",
        cores_per_node=1,
        memory_per_node_bytes=2 * 10**9,
        working_directory=str(place),
    )


def relink(session, load):
    """Hang up, and attach to the same agent again as a restarted notebook does."""
    load.turn(set())
    session.detach()
    again = pilot_kernel.Session(session.name, idle_timeout_s=60)
    assert again.attached
    load.take_along(again, again.tasks)
    return again


def flat(sizes):
    """Whether what was measured did not grow after a third of the time."""
    third = len(sizes) // 3
    early, late = statistics.median(sizes[third : 2 * third]), statistics.median(sizes[2 * third :])
    return late <= GROWTH * early


def test_nothing_is_lost_run_again_or_left_behind(
    registry_home, slurm, hosts, tmp_path, pytestconfig
):
    seconds = 60 * pytestconfig.getoption("--chaos-minutes")
    seed = int(os.environ.get("PILOT_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    rng = random.Random(seed)
    log, place = tmp_path / "log", tmp_path / "place"
    log.touch()
    place.mkdir()
    session = pilot_kernel.Session(f"chaos-{seed}", idle_timeout_s=60)
    try:
        session.add_pilot("local://", name="steady", cores_per_node=2)
        session.add_pilot("qpu://fake_manila", name="device")
        adding = {"cluster": add_cluster, "far": lambda where: add_far(where, hosts, place)}
        for add in adding.values():
            add(session)
        entry = session._link.entry
        agent = psutil.Process(entry.pid)
        load = Load(session, log, rng, {**WEIGHTS, "quantum": 2, "device": 2})
        harm = Breakdowns(session, agent, rng, slurm, hosts, adding)
        seen = set(family(agent)["all"])
        sizes = []
        begin = time.monotonic()
        strike, look, link = begin + 10, begin, begin + RELINK_S
        while (now := time.monotonic()) < begin + seconds:
            while len(load.under_way) < AT_ONCE:
                load.add()
            if now > strike:
                harm.act()
                strike = time.monotonic() + rng.uniform(0.5, 4.0)
            if now > look:
                seen |= set(family(agent)["all"])
                sizes.append((agent.memory_info().rss, psutil.Process().memory_info().rss))
                look = time.monotonic() + LOOK_S
            if now > link:
                session = harm.session = relink(session, load)
                link = time.monotonic() + RELINK_S
            load.turn(harm.killed)
            time.sleep(0.02)
        harm.mend()
        context = f"seed {seed}, {load.count} tasks, {sum(Counter(harm.done).values())} deeds"
        give_up = time.monotonic() + 180
        while load.under_way:
            load.turn(harm.killed)
            waiting = [(c.number, c.kind, c.task.state) for c in load.under_way]
            assert time.monotonic() < give_up, f"lost: {waiting}; {context}"
            time.sleep(0.05)
        assert not load.wrong, f"{load.wrong}; {context}"
        again = {each: load.kinds[abs(each)] for each in chores.begun_after_done(log)}
        # A cancel may cross the task on its way to a worker.
        assert set(again.values()) <= {"canceled"}, f"{again}; {context}"
        results = Path(entry.scratch, "results")
        wait_until(lambda: not [p for p in results.glob("*") if not p.name.startswith(".")])
        for name, each in zip(("agent", "notebook"), zip(*sizes, strict=True), strict=True):
            assert flat(each), f"the {name} grows: {each[:: 1 + len(each) // 20]}; {context}"
        where = Counter(record.pilot for record in session.history())
        print(f"\n{context}: {dict(Counter(harm.done))}; where tasks ran: {dict(where)}")
        print(session.report().table)
        seen |= set(family(agent)["all"])
    finally:
        session.close()
    _gone, left = psutil.wait_procs(seen, timeout=30)
    assert not left, f"{left}; {context}"
    wait_until(lambda: not slurm.jobs())
    wait_until(lambda: not job_processes(slurm.conf))
    for number in range(len(hosts.names)):
        wait_until(lambda number=number: not hosts.processes(number), 40)
    wait_until(lambda: not list(place.iterdir()), 40)
    assert not os.path.exists(entry.scratch)
    assert not entry.directory.exists()
    assert not list(Path("/dev/shm").glob(f"sem.pilot-{entry.id}-*"))
