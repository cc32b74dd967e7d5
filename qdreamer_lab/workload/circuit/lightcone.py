"""Which gates, and which blocks, can influence an observable.

Going backwards, a gate is needed if it acts where the observable has come to act, unless both
commute because they are diagonal. So a layer of ZZ rotations spreads an observable by one step, in
whatever order the layer is written down. This module must not know plans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.circuit.terms import DIAGONAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.gates import FlatGate
    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["GateList", "measured_by", "needed_gates", "reaching_blocks"]


class GateList:
    """What decides about light cones: where each gate acts, and whether it is diagonal.

    Args:
        gates: The circuit, in order.
    """

    def __init__(self, gates: Sequence[FlatGate]) -> None:
        self.qubits = tuple(gate.qubits for gate in gates)
        self.diagonal = _diagonal(gates)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GateList):
            return NotImplemented
        return self.qubits == other.qubits and self.diagonal == other.diagonal

    __hash__ = None  # type: ignore[assignment]


def needed_gates(gates: GateList, measured: Mapping[int, bool]) -> list[int]:
    """Indices of the gates that can influence an observable, ascending.

    Args:
        gates: The circuit.
        measured: The qubits on which the observable acts, and whether it is diagonal there.
    """
    diagonal_on = dict(measured)  # of what the observable has become; nothing where it is absent
    keep = []
    for k in range(len(gates.qubits) - 1, -1, -1):
        qubits = gates.qubits[k]
        present = [qubit for qubit in qubits if qubit in diagonal_on]
        if not present:
            continue
        if gates.diagonal[k]:
            if all(diagonal_on[qubit] for qubit in present):
                continue
            for qubit in qubits:
                diagonal_on.setdefault(qubit, True)
        else:
            for qubit in qubits:
                diagonal_on[qubit] = False
        keep.append(k)
    return keep[::-1]


def measured_by(terms: Sequence[Factors]) -> dict[int, bool]:
    """The qubits on which terms act, ascending, and whether all of them are diagonal there."""
    found: dict[int, bool] = {}
    for term in terms:
        for qubit, letter in term:
            found[qubit] = found.get(qubit, True) and letter in DIAGONAL
    return dict(sorted(found.items()))


def reaching_blocks(pairs: NDArray[np.int64], measured: Iterable[int]) -> NDArray[np.int64]:
    """Indices of the blocks that reach a measured qubit when blocks do not commute, ascending.

    Args:
        pairs: (m, 2) qubits of each block, in order.
        measured: The qubits on which observables act.
    """
    reached = set(measured)
    keep = []
    listed = pairs.tolist()
    for k in range(len(listed) - 1, -1, -1):
        low, high = listed[k]
        if low in reached or high in reached:
            reached.update((low, high))
            keep.append(k)
    return np.array(keep[::-1], dtype=np.int64)


def _diagonal(gates: Sequence[FlatGate]) -> tuple[bool, ...]:
    """Which gates are exactly diagonal; all of one size at a time."""
    found = [False] * len(gates)
    for size in (1, 2):
        which = [k for k, gate in enumerate(gates) if len(gate.qubits) == size]
        if which:
            stack = np.stack([gates[k].matrix for k in which])
            off = np.count_nonzero(stack[:, ~np.eye(1 << size, dtype=bool)], axis=1)
            for k, count in zip(which, off.tolist(), strict=True):
                found[k] = count == 0
    return tuple(found)
