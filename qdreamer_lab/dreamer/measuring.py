"""From probes to a profile: runs them where the work will run, and fits the coefficients."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.dreamer.coefficients import COEFFICIENTS, PLACE
from qdreamer_lab.dreamer.learning import calibrated
from qdreamer_lab.dreamer.probes import Probe, exact_probes, join_probes, timed
from qdreamer_lab.dreamer.probes_sampled import round_probes, shot_probes
from qdreamer_lab.dreamer.profile import MachineProfile, library_versions
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.memory import available_bytes

if TYPE_CHECKING:
    from qdreamer_lab.workload.dispatch import SessionLike

__all__ = ["measured"]

_MOST_S = 20.0
_DEVIATION = 0.08
"""How far the model is off on a probe, in logarithms, if all is well."""

_SENT_BYTES = 1 << 22
_NOOPS = 30


def measured(session: SessionLike | None, on: str | None, budget_s: float) -> MachineProfile:
    """`MachineProfile.measure`."""
    if isinstance(budget_s, bool) or not 0 < budget_s <= _MOST_S:
        raise QDreamerError(f"budget_s={budget_s!r}: more than 0 and at most {_MOST_S:g} seconds")
    nominal = MachineProfile.nominal()
    pilots = [] if session is None else session.candidates(on)
    where = _ask(session, on, _place)
    there = [*exact_probes(where["cores"]), *shot_probes()]
    here = [*join_probes(), *round_probes()]
    warm_up = _ask(session, on, _timed_there, [there[0].call, there[4].call], budget_s)
    found = _ask(session, on, _timed_there, [one.call for one in there], 0.7 * budget_s)
    mine = timed([one.call for one in here], 0.2 * budget_s)
    probes: list[Probe] = [*there[: len(found)], *here[: len(mine)]]
    counts = [one.counts for one in probes]
    seconds = [best for _, best in (*found, *mine)]
    contention = nominal.contention
    if session is not None:
        for counted, took in _ways(session, on):
            counts.append(counted)
            seconds.append(took)
        if sum(pilot.wanted for pilot in pilots) > 1:
            contention = _contention(session, on, pilots, there[5])
    belief = calibrated(nominal.belief, np.array(counts), np.array(seconds), _DEVIATION)
    touched = np.array(counts).sum(axis=0) > 0
    return replace(
        nominal,
        **where,
        resource=pilots[0].resource if pilots else "here",
        versions=library_versions(),
        made_at_s=time.time(),
        source="measured",
        belief=belief,
        sources=tuple("measured" if one else "nominal" for one in touched),
        contention=contention,
        warm_up_s=max(0.0, sum(first - best for first, best in warm_up)),
    )


def _ask(session: SessionLike | None, on: str | None, function: Any, *args: Any) -> Any:
    """Call a function where the work will run."""
    if session is None:
        return function(*args)
    return session.submit(function, *args, name="measure", on=on).result()


def _timed_there(calls: list[Any], budget_s: float) -> list[tuple[float, float]]:
    return timed(calls, budget_s)


def _place() -> dict[str, Any]:
    """What this process may use, and where it is."""
    given = os.environ.get("PILOT_CORES_PER_WORKER")
    return {
        "machine": platform.node() or "unnamed",
        "cores": max(1, int(given)) if given else os.cpu_count() or 1,
        "memory_bytes": available_bytes(),
        "gpus": _gpus(),
    }


def _gpus() -> tuple[str, ...]:
    """Names and memory of the GPUs, if the library that knows them is there."""
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(k) for k in range(pynvml.nvmlDeviceGetCount())]
        return tuple(
            f"{pynvml.nvmlDeviceGetName(one)}, "
            f"{pynvml.nvmlDeviceGetMemoryInfo(one).total / 2**30:.0f} GiB"
            for one in handles
        )
    except pynvml.NVMLError:  # a library without a driver
        return ()


def _nothing() -> None:
    return None


def _echo(data: bytes) -> bytes:
    return data


def _ways(session: SessionLike, on: str | None) -> list[tuple[Any, float]]:
    """Counts and seconds of tasks that do nothing, and of one with a lot of data."""
    trips = []
    for _ in range(5):
        begin = time.perf_counter()
        session.submit(_nothing, name="trip", on=on).result()
        trips.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    for task in [session.submit(_nothing, name="trip", on=on) for _ in range(_NOOPS)]:
        task.result()
    several = time.perf_counter() - begin
    data = os.urandom(_SENT_BYTES)
    begin = time.perf_counter()
    session.submit(_echo, data, name="send", on=on).result()
    sent = time.perf_counter() - begin
    rows = [
        ({"trip": 1, "task": 1}, min(trips)),
        ({"trip": 1, "task": _NOOPS}, several),
        ({"trip": 1, "task": 1, "transfer": 2 * _SENT_BYTES}, sent),
    ]
    return [(_row(names), seconds) for names, seconds in rows]


def _row(names: dict[str, int]) -> Any:
    row = np.zeros(len(COEFFICIENTS))
    for name, count in names.items():
        row[PLACE[name]] = count
    return row


def _contention(session: SessionLike, on: str | None, pilots: list[Any], probe: Probe) -> float:
    """How much longer a probe takes when all workers run it."""
    workers = sum(pilot.wanted for pilot in pilots)

    def slowest(many: int) -> float:
        tasks = [
            session.submit(_timed_there, [probe.call] * 3, 1.0, name="measure", on=on)
            for _ in range(many)
        ]
        times = [best for task in tasks for _, best in task.result()]
        return float(np.median(times))

    slowest(workers)  # every worker has loaded its kernels then
    alone, together = slowest(1), slowest(workers)
    return float(np.clip(together / alone, 1.0, 4.0))
