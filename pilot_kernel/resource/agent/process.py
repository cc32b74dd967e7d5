"""The agent: one process per session that outlives the notebook's kernel.

It hosts the scheduler and the pilots' workers, and leaves by itself when nobody needs it. It is
started by `connection/launch.py` as `python -m pilot_kernel.resource.agent.process` and knows
nothing of what tasks are about.
"""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import (
    log_files,
    registry,
    start_nursery,
    worker_environment,
    worker_parent,
)
from pilot_kernel.resource.agent.own_job import taken_over
from pilot_kernel.resource.dask_settings import worker_settings

_NEVER = 10**9
_LEAVING_S = 10.0  # what it has forked is ended at once


def _configure(scratch: str) -> None:
    import dask

    dask.config.set(
        {
            **worker_settings(scratch),
            "distributed.scheduler.allowed-failures": _NEVER,  # AgentScheduler decides
            "distributed.scheduler.http.routes": [],  # pages that anyone on the node could read
        }
    )


def _start_nursery(scratch: str) -> "subprocess.Popen[bytes]":
    """Start what task processes are forked from, and tell workers where it and results are."""
    for variable in start_nursery.ONE_THREAD:
        os.environ.setdefault(variable, "1")
    results = os.path.join(scratch, "results")
    os.mkdir(results, mode=0o700)
    os.environ[worker_environment.RESULTS] = results
    path = os.environ[worker_environment.NURSERY] = os.path.join(scratch, "nursery")
    return start_nursery.start(path)


def _log_workers(directory: Path) -> None:
    """Make the folder for logs of workers, and tell those of this machine."""
    logs = log_files.folder_of(directory)
    logs.mkdir(mode=0o700)
    os.environ[worker_environment.LOGS] = str(logs)


def main() -> None:
    """Run an agent until it is no longer needed."""
    parser = argparse.ArgumentParser(prog="python -m pilot_kernel.resource.agent.process")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--plugin", action="append", default=[])
    parser.add_argument("--interface")
    args = parser.parse_args()
    gc.disable()  # what is imported stays
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end before it was open"))
    claimed = registry.read(args.directory)
    if claimed is None:
        sys.exit(
            f"there is no {args.directory} on {socket.gethostname()}: whoever started this agent "
            "is gone, or this machine does not see their files"
        )
    owner = (claimed.pid, claimed.started)
    entry = taken_over(claimed)
    registry.write(entry)
    os.mkdir(entry.scratch, 0o700)
    try:
        with _nursery(entry.scratch):
            _log_workers(entry.directory)
            _configure(entry.scratch)
            worker_parent.start(entry.scratch, registry.semaphore_prefix(entry.id))
            logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.INFO)
            asyncio.run(_serve(entry, owner, args.plugin, args.interface))
    except BaseException as error:  # the log is kept for whoever waits for the agent
        shutil.rmtree(entry.scratch, ignore_errors=True)
        if isinstance(error, PilotError):
            sys.exit(f"on {entry.host}: {error}")
        raise
    _clear(entry)


@contextlib.contextmanager
def _nursery(scratch: str) -> Iterator[None]:
    """Have a nursery, which ends by itself as soon as its standard input does, if it can."""
    process = _start_nursery(scratch)
    try:
        yield
    finally:
        try:
            process.communicate(timeout=_LEAVING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _clear(entry: registry.AgentEntry) -> None:
    """Remove the agent's files, except semaphores: this process does that itself as it ends."""
    shutil.rmtree(entry.scratch, ignore_errors=True)
    registry.remove_directory(entry.directory)


async def _serve(
    entry: registry.AgentEntry,
    owner: tuple[int, float],
    plugins: Sequence[str],
    interface: str | None,
) -> None:
    from pilot_kernel.resource.agent.agent import Agent

    gc.freeze()  # searching the libraries for garbage would hold up every task in between
    gc.enable()
    agent = Agent(entry, owner, plugins, interface)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(
            number, agent.depart, f"told to by signal {number}"
        )
    with contextlib.suppress(asyncio.CancelledError):
        await agent.run()


if __name__ == "__main__":
    main()
