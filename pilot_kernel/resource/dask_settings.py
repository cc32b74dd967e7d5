"""Dask's settings for workers, wherever they are started."""

from typing import Any

__all__ = ["worker_settings"]


def worker_settings(scratch: str) -> dict[str, Any]:
    """What is set before nannies are started.

    Args:
        scratch: Where they keep files.
    """
    return {
        "distributed.worker.multiprocessing-method": "forkserver",
        "distributed.worker.daemon": False,  # a task may start processes of its own
        "distributed.worker.profile.enabled": False,
        "distributed.worker.http.routes": [],
        "distributed.nanny.http.routes": [],
        # Dask would ask on the event loop, where a GPU in trouble holds up everything.
        "distributed.diagnostics.nvml": False,
        "distributed.admin.low-level-log-length": 100,  # events carry small results
        # Agents wait behind every open notebook, on shared login nodes too: what Dask looks at
        # again and again is looked at as often as somebody can make use of it.
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.tick.cycle": "10s",
        "distributed.admin.system-monitor.interval": "2s",
        "distributed.worker.memory.monitor-interval": "1s",
        "temporary-directory": scratch,
    }
