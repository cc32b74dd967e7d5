"""Starting an agent from the notebook's process, and waiting until it can be reached."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from pilot_kernel.errors import AgentStartError
from pilot_kernel.resource import registry
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["start", "wait", "wait_for_other"]

_PATIENCE_S = 60.0
_POLL_S = 0.01


def start(entry: AgentEntry, plugins: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start an agent process of its own session, so that it survives the kernel.

    Args:
        entry: The agent, as it was claimed.
        plugins: What it adds to its scheduler and its workers, as `module:class`.

    Returns:
        The agent's process; `wait` tells when it is ready.
    """
    command = [
        *(sys.executable, "-m", "pilot_kernel.resource.agent.process"),
        *("--directory", str(entry.directory)),
        *(word for plugin in plugins for word in ("--plugin", plugin)),
    ]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(entry.directory / "agent.log", flags, 0o600), "wb") as log:
        return subprocess.Popen(  # noqa: S603 our own module, our own interpreter
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait(starting: AgentEntry, process: "subprocess.Popen[bytes]") -> AgentEntry:
    """Wait until the agent that this process started is open.

    Raises:
        AgentStartError: It ended, or took over a minute; the message carries the end of its log.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while (entry := registry.read(starting.directory)) is None or entry.phase != "open":
        if process.poll() is not None or time.monotonic() > deadline:
            raise _not_started(starting, process)
        time.sleep(_POLL_S)
    return entry


def _not_started(entry: AgentEntry, process: "subprocess.Popen[bytes]") -> AgentStartError:
    """The error that says why; what is there of the agent is removed."""
    status = process.poll()
    if status is None:
        how = f"was not ready within {_PATIENCE_S:.0f} s"
    else:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with exit code {status}"
    process.kill()
    process.wait()
    log = entry.directory / "agent.log"
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    registry.forget(entry)
    said = f"; the end of its log:\n{tail}" if tail.strip() else ""
    return AgentStartError(f"the pilot's agent {how} as it started{said}")


def wait_for_other(entry: AgentEntry) -> AgentEntry | None:
    """Wait until an agent that somebody else started is open; None if it will not be.

    Raises:
        AgentStartError: It took over a minute.
    """
    deadline = time.monotonic() + _PATIENCE_S
    now: AgentEntry | None = entry
    while now is not None and now.phase == "starting" and now.alive():
        if time.monotonic() > deadline:
            raise AgentStartError(
                f"agent {entry.id}, which another notebook is starting (process {now.pid}), does "
                f"not come up; end it with %pilot reap {entry.id} and try again"
            )
        time.sleep(_POLL_S)
        now = registry.read(entry.directory)
    return now if now is not None and now.phase == "open" and now.alive() else None
