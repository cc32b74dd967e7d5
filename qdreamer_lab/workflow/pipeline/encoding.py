"""Vectors as circuits: matrix product states of bond dimension two, one layer of gates for each.

The gates of a layer are those of C. Schön et al., Phys. Rev. Lett. 95, 110503 (2005); more layers
are found as in S.-J. Ran, Phys. Rev. A 101, 032310 (2020): what a layer leaves is encoded by the
next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Gates", "as_circuit", "encoded", "improved", "prepared"]

Gates = list[tuple[tuple[int, ...], "NDArray[np.complex128]"]]
"""Qubits and unitaries, in the order in which they act; the first qubit is the lower bit."""

_BOND = 2


def encoded(vector: NDArray[np.float64], layers: int) -> tuple[Gates, float]:
    """Gates that prepare about a vector, and how well.

    Args:
        vector: 2**n amplitudes, not all zero; bit k of the index is qubit k.
        layers: Of gates.

    Returns:
        The gates, and the squared overlap of what they prepare with the vector.
    """
    num_qubits = int(np.log2(len(vector)))
    rest = vector.astype(np.complex128) / np.linalg.norm(vector)
    gates: Gates = []
    for _ in range(layers):
        layer = _layer(rest, num_qubits)
        gates = layer + gates
        for qubits, unitary in reversed(layer):
            rest = _apply(rest, qubits, unitary.conj().T, num_qubits)
    return gates, float(abs(rest[0]) ** 2)


def improved(gates: Gates, vector: NDArray[np.float64], sweeps: int) -> tuple[Gates, float]:
    """The same gates with better unitaries: each in turn becomes the best there is with the others.

    That never makes the overlap smaller. The best one follows from a singular value decomposition,
    as in G. Evenbly and G. Vidal, Phys. Rev. B 79, 144108 (2009).

    Args:
        gates: As `encoded` makes them.
        vector: What they are to prepare.
        sweeps: How often all of them are gone through.

    Returns:
        The gates, and the squared overlap of what they prepare with the vector.
    """
    num_qubits = int(np.log2(len(vector)))
    target = vector.astype(np.complex128) / np.linalg.norm(vector)
    found = list(gates)
    for _ in range(sweeps):
        # What the gates behind have to make of a state to reach the target, for each gate.
        wanted = [target]
        for qubits, unitary in reversed(found[1:]):
            wanted.append(_apply(wanted[-1], qubits, unitary.conj().T, num_qubits))
        state = np.zeros_like(target)
        state[0] = 1
        for place, (qubits, _) in enumerate(found):
            left = _split(wanted.pop(), qubits, num_qubits)
            right = _split(state, qubits, num_qubits)
            ahead, _, behind = np.linalg.svd(left.conj() @ right.T)
            found[place] = qubits, (ahead @ behind).conj()
            state = _apply(state, qubits, found[place][1], num_qubits)
    return found, float(abs(np.vdot(target, prepared(found, num_qubits))) ** 2)


def prepared(gates: Gates, num_qubits: int) -> NDArray[np.complex128]:
    """The state that gates make of |0…0⟩."""
    state = np.zeros(2**num_qubits, dtype=np.complex128)
    state[0] = 1
    for qubits, unitary in gates:
        state = _apply(state, qubits, unitary, num_qubits)
    return state


def as_circuit(gates: Gates, num_qubits: int) -> QuantumCircuit:
    """The gates as a circuit."""
    circuit = QuantumCircuit(num_qubits)
    for qubits, unitary in gates:
        circuit.append(UnitaryGate(unitary), qubits)
    return circuit


def _layer(state: NDArray[np.complex128], num_qubits: int) -> Gates:
    """The gates that prepare the best-known state of bond dimension two: the last qubit first."""
    tensors = _left_canonical(state, num_qubits)
    gates: Gates = []
    for qubit in range(num_qubits - 1, 0, -1):
        left, site, right = tensors[qubit].shape
        known = np.zeros((_BOND, site, right), dtype=np.complex128)
        known[:left] = tensors[qubit]
        # The lower bit is the bond to the left, the higher one the qubit; a bond comes in by the
        # qubit's own wire, and the neighbour's is |0> before: columns 0 and 2.
        columns = known.transpose(1, 0, 2).reshape(4, right)
        gates.append(((qubit - 1, qubit), _completed(columns, [0, 2][:right])))
    first = tensors[0].reshape(2, -1)
    gates.append(((0,), _completed(first, list(range(first.shape[1])))))
    return gates


def _left_canonical(state: NDArray[np.complex128], num_qubits: int) -> list[NDArray[np.complex128]]:
    """Tensors (left bond, qubit, right bond), each an isometry from the right bond."""
    tensors = []
    rest = state.reshape((2,) * num_qubits).transpose(range(num_qubits - 1, -1, -1)).reshape(1, -1)
    for _ in range(num_qubits - 1):
        bond = rest.shape[0]
        left, weights, right = np.linalg.svd(rest.reshape(2 * bond, -1), full_matrices=False)
        kept = max(1, min(_BOND, int(np.sum(weights > 1e-12 * weights[0]))))
        tensors.append(left[:, :kept].reshape(bond, 2, kept))
        rest = weights[:kept, None] * right[:kept]
    rest = rest / np.linalg.norm(rest)
    tensors.append(rest.reshape(-1, 2, 1))
    return tensors


def _completed(columns: NDArray[np.complex128], places: list[int]) -> NDArray[np.complex128]:
    """A unitary with orthonormal columns in given places, and any others elsewhere."""
    size = len(columns)
    unitary = np.empty((size, size), dtype=np.complex128)
    others = [place for place in range(size) if place not in places]
    unitary[:, places] = columns
    unitary[:, others] = scipy.linalg.null_space(columns.conj().T)
    return unitary


def _apply(
    state: NDArray[np.complex128], qubits: tuple[int, ...], unitary: NDArray[np.complex128], n: int
) -> NDArray[np.complex128]:
    """A state after a gate."""
    moved = (unitary @ _split(state, qubits, n)).reshape((2,) * n)
    return np.moveaxis(moved, range(len(qubits)), _axes(qubits, n)).reshape(-1)


def _split(
    state: NDArray[np.complex128], qubits: tuple[int, ...], n: int
) -> NDArray[np.complex128]:
    """A state as a matrix: values of some qubits x those of all others."""
    table = np.moveaxis(state.reshape((2,) * n), _axes(qubits, n), range(len(qubits)))
    return table.reshape(2 ** len(qubits), -1)


def _axes(qubits: tuple[int, ...], n: int) -> list[int]:
    """Where qubits are in an array with an axis for each; the highest bit is the first axis."""
    return [n - 1 - qubit for qubit in reversed(qubits)]
