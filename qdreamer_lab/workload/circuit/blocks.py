"""From a Qiskit circuit to its normal form, a `BlockCircuit`.

Cutting sees only what couples qubits. So one-qubit gates are absorbed into a neighbouring block on
their wire, and every run of gates on one pair of qubits becomes one block: merging a run makes two
rotations cost as little as their sum. This module turns a Qiskit circuit into those arrays. It
must not decide anything about cuts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit
from qdreamer_lab.workload.circuit.gates import FlatGate, flat_gates
from qdreamer_lab.workload.circuit.lightcone import reaching_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

__all__ = ["blocks_of_gates", "check_circuit", "observed_qubits", "to_blocks"]


@dataclass
class _Runs:
    """Where the gates of a circuit went: one run per block, plus what no block has taken yet."""

    merge: bool = True
    pairs: list[tuple[int, int]] = field(default_factory=list)
    members: list[list[FlatGate]] = field(default_factory=list)
    last: dict[int, int] = field(default_factory=dict)
    pending: dict[int, list[FlatGate]] = field(default_factory=dict)

    def add(self, gate: FlatGate) -> None:
        """Sort one gate into the run it belongs to."""
        if len(gate.qubits) == 1:
            self.pending.setdefault(gate.qubits[0], []).append(gate)
            return
        low, high = sorted(gate.qubits)
        run = self.last.get(low)
        if run is None or run != self.last.get(high) or not self.merge:
            run = len(self.pairs)
            self.pairs.append((low, high))
            self.members.append([])
            self.last[low] = self.last[high] = run
        self.members[run] += [*self.pending.pop(low, ()), *self.pending.pop(high, ()), gate]

    def settle(self) -> None:
        """Give one-qubit gates that no later block takes to the last block on their wire."""
        for qubit in [q for q in self.pending if q in self.last]:
            self.members[self.last[qubit]] += self.pending.pop(qubit)


def to_blocks(
    circuit: QuantumCircuit, observables: object | None = None, *, merge: bool = True
) -> BlockCircuit:
    """Bring a circuit into normal form.

    Args:
        circuit: Unitary and fully bound. Barriers and delays are dropped; gates on more than two
            qubits are first decomposed by Qiskit.
        observables: Anything Qiskit's `ObservablesArray` accepts, one or many. When given, blocks
            that cannot influence any of them (outside their light cone) are left out, and the
            qubits that lose all their blocks become lone.
        merge: Make one block of every run of gates on one pair of qubits. Without it, blocks can
            be told apart by the two-qubit gates they came from.

    Raises:
        CircuitError: If there are no qubits; on measurements, resets, classical control, unbound
            parameters, or matrices with entries that are not finite.
        ObservableError: If an observable has another number of qubits than the circuit.
    """
    if circuit.num_qubits == 0:
        raise CircuitError("the circuit has no qubits")
    num_qubits = circuit.num_qubits
    measured = tuple(range(num_qubits))
    if observables is not None:
        measured = observed_qubits(observables, num_qubits)
    return blocks_of_gates(flat_gates(circuit), num_qubits, measured, merge=merge)


def check_circuit(circuit: QuantumCircuit) -> None:
    """Refuse what `to_blocks` would refuse, in less time.

    Raises:
        CircuitError: As `to_blocks`.
    """
    entries = [gate.matrix.ravel() for gate in flat_gates(circuit)]
    if not entries or not np.isfinite(np.concatenate(entries)).all():
        to_blocks(circuit)  # says where


def blocks_of_gates(
    gates: Iterable[FlatGate], num_qubits: int, measured: tuple[int, ...], *, merge: bool = True
) -> BlockCircuit:
    """`to_blocks` for gates that have been read already.

    Args:
        gates: In order.
        num_qubits: Of the circuit.
        measured: The qubits whose light cone is kept, ascending.
        merge: As for `to_blocks`.
    """
    runs = _Runs(merge)
    for gate in gates:
        runs.add(gate)
    runs.settle()
    pairs = np.array(runs.pairs, dtype=np.int64).reshape(-1, 2)
    if len(measured) < num_qubits:
        keep = reaching_blocks(pairs, measured)
        pairs = pairs[keep]
        runs.pairs = [runs.pairs[k] for k in keep.tolist()]
        runs.members = [runs.members[k] for k in keep.tolist()]
    busy = set(pairs.ravel().tolist())
    lone = {q: _chain(runs.pending.get(q, ())) for q in range(num_qubits) if q not in busy}
    sources = tuple(tuple(sorted({g.source for g in run})) for run in runs.members)
    unitaries = _products(runs)
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
    broken = np.flatnonzero(~np.isfinite(unitaries).all(axis=(1, 2)))
    if len(broken):
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


def _chain(gates: Iterable[FlatGate]) -> NDArray[np.complex128]:
    """Product of one-qubit gates, first gate rightmost."""
    product = np.eye(2, dtype=np.complex128)
    for gate in gates:
        product = gate.matrix @ product
    return product


def _products(runs: _Runs) -> NDArray[np.complex128]:
    """Multiply every run out; all runs advance one gate per step, so a step is one batched matmul.

    Returns:
        (m, 4, 4) complex128.
    """
    unitaries = np.tile(np.eye(4, dtype=np.complex128), (len(runs.pairs), 1, 1))
    flat = list(_placed(runs))
    if not flat:
        return unitaries
    lengths = np.array([len(run) for run in runs.members])
    matrices = _embed([g for g, _ in flat], np.array([slot for _, slot in flat]))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    longest_first = np.argsort(-lengths, kind="stable")
    descending = -lengths[longest_first]
    for step in range(int(lengths.max())):
        active = longest_first[: np.searchsorted(descending, -step, side="left")]
        unitaries[active] = matrices[starts[active] + step] @ unitaries[active]
    return unitaries


def _placed(runs: _Runs) -> Iterator[tuple[FlatGate, int]]:
    """Each gate with its place in its block: 0 low qubit, 1 high qubit, 2 both, 3 both swapped."""
    for (low, _), run in zip(runs.pairs, runs.members, strict=True):
        for gate in run:
            first = 0 if gate.qubits[0] == low else 1
            yield gate, first + (2 if len(gate.qubits) == 2 else 0)


def _embed(gates: list[FlatGate], slots: NDArray[np.int64]) -> NDArray[np.complex128]:
    """Lift gates to the 4 x 4 matrices of their blocks, batched by place."""
    out = np.empty((len(gates), 4, 4), dtype=np.complex128)
    eye = np.eye(2)
    for slot, subscripts in ((0, "xy,kij->kxiyj"), (1, "xy,kij->kixjy")):
        where = np.flatnonzero(slots == slot)
        if len(where):
            stack = np.array([gates[k].matrix for k in where])
            out[where] = np.einsum(subscripts, eye, stack).reshape(-1, 4, 4)
    for slot, order in ((2, [0, 1, 2, 3]), (3, [0, 2, 1, 3])):
        where = np.flatnonzero(slots == slot)
        if len(where):
            stack = np.array([gates[k].matrix for k in where])
            out[where] = stack[:, order][:, :, order]
    return out
