"""Blocks as the cut finder sees them: which wires each joins, and what cutting it costs.

The one place where a circuit in normal form becomes a search problem. It must not search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PlanError
from qdreamer_lab.search.problem import KINDS, CutProblem
from qdreamer_lab.workload.circuit.schmidt import gamma_of, rank_of, rotation_sine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit

__all__ = [
    "COST_MODELS",
    "block_problem",
    "check_cost",
    "cut_problem",
    "price_labels",
    "qubits_with_room",
]

COST_MODELS = ("lo", "joint", "locc", "work")
"""lo: every cut on its own, by local operations. joint: parallel rotations between two fragments
share one decomposition. locc: as joint, and parallel wires share one with classical communication.
work: not an overhead on shots, but log2 of the floating-point operations of exact mode. It depends
on the order in which fragments are run and put together, and so is not the same for a circuit
reversed in time, or with the two ends of blocks exchanged."""


def check_cost(cost: object) -> None:
    """Refuse a cost model that there is not.

    Raises:
        PlanError: Naming the ones there are.
    """
    if not isinstance(cost, str) or cost not in COST_MODELS:
        raise PlanError(f"cost must be one of {', '.join(map(repr, COST_MODELS))}, got {cost!r}")


def cut_problem(
    num_qubits: int,
    pairs: NDArray[np.int64],
    coefficients: NDArray[np.float64],
    max_qubits: int,
    *,
    kinds: tuple[str, ...] = KINDS,
    max_fragments: int | None = None,
    devices: tuple[int, ...] | None = None,
) -> CutProblem:
    """A search problem from blocks (m, 2) and their Schmidt coefficients (m, 4).

    Args:
        num_qubits: Qubits that need room, those without blocks included.
        pairs: (m, 2) qubits of each block, below `num_qubits`.
        coefficients: (m, 4) operator-Schmidt coefficients, descending.
        max_qubits: Greatest width of a fragment.
        kinds: Cuts that are allowed.
        max_fragments: Most fragments there may be; None for any number.
        devices: Widths of devices, widest first, for one fragment each; None for any number.
    """
    return CutProblem(
        num_qubits,
        pairs,
        2 * np.log2(gamma_of(coefficients)),
        max_qubits,
        max_fragments=max_fragments,
        kinds=kinds,
        sine=rotation_sine(coefficients),
        devices=devices,
        rank=rank_of(coefficients),
    )


def block_problem(
    blocks: BlockCircuit,
    max_qubits: int,
    *,
    kinds: tuple[str, ...] = KINDS,
    max_fragments: int | None = None,
    devices: tuple[int, ...] | None = None,
) -> CutProblem:
    """The search problem of a circuit in normal form.

    Qubits that carry blocks are renumbered to be consecutive. Of the lone ones, those that are
    measured follow as idle qubits, and the others take no room.
    """
    busy = np.unique(blocks.pairs)
    pairs = np.searchsorted(busy, blocks.pairs)
    return cut_problem(
        qubits_with_room(blocks),
        pairs,
        blocks.coefficients,
        max_qubits,
        kinds=kinds,
        max_fragments=max_fragments,
        devices=devices,
    )


def qubits_with_room(blocks: BlockCircuit) -> int:
    """How many qubits need room in some fragment: those with blocks, and those measured."""
    busy = set(blocks.pairs.ravel().tolist())
    return len(busy) + len(blocks.lone.keys() & set(blocks.measured))


def price_labels(blocks: BlockCircuit, labels: NDArray[np.int64], cost: str) -> float:
    """What labels (m, 2) cost under a cost model, in bits.

    Raises:
        PlanError: If there is no such cost model.
    """
    check_cost(cost)
    if blocks.num_blocks == 0:
        return 0.0
    # Imported late: the compiled kernels take a while to load, and independent cuts need none.
    from qdreamer_lab.search.cost_models import plan_price

    return plan_price(block_problem(blocks, blocks.num_qubits), labels, cost)
