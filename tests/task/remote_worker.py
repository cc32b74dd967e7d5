"""Workers as other machines have them: they share the agent's scheduler, and no file with it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import wait_until

MEMORY = 2 << 30
PATIENCE_S = 120.0


@contextlib.contextmanager
def remote_workers(session, *names, pilot="far", **env):
    """Have workers that offer `CPU` and a pilot's name, and find none of the agent's folders.

    Args:
        session: The session that they work for.
        *names: What they are called.
        pilot: Whose workers they are to be.
        **env: Further environment variables.
    """
    client = session._link.client
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PILOT_RES")}
    with tempfile.TemporaryDirectory() as files:
        order = {"folder": str(session._link.entry.directory), "pilot": pilot, "names": names}
        with subprocess.Popen(
            [sys.executable, "-m", "tests.task.remote_worker", json.dumps(order)],
            stdin=subprocess.PIPE,
            env={**clean, "TMPDIR": files, **env},
        ) as process:
            try:
                wait_until(lambda: set(names) <= pids(client).keys(), PATIENCE_S)
                yield
            finally:
                process.stdin.close()


def pids(client):
    """The process ids of Dask workers, by name."""
    return client.run_on_scheduler(_pids)  # asking workers would wait for those that have died


def _pids(dask_scheduler):
    return {ws.name: ws.pid for ws in dask_scheduler.workers.values()}


async def main(folder: str, pilot: str, names: list[str]) -> None:
    """Run workers until standard input ends."""
    import dask
    from distributed import Nanny

    from pilot_kernel.resource import credentials, registry, worker_environment
    from pilot_kernel.resource.no_web import NoWebWorker

    entry = registry.read(Path(folder))
    async with contextlib.AsyncExitStack() as stack:
        for name in names:
            nanny = Nanny(
                entry.address,
                name=name,
                nthreads=1,
                memory_limit=MEMORY,
                resources={"CPU": 1, f"pilot:{pilot}": 1, "cores": 1, "memory": MEMORY},
                host="127.0.0.1",
                security=credentials.load(entry.directory),
                local_directory=dask.config.get("temporary-directory"),
                env=worker_environment.sizes(1, MEMORY),
                worker_class=NoWebWorker,
            )
            await stack.enter_async_context(nanny)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def run(order: str) -> None:
    """Do what the test says."""
    import dask

    from pilot_kernel.resource import start_nursery, worker_environment, worker_parent
    from pilot_kernel.resource.dask_settings import worker_settings

    files = tempfile.gettempdir()
    dask.config.set(worker_settings(files))
    path = os.environ[worker_environment.NURSERY] = os.path.join(files, "nursery")
    nursery = start_nursery.start(path)
    worker_parent.start(files, "/pilot-test")
    try:
        asyncio.run(main(**json.loads(order)))
    finally:
        nursery.stdin.close()
        nursery.wait()


if __name__ == "__main__":
    run(sys.argv[1])
