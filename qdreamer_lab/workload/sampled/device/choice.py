"""Which of several devices share a fragment: those that are done soon, err least, or are cheapest.

Arithmetic on what devices and their owners say; nothing is written for a device or sent to one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot_kernel.primitive.device.shot_time import TYPICAL_SHOT_S, WAITING_JOB_S, pending_jobs
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.sampled.device.check import is_simulated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.execution.device import Device, Terms

__all__ = ["Choice", "Outlook", "job_s", "queue_s", "shot_s"]

_JOBS = 2
"""Of a fragment, about: one for each round of shots."""

_JOB_S = 2.0
"""A job besides its shots, where nothing is stated; on a simulator `_SIMULATED_JOB_S`."""

_SIMULATED_JOB_S = 0.02

_ALIKE = 0.05
"""Devices of which one errs more than the other by this part of its errors are taken for equals."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What shots of a fragment would be on a device.

    Attributes:
        success: Share of them that will be free of errors.
        shot_s: Seconds of one; None if the target lacks a duration.
    """

    success: float
    shot_s: float | None


class Choice:
    """Orders devices for a fragment, and says which of them share it.

    Args:
        devices: All of them.
        prefer: "time", "fidelity" or "cost".

    Raises:
        QDreamerError: If prices are to decide, and there are none, or in several currencies.
    """

    def __init__(self, devices: Sequence[Device], prefer: str) -> None:
        self._devices = tuple(devices)
        self._prefer = prefer
        self._wait_s = dict.fromkeys((device.name for device in devices), 0.0)
        if prefer == "cost":
            _check_prices(devices)

    def ask_queues(self) -> None:
        """Find out how long each device keeps a job waiting; those far away are asked."""
        for device in self._devices:
            self._wait_s[device.name] = queue_s(device.backend, device.terms)

    def order(self, outlooks: Mapping[str, Outlook], shots: float) -> list[Device]:
        """The devices that can run a fragment, the best first.

        Args:
            outlooks: By the names of the devices; one that cannot run it is not among them.
            shots: Of the fragment, about.
        """

        def key(device: Device) -> tuple[float, float]:
            seen = outlooks[device.name]
            done_s = self._wait_s[device.name] + _seconds(seen, shots)
            if self._prefer == "fidelity":
                return -seen.success, done_s
            if self._prefer == "cost":
                return _price(device, seen, shots), done_s
            return done_s, 0.0

        return sorted((each for each in self._devices if each.name in outlooks), key=key)

    def among(self, outlooks: Mapping[str, Outlook], shots: float) -> tuple[Device, ...]:
        """The devices that share a fragment, the best first: all where time decides, else equals.

        Args:
            outlooks: As for `order`.
            shots: As there.
        """
        ranked = self.order(outlooks, shots)
        if not ranked or self._prefer == "time":
            return tuple(ranked)
        best = outlooks[ranked[0].name]
        if self._prefer == "fidelity":
            most = (1 + _ALIKE) * (1 - best.success) + 1e-12
            return tuple(each for each in ranked if 1 - outlooks[each.name].success <= most)
        price = _price(ranked[0], best, shots)
        return tuple(e for e in ranked if _price(e, outlooks[e.name], shots) <= price * (1 + 1e-9))

    @property
    def parts(self) -> bool:
        """Whether circuits of one job may go in several; each may have a price."""
        return self._prefer != "cost"

    def wait_s(self, device: Device) -> float:
        """How long a device keeps the next job waiting, about."""
        return self._wait_s[device.name]

    def began(self, device: Device) -> None:
        """Note that a device has had its first job, which is the one that waits."""
        self._wait_s[device.name] = 0.0


def queue_s(backend: BackendV2, terms: Terms | None) -> float:
    """How long a job waits at a device, about: as its owner states, or by the jobs that wait now.

    Args:
        backend: The device; it may be far away.
        terms: What its owner states.
    """
    if terms is not None and terms.queue_s:
        return terms.queue_s
    return WAITING_JOB_S * (pending_jobs(backend) or 0)


def job_s(device: Device) -> float:
    """What a job takes besides its shots, about: as its owner states, or a typical value."""
    stated = getattr(device.terms, "job_overhead_s", None)
    if stated is not None:
        return float(stated)
    return _SIMULATED_JOB_S if is_simulated(device.backend) else _JOB_S


def shot_s(outlook: Outlook) -> float:
    """Seconds of a shot; a typical value where the target does not tell."""
    return TYPICAL_SHOT_S if outlook.shot_s is None else outlook.shot_s


def _seconds(outlook: Outlook, shots: float) -> float:
    return shots * shot_s(outlook)


def _price(device: Device, outlook: Outlook, shots: float) -> float:
    """What a fragment costs; without bounds if that is not known."""
    if device.terms is None or outlook.shot_s is None:
        return math.inf
    price = device.terms.cost(_seconds(outlook, shots), round(shots), _JOBS)
    return math.inf if price is None else price


def _check_prices(devices: Sequence[Device]) -> None:
    priced = [
        each.terms for each in devices if each.terms and each.terms.cost(1.0, 1, 1) is not None
    ]
    if devices and not priced:
        raise QDreamerError(
            "prefer='cost' needs prices: give "
            f"terms={{{devices[0].name!r}: DeviceTerms(price_per_second=...)}}"
        )
    currencies = sorted({terms.currency for terms in priced})
    if len(currencies) > 1:
        raise QDreamerError(
            f"prefer='cost' compares prices, and they are in {', '.join(currencies)}: give all "
            "terms in one currency"
        )
