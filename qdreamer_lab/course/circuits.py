"""Answers that are circuits: read, and simulated as dense state vectors with Qiskit alone.

Independent of this project's own simulators, on purpose. No exercise is known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, Delay, Gate
from qiskit.quantum_info import Statevector

from qdreamer_lab.course.verdict import NotRight

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bound_circuit", "ket", "same_up_to_phase", "state_of"]


def bound_circuit(answer: object, num_qubits: int) -> QuantumCircuit:
    """A circuit of the width wanted, without open parameters.

    Raises:
        NotRight: The answer is something else.
    """
    if not isinstance(answer, QuantumCircuit):
        raise NotRight(f"A QuantumCircuit is wanted; this is {type(answer).__name__}.")
    if answer.num_qubits != num_qubits:
        raise NotRight(f"Your circuit has {answer.num_qubits} qubits, {num_qubits} are wanted.")
    if answer.parameters:
        names = ", ".join(sorted(parameter.name for parameter in answer.parameters))
        raise NotRight(f"The parameters {names} have no values yet: use assign_parameters.")
    return answer


def state_of(circuit: QuantumCircuit) -> NDArray[np.complex128]:
    """(2^n,) amplitudes of a circuit's state; measurements at its end are left out.

    Raises:
        NotRight: The circuit does more than gates.
    """
    gates = circuit.remove_final_measurements(inplace=False)
    if not _only_gates(gates):
        raise NotRight(
            "Your circuit has no state vector: it measures or resets qubits on the way. Leave "
            "that out; the checker looks at the state itself."
        )
    return np.asarray(Statevector(gates).data, dtype=np.complex128)


def _only_gates(circuit: QuantumCircuit) -> bool:
    """Whether all that a circuit does is unitary."""
    return all(
        isinstance(operation, (Gate, Barrier, Delay))
        or (definition is not None and _only_gates(definition))
        for operation, definition in (
            (each.operation, getattr(each.operation, "definition", None)) for each in circuit.data
        )
    )


def ket(index: int, num_qubits: int) -> str:
    """A basis state in Qiskit's order, the last qubit first."""
    return f"|{index:0{num_qubits}b}⟩"


def same_up_to_phase(
    one: NDArray[np.complex128], other: NDArray[np.complex128], tolerance: float = 1e-6
) -> bool:
    """Whether two vectors or matrices differ by a global phase at most.

    Args:
        one: Any array.
        other: One of the same shape.
        tolerance: For each element.
    """
    overlap = np.vdot(other, one)
    if abs(overlap) < tolerance:
        return False
    return bool(np.allclose(one, other * (overlap / abs(overlap)), rtol=0, atol=tolerance))
