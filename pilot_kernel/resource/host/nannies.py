"""The workers of a supervisor: each has a nanny, and gets another when that has ended."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.host.protocol import Order, WorkerOrder

__all__ = ["keep"]

log = logging.getLogger("pilot_kernel.host")

_SHORTEST_S, _LONGEST_S = 0.5, 30.0


async def keep(order: Order, security: Any, files: Path, note: Callable[[str], None]) -> None:
    """Keep all workers up, for as long as the process lives.

    Args:
        order: Which workers.
        security: TLS settings of connections.
        files: The folder for workers' files.
        note: Called with a word on what goes wrong; with none when it goes well again.
    """
    await asyncio.gather(*(_keep(each, order, security, files, note) for each in order.workers))


async def _keep(
    worker: WorkerOrder,
    order: Order,
    security: Any,
    files: Path,
    note: Callable[[str], None],
) -> None:
    from distributed import Nanny

    from pilot_kernel.resource.no_web import NoWebWorker

    cores = int(worker.resources["cores"])
    pause_s = _SHORTEST_S
    while True:
        try:
            async with Nanny(
                order.scheduler,
                name=worker.name,
                nthreads=1,  # one task at a time: a task owns its process
                memory_limit=worker.memory_bytes,
                resources=dict(worker.resources),
                host=order.address,
                worker_port=worker.port,
                worker_class=NoWebWorker,
                security=security,
                local_directory=str(files),
                env={**worker_environment.sizes(cores, worker.memory_bytes), **worker.env},
            ) as nanny:
                note("")
                pause_s = _SHORTEST_S
                await nanny.finished()
            log.info("worker %s ended; it is brought back", worker.name)
        except Exception as error:  # whatever Dask raises, another try may do
            log.exception("worker %s did not start", worker.name)
            note(f"worker {worker.name} did not start: {type(error).__name__}: {error}")
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_S)
