"""The cost models by name, and what a plan costs under each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import JOINT, LO, LOCC, WORK, price
from qdreamer_lab.kernels.cost.shared_cuts import group_cuts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem

__all__ = ["MODELS", "canonical", "joint_groups", "plan_price", "ranks", "sines"]

#: Number of each model in `kernels/cost/plan_price.py`.
#: lo: every cut on its own, by local operations: gates log2 gamma^2, wires 4 bits.
#: joint: parallel rotations between two fragments share a decomposition.
#: locc: as joint, and parallel wires share one with classical communication.
#: work: log2 of the floating-point work of exact mode.
MODELS = {"lo": LO, "joint": JOINT, "locc": LOCC, "work": WORK}


def sines(problem: CutProblem) -> NDArray[np.float64]:
    """|sin theta| per block (m,), NaN where unknown."""
    if problem.sine is None:
        return np.full(len(problem.pairs), np.nan)
    return problem.sine


def ranks(problem: CutProblem) -> NDArray[np.int64]:
    """Operator-Schmidt rank per block (m,), 4 where unknown."""
    if problem.rank is None:
        return np.full(len(problem.pairs), 4, np.int64)
    return problem.rank


def canonical(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber labels of endpoints (m, 2) by first appearance."""
    _, first, where = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[where], np.int64).reshape(labels.shape)


def plan_price(problem: CutProblem, labels: NDArray[np.int64], cost: str) -> float:
    """Price labels of endpoints (m, 2) under a cost model, in bits (log2 of the work for "work").

    Raises:
        ValueError: if there is no such cost model.
    """
    if cost not in MODELS:
        raise ValueError(f"cost must be one of {', '.join(MODELS)}, not {cost!r}")
    return price(
        MODELS[cost],
        problem.pairs,
        canonical(labels),
        problem.gate_cost,
        problem.wire_cost,
        sines(problem),
        ranks(problem),
        problem.num_qubits,
    )


def joint_groups(problem: CutProblem, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which cut blocks share a decomposition under "joint" and "locc".

    Returns:
        (m,) number of the group of each cut block, -1 for blocks that are not cut.
    """
    return group_cuts(problem.pairs, canonical(labels), sines(problem), problem.num_qubits)
