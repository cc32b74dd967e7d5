"""What an instruction means: decided by its class, then its definition, then its matrix.

Never by its name, because a user may call any gate `swap`. Aer, Qiskit's transpiler and targets do
go by names, so every module that takes circuits apart for them asks here first.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, BoxOp, ControlledGate, Delay, Gate, Instruction, Measure
from qiskit.circuit.library import (
    GlobalPhaseGate,
    PermutationGate,
    get_standard_gate_name_mapping,
)
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford
from qiskit.synthesis import synth_permutation_basic

__all__ = [
    "DEEPEST",
    "GENERIC",
    "WITHOUT_EFFECT",
    "UndefinedGateError",
    "definition_of",
    "has_open_controls",
    "is_built_in",
    "kind_of",
    "matrix_of",
    "measures",
    "standard_name",
]

DEEPEST = 200
"""Definitions within definitions, before a gate is taken to be part of its own definition."""

GENERIC = frozenset({Gate, Instruction, ControlledGate})
"""Classes that carry no meaning: only the definition says what such an instruction does."""

WITHOUT_EFFECT = frozenset({Barrier, Delay, GlobalPhaseGate})
"""What leaves a noiseless state as it is, whatever its parameters."""

_BUILT_IN = ("qiskit.circuit.", "qiskit_aer.")
"""Packages whose classes mean what they are called."""


class UndefinedGateError(ValueError):
    """A gate has neither a definition nor a matrix; the argument says which."""


def kind_of(operation: Any) -> type:
    """Its class as a user writes it; Qiskit's singletons have a hidden class of their own."""
    return getattr(operation, "base_class", type(operation))


def standard_name(operation: Any) -> str | None:
    """Its name among Qiskit's standard gates; None if it is none, or has open controls."""
    return None if has_open_controls(operation) else _standard_names().get(kind_of(operation))


def has_open_controls(operation: Any) -> bool:
    """Whether it acts where one of its control qubits is 0."""
    return isinstance(operation, ControlledGate) and (
        operation.ctrl_state != 2**operation.num_ctrl_qubits - 1
    )


def is_built_in(operation: Any) -> bool:
    """Whether its class is one of Qiskit's or Aer's, and it is called what that class is called."""
    kind = kind_of(operation)
    if kind in GENERIC or not str(kind.__module__).startswith(_BUILT_IN):
        return False
    usual = _standard_kinds().get(operation.name)
    return usual is None or issubclass(kind, usual)


def definition_of(operation: Any) -> QuantumCircuit | None:
    """The circuit that an operation stands for; None if it has only a matrix, or not even that.

    A `PauliEvolutionGate` has a matrix, and a definition that approximates it. The definition is
    what runs on a device, so it counts. Callers deal with an `AnnotatedOperation` themselves.

    Raises:
        CircuitError: The definition cannot be made; `TypeError` and `ValueError` mean the same,
            mostly of parameters that have no value yet.
    """
    kind = kind_of(operation)
    if kind is PermutationGate:
        return synth_permutation_basic(operation.pattern)
    if isinstance(operation, Clifford):
        return operation.to_circuit()
    if isinstance(operation, BoxOp):
        return operation.body
    return getattr(operation, "definition", None)


def matrix_of(operation: Any) -> NDArray[np.complex128] | None:
    """The matrix of an operation without a definition; None if it has none."""
    try:
        return np.asarray(operation.to_matrix(), dtype=np.complex128)
    except (AttributeError, QiskitError):
        return None


def measures(circuit: QuantumCircuit) -> bool:
    """Whether anything is measured: also in bodies of control flow and inside of instructions."""
    return any(_measures(step.operation) for step in circuit.data if len(step.clbits))


def _measures(operation: Any) -> bool:
    if kind_of(operation) is Measure:
        return True
    if blocks := getattr(operation, "blocks", ()):
        return any(measures(block) for block in blocks)
    inside = getattr(operation, "definition", None)
    return inside is not None and measures(inside)


@lru_cache(maxsize=1)
def _standard_kinds() -> dict[str, type]:
    """Qiskit's standard gates: name -> class."""
    return {name: kind_of(gate) for name, gate in get_standard_gate_name_mapping().items()}


@lru_cache(maxsize=1)
def _standard_names() -> dict[type, str]:
    """Qiskit's standard gates: class -> name."""
    no_gates = {"measure", "reset", "delay", "global_phase"}
    return {kind: name for name, kind in _standard_kinds().items() if name not in no_gates}
