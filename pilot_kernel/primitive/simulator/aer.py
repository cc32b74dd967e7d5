"""What Aer can do: its methods, their gates, and the gates that it binds values to correctly."""

from functools import lru_cache

from qiskit import QuantumCircuit
from qiskit.circuit import Measure, Reset
from qiskit.circuit.library import (
    C3XGate,
    C4XGate,
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
)
from qiskit_aer import AerSimulator

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.circuit.gates import kind_of, standard_name

__all__ = ["BOUND_LATE", "CONTROLLED_NOTS", "METHODS", "basis_of", "is_clifford"]

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

_CLIFFORD = frozenset(
    {
        *("id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg"),
        *("cx", "cy", "cz", "swap", "ecr"),
    }
)


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


def is_clifford(circuit: QuantumCircuit) -> bool:
    """Whether Aer's automatic method takes the stabilizer simulator."""
    return all(
        all(map(is_clifford, blocks))
        if (blocks := getattr(step.operation, "blocks", ()))
        else kind_of(step.operation) in (Measure, Reset)
        or standard_name(step.operation) in _CLIFFORD
        for step in circuit.data
    )
