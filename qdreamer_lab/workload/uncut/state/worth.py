"""Which circuits this package simulates in Aer's place: where it is faster, and what it can.

The one place where that is decided, from what `benchmarks/runtime/whole_states.py` shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qiskit.circuit.library import UnitaryGate

from pilot_kernel.primitive.circuit.gates import WITHOUT_EFFECT, kind_of
from qdreamer_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["NARROWEST", "refusal"]

NARROWEST = 13
"""Qubits from which on expectation values are taken. Below, a sweep is Aer's, which binds values to
gates sooner than gates are read here; single values are over in milliseconds either way. Shots are
taken of any width: Aer's sampler spends tens of milliseconds on each set of values."""

_WIDEST_GATE = 3
"""Qubits of a gate that is taken apart into few others; Aer runs wider ones as they are."""


def refusal(circuit: QuantumCircuit, sets: int, device: str, *, sampled: bool) -> str | None:
    """Why a circuit is not taken, in words that go on after "it"; None if it is.

    Args:
        circuit: Gates, written for simulators; its parameters need no values.
        sets: How many sets of parameter values there are.
        device: "CPU" or "GPU"; no other simulator is there for a GPU.
        sampled: Whether shots are wanted, rather than expectation values.
    """
    if device == "GPU":
        return _impossible(circuit)
    if circuit.num_qubits < NARROWEST and not sampled:
        return f"has fewer than {NARROWEST} qubits, where Aer is as fast"
    for step in circuit.data:
        kind, width = kind_of(step.operation), len(step.qubits)
        if kind in WITHOUT_EFFECT:
            continue
        widest = _WIDEST_GATE if step.is_standard_gate() else 2 * (kind is UnitaryGate)
        if width > widest:
            return f"has {step.name!r} on {width} qubits, which Aer runs as it is"
    return None


def _impossible(circuit: QuantumCircuit) -> str | None:
    """What is no unitary."""
    from qdreamer_lab.workload.circuit.unrolling import leaves

    number = {qubit: place for place, qubit in enumerate(circuit.qubits)}
    touched: set[int] = set()
    for place, step in enumerate(circuit.data):
        qubits = tuple(number[qubit] for qubit in step.qubits)
        try:
            for _ in leaves(step, qubits, f"instruction {place} ({step.name})", touched):
                pass
        except CircuitError as error:
            return f"cannot be simulated as a unitary: {error}"
    return None
