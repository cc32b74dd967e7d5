"""From a circuit and a width to a plan.

Plans with nothing to decide are made here. For the rest this module only translates, to the cut
finder and back; it must not search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit

from qdreamer_lab.errors import CircuitError, PlanError
from qdreamer_lab.workload.blocks import BlockCircuit, to_blocks
from qdreamer_lab.workload.plan import CutPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["plan_blocks", "plan_cuts"]


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
    _check_width(max_qubits)
    if circuit.num_qubits == 0:
        raise CircuitError("the circuit has no qubits")
    return plan_blocks(to_blocks(circuit, observables), max_qubits, seed=seed)


def plan_blocks(blocks: BlockCircuit, max_qubits: int, *, seed: int = 0) -> CutPlan:
    """`plan_cuts` for a circuit that is in normal form already."""
    _check_width(max_qubits)
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


def _check_width(max_qubits: object) -> None:
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

    qubits = np.unique(blocks.pairs[which])
    pairs = np.searchsorted(qubits, blocks.pairs[which])
    circuit = QuantumCircuit(len(qubits))
    for pair, unitary in zip(pairs.tolist(), blocks.unitaries[which], strict=True):
        circuit.unitary(unitary, pair)
    try:
        cut_circuit, _ = find_cuts(
            circuit, OptimizationParameters(seed=seed), DeviceConstraints(max_qubits)
        )
    except (ValueError, AttributeError) as error:
        raise PlanError(f"no plan with fragments of {max_qubits} qubits was found") from error
    return _labels_of(cut_circuit, pairs)


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
