"""The notebook's line to its agent: a Dask client, and calls of the agent's own handlers."""

import contextlib
import logging
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil

from pilot_kernel.errors import AgentLostError
from pilot_kernel.resource import credentials, launch, registry

__all__ = ["Link"]

_CONNECT_S = 5.0
_LEAVE_S = 15.0
_DYING_S = 1.0
_POLL_S = 0.01
_children: list["subprocess.Popen[bytes]"] = []  # an agent may outlive whoever started it


class Link:
    """A connection to an agent, which is started if need be.

    Making one returns at once; `client` waits until the line is open.

    Args:
        name: The session's name, by which a living agent is found; empty for a new one.
        idle_timeout_s: For a new agent: how long it stays without a client and without work.
        on_open: Called in the background, once, when the line is open.
    """

    def __init__(self, name: str, idle_timeout_s: float, on_open: Callable[["Link"], None]) -> None:
        self.entry = registry.find(name) if name else None
        self.found = self.entry is not None
        self._client: Any = None
        self._outlived: bool | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        started = None if self.found else launch.start(name, idle_timeout_s)
        if started is not None:
            _children.append(started[1])
        self._opening = threading.Thread(
            target=self._open, args=(started, on_open), name="pilot-open", daemon=True
        )
        self._opening.start()

    def _open(self, started: Any, on_open: Callable[["Link"], None]) -> None:
        try:
            # Importing Dask takes as long as the agent needs to start.
            from pilot_kernel.resource.client import AgentClient

            logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
            if self.entry is None:
                self.entry = launch.wait(*started)
            self._client = AgentClient(
                self.entry.address,
                security=credentials.load(self.entry.directory),
                set_as_default=False,
                timeout=_CONNECT_S,
            )
            on_open(self)
        except BaseException as error:  # noqa: BLE001 whoever waits for the line is told
            self._error = error
        finally:
            self._ready.set()

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
        """Wait until the line is open, or has failed to open."""
        if threading.current_thread() is not self._opening:
            self._ready.wait()

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

    def lost(self) -> AgentLostError:
        """The error for when the line is cut."""
        entry = self.entry
        if entry is not None and self._runs_on(entry):
            return AgentLostError(
                f"the connection to agent {entry.id} was lost, but it runs on (process "
                f"{entry.pid}); attach to it again: %pilot attach {entry.id}, or "
                f"pilot_kernel.session(name={entry.name or entry.id!r})"
            )
        which = f"agent {entry.id} (process {entry.pid})" if entry else "the agent"
        return AgentLostError(
            f"{which} is gone, and with it its workers and every unfinished task. "
            "pilot_kernel.session() or %pilot start begins a new session"
        )

    def _runs_on(self, entry: registry.AgentEntry) -> bool:
        """Whether the agent outlived the line; a dying one closes its sockets before it is gone."""
        if self._outlived is None:
            deadline = time.monotonic() + _DYING_S
            while entry.alive() and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            self._outlived = entry.alive()
        return self._outlived

    def close(self, *, leave: bool) -> None:
        """Hang up; with `leave`, the agent ends, and this waits until it has."""
        self._ready.wait()
        if leave and not self.broken:
            with contextlib.suppress(AgentLostError):
                self.call("agent_leave")
        if self._client is not None:
            self._client.close(timeout=2)
        if leave and self.entry is not None:
            self._wait_gone(self.entry)

    def _wait_gone(self, entry: registry.AgentEntry) -> None:
        child = next((child for child in _children if child.pid == entry.pid), None)
        try:
            if child is not None:
                child.wait(_LEAVE_S)
                _children.remove(child)
            elif entry.alive():
                psutil.Process(entry.pid).wait(_LEAVE_S)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired, psutil.NoSuchProcess):
            pass
        registry.reap(entry)
