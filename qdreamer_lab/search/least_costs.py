"""Additive costs that no cost model undercuts: what makes its lower bounds valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.search.exhaustive import LeastCosts
from qdreamer_lab.search.problem_arrays import sines

if TYPE_CHECKING:
    from qdreamer_lab.search.problem import CutProblem

__all__ = ["least_costs"]


def least_costs(problem: CutProblem, cost: str) -> LeastCosts:
    """Return bits per block (m,) and per wire that every cut adds at least, whatever its group.

    A group of rotations has gamma = 2 prod(1 + s) - 1 >= prod(1 + s), so each adds at least
    2 log2(1 + s) bits. A group of n wires has gamma = 2^(n + 1) - 1 >= 2^n, so each adds at least
    2 bits. Work has no additive bound but 0.
    """
    gates, wire = problem.gate_cost, float(problem.wire_cost)
    if cost == "work":
        return LeastCosts(np.zeros_like(gates), 0.0)
    if cost in ("joint", "locc"):
        sine = sines(problem)
        shared = np.minimum(gates, 2 * np.log2(1 + np.nan_to_num(sine)))
        gates = np.where(np.isnan(sine), gates, shared)
    if cost == "locc":
        wire = min(wire, 2.0)
    return LeastCosts(gates, wire)
