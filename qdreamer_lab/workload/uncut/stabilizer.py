"""Circuits of Clifford gates, exactly and in no time: Pauli strings carried back through them.

A Clifford gate turns every Pauli string into one Pauli string, so an observable of such a circuit
stays as small as it is (the Gottesman-Knill theorem, in the Heisenberg picture). Gates are known by
their matrices, so that two T gates in a block are one S. This module takes arrays and gives arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.circuit.clifford import pauli_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["CliffordGates", "clifford_gates", "string_values"]

_PLACE = {"X": 1, "Y": 2, "Z": 3}

_TOLERANCE = 1e-9
"""What other Pauli strings may have of the image of one, in their coefficients."""

_AT_ONCE = 64
"""Gates looked at together; most circuits are found out by the first few."""


@dataclass(frozen=True, eq=False, slots=True)
class CliffordGates:
    """Gates by what they make of Pauli strings, U†PU.

    Attributes:
        images: (m, 16) uint8 number of the Pauli string that each becomes.
        signs: (m, 16) int8 its sign.
    """

    images: NDArray[np.uint8]
    signs: NDArray[np.int8]


def clifford_gates(unitaries: NDArray[np.complex128]) -> CliffordGates | None:
    """What gates (m, 4, 4) make of Pauli strings; None if one of them is no Clifford gate."""
    images = np.empty((len(unitaries), 16), np.uint8)
    signs = np.empty((len(unitaries), 16), np.int8)
    for begin in range(0, len(unitaries), _AT_ONCE):
        part = unitaries[begin : begin + _AT_ONCE]
        best, sign, others = pauli_images(part)
        if (others > _TOLERANCE).any():
            return None
        images[begin : begin + _AT_ONCE] = best
        signs[begin : begin + _AT_ONCE] = sign
    return CliffordGates(images, signs)


def string_values(
    num_qubits: int,
    pairs: NDArray[np.int64],
    gates: CliffordGates,
    strings: tuple[Factors, ...],
) -> NDArray[np.float64]:
    """Expectation values of Pauli strings after gates on |0…0⟩: each is 1, -1 or 0.

    Args:
        num_qubits: Places for qubits.
        pairs: (m, 2) low and high qubit of each gate, in order.
        gates: What they do.
        strings: The observables.
    """
    letters = np.zeros((num_qubits, len(strings)), np.uint8)
    for k, string in enumerate(strings):
        for qubit, letter in string:
            letters[qubit, k] = _PLACE[letter]
    sign = np.ones(len(strings), np.int8)
    for k in range(len(pairs) - 1, -1, -1):
        low, high = pairs[k]
        number = letters[low] + 4 * letters[high]
        image = gates.images[k][number]
        sign *= gates.signs[k][number]
        letters[low] = image & 3
        letters[high] = image >> 2
    diagonal = ((letters == 0) | (letters == 3)).all(axis=0)
    return np.where(diagonal, sign, 0).astype(np.float64)
