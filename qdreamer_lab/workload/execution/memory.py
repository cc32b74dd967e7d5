"""How much memory this process may still take. Reads the system; decides nothing."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from pilot_kernel.resource import allowance, worker_environment
from pilot_kernel.resource.allowance import memory_left_bytes
from pilot_kernel.resource.neighbours import share_here

__all__ = ["available_bytes", "readable"]

_MEMINFO = Path("/proc/meminfo")


def available_bytes() -> int:
    """Memory this process may still take.

    That is what is free on this machine, or left under the control group's limit, or under the
    limit that a pilot gave its worker, whichever is least. Outside of workers, what other sessions
    on this machine have been promised does not count as free, whether they use it yet or not.
    """
    free = _machine_bytes()
    limit = worker_environment.memory_bytes()
    if limit is None and (part := share_here()) < 1:
        limit = int(part * allowance.memory_bytes())
    if limit is not None:
        free = min(free, limit - psutil.Process().memory_info().rss)
    left = memory_left_bytes()
    return max(0, free if left is None else min(free, left))


def _machine_bytes() -> int:
    """What is free on this machine, as the kernel says or else as psutil finds out."""
    try:
        after = _read(_MEMINFO).split(b"MemAvailable:", 1)[1]
        return 1024 * int(after.split(None, 1)[0])
    except (OSError, IndexError, ValueError):
        return int(psutil.virtual_memory().available)


def _read(path: Path) -> bytes:
    """A small file of the kernel's, in no more calls than it takes: runs of a moment read some."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def readable(size_bytes: float) -> str:
    """A size with a binary unit, such as `1.5 GiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = max(0, min(len(units) - 1, (int(size_bytes).bit_length() - 1) // 10))
    return f"{size_bytes / 1024**power:.4g} {units[power]}"
