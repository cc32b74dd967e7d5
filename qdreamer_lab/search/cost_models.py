"""The cost models by name, and what a plan costs under each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.kernels.cost.plan_price import JOINT, LO, LOCC, WORK, price
from qdreamer_lab.kernels.cost.shared_cuts import group_cuts
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.search.problem_arrays import blocks_of, sines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem

__all__ = ["MODELS", "joint_groups", "plan_price"]

#: Number of each model in `kernels/cost/plan_price.py`.
#: lo: every cut on its own, by local operations: gates log2 gamma^2, wires 4 bits.
#: joint: parallel rotations between two fragments share a decomposition.
#: locc: as joint, and parallel wires share one with classical communication.
#: work: log2 of the floating-point work of exact mode; alone among them it may change when a
#: circuit is reversed in time or the two ends of its blocks are exchanged.
MODELS = {"lo": LO, "joint": JOINT, "locc": LOCC, "work": WORK}


def plan_price(problem: CutProblem, labels: NDArray[np.int64], cost: str) -> float:
    """Price labels of endpoints (m, 2) under a cost model, in bits (log2 of the work for "work").

    Raises:
        ValueError: If there is no such cost model.
    """
    if cost not in MODELS:
        raise ValueError(f"cost must be one of {', '.join(MODELS)}, not {cost!r}")
    return price(MODELS[cost], blocks_of(problem), renumbered(labels))


def joint_groups(problem: CutProblem, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which cut blocks share a decomposition under "joint" and "locc".

    Returns:
        (m,) number of the group of each cut block, -1 for blocks that are not cut.
    """
    return group_cuts(problem.pairs, renumbered(labels), sines(problem), problem.num_qubits)
