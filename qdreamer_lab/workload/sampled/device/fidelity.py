"""How likely a shot on a device is free of errors, and how long it takes, by what it says itself.

Gates and readout count with the errors in its target, on the qubits that are used; a qubit that
waits between two instructions loses what its T1 and T2 say. Nothing runs here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pilot_kernel.primitive.device.shot_time import seconds_per_shot
from qdreamer_lab.workload.sampled.device.splice import splice

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2
    from qiskit.transpiler import Target

    from qdreamer_lab.workload.sampled.device.transpile import Forms
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["fragment_seconds", "fragment_success", "success"]

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


def success(circuit: QuantumCircuit, target: Target) -> float:
    """Probability that nothing goes wrong in a shot; what a target does not tell counts as perfect.

    A pause t keeps a qubit's state with the fidelity 1/2 + exp(-t/T1)/6 + exp(-t/T2)/3, averaged
    over all states.

    Args:
        circuit: In the device's terms, with all parameters bound.
        target: Of the device.
    """
    logarithm = 0.0
    ready: dict[Any, float] = {}
    for step in circuit.data:
        places = tuple(circuit.find_bit(qubit).index for qubit in step.qubits)
        bits = (*step.qubits, *step.clbits)
        begin = max((ready.get(bit, 0.0) for bit in bits), default=0.0)
        took = 0.0
        if step.name in target.operation_names:
            known = target[step.name].get(places)
            error = getattr(known, "error", None) or 0.0
            logarithm += math.log1p(-min(error, 1 - 1e-12))
            took = getattr(known, "duration", None) or 0.0
        if step.name != "barrier":
            for qubit, place in zip(step.qubits, places, strict=True):
                if qubit in ready:  # before its first gate it is in |0>, which stays
                    logarithm += math.log(_kept(target, place, begin - ready[qubit]))
                ready[qubit] = begin + took
            ready.update(dict.fromkeys(step.clbits, begin + took))
    return math.exp(logarithm)


def _kept(target: Target, place: int, pause_s: float) -> float:
    """Fidelity of a qubit that has waited."""
    properties = target.qubit_properties
    told = properties[place] if properties else None
    found = 0.5
    for name, share in (("t1", 1 / 6), ("t2", 1 / 3)):
        time_s = getattr(told, name, None)
        found += share * (math.exp(-pause_s / time_s) if time_s else 1.0)
    return found
