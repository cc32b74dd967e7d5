"""The notebook's line to its agent: a Dask client, and calls of the agent's own handlers."""

import contextlib
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil

from pilot_kernel.errors import AgentLostError, AgentStartError, PilotError
from pilot_kernel.resource import (
    credentials,
    dask_import,
    neighbours,
    notices,
    registry,
    slurm_job,
    versions,
)
from pilot_kernel.resource.connection import job_launch, launch
from pilot_kernel.resource.connection.job_script import SCHEME
from pilot_kernel.resource.connection.job_watch import JobWatch
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.registry import AgentEntry
from pilot_kernel.resource.slurm_job import QueueError

__all__ = ["Link"]

_CONNECT_S = 5.0
_LEAVE_S = 15.0
_FAREWELL_S = 10.0
_DYING_S = 1.0
_POLL_S = 0.01
_TELL_S = 0.5
_children: list["subprocess.Popen[bytes]"] = []  # an agent may outlive whoever started it


class Link:
    """A connection to an agent, which is started if need be.

    Making one returns at once; `client` waits until the line is open.

    Args:
        name: The session's name, by which a living agent is found; empty for a new one.
        idle_timeout_s: For a new agent: how long it stays without a client and without work.
        plugins: What a new agent adds to its scheduler and its workers, as `module:class`.
        on_open: Called in the background when the line is open; once more if the agent that was
            found turns out to be about to end, and a new one is started.
        inside: For a new agent: the batch job that it is to run in; a process here if missing.

    Attributes:
        entry: The agent.
        found: Whether it was there already.
        job: What is known of its batch job, if it runs in one.

    Raises:
        AgentStartError: The batch job was refused.
        PilotError: The agent that was found does not run in a batch job, and one is asked for.
    """

    def __init__(
        self,
        name: str,
        idle_timeout_s: float,
        plugins: Sequence[str],
        on_open: Callable[["Link"], None],
        inside: PilotDescription | None = None,
    ) -> None:
        self._idle_timeout_s = idle_timeout_s
        self._inside = inside
        self._plugins = plugins
        self._client: Any = None
        self._outlived: bool | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._waiting = 0
        self.job: JobWatch | None = None
        started = self._claim(name)
        self._opening = threading.Thread(
            target=self._open, args=(started, on_open), name="pilot-open", daemon=True
        )
        self._opening.start()

    def _claim(self, name: str) -> "Callable[[], AgentEntry] | None":
        """Find an agent, or start one and return what waits until that is open."""
        self._outlived = None
        registry.prune()
        inside = self._inside
        batch = "" if inside is None else SCHEME
        self.entry, new = registry.claim(name, self._idle_timeout_s, batch)
        self.found = not new
        self.job = JobWatch(self.entry) if self.entry.batch else None
        if self.found:
            if inside is not None and self.job is None:
                raise PilotError(
                    f"session {name!r} has an agent already, which is no batch job "
                    f"({self.entry.place}); close that session first"
                )
            if self.job is not None and self.entry.phase == "starting":
                self._look(self.job)
            return None
        if inside is not None:
            return self._submit(inside)
        entry, process = self.entry, launch.start(self.entry, self._plugins)
        _children[:] = [child for child in _children if child.poll() is None]
        _children.append(process)
        return lambda: launch.wait(entry, process)

    def _submit(self, inside: PilotDescription) -> "Callable[[], AgentEntry]":
        entry, job = self.entry, self.job
        assert job is not None
        undertaker = None if entry.name else job_launch.Undertaker(entry.id)

        def until_open() -> AgentEntry:
            try:
                return job_launch.wait(entry, job, own=True, within_s=inside.start_within_s)
            finally:
                if undertaker is not None:
                    undertaker.dismiss()

        try:
            job_launch.submit(entry, inside, self._plugins)
        except BaseException as error:
            if undertaker is not None:
                undertaker.dismiss()
            if not isinstance(error, AgentStartError):  # interrupted: it may be there
                registry.reap(entry)
            raise
        self._look(job)
        return until_open

    @staticmethod
    def _look(job: JobWatch) -> None:
        """Have something to say of a job that waits, from the beginning."""
        with contextlib.suppress(QueueError):
            job.look()

    def _open(self, started: Any, on_open: Callable[["Link"], None]) -> None:
        try:
            with dask_import.alone():  # it takes as long as the agent needs to start
                import pilot_kernel.resource.connection.client  # noqa: F401
            logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
            while not self._attach(started, on_open):
                started = self._claim(self.entry.name)
        except BaseException as error:  # noqa: BLE001 whoever waits for the line is told
            self._error = error
            if self.job is not None and not self._waiting and not self.job.over.is_set():
                notices.tell(f"start of {self.entry.id}", str(error))
        finally:
            self._ready.set()
        if self.job is not None and self._error is None:
            self.job.follow(lambda: self._client.status == "running")

    def _attach(self, started: Any, on_open: Callable[["Link"], None]) -> bool:
        """Open the line to the agent; False if it was found as it was about to end.

        Raises:
            AgentLostError: It does not answer.
            AgentStartError: It did not come up.
        """
        if started is not None:
            self.entry = started()
        elif self.job is not None:
            self.entry = job_launch.wait(self.entry, self.job, own=False)
        elif (other := launch.wait_for_other(self.entry)) is None:
            return False
        else:
            self.entry = other
        self._compare(self.entry)
        neighbours.attached(self.entry.id)
        try:
            self._connect()
            if not self._client.sync(self._client.scheduler.welcome):
                return self._pass_over()
            on_open(self)
        except Exception as error:
            if isinstance(error, PilotError) and not isinstance(error, AgentLostError):
                raise
            # What Dask raises depends on how far the two came. What counts is what became of
            # the agent.
            self._hang_up()
            if (self.found or self.job is not None) and self._ends():
                return self._pass_over()
            raise self._silent() from error
        return True

    def _compare(self, entry: AgentEntry) -> None:
        """See that both sides can unpickle what the other sends.

        Raises:
            PilotError: They cannot be sure to.
        """
        if different := versions.differences(versions.here(), entry.versions):
            raise PilotError(
                f"agent {entry.id} ({entry.place}) has other versions than this process: "
                f"{different}. Attach from the environment that it was started in, or end it and "
                f"what it runs: %pilot reap {entry.id}"
            )

    def _connect(self) -> None:
        from pilot_kernel.resource.connection.client import AgentClient

        self._client = AgentClient(
            self.entry.address,
            security=credentials.load(self.entry.directory),
            set_as_default=False,
            timeout=_CONNECT_S,
        )

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=2)

    def _pass_over(self) -> bool:
        """Have another agent started instead of one that ends.

        Raises:
            AgentLostError: It ran in a batch job, and nobody has said what the next is to be.
        """
        self._hang_up()
        if self.job is not None and self._inside is None:
            raise self.lost()
        return False

    def _ends(self) -> bool:
        """Whether the agent is dead, or about to be."""
        deadline = time.monotonic() + _DYING_S
        while True:
            now = registry.read(self.entry.directory)
            if now is None or now.phase == "leaving" or not now.alive():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)

    def _silent(self) -> AgentLostError:
        entry = self.entry
        reached = (
            "this machine may not reach the node through the interface that was named"
            if entry.batch
            else "its process may be stopped or the machine overloaded"
        )
        return AgentLostError(
            f"agent {entry.id} ({entry.place}) is there but does not answer at {entry.address}; "
            f"{reached}. Try again, or end it and what it runs: %pilot reap {entry.id}"
        )

    @property
    def client(self) -> Any:
        """The Dask client, once the line is open.

        Raises:
            AgentLostError: The agent is gone.
            AgentStartError: The agent did not come up.
        """
        self.wait()
        if self._error is not None:
            raise self._error
        if self._client.status != "running":
            raise self.lost()
        return self._client

    def wait(self) -> None:
        """Wait until the line is open, or has failed to open.

        Whoever waits for a batch job in the main thread is told how that stands.
        """
        current = threading.current_thread()
        if current is self._opening:
            return
        told = ""
        self._waiting += 1
        try:
            while not self._ready.wait(_TELL_S if self.job is not None else None):
                note = self.note
                if note and note != told and current is threading.main_thread():
                    notices.tell(f"start of {self.entry.id}", f"waiting: {note}")
                    told = note
        finally:
            self._waiting -= 1
        if told and self._error is None and self.job is not None:
            notices.tell(f"start of {self.entry.id}", f"here it is: {self.job.place}")

    def settled(self, within_s: float) -> bool:
        """Wait some seconds; whether the line is open by then, or has failed to open."""
        return self._ready.wait(within_s)

    @property
    def note(self) -> str:
        """What the session waits for before anything can run; empty if for nothing but a moment."""
        return "" if self.job is None or self._ready.is_set() else self.job.note

    @property
    def broken(self) -> bool:
        """Whether the line was open and is no more, or never opened."""
        if not self._ready.is_set():
            return False
        return self._error is not None or self._client.status != "running"

    def call(self, handler: str, **arguments: Any) -> Any:
        """Call one of the agent's handlers.

        Raises:
            AgentLostError: The agent is gone.
            PilotError: Whatever the handler raised.
        """
        client = self.client
        try:
            return client.sync(getattr(client.scheduler, handler), **arguments)
        except AgentLostError:
            raise
        except OSError as error:
            raise self.lost() from error
        except RuntimeError as error:
            if client.status == "running":  # it is the handler's own
                raise
            raise self.lost() from error

    def lost(self) -> AgentLostError:
        """The error for when the line is cut."""
        entry = self.entry
        ended = "" if self.job is None else self.job.ended()
        if not ended and self._runs_on(entry):
            return AgentLostError(
                f"the connection to agent {entry.id} was lost, but it runs on "
                f"({entry.place}); attach to it again: %pilot attach {entry.id}, or "
                f"pilot_kernel.session(name={entry.name or entry.id!r})"
            )
        return AgentLostError(
            f"agent {entry.id} ({ended or entry.place}) is gone, and with it its workers and every "
            "unfinished task. pilot_kernel.session() or %pilot start begins a new session"
        )

    def _runs_on(self, entry: AgentEntry) -> bool:
        """Whether the agent outlived the line; a dying one closes its sockets before it is gone."""
        if self._outlived is None:
            deadline = time.monotonic() + _DYING_S
            while entry.alive() and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            now = registry.read(entry.directory)
            self._outlived = now is not None and now.phase != "leaving" and now.alive()
        return self._outlived

    def close(self, *, leave: bool) -> None:
        """Hang up; with `leave`, the agent ends, and this waits until it has.

        Raises:
            PilotError: The agent's batch job does not end.
        """
        if self.job is not None:
            self.job.over.set()  # nobody waits for it to begin
        self._ready.wait()
        if leave and not self.broken:
            with contextlib.suppress(AgentLostError):
                self.call("agent_leave")
                if self.entry.batch:
                    self._wait_job_gone()
        if self._client is not None:
            if not leave and not self._client.farewell(_FAREWELL_S):
                notices.tell(
                    f"detaching from {self.entry.id}",
                    f"the agent has not read within {_FAREWELL_S:g} s what was submitted last; "
                    "attach to see whether all tasks are there",
                )
            self._client.close(timeout=2)
        if leave:
            self._wait_gone(self.entry)

    def _wait_job_gone(self) -> None:
        """Wait until an agent has left its job, and the job has ended."""
        deadline = time.monotonic() + _LEAVE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(QueueError):
                seen = slurm_job.find(self.entry.id)
                if seen is None or seen.over:
                    return
            time.sleep(20 * _POLL_S)

    def _wait_gone(self, entry: AgentEntry) -> None:
        child = next((child for child in _children if child.pid == entry.pid), None)
        try:
            if entry.batch:
                pass  # its process is not one of this machine
            elif child is not None:
                child.wait(_LEAVE_S)
                _children.remove(child)
            elif entry.phase == "open" and entry.alive():
                psutil.Process(entry.pid).wait(_LEAVE_S)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired, psutil.NoSuchProcess):
            pass
        registry.reap(entry)
