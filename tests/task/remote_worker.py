"""A worker as other machines have them: it shares the agent's scheduler, and no file with it.

Run as `python remote_worker.py ENTRY_FOLDER NAME`; says its process id when it is up, and ends when
its standard input does.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import wait_until

MEMORY = 2 << 30


@contextlib.contextmanager
def remote_workers(session, *names, pilot="far"):
    """Workers without the agent's folders, by name; they offer `CPU` and `pilot:far`.

    Yields:
        The process ids of the Dask workers, by name.
    """
    client = session._link.client
    folder = session._link.entry.directory
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PILOT_RES")}
    processes = []
    with tempfile.TemporaryDirectory() as files:
        for name in names:
            own = Path(files, name)
            own.mkdir()
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.task.remote_worker", str(folder), name, pilot],
                    stdin=subprocess.PIPE,
                    env={**clean, "TMPDIR": str(own)},
                )
            )
        try:
            wait_until(lambda: set(names) <= pids(client).keys(), 60)
            yield {name: pids(client)[name] for name in names}
        finally:
            for process in processes:
                process.stdin.close()
            for process in processes:
                process.wait(30)


def pids(client):
    """The process ids of Dask workers, by name."""
    found = client.run(lambda dask_worker: (dask_worker.name, os.getpid()), on_error="ignore")
    return dict(found.values())


async def main(folder: str, name: str, pilot: str) -> None:
    """Run one worker until standard input ends."""
    import dask
    from distributed import Nanny

    from pilot_kernel.resource import credentials, registry, worker_environment
    from pilot_kernel.resource.dask_settings import worker_settings
    from pilot_kernel.resource.no_web import NoWebWorker

    dask.config.set(worker_settings(tempfile.gettempdir()))
    dask.config.set({"distributed.worker.multiprocessing-method": "spawn"})
    entry = registry.read(Path(folder))
    async with Nanny(
        entry.address,
        name=name,
        nthreads=1,
        memory_limit=MEMORY,
        resources={"CPU": 1.0, f"pilot:{pilot}": 1.0, "cores": 1.0, "memory": float(MEMORY)},
        host="127.0.0.1",
        security=credentials.load(entry.directory),
        local_directory=tempfile.gettempdir(),
        env=worker_environment.sizes(1, MEMORY),
        worker_class=NoWebWorker,
    ):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
