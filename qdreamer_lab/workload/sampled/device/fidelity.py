"""How likely a fragment's shots on a device are free of errors, and how long they take.

By what the device says of itself. Nothing runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.primitive.device.shot_success import success
from pilot_kernel.primitive.device.shot_time import seconds_per_shot
from qdreamer_lab.workload.sampled.device.splice import splice

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.transpile import Forms
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["fragment_seconds", "fragment_success"]

_MOST_LOOKED_AT = 8
"""Variants of a fragment that are looked at; they differ in a few gates at the cuts only."""


def fragment_success(fragment: ShotFragment, forms: Forms, backend: BackendV2) -> float:
    """`success` of a fragment's variants, on average over some of them.

    Args:
        fragment: The fragment, for the binding in question.
        forms: Its circuits for this backend, with all parameters bound.
        backend: The device.
    """
    found = [
        success(splice(fragment, forms, k).circuit, backend.target) for k in _looked_at(fragment)
    ]
    return float(np.mean(found))


def fragment_seconds(fragment: ShotFragment, forms: Forms, backend: BackendV2) -> float | None:
    """`seconds_per_shot` of a fragment's variants, on average over some of them.

    Args:
        fragment: As for `fragment_success`.
        forms: As there.
        backend: The device.
    """
    found = []
    for variant in _looked_at(fragment):
        each = seconds_per_shot(splice(fragment, forms, variant).circuit, backend)
        if each is None:
            return None
        found.append(each)
    return float(np.mean(found))


def _looked_at(fragment: ShotFragment) -> list[int]:
    """Some variants, evenly among all."""
    count = min(fragment.num_variants, _MOST_LOOKED_AT)
    return [int(each) for each in np.linspace(0, fragment.num_variants - 1, count)]
