"""What befalls a session's processes: kills, freezes, workers and pilots that come and go."""

import contextlib
import random
import signal
import threading
from typing import TYPE_CHECKING

import psutil

import pilot_kernel
from pilot_kernel.errors import PilotError
from pilot_kernel.resource.pilot import Pilot
from pilot_kernel.resource.registry import AgentEntry

if TYPE_CHECKING:
    from collections.abc import Callable

Family = dict[str, list[psutil.Process]]


def family(agent: psutil.Process) -> Family:
    """The processes of an agent: its `workers`, their `tasks`, the `nursery`, and `all`."""
    found: Family = {"workers": [], "tasks": [], "nursery": [], "all": [agent]}
    with contextlib.suppress(psutil.NoSuchProcess):
        found["all"] += agent.children(recursive=True)
        for child in agent.children():
            line = " ".join(child.cmdline())
            if "pilot_kernel.task.process.nursery" in line:
                found["nursery"].append(child)
                found["tasks"] += child.children()
            elif child.cmdline() == agent.cmdline():  # a fork of it
                found["workers"] += child.children()
    return found


def kill_family(entry: AgentEntry) -> None:
    """Kill an agent and all that belongs to it, so that none of them can tidy up."""
    agent = psutil.Process(entry.pid)
    agent.suspend()
    family = [agent, *agent.children(recursive=True)]
    # All stand still before the first dies, whose death the others would see.
    for process in family[1:]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just done what it was for
            process.suspend()
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=20)


class Mischief:
    """Does harm at random moments, and remembers what it did.

    Args:
        session: Whose processes.
        agent: The session's agent.
        rng: Where its choices come from.
    """

    def __init__(
        self, session: pilot_kernel.Session, agent: psutil.Process, rng: random.Random
    ) -> None:
        self.session = session
        self.agent = agent
        self.rng = rng
        self.killed: set[int] = set()  # task processes
        self.done: list[str] = []
        self.frozen: list[tuple[threading.Timer, psutil.Process]] = []
        self.deeds: tuple[Callable[[], None], ...] = (
            *(self.kill_worker, self.kill_worker, self.kill_task, self.freeze, self.freeze),
            *(self.scale, self.scale, self.add, self.remove),
        )

    def act(self) -> None:
        """Do one thing."""
        deed = self.rng.choice(self.deeds)
        with contextlib.suppress(psutil.NoSuchProcess):  # it had ended by itself
            deed()
            self.done.append(deed.__name__)

    def thaw(self) -> None:
        """Let go of all that is frozen still."""
        for timer, process in self.frozen:
            timer.cancel()
            _thaw(process)
        self.frozen.clear()

    def kill_worker(self) -> None:
        if workers := family(self.agent)["workers"]:
            self.rng.choice(workers).kill()

    def kill_task(self) -> None:
        if tasks := family(self.agent)["tasks"]:
            process = self.rng.choice(tasks)
            process.kill()
            self.killed.add(process.pid)

    def freeze(self) -> None:
        each = family(self.agent)
        if processes := each["workers"] + each["tasks"]:
            process = self.rng.choice(processes)
            process.send_signal(signal.SIGSTOP)
            # From a thread: the next deed may have to wait for this very process.
            timer = threading.Timer(self.rng.uniform(0.3, 2.5), _thaw, [process])
            self.frozen.append((timer, process))
            timer.start()

    def scale(self) -> None:
        self._pilot("steady").scale(self.rng.choice((1, 2, 2, 3)))

    def add(self) -> None:
        if len(self.session.pilots) < 3:
            self.session.add_pilot("local://", cores_per_node=1)

    def remove(self) -> None:
        others = [pilot for pilot in self.session.pilots if pilot.name not in ("steady", "device")]
        if others:
            with contextlib.suppress(PilotError):
                self.rng.choice(others).stop()

    def _pilot(self, name: str) -> Pilot:
        return next(pilot for pilot in self.session.pilots if pilot.name == name)


def _thaw(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGCONT)
