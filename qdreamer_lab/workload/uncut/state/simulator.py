"""The state vector simulator that this package offers the pilot's primitives.

It is the entry point `qdreamer-lab` of the group `pilot_kernel.simulators`. What it takes is said
in `worth.py`; until it takes something, nothing is imported that takes long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.workload.uncut.state.worth import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from pilot_kernel.primitive.simulator.state_engines import StateWork

__all__ = ["SIMULATOR", "Simulator"]


class Simulator:
    """A `StateEngine` of the pilot's.

    Attributes:
        name: What results say ran them.
    """

    name = "qdreamer-lab"

    def refusal(
        self, circuit: QuantumCircuit, sets: int, device: str, *, sampled: bool
    ) -> str | None:
        """Why a circuit is not taken; None if it is."""
        return refusal(circuit, sets, device, sampled=sampled)

    def pauli_values(
        self, work: StateWork, x: NDArray[np.bool_], z: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Expectation values (sets, strings) of Pauli strings.

        Raises:
            CircuitError: The circuit holds something that is no unitary.
            GpuError: It was to run on a GPU, and there is none that can be used.
            MemoryLimitError: A state does not fit.
        """
        from qdreamer_lab.workload.uncut.state.values import pauli_values

        return pauli_values(work.circuit, work.values, x, z, work.device)

    def draws(
        self, work: StateWork, qubits: Sequence[int], shots: int, seed: int | None
    ) -> NDArray[np.int64]:
        """Outcomes (sets, shots) of measuring qubits; bit k is that of the k-th qubit.

        Raises:
            CircuitError: The circuit holds something that is no unitary.
            GpuError: It was to run on a GPU, and there is none that can be used.
            MemoryLimitError: A state does not fit.
        """
        from qdreamer_lab.workload.uncut.state.values import draws

        return draws(work.circuit, work.values, qubits, shots, seed, work.device)


SIMULATOR = Simulator()
