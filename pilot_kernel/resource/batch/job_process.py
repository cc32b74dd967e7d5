"""What a batch job runs on its node: its workers, and the nursery of their task processes.

It ends when its workers have been told to end, when the agent is out of reach for a minute, or when
the batch system says so; its files go with it. Workers that merely lost the agent come back.
"""

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from distributed import Nanny

from pilot_kernel.resource import credentials, start_nursery, worker_environment, worker_parent
from pilot_kernel.resource.batch.systems import walltime_seconds
from pilot_kernel.resource.dask_settings import worker_settings
from pilot_kernel.resource.no_web import NoWebWorker
from pilot_kernel.resource.registry import semaphore_prefix, temporary_folder
from pilot_kernel.resource.slurm_job import NO_LIMIT_S

__all__ = ["main"]

log = logging.getLogger("pilot_kernel.job")

_LOST = frozenset({"worker-handle-scheduler-connection-broken", "worker-heartbeat-missing"})
_PAUSE_S = 1.0
_PATIENCE_S = 60.0
_CLOSING_S = 5.0
_ASKING_S = 10.0
_PREFIX = "pilot-job-"
_LOCK = "lock"


class _Watchful(Nanny):  # type: ignore[misc]
    """A nanny that knows whether its worker was told to end, or has lost the scheduler."""

    lost = False

    def close_gracefully(self, reason: str = "nanny-close-gracefully") -> None:
        self.lost = reason in _LOST
        super().close_gracefully(reason)


def main() -> None:
    """Run a job's workers."""
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.INFO)
    args = _arguments()
    host = _address(args.interface)
    with _private_folder(args.directory) as (folder, files):
        _configure(args, folder, files)
        nursery = start_nursery.start(os.environ[worker_environment.NURSERY])
        try:
            worker_parent.start(folder, semaphore_prefix(args.agent))
            asyncio.run(_Workers(args, host, files).run())
        finally:
            if nursery.stdin is not None:
                nursery.stdin.close()
            nursery.wait()


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m pilot_kernel.resource.batch.job_process")
    parser.add_argument("scheduler", help="its address")
    parser.add_argument("--name", required=True, help="what the cluster calls this job")
    parser.add_argument("--agent", required=True, help="the agent's id")
    parser.add_argument("--interface", required=True, help="the network interface to listen on")
    parser.add_argument("--credentials", type=Path, required=True, help="folder of the TLS files")
    parser.add_argument("--directory", help="where workers keep their files")
    parser.add_argument("--workers", type=int, required=True, help="how many")
    parser.add_argument("--gpus", type=int, default=0, help="how many of them have a GPU each")
    parser.add_argument("--cores", type=int, required=True, help="cores of a worker")
    parser.add_argument("--memory", type=int, required=True, help="bytes of a worker")
    parser.add_argument("--offers", nargs="*", default=[], help="what every worker offers")
    parser.add_argument("--walltime", type=int, help="seconds that the job may run")
    return parser.parse_args()


def _address(interface: str) -> str:
    """The IPv4 address of this node's interface; without it the job ends."""
    import psutil
    from distributed.utils import get_ip_interface

    try:
        return str(get_ip_interface(interface))
    except ValueError:
        there = ", ".join(sorted(psutil.net_if_addrs()))
        sys.exit(
            f"interface={interface!r}: node {os.uname().nodename} has no such network interface "
            f"with an IPv4 address; it has {there}"
        )


@contextlib.contextmanager
def _private_folder(directory: str | None) -> Iterator[tuple[str, str]]:
    """A folder for sockets and one for workers' files, closed to others, which go in the end."""
    _remove_old(temporary_folder())
    try:
        folder = tempfile.mkdtemp(prefix=_PREFIX, dir=temporary_folder())
        files = tempfile.mkdtemp(prefix=_PREFIX, dir=directory) if directory else folder
    except OSError as error:
        sys.exit(f"node {os.uname().nodename}: {error.filename}: {error.strerror}")
    with open(os.path.join(folder, _LOCK), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder, files
        finally:
            for each in {folder, files}:
                shutil.rmtree(each, ignore_errors=True)


def _remove_old(parent: str) -> None:
    """Remove the folders of jobs that were killed on this node: nobody holds their locks."""
    for folder in Path(parent).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _LOCK).open() as lock:
            if time.time() - folder.stat().st_mtime < _PATIENCE_S:
                continue  # it is just being made, perhaps
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _configure(args: Any, folder: str, files: str) -> None:
    """Set what workers inherit, before anything is started."""
    import dask

    dask.config.set(worker_settings(files))
    for variable in start_nursery.ONE_THREAD:
        os.environ.setdefault(variable, "1")
    os.environ.pop(worker_environment.RESULTS, None)  # the agent's, on its own machine
    os.environ[worker_environment.NURSERY] = os.path.join(folder, "nursery")
    if (end := _end(args.walltime)) is not None:
        os.environ[worker_environment.ENDS_AT] = str(end)


def _end(walltime_s: int | None) -> float | None:
    """When the batch system will end this job, unix seconds: by its own word, if it gives one."""
    left_s = _left_s()
    if left_s is None:
        left_s = walltime_s
    return None if left_s is None or left_s > NO_LIMIT_S else time.time() + left_s


def _left_s() -> int | None:
    """The seconds that SLURM still gives this job; a queue has limits of its own."""
    job, squeue = os.environ.get("SLURM_JOB_ID"), shutil.which("squeue")
    if job is None or squeue is None:
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        told = subprocess.run(  # noqa: S603 the system's own program
            [squeue, "-h", "-j", job, "-o", "%L"],
            capture_output=True,
            text=True,
            timeout=_ASKING_S,
            check=True,
        )
        return walltime_seconds(told.stdout.strip())
    return None


class _Workers:
    """The workers of a job."""

    def __init__(self, args: Any, host: str, files: str) -> None:
        self._args = args
        self._host = host
        self._files = files
        self._security = credentials.load(args.credentials)
        self._ending = asyncio.Event()
        self._nannies: dict[int, _Watchful] = {}

    async def run(self) -> None:
        """Keep the workers up until they are no longer wanted."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._ending.set)
        keeping = [asyncio.create_task(self._keep(at)) for at in range(self._args.workers)]
        ending = asyncio.ensure_future(self._ending.wait())
        kept = asyncio.ensure_future(asyncio.wait(keeping))
        await asyncio.wait({kept, ending}, return_when=asyncio.FIRST_COMPLETED)
        log.info("ending")
        self._ending.set()
        await ending
        for task in keeping:
            task.cancel()
        closing = (
            nanny.close(timeout=_CLOSING_S, reason="job-ends") for nanny in self._nannies.values()
        )
        await asyncio.gather(*closing, kept, return_exceptions=True)

    async def _keep(self, at: int) -> None:
        """Have a worker, and another one whenever it loses the agent."""
        heard = time.monotonic()
        while time.monotonic() - heard < _PATIENCE_S and not self._ending.is_set():
            nanny = self._nannies[at] = self._nanny(at)
            try:
                await nanny
            except (OSError, RuntimeError, TimeoutError, ValueError) as error:
                log.info("worker %d did not start: %s", at, error)
                await nanny.close()
                await asyncio.sleep(_PAUSE_S)
                continue
            await nanny.finished()
            if not nanny.lost:
                log.info("worker %d was told to end", at)
                return
            log.info("worker %d has lost the agent; trying again", at)
            heard = time.monotonic()
        log.info("worker %d is given up", at)

    def _nanny(self, at: int) -> _Watchful:
        args = self._args
        first_gpu = args.workers - args.gpus
        env = worker_environment.sizes(args.cores, args.memory)
        offers = dict(_offer(word) for word in args.offers)
        if at < first_gpu:
            offers["CPU"] = 1.0
        else:
            offers["GPU"] = 1.0
            env["CUDA_VISIBLE_DEVICES"] = _gpus(args.gpus)[at - first_gpu]
            env.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # as batch systems number them
        return _Watchful(
            args.scheduler,
            name=f"{args.name}-{at}",
            nthreads=1,  # one task at a time: a task owns its process
            memory_limit=args.memory,
            resources=offers,
            host=self._host,
            security=self._security,
            local_directory=self._files,
            env=env,
            death_timeout=_PATIENCE_S,
            worker_class=NoWebWorker,
        )


def _offer(word: str) -> tuple[str, float]:
    name, _, amount = word.rpartition("=")
    return name, float(amount)


def _gpus(count: int) -> list[str]:
    """The GPUs that the batch system has given this job, as CUDA knows them."""
    given = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    return given if len(given) >= count else [str(number) for number in range(count)]


if __name__ == "__main__":
    main()
