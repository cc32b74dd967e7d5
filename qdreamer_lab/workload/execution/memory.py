"""How much memory this process may still take. Reads the system; decides nothing."""

from __future__ import annotations

from pathlib import Path

import psutil

from pilot_kernel.resource.worker_environment import memory_bytes

__all__ = ["available_bytes", "readable"]

_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Memory this process may still take.

    That is what is free on this machine, or left under the control group's limit, or under the
    limit that a pilot gave its worker, whichever is least.
    """
    free = int(psutil.virtual_memory().available)
    share = memory_bytes()
    if share is not None:
        free = min(free, share - psutil.Process().memory_info().rss)
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no control groups here, or no limit ("max")
        return free
    return max(0, min(free, limit - used))


def readable(size_bytes: float) -> str:
    """A size with a binary unit, such as `1.5 GiB`."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = max(0, min(len(units) - 1, (int(size_bytes).bit_length() - 1) // 10))
    return f"{size_bytes / 1024**power:.4g} {units[power]}"
