"""Circuits that run uncut, but not as state vectors: what is to be simulated, and how large it is.

A run and its prediction start from the same `UncutCircuit`. Nothing runs here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError, MethodError
from qdreamer_lab.workload.circuit.blocks import blocks_of_gates
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by, needed_gates
from qdreamer_lab.workload.circuit.pauli_sums import pauli_sum
from qdreamer_lab.workload.circuit.pulled_back import pulled_back
from qdreamer_lab.workload.cut.options import SearchOptions
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.plan.search import find_partition
from qdreamer_lab.workload.uncut.bond_dimensions import Chain, chain_of, log2_ranks
from qdreamer_lab.workload.uncut.simulate import GateRow
from qdreamer_lab.workload.uncut.stabilizer import CliffordGates, clifford_gates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
    from qdreamer_lab.workload.circuit.pauli_sums import PauliSum
    from qdreamer_lab.workload.circuit.terms import Factors, ProductTerm
    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["UncutCircuit", "check_chain", "clifford_of", "uncut_circuit"]


@dataclass(frozen=True, eq=False, slots=True)
class UncutCircuit:
    """A circuit, without the gates that no observable sees and the qubits that are left idle.

    Attributes:
        row: The gates, on qubits numbered anew.
        sums: The observables on these qubits.
        blocks: The same gates on the circuit's own qubits.
        coefficients: (m, 4) operator-Schmidt coefficients of the blocks.
    """

    row: GateRow
    sums: tuple[PauliSum, ...]
    blocks: BlockCircuit
    coefficients: NDArray[np.float64]

    @property
    def strings(self) -> tuple[Factors, ...]:
        """Different Pauli strings of all observables."""
        return tuple(dict.fromkeys(string for each in self.sums for _, string in each))

    def plan(self) -> Partition:
        """The plan that cuts nothing."""
        return find_partition(self.blocks, self.blocks.num_qubits, SearchOptions(time_limit_s=0.0))

    def chain(self, work_most: float = math.inf) -> Chain | None:
        """Bounds on the matrix product state; None if it takes more work than that."""
        ranks = log2_ranks(self.coefficients)
        return chain_of(self.row.num_qubits, self.row.pairs, ranks, work_most)


def uncut_circuit(
    circuit: QuantumCircuit,
    observables: Sequence[tuple[ProductTerm, ...]],
    *,
    carry_back: bool = False,
) -> UncutCircuit:
    """Read a circuit.

    Args:
        circuit: Bound.
        observables: The terms of each.
        carry_back: Take Clifford gates at the end for changes of the observables.

    Raises:
        CircuitError: If it is no unitary circuit.
        MethodError: If the observables have too many Pauli strings.
    """
    sums = tuple(pauli_sum(terms) for terms in observables)
    listed = GateList(flat_gates(circuit))
    if carry_back:
        kept, sums = _carried_back(listed, sums)
        acted = measured_by([string for each in sums for _, string in each])
    else:
        acted = measured_by([term.factors for terms in observables for term in terms])
        kept = needed_gates(listed, acted)
    blocks = blocks_of_gates(listed, circuit.num_qubits, tuple(acted), among=kept)
    turned = {
        qubit: matrix
        for qubit, matrix in blocks.lone.items()
        if qubit in acted and not np.array_equal(matrix, np.eye(2))
    }
    used = sorted({*blocks.pairs.ravel().tolist(), *acted})
    number = {qubit: k for k, qubit in enumerate(used)}
    row = GateRow(
        max(1, len(used)),
        np.array([[number[a], number[b]] for a, b in blocks.pairs.tolist()], np.int64).reshape(
            -1, 2
        ),
        blocks.unitaries,
        np.array([number[qubit] for qubit in turned], np.int64),
        np.array(list(turned.values()), np.complex128).reshape(-1, 2, 2),
    )
    renumbered = tuple(
        tuple((c, tuple((number[qubit], letter) for qubit, letter in string)) for c, string in each)
        for each in sums
    )
    return UncutCircuit(row, renumbered, blocks, blocks.coefficients)


def _carried_back(
    gates: GateList, sums: tuple[PauliSum, ...]
) -> tuple[Sequence[int], tuple[PauliSum, ...]]:
    """The gates that are left, and what the observables have become."""
    strings = tuple(dict.fromkeys(string for each in sums for _, string in each))
    left = pulled_back(gates, strings)
    became = dict(zip(strings, zip(left.signs.tolist(), left.terms, strict=True), strict=True))
    turned = []
    for each in sums:
        new = [(c, *became[string]) for c, string in each]
        turned.append(tuple((c * sign, string) for c, sign, string in new))
    return left.gates, tuple(turned)


def check_chain(chain: Chain, limit_bytes: int) -> None:
    """Refuse a matrix product state that may not fit.

    Raises:
        MemoryLimitError: Naming its size.
    """
    if chain.num_bytes > limit_bytes:
        raise MemoryLimitError(
            f"a matrix product state may need {readable(chain.num_bytes)}, with bond dimensions "
            f"up to 2^{chain.log2_widest:.0f}, but {readable(limit_bytes)} may be used: cut the "
            "circuit, or raise memory_limit_bytes"
        )


def clifford_of(whole: UncutCircuit) -> tuple[NDArray[np.int64], CliffordGates]:
    """The gates as Clifford gates.

    Returns:
        (m, 2) their qubits, and what they do. One-qubit gates have an idle qubit beside them, the
        one after the last.

    Raises:
        MethodError: If one of them is no Clifford gate.
    """
    row = whole.row
    idle = np.full(len(row.lone), row.num_qubits, np.int64)
    pairs = np.concatenate([row.pairs, np.stack([row.lone, idle], axis=1)])
    alone = np.einsum("ij,mkl->mikjl", np.eye(2), row.matrices).reshape(-1, 4, 4)
    found = clifford_gates(np.concatenate([row.unitaries, alone]))
    if found is None:
        raise MethodError(
            'method="stabilizer" takes Clifford gates only, and some gates are none: use '
            '"statevector" or "matrix_product_state"'
        )
    return pairs, found
