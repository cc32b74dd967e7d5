"""Which agents of this user are alive: a folder on disk for each.

That is how a restarted kernel finds its agent again. An agent has an entry from before it is
started until everything of it is gone, so the next session can remove what a killed agent has left.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs
import psutil

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import left_jobs, slurm_job

__all__ = [
    "LOGS",
    "AgentEntry",
    "claim",
    "entries",
    "find",
    "forget",
    "kill_children",
    "prune",
    "read",
    "reap",
    "remove_directory",
    "root",
    "runs",
    "scratch",
    "semaphore_prefix",
    "temporary_folder",
    "write",
]

Phase = Literal["starting", "open", "leaving"]

LOGS = "logs"
"""The folder beside those of agents: event logs, which outlive them."""

_ENTRY = "agent.json"
_LONGEST_BYTES = 50  # a socket's name may have 107; below are the agent's folder and its own
_LOCK = ".lock"
_SEMAPHORES = Path("/dev/shm")  # noqa: S108 where Linux shows named semaphores
_UNPUBLISHED_S = 60.0  # a folder without an entry is a few milliseconds old, or left behind
_FRESH_S = 2.0  # whether a job is there may be known from so long ago


@dataclass(frozen=True)
class AgentEntry:
    """What is needed to find an agent again.

    Attributes:
        id: Unique name of the agent and of its folder.
        name: The session's name; a notebook's path, or empty for a script.
        address: Where the scheduler listens, once it does.
        host: Machine the agent runs on.
        pid: Its process there; that of whoever starts it until it has one.
        started: When that process started, unix seconds; tells it from a later one of that pid.
        idle_timeout_s: How long it stays without a client and without work.
        scratch: Where its workers keep files.
        phase: Where it is in its life. Only an open one takes callers.
        batch: The batch system in a job of which it runs, `slurm`; empty if it runs in none.
        job: That job's number, once the agent runs there.
        ends_at: When that job reaches its walltime, unix seconds; None if that is not known.
        versions: Those of its libraries, once it has started.
        local_cores: Cores of the machine it runs on that its pilots' workers have together.
        local_memory_bytes: Memory that these were given by their descriptions; None if one of its
            pilots takes what there is.
    """

    id: str
    name: str
    address: str
    host: str
    pid: int
    started: float
    idle_timeout_s: float
    scratch: str
    phase: Phase = "open"
    batch: str = ""
    job: str = ""
    ends_at: float | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)
    local_cores: int = 0
    local_memory_bytes: int | None = None

    @property
    def directory(self) -> Path:
        """The agent's folder: entry, credentials and log."""
        return root() / self.id

    @property
    def here(self) -> bool:
        """Whether its process is one of this machine; the registry may lie on a shared file system.

        A batch job's is not, wherever it runs: who submits it is not where it will be.
        """
        return not self.batch and self.host == socket.gethostname()

    @property
    def place(self) -> str:
        """Where it runs, in words: its process, or its batch job."""
        if not self.batch:
            return f"process {self.pid}"
        return f"job {self.job} on {self.host}" if self.job else "a batch job"

    def alive(self) -> bool:
        """Whether it is still there; an agent nobody can ask about is taken to be."""
        if self.batch:
            return self._has_job()
        return not self.here or runs(self.pid, self.started)

    def _has_job(self) -> bool:
        """Whether its batch job waits or runs, or is just being submitted."""
        try:
            seen = slurm_job.find(self.id, fresh_s=_FRESH_S)
        except slurm_job.QueueError:
            return True
        if seen is not None:
            return not seen.over
        if self.job or self.phase != "starting":
            return False
        if self.host == socket.gethostname():
            return runs(self.pid, self.started) and _age_s(self.directory) < _UNPUBLISHED_S
        return _age_s(self.directory) < _UNPUBLISHED_S


def runs(pid: int, started: float) -> bool:
    """Whether a process of this machine that began at `started` (unix seconds) is still there."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


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
    """The agent that has its entry in `directory`; None if there is none that can be read."""
    try:
        return AgentEntry(**json.loads((directory / _ENTRY).read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError):  # cut short by a full disk, or of another version
        return None


def entries() -> list[AgentEntry]:
    """All agents, the oldest first; dead, starting and leaving ones included."""
    found = [entry for folder in _folders() if (entry := read(folder)) is not None]
    return sorted(found, key=lambda entry: entry.started)


def _folders() -> list[Path]:
    try:
        return [each for each in root().iterdir() if each.is_dir() and each.name != LOGS]
    except (FileNotFoundError, NotADirectoryError):
        return []


def find(name: str) -> AgentEntry | None:
    """The newest agent of this machine whose session is called `name`, or whose id that is.

    Agents in batch jobs count: they are reached from here. It may be starting still. Those that
    are dead or leaving are not found.
    """
    usable = [e for e in entries() if name in (e.name, e.id) and e.phase != "leaving"]
    return next((e for e in reversed(usable) if (e.here or e.batch) and e.alive()), None)


def claim(name: str, idle_timeout_s: float, batch: str = "") -> tuple[AgentEntry, bool]:
    """The agent of a session's name, and whether the caller has to start it.

    Of several that ask for one name at the same moment, one is told to start an agent and the
    others get that one.

    Args:
        name: The session's name; nobody shares an empty one.
        idle_timeout_s: For a new agent: how long it will stay without a client and without work.
        batch: For a new agent: the batch system in a job of which it is to run, if in any.
    """
    root().mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked():
        found = find(name) if name else None
        if found is not None:
            return found, False
        return _announce(f"agent-{secrets.token_hex(4)}", name, idle_timeout_s, batch), True


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Keep out others that are about to start an agent."""
    descriptor = os.open(root() / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with contextlib.suppress(OSError):  # not every file system has locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _announce(agent_id: str, name: str, idle_timeout_s: float, batch: str) -> AgentEntry:
    """Make the folder of an agent that is about to be started, closed to others, and its entry."""
    entry = AgentEntry(
        id=agent_id,
        name=name,
        address="",
        host=socket.gethostname(),
        pid=os.getpid(),
        started=psutil.Process().create_time(),
        idle_timeout_s=idle_timeout_s,
        scratch=scratch(agent_id),
        phase="starting",
        batch=batch,
    )
    entry.directory.mkdir(mode=0o700)
    write(entry)
    return entry


def scratch(agent_id: str) -> str:
    """Where an agent of that id keeps files if it runs on this machine."""
    return str(Path(temporary_folder(), f"pilot-{agent_id}"))


def temporary_folder() -> str:
    """The folder for temporary files, unless sockets in it would have names that are too long."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= _LONGEST_BYTES else "/tmp"  # noqa: S108 0700 inside


def forget(entry: AgentEntry) -> None:
    """Remove what is there of an agent on disk, its entry last: it says what there is."""
    shutil.rmtree(entry.scratch, ignore_errors=True)
    _unlink_semaphores(entry.id)
    remove_directory(entry.directory)


def remove_directory(directory: Path) -> None:
    """Remove an agent's folder, its entry last, and cancel the batch jobs that it knows of."""
    left_jobs.clear(directory)
    for path in directory.glob("*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != _ENTRY:
            path.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def semaphore_prefix(agent_id: str) -> str:
    """What the names of the semaphores begin with that an agent shares with its workers."""
    return f"/pilot-{agent_id}"


def _unlink_semaphores(agent_id: str) -> None:
    """Remove an agent's named semaphores; those of a killed one stay in memory for good."""
    for path in _SEMAPHORES.glob(f"sem.pilot-{agent_id}-*"):
        with contextlib.suppress(OSError):
            path.unlink()


def reap(entry: AgentEntry, patience_s: float = 10.0) -> None:
    """End an agent of this machine, or its batch job, with everything it started.

    Its folder is removed, too.

    Raises:
        PilotError: It runs in a batch job, and that cannot be cancelled from here.
    """
    if entry.batch and not slurm_job.end(entry.id, patience_s):
        raise PilotError(f"agent {entry.id}: {entry.place} was canceled, but has not ended yet")
    agent = _process(entry)
    if agent is not None:
        tree = [agent, *agent.children(recursive=True)]
        agent.send_signal(signal.SIGTERM)  # it cancels its jobs and closes its workers
        _, left = psutil.wait_procs(tree, timeout=patience_s)
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=patience_s)
    forget(entry)


def kill_children() -> None:
    """Kill all processes that this one started, and what they started."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _process(entry: AgentEntry) -> psutil.Process | None:
    """An agent's process on this machine, if there is one; the entry may name who starts it."""
    if not entry.here or not entry.alive():
        return None
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(entry.pid)
        return process if str(entry.directory) in process.cmdline() else None
    return None


def prune() -> None:
    """Remove what agents of this machine, and in batch jobs, left behind when they were killed."""
    for folder in _folders():
        entry = read(folder)
        if entry is None:
            _prune_unpublished(folder)
        elif not entry.alive():
            forget(entry)


def _prune_unpublished(folder: Path) -> None:
    """Remove the folder of an agent that got no entry, unless one is just being made there."""
    with contextlib.suppress(FileNotFoundError):  # somebody else was quicker
        if time.time() - folder.stat().st_mtime > _UNPUBLISHED_S and not _in_use(folder):
            _unlink_semaphores(folder.name)
            remove_directory(folder)


def _in_use(folder: Path) -> bool:
    lines = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    return any(str(folder) in line for line in lines)
