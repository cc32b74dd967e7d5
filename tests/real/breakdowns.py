"""What befalls a session on real resources: its processes, nodes, jobs, links and pilots."""

import contextlib
import random
import threading
from collections.abc import Callable

import psutil

import pilot_kernel
from pilot_kernel.errors import DescriptionError, PilotError
from tests.pilot.mischief import Mischief
from tests.real.hosts import Hosts
from tests.real.slurm import Slurm
from tests.real.watched import job_processes

MENDED_S = (2.0, 15.0)
"""After how long a node or a link comes back."""


class Breakdowns(Mischief):
    """Does harm at random moments, and mends what has to come back.

    Args:
        session: Whose resources.
        agent: The session's agent.
        rng: Where its choices come from.
        slurm: The cluster.
        hosts: The hosts that are reached over SSH.
        pilots: What adds each pilot that may be stopped and added again, by name.
    """

    def __init__(
        self,
        session: pilot_kernel.Session,
        agent: psutil.Process,
        rng: random.Random,
        slurm: Slurm,
        hosts: Hosts,
        pilots: dict[str, Callable[[pilot_kernel.Session], object]],
    ) -> None:
        super().__init__(session, agent, rng)
        self.slurm = slurm
        self.hosts = hosts
        self.pilots = pilots
        self.broken: dict[str, tuple[threading.Timer, Callable[[], None]]] = {}
        self.lock = threading.Lock()  # breaking and mending one thing at the same time
        self.deeds = (
            *(self.kill_worker, self.kill_task, self.freeze, self.scale, self.add, self.remove),
            *(self.kill_in_job, self.kill_in_job, self.node_down, self.node_down, self.cancel_job),
            *(self.cut_link, self.cut_link, self.kill_on_host, self.stop_pilot, self.add_pilot),
            *(self.add_pilot, self.scale_cluster),
        )

    def mend(self) -> None:
        """Bring back all that is broken still, and let go of what is frozen."""
        self.thaw()
        for name in list(self.broken):
            self._mend(name)

    # ---- batch jobs

    def kill_in_job(self) -> None:
        """Kill a process of a job: a worker, its watchman, a task, or the job's own shell."""
        self._kill_one_of(job_processes(self.slurm.conf))

    def node_down(self) -> None:
        """A node is set DOWN, and comes back later."""
        node = self.rng.choice(self.slurm.nodes)
        self._break(
            f"node {node}",
            lambda: self.slurm.set_node(node, "DOWN"),
            lambda: self.slurm.set_node(node, "RESUME"),
        )

    def cancel_job(self) -> None:
        """Somebody cancels a job."""
        if jobs := self.slurm.jobs():
            with contextlib.suppress(AssertionError):  # it has ended by itself
                self.slurm.call("scancel", self.rng.choice(jobs).id)

    # ---- hosts

    def cut_link(self) -> None:
        """A host's link is down, and comes back later."""
        number = self.rng.randrange(len(self.hosts.names))
        self._break(
            self._link(number),
            lambda: self.hosts.cut(number),
            lambda: self.hosts.mend(number),
        )

    def kill_on_host(self) -> None:
        """Kill a process of a host: a worker, its supervisor, a task, or the SSH connection."""
        self._kill_one_of(self.hosts.processes(self.rng.randrange(len(self.hosts.names))))

    # ---- pilots

    def stop_pilot(self) -> None:
        """Stop a pilot that can be added again."""
        there = [pilot for pilot in self.session.pilots if pilot.name in self.pilots]
        if there:
            with contextlib.suppress(PilotError):
                self.rng.choice(there).stop()

    def add_pilot(self) -> None:
        """Add a pilot that was stopped; it is refused where a host's link stays down too long."""
        there = {pilot.name for pilot in self.session.pilots}
        gone = [name for name in self.pilots if name not in there]
        names = self.hosts.names
        down = {name for number, name in enumerate(names) if self._link(number) in self.broken}
        if gone:
            try:
                self.pilots[self.rng.choice(gone)](self.session)
            except DescriptionError as error:
                blamed = {name for name in names if f"host {name}:" in str(error)}
                if not blamed or not blamed <= down:
                    raise

    def scale_cluster(self) -> None:
        """More jobs, or fewer."""
        with contextlib.suppress(StopIteration, PilotError):
            self._pilot("cluster").scale(self.rng.choice((1, 2, 3)))

    def remove(self) -> None:
        """Stop a further local pilot."""
        others = [p for p in self.session.pilots if p.name.startswith("local")]
        if others:
            with contextlib.suppress(PilotError):
                self.rng.choice(others).stop()

    def add(self) -> None:
        """Add a further local pilot, unless there are some."""
        if sum(p.name.startswith("local") for p in self.session.pilots) < 2:
            self.session.add_pilot("local://", cores_per_node=1)

    # ---- how

    def _kill_one_of(self, processes: list[psutil.Process]) -> None:
        if processes:
            process = self.rng.choice(processes)
            process.kill()
            self.killed.add(process.pid)  # a task of two kills is given up, and rightly so

    def _link(self, number: int) -> str:
        return f"link {number}"

    def _break(self, name: str, harm: Callable[[], None], mend: Callable[[], None]) -> None:
        """Break something, unless it is broken, and have it mended later."""
        with self.lock:
            if name not in self.broken:
                harm()
                timer = threading.Timer(self.rng.uniform(*MENDED_S), self._mend, [name])
                self.broken[name] = (timer, mend)
                timer.start()

    def _mend(self, name: str) -> None:
        with self.lock:
            timer, mend = self.broken.pop(name, (None, None))
            if timer is not None and mend is not None:
                timer.cancel()
                mend()
