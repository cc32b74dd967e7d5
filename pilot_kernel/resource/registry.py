"""Which agents of this user are alive: one folder an agent, on disk.

So a restarted kernel finds its agent again, and nothing is left behind unseen.
"""

import dataclasses
import json
import os
import shutil
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

__all__ = [
    "AgentEntry",
    "create_directory",
    "entries",
    "find",
    "forget",
    "prune",
    "read",
    "reap",
    "root",
    "write",
]

_ENTRY = "agent.json"


@dataclass(frozen=True)
class AgentEntry:
    """What is needed to find an agent again.

    Attributes:
        id: Unique name of the agent and of its folder.
        name: The session's name; a notebook's path, or empty for a script.
        address: Where the scheduler listens.
        host: Machine the agent runs on.
        pid: Its process there.
        started: When that process started, unix seconds; tells it from a later one of that pid.
        idle_timeout_s: How long it stays without a client and without work.
        scratch: Where its workers keep files.
    """

    id: str
    name: str
    address: str
    host: str
    pid: int
    started: float
    idle_timeout_s: float
    scratch: str

    @property
    def directory(self) -> Path:
        """The agent's folder: entry, credentials and log."""
        return root() / self.id

    @property
    def here(self) -> bool:
        """Whether it runs on this machine; the registry may lie on a shared file system."""
        return self.host == socket.gethostname()

    def alive(self) -> bool:
        """Whether the process is still there; an agent on another host is taken to be."""
        if not self.here:
            return True
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def root() -> Path:
    """The registry's folder: `$PILOT_KERNEL_HOME`, or the platform's place for state."""
    home = os.environ.get("PILOT_KERNEL_HOME")
    return Path(home) if home else platformdirs.user_state_path("pilot_kernel")


def write(entry: AgentEntry) -> None:
    """Publish an agent. The file appears whole and readable by its owner only."""
    draft = entry.directory / f"{_ENTRY}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(dataclasses.asdict(entry), file)
    draft.rename(entry.directory / _ENTRY)


def read(directory: Path) -> AgentEntry | None:
    """The agent published in `directory`, if there is one."""
    try:
        return AgentEntry(**json.loads((directory / _ENTRY).read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None


def entries() -> list[AgentEntry]:
    """All published agents, the oldest first, dead ones included."""
    folders = root().iterdir() if root().is_dir() else ()
    found = [entry for folder in folders if (entry := read(folder)) is not None]
    return sorted(found, key=lambda entry: entry.started)


def find(name: str) -> AgentEntry | None:
    """The newest living agent on this machine whose session is called `name` or whose id it is."""
    alive = [e for e in entries() if name in (e.name, e.id) and e.here and e.alive()]
    return alive[-1] if alive else None


def forget(entry: AgentEntry) -> None:
    """Remove an agent's folder, its entry first, so that nobody finds a half-removed one."""
    (entry.directory / _ENTRY).unlink(missing_ok=True)
    shutil.rmtree(entry.directory, ignore_errors=True)
    shutil.rmtree(entry.scratch, ignore_errors=True)


def reap(entry: AgentEntry, patience_s: float = 10.0) -> None:
    """End an agent of this machine with everything it started, and remove its folder."""
    if entry.here and entry.alive():
        agent = psutil.Process(entry.pid)
        tree = [agent, *agent.children(recursive=True)]
        agent.send_signal(signal.SIGTERM)  # it cancels its jobs and closes its workers
        _, left = psutil.wait_procs(tree, timeout=patience_s)
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=patience_s)
    forget(entry)


def prune() -> None:
    """Remove what agents of this machine left behind when they were killed."""
    for entry in entries():
        if not entry.alive():
            forget(entry)


def create_directory(agent_id: str) -> Path:
    """Make the folder of a new agent, closed to others.

    Args:
        agent_id: The agent's unique name.
    """
    root().mkdir(parents=True, exist_ok=True, mode=0o700)
    directory = root() / agent_id
    directory.mkdir(mode=0o700)
    return directory
