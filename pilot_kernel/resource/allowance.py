"""What the system lets this process use: its affinity and its control groups are looked at.

Control groups of both versions are read, with all that this process's group lies in: in a container
that is the container's, in a batch job or a service that of the job. Nothing is decided here.
"""

import contextlib
import math
import os
from collections.abc import Iterator
from functools import cache

__all__ = ["cores", "memory_bytes", "memory_left_bytes"]

_ROOT = "/sys/fs/cgroup"
_MEMBERSHIP = "/proc/self/cgroup"
_NO_LIMIT = 2**60
"""Version 1 writes a number of about this size where there is no limit."""


@cache
def cores() -> int:
    """Cores that this process may use; a part of one counts as one."""
    affine = getattr(os, "sched_getaffinity", None)
    count = (len(affine(0)) if affine is not None else os.cpu_count()) or 1
    for folder in _folders("cpu"):
        count = min(count, _quota(folder) or count)
    return max(1, count)


def memory_bytes() -> int:
    """Memory that this process may use with all others of its group, or of this machine."""
    import psutil  # not on the way of those who only want to know their cores

    limits = [int(psutil.virtual_memory().total), *(limit for _, limit in _memory_limits())]
    with contextlib.suppress(ImportError, OSError):
        import resource  # which Windows has not got

        resident = resource.getrlimit(resource.RLIMIT_RSS)[1]
        limits += [resident] if resident > 0 else []
    return min(limits)


def memory_left_bytes() -> int | None:
    """Memory that is left under the limit of the control group; None if it has no limit.

    Files that are kept in memory and were not read lately do not count, as they make room when it
    is needed.
    """
    left = [max(0, limit - _in_use(folder)) for folder, limit in _memory_limits()]
    return min(left, default=None)


@cache
def _memory_limits() -> tuple[tuple[str, int], ...]:
    """The groups with a limit, and their limits: looked up once, as asking is to cost nothing."""
    limits = []
    for folder in _folders("memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):  # no limit is "max", which is no number
                if (limit := int(_read(folder, name))) < _NO_LIMIT:
                    limits.append((folder, limit))
    return tuple(limits)


def _in_use(folder: str) -> int:
    for usage, idle in (
        ("memory.current", b"inactive_file "),
        ("memory.usage_in_bytes", b"total_inactive_file "),
    ):
        with contextlib.suppress(OSError, ValueError):
            used = int(_read(folder, usage))
            for line in _read(folder, "memory.stat").splitlines():
                if line.startswith(idle):
                    return used - int(line[len(idle) :])
            return used
    return 0


def _quota(folder: str) -> int | None:
    """How many cores' time a group may take, rounded up; None without a limit."""
    with contextlib.suppress(OSError, ValueError):  # no limit is "max", which is no number
        quota, period = map(int, _read(folder, "cpu.max").split())
        return math.ceil(quota / period)
    with contextlib.suppress(OSError, ValueError):
        quota = int(_read(folder, "cpu.cfs_quota_us"))
        if quota > 0:  # -1 is no limit
            return math.ceil(quota / int(_read(folder, "cpu.cfs_period_us")))
    return None


def _folders(controller: str) -> Iterator[str]:
    """The folder of this process's group, and of all that it lies in, as far as they are seen.

    A container that sees its own group as the root is told a path that is not there.
    """
    try:
        with open(_MEMBERSHIP, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        lines = []
    for mount, wanted in ((_ROOT, ""), (os.path.join(_ROOT, controller), controller)):
        paths = [path for _, names, path in lines if wanted in names.split(",")]
        path = paths[0].strip("/") if paths else ""
        parts = [] if ".." in path.split("/") else path.split("/")
        for length in range(len(parts), -1, -1):
            folder = os.path.join(mount, *parts[:length])
            if os.path.isdir(folder):
                yield folder


def _read(folder: str, name: str) -> bytes:
    """A small file of the kernel's, in no more calls than it takes."""
    descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
    try:
        return os.read(descriptor, 16384)
    finally:
        os.close(descriptor)
