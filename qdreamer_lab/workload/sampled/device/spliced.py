"""The circuit of a variant as a device runs it, and how to read its bits.

Nothing is made or run here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

__all__ = ["Spliced"]


@dataclass(frozen=True, eq=False, slots=True)
class Spliced:
    """A circuit that a device can run, and how to read its bits.

    Attributes:
        circuit: With one classical register, or none where nothing is measured.
        num_outcome_bits: The first bits are outcomes at cuts, that of the first leg first.
        measured: The local qubit that each of the other bits is of.
        num_local: Local qubits that a bit string has room for.
    """

    circuit: QuantumCircuit
    num_outcome_bits: int
    measured: tuple[int, ...]
    num_local: int

    @property
    def qubits(self) -> tuple[int, ...]:
        """The physical qubit that each bit is read off."""
        found = [0] * self.circuit.num_clbits
        for step in self.circuit.data:
            if step.name == "measure":
                bit = self.circuit.find_bit(step.clbits[0]).index
                found[bit] = self.circuit.find_bit(step.qubits[0]).index
        return tuple(found)

    def hits(self, bits: NDArray[np.bool_]) -> NDArray[np.int64]:
        """What `kernels.simulate.shot_counts` counts: outcome << num_local | bit string.

        Args:
            bits: (shots, bits) as measured.
        """
        places = [
            self.num_local + self.num_outcome_bits - 1 - k for k in range(self.num_outcome_bits)
        ]
        weights = np.left_shift(1, np.array([*places, *self.measured], dtype=np.int64))
        return np.asarray(bits.astype(np.int64) @ weights)
