"""From a Qiskit circuit to its normal form, a `BlockCircuit`.

Cutting sees only what couples qubits. So one-qubit gates are absorbed into a neighbouring block on
their wire, and every run of gates on one pair of qubits becomes one block: merging a run makes two
rotations cost as little as their sum. This module turns a Qiskit circuit into those arrays. It
must not decide anything about cuts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import CircuitError
from qdreamer_lab.kernels.gates.runs import run_products, runs_of
from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, reaching_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

__all__ = ["blocks_of_gates", "check_circuit", "observed_qubits", "to_blocks"]


_IDENTITY = np.eye(4)


def to_blocks(
    circuit: QuantumCircuit, observables: object | None = None, *, merge: bool = True
) -> BlockCircuit:
    """Bring a circuit into normal form.

    Args:
        circuit: Unitary and fully bound. Barriers, delays and measurements at the end are
            dropped; gates on more than two qubits are first decomposed by Qiskit.
        observables: Anything Qiskit's `ObservablesArray` accepts, one or many. When given, blocks
            that cannot influence any of them (outside their light cone) are left out, and the
            qubits that lose all their blocks become lone.
        merge: Make one block of every run of gates on one pair of qubits. Without it, blocks can
            be told apart by the two-qubit gates they came from.

    Raises:
        CircuitError: If there are no qubits; on measurements on the way, resets, classical control,
            unbound parameters, or matrices with entries that are not finite.
        ObservableError: If an observable has another number of qubits than the circuit.
    """
    if circuit.num_qubits == 0:
        raise CircuitError("the circuit has no qubits")
    num_qubits = circuit.num_qubits
    measured = tuple(range(num_qubits))
    if observables is not None:
        measured = observed_qubits(observables, num_qubits)
    gates = GateList(flat_gates(circuit))
    return blocks_of_gates(gates, num_qubits, measured, merge=merge)


def check_circuit(circuit: QuantumCircuit) -> GateList:
    """The gates of a circuit, unless `to_blocks` would refuse it.

    Raises:
        CircuitError: As `to_blocks`.
    """
    gates = GateList(flat_gates(circuit))
    if not gates.qubits or not np.isfinite(gates.matrices).all():
        to_blocks(circuit)  # says where
    return gates


def blocks_of_gates(
    gates: GateList,
    num_qubits: int,
    measured: tuple[int, ...],
    *,
    among: Sequence[int] | None = None,
    merge: bool = True,
) -> BlockCircuit:
    """`to_blocks` for gates that have been read already.

    Args:
        gates: In order.
        num_qubits: Of the circuit.
        measured: The qubits whose light cone is kept, ascending.
        among: Indices of the gates that there are, ascending; None for all.
        merge: As for `to_blocks`.
    """
    which = np.arange(len(gates.qubits)) if among is None else np.array(among, np.int64)
    places, matrices = gates.places[which], gates.matrices[which]
    run_of, pairs, count = runs_of(places, num_qubits, merge)
    pairs = pairs[:count].copy()
    products = np.empty((count + num_qubits, 4, 4), np.complex128)
    products[:] = _IDENTITY
    unitaries, alone = products[:count], products[count:]
    run_products(places, matrices, run_of, pairs, unitaries, alone)
    found: list[list[int]] = [[] for _ in pairs]
    for gate, run in zip(which.tolist(), run_of.tolist(), strict=True):
        if run >= 0 and gates.sources[gate] not in found[run][-1:]:
            found[run].append(gates.sources[gate])
    sources = tuple(map(tuple, found))
    if len(measured) < num_qubits:
        keep = reaching_blocks(pairs, measured)
        pairs, unitaries = pairs[keep], unitaries[keep]
        sources = tuple(sources[k] for k in keep.tolist())
    busy = set(pairs.ravel().tolist())
    lone = {q: alone[q, :2, :2].copy() for q in range(num_qubits) if q not in busy}
    _check_finite(unitaries, sources, lone)
    return BlockCircuit(
        num_qubits=num_qubits,
        pairs=pairs,
        unitaries=unitaries,
        lone=lone,
        sources=sources,
        measured=measured,
        merged=merge,
    )


def _check_finite(
    unitaries: NDArray[np.complex128],
    sources: tuple[tuple[int, ...], ...],
    lone: Mapping[int, NDArray[np.complex128]],
) -> None:
    if not np.isfinite(unitaries).all():
        broken = np.flatnonzero(~np.isfinite(unitaries).all(axis=(1, 2)))
        raise CircuitError(f"a parameter of instructions {sources[broken[0]]} is not finite")
    for qubit, matrix in lone.items():
        if not np.isfinite(matrix).all():
            raise CircuitError(f"a parameter of a gate on qubit {qubit} is not finite")


def observed_qubits(observables: object, num_qubits: int) -> tuple[int, ...]:
    """Qubits on which at least one observable acts other than as the identity, ascending.

    Raises:
        ObservableError: If an observable is not on `num_qubits` qubits.
    """
    found: set[int] = set()
    for observable in as_sparse(observables, num_qubits):
        found.update(np.asarray(observable.indices).tolist())
    return tuple(sorted(found))
