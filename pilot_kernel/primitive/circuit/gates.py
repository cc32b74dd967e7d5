"""Which gates are known, by class: a name proves nothing, since anybody may name a gate `swap`.

Aer tells gates apart by name, and so do its run-time binding of parameters and most passes.
What reaches them is made of the classes listed here and nothing else.
"""

from functools import lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, ControlledGate, Delay, Measure
from qiskit.circuit.library import (
    C3XGate,
    C4XGate,
    GlobalPhaseGate,
    MCXGate,
    PhaseGate,
    RGate,
    RXGate,
    RXXGate,
    RYGate,
    RYYGate,
    RZGate,
    RZXGate,
    RZZGate,
    UGate,
    get_standard_gate_name_mapping,
)
from qiskit_aer import AerSimulator

from pilot_kernel.errors import PubError

__all__ = [
    "BOUND_LATE",
    "CONTROLLED_NOTS",
    "METHODS",
    "WITHOUT_EFFECT",
    "basis_of",
    "has_open_controls",
    "kind_of",
    "measures",
    "standard_name",
]

METHODS = (
    *("automatic", "statevector", "density_matrix", "matrix_product_state"),
    *("stabilizer", "extended_stabilizer", "tensor_network"),
)
"""Aer's methods that give shots or expectation values."""

BOUND_LATE = frozenset(
    {PhaseGate, RGate, RXGate, RXXGate, RYGate, RYYGate, RZGate, RZXGate, RZZGate, UGate}
)
"""Gates whose parameters Aer may be given at run time; it is wrong about others (cp, crx, ...)."""

CONTROLLED_NOTS = frozenset({MCXGate, C3XGate, C4XGate})
"""Gates that Aer runs as `mcx`, whatever their number of controls."""

WITHOUT_EFFECT = frozenset({Barrier, Delay, GlobalPhaseGate})
"""What changes nothing without noise. Delays and phases may have any parameters."""


def kind_of(operation: Any) -> type:
    """The class that a user writes: singletons have classes of their own behind it."""
    return getattr(operation, "base_class", type(operation))


def standard_name(operation: Any) -> str | None:
    """Its name among Qiskit's standard gates; None if it is none, or has open controls."""
    return None if has_open_controls(operation) else _standard().get(kind_of(operation))


def has_open_controls(operation: Any) -> bool:
    """Whether it acts where one of its control qubits is 0."""
    return isinstance(operation, ControlledGate) and (
        operation.ctrl_state != 2**operation.num_ctrl_qubits - 1
    )


@lru_cache(maxsize=1)
def _standard() -> dict[type, str]:
    mapping = get_standard_gate_name_mapping()
    no_gates = {"measure", "reset", "delay", "global_phase"}
    return {kind_of(gate): name for name, gate in mapping.items() if name not in no_gates}


@lru_cache(maxsize=8)
def basis_of(method: str) -> frozenset[str]:
    """What Aer's method runs as it is, by Aer's names.

    Raises:
        PubError: There is no such method.
    """
    if method not in METHODS:
        raise PubError(f"method={method!r}: one of {', '.join(METHODS)}")
    # Aer describes tensor_network only where there is a GPU; it takes what state vectors do.
    method = "statevector" if method == "tensor_network" else method
    basis = frozenset(AerSimulator(method=method).configuration().basis_gates)
    # A matrix product state is initialized wrongly where other qubits have been acted on (0.18.2).
    return basis - {"initialize"} if method == "matrix_product_state" else basis


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
