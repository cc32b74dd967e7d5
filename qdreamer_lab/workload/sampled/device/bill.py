"""What a request would take on a device: circuits, jobs, shots and seconds.

Circuits are written as for a run and counted. Nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.primitive.device.provider.registry import jobs_for
from pilot_kernel.primitive.device.shot_time import seconds_per_shot
from qdreamer_lab.workload.sampled.device.folding import folded
from qdreamer_lab.workload.sampled.device.orders import jobs_of, orders_of
from qdreamer_lab.workload.sampled.device.splice import splice

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.transpile import Forms
    from qdreamer_lab.workload.sampled.shots import ShotRequest
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Bill", "bill"]

_MOST_TIMED = 64
"""Variants whose circuits are timed one by one; they differ in a few gates at the cuts only."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What is sent to a device.

    Attributes:
        circuits: In all jobs; one that is in several jobs counts in each.
        jobs: Calls of the device.
        shots: Of all circuits.
        seconds: That the device is at it; None if its target lacks a duration.
    """

    circuits: int = 0
    jobs: int = 0
    shots: int = 0
    seconds: float | None = 0.0

    def __add__(self, other: Bill) -> Bill:
        known = self.seconds is not None and other.seconds is not None
        return Bill(
            self.circuits + other.circuits,
            self.jobs + other.jobs,
            self.shots + other.shots,
            (self.seconds or 0.0) + (other.seconds or 0.0) if known else None,
        )


def bill(fragment: ShotFragment, forms: Forms, request: ShotRequest, backend: BackendV2) -> Bill:
    """What `run_on_device` would send for a request.

    Args:
        fragment: The fragment, for the binding in question.
        forms: Its circuits for this backend, with all parameters bound.
        request: Which variants, and how many shots each.
        backend: The device.
    """
    variants = request.variants.tolist()
    measures = {v: splice(fragment, forms, v).circuit.num_clbits > 0 for v in set(variants)}
    live = [k for k, variant in enumerate(variants) if measures[variant]]
    jobs = jobs_of(orders_of(request, live, forms, backend), backend)
    each = _seconds(fragment, forms, [variants[k] for k in live], backend)
    taken = sum(count for job in jobs for _, count in job)
    return Bill(
        circuits=sum(map(len, jobs)),
        jobs=sum(jobs_for(backend, len(job), job[0][1]) for job in jobs),
        shots=taken,
        seconds=None if each is None else each * taken,
    )


def _seconds(
    fragment: ShotFragment, forms: Forms, variants: list[int], backend: BackendV2
) -> float | None:
    """Of a shot of these variants, on average over some of them; None if it is not known."""
    distinct = sorted(set(variants))
    places = np.linspace(0, len(distinct) - 1, min(len(distinct), _MOST_TIMED)).astype(int)
    found = []
    for place in places.tolist():
        made = folded(splice(fragment, forms, distinct[place]), forms.noise_factor, backend)
        each = seconds_per_shot(made.circuit, backend)
        if each is None:
            return None
        found.append(each)
    return float(np.mean(found)) if found else 0.0
