"""The anytime driver: strategies run until one proves the plan, none is left, or time is out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.graph import FORBIDDEN, piece_graph
from qdreamer_lab.search.presets import improve
from qdreamer_lab.search.priced import search_priced
from qdreamer_lab.search.problem import Found, InfeasibleError
from qdreamer_lab.search.strategy import TOLERANCE

if TYPE_CHECKING:
    from qdreamer_lab.search.problem import CutProblem

__all__ = ["search"]


def search(
    problem: CutProblem,
    *,
    cost: str = "lo",
    time_limit_s: float = 1.0,
    seed: int = 0,
    prove: bool = False,
) -> Found:
    """Find cheap cuts.

    The answer depends on the problem and the seed alone, unless the time limit interrupts.

    Args:
        problem: what to cut, and the limits.
        cost: the cost model.
        time_limit_s: no new strategy starts after this; the first plan is always finished.
        seed: of everything random.
        prove: go on until the plan is proven optimal or the time is up, instead of stopping when
            further effort rarely pays.

    Raises:
        InfeasibleError: if no plan keeps the limits.
    """
    began = time.perf_counter()
    if len(problem.pairs) == 0 or problem.num_qubits <= problem.max_qubits:
        labels = np.zeros((len(problem.pairs), 2), np.int64)
        return Found(labels, 0.0, 0.0, True, time.perf_counter() - began)
    if cost != "lo":
        priced = search_priced(problem, cost, seed, began + time_limit_s, prove=prove)
        if priced is None or priced.value >= FORBIDDEN / 2:
            raise InfeasibleError("No plan found.", problem.num_qubits)
        proven = priced.value <= priced.bound + TOLERANCE
        seconds = time.perf_counter() - began
        return Found(priced.labels, priced.value, priced.bound, proven, seconds)
    graph = piece_graph(problem)
    best = improve(graph, seed, began + time_limit_s, prove=prove)
    if best.cost >= FORBIDDEN / 2:
        raise InfeasibleError("No plan found.", problem.num_qubits)
    return Found(
        graph.endpoint_labels(best.labels),
        best.cost,
        best.bound,
        best.proven,
        time.perf_counter() - began,
    )
