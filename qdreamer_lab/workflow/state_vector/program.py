"""From a Qiskit circuit and observables to what ranks are given.

It plans, and runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import MotifError, ObservableError
from qdreamer_lab.workflow.state_vector.pauli_values import PlacedString
from qdreamer_lab.workflow.state_vector.rank import RankProgram
from qdreamer_lab.workflow.state_vector.stages import PLANNERS
from qdreamer_lab.workflow.state_vector.wires import gates_on_wires
from qdreamer_lab.workload.circuit.gates import flat_gates

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import PauliList

__all__ = ["FEWEST_LOCAL", "PlannedState", "planned_state"]

FEWEST_LOCAL = 2
"""A gate on two qubits needs both of them local."""


@dataclass(frozen=True, eq=False)
class PlannedState:
    """What ranks run, and where the circuit's qubits are at its end.

    Attributes:
        program: For the ranks.
        places: Of each qubit the place.
    """

    program: RankProgram
    places: tuple[int, ...]

    def by_qubits(self, state: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
        """(2**n,) a state in the order of places, in that of Qiskit."""
        index = np.arange(len(state))
        at = np.zeros(len(state), np.int64)
        for qubit, place in enumerate(self.places):
            at |= (index >> qubit & 1) << place
        return state[at]


def planned_state(
    circuit: QuantumCircuit,
    paulis: PauliList,
    ranks: int,
    planner: str = "look_ahead",
    **how: Any,
) -> PlannedState:
    """Plan one state over ranks.

    Args:
        circuit: Unitary, without free parameters.
        paulis: Strings whose expectation values are wanted; phases count as signs.
        ranks: A power of two.
        planner: One of `PLANNERS`.
        **how: More of `RankProgram`.

    Raises:
        CircuitError: The circuit holds something that is no unitary, or free parameters.
        MotifError: That number of ranks cannot share the state.
        ObservableError: The strings are not on the circuit's qubits.
    """
    qubits = circuit.num_qubits
    if ranks < 1 or ranks & (ranks - 1):
        raise MotifError(f"ranks={ranks}: a power of two, so that bits of a rank are qubits")
    local = qubits - ranks.bit_length() + 1
    if local < FEWEST_LOCAL:
        raise MotifError(
            f"{qubits} qubits over {ranks} ranks leave {max(0, local)} in each rank, and a gate "
            f"needs {FEWEST_LOCAL}: {1 << max(0, qubits - FEWEST_LOCAL)} ranks at most"
        )
    if paulis.num_qubits != qubits:
        raise ObservableError(
            f"observables on {paulis.num_qubits} qubits for a circuit on {qubits}"
        )
    gates, wires = gates_on_wires(
        qubits, ((gate.qubits, gate.matrix) for gate in flat_gates(circuit))
    )
    stages = PLANNERS[planner](qubits, local, gates)
    places = tuple(stages[-1].places[wire] for wire in wires)
    weights = [1 << place for place in places]
    strings = tuple(
        PlacedString(_mask(x, weights), _mask(z, weights))
        for x, z in zip(paulis.x, paulis.z, strict=True)
    )
    return PlannedState(RankProgram(qubits, local, tuple(gates), stages, strings, **how), places)


def _mask(bits: NDArray[np.bool_], weights: list[int]) -> int:
    return sum(weight for bit, weight in zip(bits.tolist(), weights, strict=True) if bit)
