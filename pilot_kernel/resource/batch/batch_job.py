"""One batch job in the agent's hands: submitted, followed through the queue, cancelled.

The cluster starts and closes it like a worker. It says how it is doing (`note`), notices when it is
gone, and leaves it to the agent to begin another.
"""

import asyncio
import contextlib
import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from pilot_kernel.resource import left_jobs
from pilot_kernel.resource.batch import undertaker
from pilot_kernel.resource.batch.commands import CommandError, run
from pilot_kernel.resource.batch.plan import JobPlan
from pilot_kernel.resource.batch.queue_watch import QUEUE, Seen, ask

if TYPE_CHECKING:
    import subprocess

__all__ = ["BatchJob", "JobSite"]

log = logging.getLogger("pilot_kernel.agent")

_PASSING = ("unable to contact", "timed out", "temporarily", "endpoint", "not answer", "refused")
_PAUSES_S = (2.0, 5.0, 15.0, 60.0)
_LOOK_S = 5.0
_AT_ONCE = 4
_FAILURES = 3
_GLANCE_S = 0.25
_BY_ITSELF = frozenset({"COMPLETED", "FAILED", "OUT_OF_MEMORY"})
_OWN_FAULT = frozenset({"", "None", "NonZeroExitCode", "OutOfMemory"})
_LOST_S = 60.0  # workers that were up come back within that, or their job is taken to be gone
_SUBMITTING_S = 5.0
_times: Counter[tuple[Path, str]] = Counter()
_undertakers: dict[Path, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True, kw_only=True)
class JobSite:
    """Where a pilot's jobs leave their files.

    Attributes:
        directory: The agent's folder.
        folder: The one that the nodes see: the agent's, or one in a working directory.
        workers: How many workers a job brings up.
        start_within_s: How long a job may wait before that is reported.
        last: What became of the last job that the cluster knew under a name.
        failures: How many jobs in a row failed by themselves before they had a worker, by name.
        gate: Keeps a pilot of many nodes from calling the batch system for all of them at once.
    """

    directory: Path
    folder: Path
    workers: int
    start_within_s: int | None = None
    last: dict[str, str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))


class BatchJob(ProcessInterface):  # type: ignore[misc]
    """A batch job that brings up workers; see `ProcessInterface`.

    Args:
        scheduler: What the cluster takes for the scheduler's address; the plan knows better.
        name: What the cluster calls it.
        plan: The script.
        site: Where its files are.

    Attributes:
        gave_up: Whether the batch system has refused it, so that another would be refused as well.
    """

    def __init__(
        self, scheduler: str | None = None, name: str = "", *, plan: JobPlan, site: JobSite
    ) -> None:
        super().__init__(scheduler, name)
        self.name = name
        self.gave_up = False
        self.job_id: str | None = None
        self._plan = plan
        self._site = site
        _times[site.directory, name] += 1
        nth = _times[site.directory, name]
        self._job_name = plan.job_name(name, nth)  # no other job of the agent is called so
        self._job = plan.job(name, nth)
        self._job._call = run
        self._life: asyncio.Task[None] | None = None
        self._submitting: asyncio.Future[str] | None = None
        self._over = False
        self._begun = time.monotonic()
        self._ran = False  # it has begun once, in the queue's words or by a worker
        self._was_up = False
        self._words = ""
        self._before = site.last.get(name, "")
        self._seen: Seen | None = None  # in the queue, if that is what there is to tell of

    async def start(self) -> None:
        """Begin to submit it; that goes on in the background."""
        await super().start()
        self._life = asyncio.create_task(self._live())

    async def close(self) -> None:
        """Cancel it."""
        if self.status == Status.closed:
            return
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
        if self._submitting is not None and self.job_id is None:
            # It may come through yet, and must not be forgotten then.
            done, _ = await asyncio.wait({self._submitting}, timeout=_SUBMITTING_S)
            if done and self._submitting.exception() is None:
                self._submitted(self._submitting.result())
        await self._cancel()
        await super().close()

    async def _cancel(self) -> None:
        if self.job_id is None or self._over:
            return
        try:
            async with self._site.gate:
                await run([*self._job.cancel_command.split(), self.job_id])
        except CommandError as error:  # it has ended, or whoever clears up has to try again
            log.info("job %s: %s", self.job_id, error)
            return
        left_jobs.note(self._site.directory, over=self._job_name)

    @property
    def note(self) -> str:
        """A word on how it is doing; empty if all is well."""
        words = self._words if self._seen is None else self._story(self._seen)
        return f"{words} (before: {self._before})" if words and self._before else words

    def _say(self, words: str) -> None:
        self._seen = None
        if words != self._words:
            log.info("%s: %s", self.name, words)
        self._words = words

    # ---- its life

    async def _live(self) -> None:
        try:
            self._prepare()
            await self._submit()
            if self._plan.system.scheme == "slurm":
                await self._follow()
            else:
                await self._follow_workers()
            self.status = Status.closed
        except _RefusedError as error:
            self.gave_up = True
            self._say(str(error))
            self.status = Status.failed
        except OSError as error:
            self.gave_up = True
            self._say(f"{type(error).__name__}: {error}")
            self.status = Status.failed
        except Exception:
            log.exception("job of %s", self.name)
            self._say("its job failed unexpectedly; see %pilot logs agent")
            self.status = Status.failed
        self._site.last[self.name] = self._words

    def _prepare(self) -> None:
        """Have the folders that it needs, and somebody to cancel it if the agent is killed."""
        site = self._site
        for folder in (site.folder, self._plan.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
        if site.folder != site.directory:
            left_jobs.note(site.directory, folder=str(site.folder))
            for pem in site.directory.glob("*.pem"):
                _copy(pem, site.folder / pem.name)
        keeper = _undertakers.get(site.directory)
        if keeper is None or keeper.poll() is not None:
            _undertakers[site.directory] = undertaker.start(site.directory)

    async def _submit(self) -> None:
        canceller = self._job.cancel_command
        left_jobs.note(self._site.directory, job=self._job_name, cancel=canceller)
        for again, pause_s in enumerate(_pauses()):
            try:
                self._submitting = asyncio.ensure_future(self._hand_in(again=again > 0))
                self._submitted(await asyncio.shield(self._submitting))
            except CommandError as error:
                words = _words(error)
                if not any(sign in words.lower() for sign in _PASSING):
                    left_jobs.note(self._site.directory, over=self._job_name)
                    raise _RefusedError(words) from None
                self._say(f"{words}; trying again")
                await asyncio.sleep(pause_s)
            else:
                return

    async def _hand_in(self, *, again: bool) -> str:
        """Submit it and return its number, unless an earlier try came through after all."""
        if again and self._plan.system.scheme == "slurm":
            there = [job for job in await ask({self._job_name}) if not job.over]
            if there:
                return there[0].id
        with self._job.job_file() as script:
            async with self._site.gate:
                told = await self._job._submit_job(script)
        return str(self._job._job_id_from_submit_output(told))

    def _submitted(self, job_id: str) -> None:
        self.job_id = job_id
        left_jobs.note(
            self._site.directory,
            job=self._job_name,
            cancel=self._job.cancel_command,
            id=job_id,
        )
        self._say(f"job {job_id} is submitted")

    async def _follow(self) -> None:
        """Follow it through SLURM's queue until it is gone for good."""
        assert self.job_id is not None
        glancing = asyncio.create_task(self._see_workers())
        try:
            await self._follow_queue(self.job_id)
        finally:
            glancing.cancel()

    async def _see_workers(self) -> None:
        """Take note that a worker is up; it may be gone again at the next look at the queue."""
        while not self._workers_up():
            await asyncio.sleep(_GLANCE_S)
        self._ran = self._was_up = True
        self._before = ""
        self._site.failures.pop(self.name, None)

    async def _follow_queue(self, job_id: str) -> None:
        unknown = 0
        last: Seen | None = None
        while unknown < 2:
            try:
                seen = await QUEUE.look(self._job_name, job_id)
            except CommandError as error:
                self._say(f"job {job_id}: squeue: {_words(error)}")
                continue
            unknown = 0 if seen is not None else unknown + 1
            if seen is None:
                continue
            if seen.over:
                last = seen
                break
            self._say(self._story(seen))
            self._seen = seen
            self._ran = self._ran or not seen.waits
        self._over = True
        left_jobs.note(self._site.directory, over=self._job_name)
        self._ended("is gone" if last is None else f"ended: {last.state}", last)

    def _story(self, seen: Seen) -> str:
        waited_s = time.monotonic() - self._begun
        job = f"job {seen.id}"
        if seen.waits:
            again = " to start again" if self._ran else ""
            limit = self._site.start_within_s
            late = limit is not None and waited_s > limit and not self._ran
            since = f" for more than start_within_s={limit}" if late else ""
            return f"{job} waits{again}{since}: {seen.reason}"
        if not self._workers_up():
            return f"{job} is {seen.state} on {seen.node}, no worker is up yet"
        return ""

    def _ended(self, how: str, last: Seen | None) -> None:
        words = f"job {self.job_id} {how}"
        if last is not None and last.reason not in ("None", ""):
            words += f" ({last.reason})"
        if last is None or (last.state in _BY_ITSELF and last.reason in _OWN_FAULT):
            path = self._plan.log(self.name)
            words += f": {_last_line(path) or f'{path} tells nothing'}"
            self._failed_again(words)
        self._say(words)

    def _failed_again(self, words: str) -> None:
        """Give up if what the script runs has failed a few times in a row, workers never coming."""
        if self._was_up:
            return
        self._site.failures[self.name] += 1
        if self._site.failures[self.name] >= _FAILURES:
            raise _RefusedError(f"{words} (it failed {_FAILURES} times)")

    async def _follow_workers(self) -> None:
        """Follow it by its workers, where nobody can be asked; it is gone when they are."""
        missing_since: float | None = None
        while True:
            await asyncio.sleep(_LOOK_S)
            up = self._workers_up()
            if up:
                self._ran = self._was_up = True
            now = time.monotonic()
            if up:
                missing_since = None
                self._say("")
            elif self._ran:
                missing_since = missing_since or now
                if now - missing_since > _LOST_S:
                    break
            else:
                limit = self._site.start_within_s
                late = limit is not None and now - self._begun > limit
                since = f" for more than start_within_s={limit}" if late else ""
                self._say(f"job {self.job_id} has no workers yet{since}")
        await self._cancel()
        self._ended("has lost its workers", None)

    def _workers_up(self) -> bool:
        cluster = self._cluster() if hasattr(self, "_cluster") else None
        if cluster is None:
            return False
        names = cluster.scheduler.aliases
        return any(f"{self.name}-{number}" in names for number in range(self._site.workers))


class _RefusedError(Exception):
    """The batch system does not take the job; the text is what it said."""


def _pauses() -> Iterator[float]:
    yield from _PAUSES_S
    while True:
        yield _PAUSES_S[-1]


def _words(error: Exception) -> str:
    """What a program said, on one line."""
    return "; ".join(" ".join(line.split()) for line in str(error).splitlines() if line.strip())


def _copy(pem: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    to.touch(0o600, exist_ok=False)
    with pem.open("rb") as source, to.open("wb") as target:
        shutil.copyfileobj(source, target)


def _last_line(path: Path) -> str:
    """The last line of what a job wrote, if there is any."""
    with contextlib.suppress(OSError):
        lines = path.read_text(errors="replace").strip().splitlines()
        if lines:
            return lines[-1][-300:]
    return ""
