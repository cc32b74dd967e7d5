"""Exhaustive search of small circuits under any cost model; a proof where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.kernels.search.anneal import NEVER
from qdreamer_lab.kernels.search.exhaustive import LeastCosts, exhaustive
from qdreamer_lab.search.cost_models import MODELS
from qdreamer_lab.search.least_costs import least_costs
from qdreamer_lab.search.problem_arrays import blocks_of, limits_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem

__all__ = ["search_exhaustively"]


def search_exhaustively(
    problem: CutProblem,
    cost: str,
    upper: float = np.inf,
    max_nodes: int = 10**12,
    stop: NDArray[np.int64] = NEVER,
) -> tuple[NDArray[np.int64] | None, float, bool]:
    """Look for the cheapest plan below `upper`.

    Args:
        problem: What to cut.
        cost: Cost model.
        upper: Bits; plans that are not cheaper are ignored.
        max_nodes: Give up after this many partial plans.
        stop: (1,) Flag that ends it at once when it is not 0.

    Returns:
        Labels (m, 2) or None if nothing cheaper was found, their price (or `upper`), and whether
        the search was complete, which makes the price the optimum.
    """
    gates, wire = least_costs(problem, cost)
    if "gate" not in problem.kinds:
        gates = np.full_like(gates, FORBIDDEN)
    if "wire" not in problem.kinds:
        wire = FORBIDDEN
    m = len(problem.pairs)
    labels, value, complete = exhaustive(
        MODELS[cost],
        blocks_of(problem),
        LeastCosts(gates, wire),
        limits_of(problem, 2 * m),
        min(upper, FORBIDDEN / 2),
        max_nodes,
        stop,
    )
    return (labels if m and labels[0, 0] >= 0 else None), value, complete
