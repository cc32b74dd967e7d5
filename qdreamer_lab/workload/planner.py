"""From a circuit and a width to a plan.

Plans with nothing to decide are made here. For the rest this module only translates, to the cut
finder and back; it must not search.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import CXGate, RZZGate, UnitaryGate

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.blocks import BlockCircuit, to_blocks
from qdreamer_lab.workload.plan import CutPlan
from qdreamer_lab.workload.schmidt import gate_cut_gamma

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from qiskit.circuit import Gate

__all__ = ["check_width", "plan_blocks", "plan_cuts"]


def plan_cuts(
    circuit: QuantumCircuit,
    max_qubits: int,
    *,
    observables: object | None = None,
    seed: int = 0,
) -> CutPlan:
    """Find where to cut a circuit so that no fragment needs more than `max_qubits` qubits.

    Args:
        circuit: unitary and fully bound.
        max_qubits: greatest width of a fragment, at least 1.
        observables: one or many; blocks outside their light cone are left out of the plan.
        seed: makes the search repeatable.

    Raises:
        CircuitError: if the circuit is empty, not unitary, or has unbound parameters.
        PlanError: if `max_qubits` is not a positive integer, or no plan was found.
    """
    check_width(max_qubits)
    return plan_blocks(to_blocks(circuit, observables), max_qubits, seed=seed)


def plan_blocks(blocks: BlockCircuit, max_qubits: int, *, seed: int = 0) -> CutPlan:
    """`plan_cuts` for a circuit that is in normal form already."""
    check_width(max_qubits)
    whole = _components(blocks.pairs.tolist())
    labels = np.array([[whole[q] for q in pair] for pair in blocks.pairs.tolist()], dtype=np.int64)
    labels = labels.reshape(-1, 2)
    sizes = np.bincount(list(whole.values())) if whole else np.zeros(0, dtype=np.int64)
    too_wide = sizes[labels[:, 0]] > max_qubits
    if too_wide.any():
        found = _search(blocks, np.flatnonzero(too_wide), max_qubits, seed)
        labels[too_wide] = found + len(sizes)
    labels = _renumbered(labels)
    first_free = int(labels.max(initial=-1)) + 1
    return CutPlan(blocks, labels, _lone_labels(blocks, first_free, max_qubits), max_qubits)


def check_width(max_qubits: object) -> None:
    """Refuse a width that no fragment can have.

    Raises:
        PlanError: if it is not an integer of at least 1.
    """
    if isinstance(max_qubits, bool) or not isinstance(max_qubits, (int, np.integer)):
        raise PlanError(f"max_qubits must be an integer, got {max_qubits!r}")
    if max_qubits < 1:
        raise PlanError(f"max_qubits must be at least 1, got {max_qubits}")


def _components(joined: Iterable[Iterable[Any]]) -> dict[Any, int]:
    """Connected components of things joined in pairs, numbered by first appearance."""
    parent: dict[Any, Any] = {}

    def root(node: Any) -> Any:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, two in joined:
        parent[root(two)] = root(one)
    names: dict[Any, int] = {}
    return {node: names.setdefault(root(node), len(names)) for node in list(parent)}


def _renumbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same partition with ids 0, 1, 2, … by first appearance."""
    names: dict[int, int] = {}
    flat = [names.setdefault(label, len(names)) for label in labels.ravel().tolist()]
    return np.array(flat, dtype=np.int64).reshape(labels.shape)


def _lone_labels(blocks: BlockCircuit, first_free: int, max_qubits: int) -> NDArray[np.int64]:
    """Gather the lone qubits that are measured in fragments of their own."""
    labels = np.full(len(blocks.lone), -1, dtype=np.int64)
    measured = np.isin(np.fromiter(blocks.lone, dtype=np.int64), blocks.measured)
    labels[measured] = first_free + np.arange(measured.sum()) // max_qubits
    return labels


def _search(
    blocks: BlockCircuit, which: NDArray[np.int64], max_qubits: int, seed: int
) -> NDArray[np.int64]:
    """Labels for the blocks `which`, found by qiskit-addon-cutting.

    Returns:
        (len(which), 2) int64, ids from 0.
    """
    from qiskit_addon_cutting import DeviceConstraints, OptimizationParameters, find_cuts

    order = _swept(blocks.pairs[which].tolist())
    back, which = np.argsort(order), which[order]
    qubits = np.unique(blocks.pairs[which])
    pairs = np.searchsorted(qubits, blocks.pairs[which])
    circuit = QuantumCircuit(len(qubits))
    for pair, gate in zip(pairs.tolist(), _stand_ins(blocks.unitaries[which]), strict=True):
        circuit.append(gate, pair)
    try:
        cut_circuit, _ = find_cuts(
            circuit, OptimizationParameters(seed=seed), DeviceConstraints(max_qubits)
        )
    except (ValueError, AttributeError) as error:
        raise PlanError(f"no plan with fragments of {max_qubits} qubits was found") from error
    return _labels_of(cut_circuit, pairs)[back]


def _swept(pairs: list[list[int]]) -> list[int]:
    """An order in which the blocks may equally well run, keeping neighbouring qubits together.

    The finder decides block by block; deciding whole layers first costs it ten times the time.
    """
    followers: list[list[int]] = [[] for _ in pairs]
    waiting = [0] * len(pairs)
    last: dict[int, int] = {}
    for block, pair in enumerate(pairs):
        for qubit in pair:
            if qubit in last:
                followers[last[qubit]].append(block)
                waiting[block] += 1
            last[qubit] = block
    ready = [(pair, block) for block, pair in enumerate(pairs) if not waiting[block]]
    heapq.heapify(ready)
    order = []
    while ready:
        _, block = heapq.heappop(ready)
        order.append(block)
        for follower in followers[block]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, (pairs[follower], follower))
    return order


def _stand_ins(unitaries: NDArray[np.complex128]) -> list[Gate]:
    """A gate with the same gamma for each block, as plain as there is one.

    The finder looks at gammas only. Rounding in those of general unitaries makes equal cuts look
    different, which it then tells apart at great length.
    """
    gates: list[Gate] = []
    for unitary, gamma in zip(unitaries, gate_cut_gamma(unitaries).tolist(), strict=True):
        if abs(gamma - 3) < 1e-9:
            gates.append(CXGate())
        elif gamma < 3:
            gates.append(RZZGate(round(float(np.arcsin((gamma - 1) / 2)), 9)))
        else:
            gates.append(UnitaryGate(unitary))
    return gates


def _labels_of(cut_circuit: QuantumCircuit, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read labels off a circuit with cut markers: what no cut separates is one fragment."""
    stretch = [0] * cut_circuit.num_qubits
    ends: list[list[tuple[int, int]]] = []
    joined: list[list[tuple[int, int]]] = []
    for instruction in cut_circuit.data:
        qubits = [cut_circuit.find_bit(bit).index for bit in instruction.qubits]
        if instruction.name == "cut_wire":
            stretch[qubits[0]] += 1
            continue
        here = [(q, stretch[q]) for q in pairs[len(ends)].tolist()]
        cut = instruction.name.startswith("qpd")
        joined += [[end, end] for end in here] if cut else [here]
        ends.append(here)
    names = _components(joined)
    return np.array([[names[end] for end in here] for here in ends], dtype=np.int64)
