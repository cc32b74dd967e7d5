"""Mixed load while processes are killed, frozen, added and removed: nothing lost, nothing left.

A minute long. `PILOT_CHAOS_S=300` makes it longer, `PILOT_CHAOS_SEED` repeats a run.
"""

import os
import random
import time
from pathlib import Path

import psutil

import pilot_kernel
from tests.conftest import wait_until
from tests.pilot import chores
from tests.pilot.load import Load
from tests.pilot.mischief import Mischief, family

SECONDS = float(os.environ.get("PILOT_CHAOS_S", "50"))
AT_ONCE = 12


def test_nothing_is_lost_run_again_or_left_behind(registry_home, tmp_path):
    seed = int(os.environ.get("PILOT_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    rng = random.Random(seed)
    log = tmp_path / "log"
    log.touch()
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", name="steady", cores_per_node=2)
        session.add_pilot("qpu://fake_manila", name="device")
        assert session.submit(chores.quick, str(log), 0).result(60) == 0
        entry = session._link.entry
        agent = psutil.Process(entry.pid)
        load, mischief = Load(session, log, rng), Mischief(session, agent, rng)
        seen = set(family(agent)["all"])
        sizes = [(agent.memory_info().rss, psutil.Process().memory_info().rss)]
        stop = time.monotonic() + SECONDS
        strike = time.monotonic() + 1.0
        while time.monotonic() < stop:
            while len(load.under_way) < AT_ONCE:
                load.add()
            if time.monotonic() > strike:
                mischief.act()
                strike = time.monotonic() + rng.uniform(0.2, 1.5)
                seen |= set(family(agent)["all"])
                sizes.append((agent.memory_info().rss, psutil.Process().memory_info().rss))
            load.turn(mischief.killed)
            time.sleep(0.02)
        mischief.thaw()
        context = f"seed {seed}, {load.count} tasks, {len(mischief.done)} deeds"
        give_up = time.monotonic() + 90
        while load.under_way:
            load.turn(mischief.killed)
            assert time.monotonic() < give_up, f"lost: {load.under_way}; {context}"
            time.sleep(0.02)
        assert not load.wrong, f"{load.wrong}; {context}"
        again = {each: load.kinds[abs(each)] for each in chores.begun_after_done(log)}
        # A cancel may cross the task on its way to a worker.
        assert set(again.values()) <= {"canceled"}, f"{again}; {context}"
        results = Path(entry.scratch, "results")
        wait_until(lambda: not list(results.glob("*")))
        settled, last = sizes[len(sizes) // 3], sizes[-1]
        assert all(b - a < 60e6 for a, b in zip(settled, last, strict=True)), f"{sizes}; {context}"
        seen |= set(family(agent)["all"])
    _gone, left = psutil.wait_procs(seen, timeout=20)
    assert not left, f"{left}; {context}"
    assert not os.path.exists(entry.scratch)
    assert not entry.directory.exists()
    assert not list(Path("/dev/shm").glob(f"sem.pilot-{entry.id}-*"))
    print(f"\n{context}: {sorted(set(mischief.done))}")
