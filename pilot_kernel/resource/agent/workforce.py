"""The processes and jobs behind all pilots: how they are started, looked after and removed.

All of them belong to one `SpecCluster`. It changes one thing at a time, so changes wait for each
other here.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

__all__ = ["Workforce"]

log = logging.getLogger("pilot_kernel.agent")

_CLOSING_S = 8.0  # Dask kills a worker that does not close within 4 s
_COPYING_S = 60.0
_LOOK_S = 1.0
_SILENT_LOOKS = 10  # a worker calls every two seconds at least, whatever its task does


class Workforce:
    """What brings up workers, by *starts*: a process or a batch job, with one or several workers.

    Args:
        cluster: The `SpecCluster`.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._changing = asyncio.Lock()
        self._background: set[asyncio.Future[Any]] = set()
        self._without_process: frozenset[str] = frozenset()

    @property
    def changing(self) -> bool:
        """Whether a change is under way."""
        return self._changing.locked()

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Have something done, holding on to it until it is."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # ---- starting

    def start(self, specs: Mapping[str, Any]) -> None:
        """Begin to start what `SpecCluster` takes as specs, by name."""
        self._cluster.worker_spec.update(specs)
        self.in_background(self._correct())

    async def _correct(self) -> None:
        async with self._changing:
            try:
                await self._cluster._correct_state()
            except Exception:  # the pilot stays PENDING and the log tells why
                log.exception("workers did not start")

    def again(self, starts: Iterable[str]) -> None:
        """Begin anew what has ended."""
        for start in starts:
            log.info("worker %s ended; bringing it back", start)
            self._let_go(start)
        self.in_background(self._correct())

    def forget(self, start: str) -> None:
        """Let go of what has ended and is not to come back."""
        self._cluster.worker_spec.pop(start, None)
        self._let_go(start)

    def _let_go(self, start: str) -> None:
        worker = self._cluster.workers.pop(start, None)
        if worker is not None:
            self.in_background(worker.close())

    # ---- looking after

    def of(self, start: str) -> Any:
        """What Dask has for a start: a nanny, or a `ProcessInterface`; None if it has nothing."""
        return self._cluster.workers.get(start)

    def is_here(self, start: str) -> bool:
        """Whether a start is a process of this machine, which the agent itself watches over.

        By what was asked for: what Dask has for it is known only when all that was asked for
        together has come up, and its workers may be at work by then.
        """
        from distributed import Nanny

        spec = self._cluster.worker_spec.get(start)
        return isinstance(self.of(start), Nanny) or (spec is not None and spec["cls"] is Nanny)

    def gave_up(self, start: str) -> bool:
        """Whether a start says that another one in its place would not come up either."""
        return getattr(self.of(start), "gave_up", False)

    def ended(self, start: str) -> bool:
        """Whether a start has ended for good.

        A nanny restarts a worker that dies by itself; one that dies while it starts, or is cut
        off, stays away.
        """
        from distributed.core import Status

        worker = self.of(start)
        if worker is None or worker.status in (Status.closed, Status.failed):
            return True
        if self.is_here(start) and not worker.is_alive():
            # It may be about to restart its process; twice in a row means that it failed to.
            seen = start in self._without_process
            self._without_process |= {start}
            return seen
        self._without_process -= {start}
        return False

    # ---- removing

    async def remove(
        self,
        starts: Mapping[str, Sequence[str]],
        *,
        graceful: bool,
        gone: Callable[[], None],
        heirs: Sequence[str] = (),
    ) -> None:
        """End starts.

        Args:
            starts: The names of their workers, by start.
            graceful: Whether results move to other workers first.
            gone: Called when no new work may be counted on from them.
            heirs: Names of workers that results are to move to, if it matters to whom.
        """
        workers = [worker for names in starts.values() for worker in names]
        async with self._change(workers):
            if graceful:
                await asyncio.gather(*map(self._check, starts))
                if heirs:
                    await self.hand_on(workers, heirs)
                await self._retire(workers)
            for start in starts:
                self._cluster.worker_spec.pop(start, None)
            gone()
            closing = asyncio.ensure_future(self._cluster._correct_state())
            await self._wait_or_kill(closing, workers)

    async def _check(self, start: str) -> None:
        """Have what is far away see whether it can be reached: else all would wait for that."""
        check = getattr(self.of(start), "check", None)
        if check is not None:
            await check()

    async def hand_on(self, names: Iterable[str], heirs: Iterable[str]) -> None:
        """Copy the results that only some workers hold to others, as far as those are there."""
        scheduler = self._cluster.scheduler
        givers, takers = set(names), set(heirs)
        addresses = [ws.address for ws in scheduler.workers.values() if ws.name in takers]
        keys = [
            ts.key
            for ws in scheduler.workers.values()
            if ws.name in givers
            for ts in ws.has_what
            if not any(holder.name in takers for holder in ts.who_has)
        ]
        if keys and addresses:
            copying = scheduler.replicate(keys=keys, workers=addresses, n=1, delete=False)
            try:
                await asyncio.wait_for(copying, _COPYING_S)
            except Exception:  # tasks and workers come and go meanwhile, which Dask does not expect
                log.info("not all results could be copied to %s", ", ".join(heirs), exc_info=True)

    async def _retire(self, names: list[str]) -> None:
        """Have workers hand on what they hold; those that fall silent meanwhile are killed.

        Dask waits for minutes for a worker that is frozen.
        """
        scheduler = self._cluster.scheduler
        up = {ws.name for ws in scheduler.workers.values()}
        retiring = scheduler.retire_workers(names=[name for name in names if name in up])
        retired = asyncio.ensure_future(retiring)
        # Looks are counted, not seconds: the agent may have been frozen itself.
        looks: deque[dict[str, float]] = deque(maxlen=_SILENT_LOOKS)
        while not (await asyncio.wait({retired}, timeout=_LOOK_S))[0]:
            heard = {at: ws.last_seen for at, ws in scheduler.workers.items() if ws.name in names}
            if len(looks) == _SILENT_LOOKS:
                silent = (at for at, last in heard.items() if looks[0].get(at) == last)
                self._kill(scheduler.workers[at].name for at in silent)
            looks.append(heard)
        await retired

    @contextlib.asynccontextmanager
    async def _change(self, doomed: list[str]) -> AsyncIterator[None]:
        """Change which workers there are, when the change that is under way is through."""
        await self._wait_or_kill(asyncio.ensure_future(self._changing.acquire()), doomed)
        try:
            yield
        finally:
            self._changing.release()

    async def _wait_or_kill(self, change: "asyncio.Future[Any]", doomed: list[str]) -> None:
        """Wait for a change; kill workers that are to go anyway if one may be holding it up.

        Dask waits forever for a worker that does not come to start.
        """
        while not (await asyncio.wait({change}, timeout=_CLOSING_S))[0]:
            self._kill(doomed)
        await change

    def _kill(self, names: Iterable[str]) -> None:
        """Kill workers, whatever state they are in."""
        doomed = set(names)
        for nanny in self._cluster._created:
            process = getattr(nanny, "process", None)
            if nanny.name in doomed and process is not None and process.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
