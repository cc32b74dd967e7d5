"""A small machine: a control group with little memory, and one core."""

import contextlib
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

__all__ = ["SmallMachine", "small_machine"]

_ROOT = Path("/sys/fs/cgroup")
_ENTER = 'for each in $0; do echo $$ >"$each/cgroup.procs" || exit 1; done; exec "$@"'
_EVERY_S = 0.1


@dataclass
class SmallMachine:
    """Where programs run with little.

    Attributes:
        within: The words of a command that runs what follows them there.
        groups: Its control groups; none where they cannot be had, and nothing limits memory.
    """

    within: tuple[str, ...]
    groups: tuple[Path, ...] = ()
    _most: int = 0
    _end: threading.Event = field(default_factory=threading.Event)

    def most_bytes(self):
        """The most memory, without files that are kept for later, since this was last asked."""
        most, self._most = self._most, 0
        return most

    def killed(self):
        """How many processes were killed for want of memory."""
        for group in self.groups:
            for name in ("memory.events", "memory.oom_control"):
                if (file := group / name).exists():
                    return dict(line.split() for line in file.read_text().splitlines())["oom_kill"]
        return "0"

    def pids(self):
        """The processes that are there."""
        return {int(pid) for each in self.groups for pid in _words(each / "cgroup.procs")}

    def watch(self):
        """Look again and again how much memory is in use."""
        while not self._end.wait(_EVERY_S):
            for group in self.groups:
                with contextlib.suppress(OSError, KeyError):
                    words = _words(group / "memory.stat")
                    stat = dict(zip(words[::2], map(int, words[1::2]), strict=True))
                    kinds = (
                        ("total_rss", "total_shmem") if "total_rss" in stat else ("anon", "shmem")
                    )
                    self._most = max(self._most, sum(stat[kind] for kind in kinds))


def _words(file):
    return file.read_text().split()


@contextlib.contextmanager
def small_machine(memory_bytes, core=0):
    """One core and so much memory, until the end of the block; what still runs then is killed."""
    groups = tuple(_made(memory_bytes)) if os.geteuid() == 0 else ()
    enter = ("bash", "-c", _ENTER, " ".join(map(str, groups)))
    machine = SmallMachine((*enter, "taskset", "-c", str(core)), groups)
    watcher = threading.Thread(target=machine.watch, daemon=True)
    watcher.start()
    try:
        yield machine
    finally:
        machine._end.set()
        watcher.join()
        _remove(machine)


def _made(memory_bytes):
    name = f"qdreamer-lab-{os.getpid()}"
    for parent, limits in (
        (_ROOT, {"memory.max": memory_bytes, "memory.swap.max": 0}),
        (_ROOT / "memory", {"memory.limit_in_bytes": memory_bytes}),
    ):
        if not (parent / "cgroup.procs").exists():
            continue
        group = parent / name
        group.mkdir()
        try:
            for file, value in limits.items():
                if (group / file).exists() or not file.endswith("swap.max"):
                    (group / file).write_text(str(value))
        except OSError:
            group.rmdir()
            continue
        yield group
        return


def _remove(machine):
    deadline = time.monotonic() + 20
    while (left := machine.pids()) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        time.sleep(0.1)
    for group in machine.groups:
        group.rmdir()
