"""The rows that are shown of pilots and their workers, made from what the agent reports."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pilot_kernel.drawing.sparkline import binned
from pilot_kernel.drawing.state_symbols import BUSY, DOWN, IDLE, PILOT_MARKS, SILENT, Mark
from pilot_kernel.drawing.units import megabytes, seconds
from pilot_kernel.resource.activity import Activity, PilotActivity, Queue, WorkerActivity
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from pilot_kernel.task.wire.record import task_name

__all__ = ["NO_PILOT", "Gauge", "Overview", "Row", "overview"]

NO_PILOT = "no pilot yet; the first task adds local://, and %pilot add URL adds others"

_WINDOWS = {60: 20, 120: 40, 300: 60}  # seconds: spans, each longer than the agent's sampling
_SILENT_S = 10.0  # workers report twice a second, and in large numbers every few seconds


@dataclass(frozen=True)
class Gauge:
    """How much of something is in use, now and before.

    Attributes:
        now: The use as text.
        before: What it was on average or at most, as text.
        shares: The use over the window, 0 to 1, evenly spaced; None where nothing is known.
        label: All of it in words.
    """

    now: str
    before: str
    shares: tuple[float | None, ...]
    label: str


@dataclass(frozen=True)
class Row:
    """A pilot or one of its workers.

    Attributes:
        name: Its name.
        is_pilot: Whether it is a pilot.
        mark: The symbol of its state.
        state: Its state.
        doing: The task of a worker; what a pilot consists of.
        cpu: Use of its cores.
        memory: Use of its memory.
    """

    name: str
    is_pilot: bool
    mark: Mark
    state: str
    doing: str
    cpu: Gauge | None = None
    memory: Gauge | None = None


@dataclass(frozen=True)
class Overview:
    """All pilots of a session at one moment.

    Attributes:
        at: When, unix seconds.
        summary: All of it in one line.
        window: How far back the gauges go, as text.
        rows: Pilots, each with its workers below it.
        queue: The tasks that wait, in one line; empty if none does.
    """

    at: float
    summary: str
    window: str
    rows: tuple[Row, ...]
    queue: str

    def essence(self) -> tuple[object, ...]:
        """What is shown at once when it changes; gauges may follow later."""
        return (
            self.summary,
            self.queue,
            tuple((row.name, row.state, row.doing) for row in self.rows),
        )


def overview(activity: Activity) -> Overview:
    """The rows to show of a session's pilots."""
    window_s = _window(activity)
    rows: list[Row] = []
    for pilot in activity.pilots:
        rows += _rows(pilot, activity, window_s)
    minutes = window_s // 60
    return Overview(
        at=activity.at,
        summary=_summary(activity),
        window=f"last {minutes} min",
        rows=tuple(rows),
        queue=_queue(activity.queue),
    )


def _window(activity: Activity) -> int:
    """The smallest window (seconds) that holds all samples."""
    span = activity.at - activity.times[0] if activity.times else 0.0
    return next((window for window in _WINDOWS if span <= window), max(_WINDOWS))


def _summary(activity: Activity) -> str:
    if not activity.pilots:
        return NO_PILOT
    up = sum(pilot.status.workers for pilot in activity.pilots)
    wanted = sum(pilot.status.wanted for pilot in activity.pilots)
    busy = sum(pilot.busy for pilot in activity.pilots)
    queue = activity.queue
    waiting = queue.ready + queue.blocked + queue.homeless
    return " · ".join(
        (
            _counted(len(activity.pilots), "pilot"),
            f"{up} of {_counted(wanted, 'worker')} up, {busy} busy",
            f"{_counted(waiting, 'task')} waiting" if waiting else "nothing waits",
        )
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _queue(queue: Queue) -> str:
    parts = []
    if queue.ready:
        runs = [(name, len(list(run))) for name, run in groupby(map(task_name, queue.following))]
        first = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in runs)
        more = ", …" if queue.ready > len(queue.following) else ""
        parts.append(f"{queue.ready:,} for a worker (next: {first}{more})")
    if queue.blocked:
        parts.append(f"{queue.blocked:,} for other tasks")
    if queue.homeless:
        parts.append(f"{queue.homeless:,} for a kind of worker of which none is up")
    return f"waiting: {'; '.join(parts)}" if parts else ""


def _rows(pilot: PilotActivity, activity: Activity, window_s: int) -> list[Row]:
    workers = [_worker_row(worker, pilot, activity, window_s) for worker in pilot.workers]
    rows = [_pilot_row(pilot, activity, window_s), *workers]
    left_out = pilot.status.wanted - len(pilot.workers)
    if left_out > 0:
        busy = pilot.busy - sum(worker.task is not None for worker in pilot.workers)
        up = pilot.status.workers - sum(worker.up for worker in pilot.workers)
        doing = f"{up:,} up, {max(0, busy):,} busy; the pilot's figures include them"
        rows.append(Row(f"and {left_out:,} more", False, IDLE, "", doing))
    return rows


def _pilot_row(pilot: PilotActivity, activity: Activity, window_s: int) -> Row:
    status = pilot.status
    cores = status.cores_per_worker * max(1, status.workers)
    facts: tuple[str, ...] = (
        status.resource,
        " ".join(status.offers).lower(),
        _counted(status.cores_per_worker, "core")
        + f", {megabytes(status.memory_per_worker_bytes)} each",
    )
    state = f"{status.state} {status.workers}/{status.wanted}"
    if status.draining:
        state = f"draining, {status.workers} left"
    elif status.state is PilotState.FAILED:
        facts = (status.resource, "its workers do not start")
    doing = " · ".join((*facts, *_further(status, activity.at)))
    return Row(
        status.name,
        True,
        PILOT_MARKS[status.state],
        state,
        doing,
        *_gauges(pilot, status.name, cores, status.workers > 0, activity, window_s),
    )


def _further(status: PilotStatus, at: float) -> Iterator[str]:
    """What not every pilot has to say of itself."""
    if status.tags:
        yield f"tags: {', '.join(status.tags)}"
    if status.adaptive is not None:
        yield f"adaptive, {status.adaptive[0]} to {status.adaptive[1]}"
    if len(set(status.gpus)) > 1:
        yield f"GPUs differ: {status.gpu_memory_bytes / 2**30:.0f} GiB is what all of them have"
    if status.ends_at is not None:
        yield f"ends in {seconds(max(0, round(status.ends_at - at)))}"
    if status.note:
        yield status.note


def _worker_row(
    worker: WorkerActivity, pilot: PilotActivity, activity: Activity, window_s: int
) -> Row:
    mark, state, doing = _worker_state(worker, failed=pilot.status.state is PilotState.FAILED)
    doing = " · ".join(filter(None, (worker.gpu, doing)))
    cores = pilot.status.cores_per_worker
    gauges = _gauges(worker, worker.name, cores, worker.up, activity, window_s)
    return Row(worker.name, False, mark, state, doing, *gauges)


def _worker_state(worker: WorkerActivity, *, failed: bool) -> tuple[Mark, str, str]:
    if not worker.up:
        if failed:
            return DOWN, "given up", ""
        if any(use is not None for use in worker.cpu_percent):
            return DOWN, "lost", "being brought back"
        return Mark("…"), "starting", ""
    doing = task_name(worker.task) if worker.task else ""
    if worker.task_s is not None and worker.task_s >= 1:
        doing = f"{doing} · {seconds(int(worker.task_s))}"
    if worker.silent_s > _SILENT_S:
        return SILENT, f"silent for {seconds(int(worker.silent_s))}", doing
    if worker.gpu_gone:
        return DOWN, "without GPU", "gone; it takes no tasks"
    return (BUSY, "busy", doing) if worker.task else (IDLE, "idle", "")


def _gauges(
    of: PilotActivity | WorkerActivity,
    name: str,
    cores: int,
    up: bool,
    activity: Activity,
    window_s: int,
) -> tuple[Gauge | None, Gauge | None]:
    """The use of processor and memory; None for what was never up."""
    if not any(use is not None for use in of.cpu_percent):
        return None, None
    limit = of.memory_limit_bytes or max(size or 0 for size in of.memory_bytes) or 1

    def shares(values: Sequence[float | None], whole: float) -> tuple[float | None, ...]:
        means = binned(
            activity.times, values, until=activity.at, window_s=window_s, bins=_WINDOWS[window_s]
        )
        return tuple(None if mean is None else mean / whole for mean in means)

    cpu = shares(of.cpu_percent, 100.0 * cores)
    memory = shares(of.memory_bytes, limit)
    begin = activity.at - window_s
    seen = [
        use
        for at, use in zip(activity.times, of.cpu_percent, strict=True)
        if use is not None and at >= begin
    ]
    mean = f"mean {_percent(math.fsum(seen) / len(seen) / (100.0 * cores))}" if seen else ""
    most = max(size or 0 for size in of.memory_bytes)
    peak = f"peak {megabytes(most)}"
    now = _percent(_last(of.cpu_percent) / (100.0 * cores)) if up else "-"
    size = megabytes(int(_last(of.memory_bytes))) if up else "-"
    minutes = window_s // 60
    over = f"of {name} over the last {minutes} min"
    return (
        Gauge(now, mean, cpu, f"CPU {over}: {now} now, {mean or 'nothing known'}"),
        Gauge(
            size,
            "" if size == megabytes(most) else peak,
            memory,
            f"memory {over}: {size} of {megabytes(limit)} now, {peak}",
        ),
    )


def _last(values: Sequence[float | None]) -> float:
    return next((value for value in reversed(values) if value is not None), 0.0)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
