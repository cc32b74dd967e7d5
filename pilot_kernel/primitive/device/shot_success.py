"""How likely a shot on a device is free of errors, by what the device says of itself.

Gates and readout count with the errors in its target, on the qubits that are used; a qubit that
waits between two instructions loses what its T1 and T2 say. Only what can reach chosen bits may be
counted. Nothing runs here.
"""

import math
from collections.abc import Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.transpiler import Target

__all__ = ["success"]


def success(circuit: QuantumCircuit, target: Target, bits: Sequence[int] | None = None) -> float:
    """Probability that nothing goes wrong in a shot; what a target does not tell counts as perfect.

    A pause t keeps a qubit's state with the fidelity 1/2 + exp(-t/T1)/6 + exp(-t/T2)/3, averaged
    over all states.

    Args:
        circuit: In the device's terms, with all parameters bound.
        target: Of the device.
        bits: Numbers of the classical bits that matter: what cannot reach them does not count. None
            for all that is done.
    """
    counts = [True] * len(circuit.data) if bits is None else _reaching(circuit, bits)
    logarithm = 0.0
    ready: dict[Any, float] = {}
    for step, reaches in zip(circuit.data, counts, strict=True):
        places = tuple(circuit.find_bit(qubit).index for qubit in step.qubits)
        begin = max((ready.get(bit, 0.0) for bit in (*step.qubits, *step.clbits)), default=0.0)
        took = 0.0
        if step.name in target.operation_names:
            known = target[step.name].get(places)
            error = getattr(known, "error", None) or 0.0
            logarithm += math.log1p(-min(error, 1 - 1e-12)) * reaches
            took = getattr(known, "duration", None) or 0.0
        if step.name != "barrier":
            for qubit, place in zip(step.qubits, places, strict=True):
                if qubit in ready:  # before its first gate it is in |0>, which stays
                    logarithm += math.log(_kept(target, place, begin - ready[qubit])) * reaches
                ready[qubit] = begin + took
            ready.update(dict.fromkeys(step.clbits, begin + took))
    return math.exp(logarithm)


def _reaching(circuit: QuantumCircuit, bits: Sequence[int]) -> list[bool]:
    """Of each instruction, whether what it does can be read from some classical bits."""
    wanted = {circuit.clbits[bit] for bit in bits}
    alive: set[Any] = set()
    found = []
    for step in reversed(circuit.data):
        reaches = not alive.isdisjoint(step.qubits) or not wanted.isdisjoint(step.clbits)
        found.append(reaches)
        if step.name == "reset":
            alive.difference_update(step.qubits)
        elif reaches and step.name != "barrier":
            alive.update(step.qubits)
    return found[::-1]


def _kept(target: Target, place: int, pause_s: float) -> float:
    """Fidelity of a qubit that has waited."""
    properties = target.qubit_properties
    told = properties[place] if properties else None
    found = 0.5
    for name, share in (("t1", 1 / 6), ("t2", 1 / 3)):
        time_s = getattr(told, name, None)
        found += share * (math.exp(-pause_s / time_s) if time_s else 1.0)
    return found
