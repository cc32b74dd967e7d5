"""Mixed load while processes are killed, frozen, added and removed: nothing lost, nothing left.

A minute long. `PILOT_CHAOS_S=300` makes it longer, `PILOT_CHAOS_SEED` repeats a run.
"""

import os
import random
import time
from functools import partial
from pathlib import Path

import psutil

import pilot_kernel
from pilot_kernel.task.notebook.handle import Task
from tests.circuits.plain import flipped
from tests.conftest import wait_until
from tests.pilot import chores
from tests.pilot.chores import Chore
from tests.pilot.mischief import Mischief, family

SECONDS = float(os.environ.get("PILOT_CHAOS_S", "50"))
AT_ONCE = 12
PATIENCE = 1000  # workers that may die running a task: this is about tasks that get through


class Load:
    """Keeps so many chores under way, and judges those that have ended."""

    def __init__(self, session: pilot_kernel.Session, log: Path, rng: random.Random) -> None:
        self.session = session
        self.log = log
        self.rng = rng
        self.count = 0
        self.under_way: list[Chore] = []
        self.wrong: list[str] = []
        self.kinds: dict[int, str] = {}
        self.circuit = flipped()

    def add(self) -> None:
        """Submit one more."""
        self.count += 1
        kind = self.rng.choices(chores.KINDS, (8, 4, 4, 2, 1, 1, 1, 3))[0]
        chore = self._submit(kind, self.count)
        self._note_when_done(chore.task, chore.number)
        for part in chore.parts:
            self._note_when_done(part, -chore.number)
        self.under_way.append(chore)
        self.kinds[chore.number] = kind

    def _note_when_done(self, task: Task, number: int) -> None:
        task.add_done_callback(lambda _: chores.note(str(self.log), number, "done"))

    def _submit(self, kind: str, number: int) -> Chore:
        submit = partial(self.session.submit, retries=PATIENCE)
        where = (str(self.log), number)
        if kind == "quantum":
            return Chore(number, kind, self.session.run(self.circuit, shots=200, retries=PATIENCE))
        if kind == "joined":
            part = submit(chores.large, str(self.log), -number)
            return Chore(number, kind, submit(chores.joined, *where, part), (part,))
        if kind in ("sleeper", "canceled"):
            return Chore(
                number, kind, submit(chores.sleeper, *where, self.rng.choice((0.05, 0.3, 1.0)))
            )
        return Chore(number, kind, submit(getattr(chores, kind), *where))

    def turn(self, killed: set[int]) -> None:
        """Cancel some, judge and release what has ended."""
        for chore in self.under_way:
            if chore.kind == "canceled" and self.rng.random() < 0.1:
                chore.task.cancel()
        over = [chore for chore in self.under_way if chore.task.done()]
        self.under_way = [chore for chore in self.under_way if not chore.task.done()]
        begun = chores.begun_in(self.log) if over else {}
        for chore in over:
            wrong = chore.wrong(killed, begun.get(chore.number, []))
            if wrong is not None:
                self.wrong.append(f"{chore.kind} {chore.number}: {wrong}")
            for task in (chore.task, *chore.parts):
                task.release()


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
