"""Search under cost models that do not add up cut by cut: "joint", "locc" and "work".

Plans that are cheap under additive stand-ins are collected first, priced for what they really
cost, and the best ones are annealed under the real price. Small circuits are searched to the end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.kernels.search.anneal import Cooling
from qdreamer_lab.kernels.search.anneal_priced import anneal_priced
from qdreamer_lab.search.cost_models import MODELS, plan_price
from qdreamer_lab.search.exhaustive import search_exhaustively
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.search.least_costs import least_costs
from qdreamer_lab.search.problem_arrays import blocks_of
from qdreamer_lab.search.schedule import improve
from qdreamer_lab.search.strategies.piece_graph import PieceGraph, piece_graph
from qdreamer_lab.search.strategies.strategy import TOLERANCE, is_feasible, no_plan
from qdreamer_lab.search.strategies.sweep import Sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem, Found

__all__ = ["Priced", "search_priced"]

#: Wires of this many bits stand for wires that share a decomposition with a few others.
SHARED_WIRE = 2.7

#: Circuits with more block endpoints than this are not searched exhaustively.
EXHAUSTIVE_ENDS = 20

#: Partial plans an exhaustive search may look at in a default call.
EXHAUSTIVE_NODES = 2_000_000

#: Effort of annealing under the real price, in units of about ten nanoseconds, and moves at most.
ANNEAL_EFFORT = 4_000_000
ANNEAL_MOVES = 5_000

#: Temperatures between which it anneals, in bits (or log2 of the work).
ANNEAL_HOT, ANNEAL_COLD = 1.5, 0.1


#: Size and room of the sweep that bounds plans with communication from below.
BOUND_LIMIT = 2_000
BOUND_ROOM = 200


@dataclass(frozen=True, eq=False)
class Priced:
    """Labels of endpoints (m, 2) with their price, and a bound no price is below."""

    labels: NDArray[np.int64]
    value: float
    bound: float


def search_priced(
    problem: CutProblem,
    cost: str,
    seed: int,
    deadline: float,
    *,
    prove: bool,
    before: Found | None = None,
) -> Priced:
    """Search under a cost model that is not additive; no labels if no plan was found.

    Args:
        problem: What to cut.
        cost: "joint", "locc" or "work".
        seed: Seed of everything random.
        deadline: `time.perf_counter()` after which nothing new starts.
        prove: Whether to go on until the plan is proven or the time is up.
        before: A plan that is feasible here too.
    """
    problem = _forbidding(problem)
    low_gates, low_wire = least_costs(problem, cost)
    stand_ins = [(problem.gate_cost, problem.wire_cost)]
    if cost != "work":
        stand_ins.append((low_gates, problem.wire_cost))
    if cost == "locc":
        stand_ins.append((low_gates, SHARED_WIRE))
    best: Priced | None = None
    bound = _quick_bound(problem, low_gates, low_wire, seed) if cost == "locc" else 0.0
    if before is not None:
        best = Priced(before.labels, before.log2_overhead, bound)
    for number, (gates, wire) in enumerate(stand_ins):
        graph = piece_graph(problem, gates, wire)
        until = deadline
        if problem.is_limited:  # then it goes on for as long as it may: each has its share
            left = deadline - time.perf_counter()
            until -= left * (1 - 0.8 / (len(stand_ins) - number))
        plan = improve(graph, seed, until, prove=False)
        if cost == "joint" and gates is low_gates:
            bound = plan.bound
        if len(plan.labels) == 0:
            continue
        labels = graph.endpoint_labels(plan.labels)
        best = _cheaper(problem, cost, best, labels, bound)
        if time.perf_counter() < deadline:
            labels = _anneal(problem, cost, graph, plan.labels, seed)
            best = _cheaper(problem, cost, best, labels, bound)
    if best is None:
        return Priced(np.empty((0, 2), np.int64), np.inf, bound)
    return _finish(problem, cost, best, prove=prove)


def _forbidding(problem: CutProblem) -> CutProblem:
    """The problem with forbidden kinds of cut priced out, as `price` knows nothing of kinds."""
    if "gate" not in problem.kinds:
        never = np.full(len(problem.pairs), FORBIDDEN)
        problem = replace(problem, gate_cost=never, sine=None)
    if "wire" not in problem.kinds:
        problem = replace(problem, wire_cost=FORBIDDEN)
    return problem


def _quick_bound(problem: CutProblem, gates: NDArray[np.float64], wire: float, seed: int) -> float:
    """Bits that no plan costs less than, if every cut costs at least `gates` and `wire`."""
    graph = piece_graph(problem, gates, wire)
    if graph.num_pieces * graph.widest > BOUND_LIMIT:
        return 0.0
    return Sweep(room=BOUND_ROOM).improve(graph, no_plan(), seed).bound


def _finish(problem: CutProblem, cost: str, best: Priced, *, prove: bool) -> Priced:
    """Search small circuits to the end, which improves and proves the plan at once."""
    if 2 * len(problem.pairs) > EXHAUSTIVE_ENDS:
        return best
    nodes = EXHAUSTIVE_NODES * (100 if prove else 1)
    labels, value, complete = search_exhaustively(problem, cost, best.value, nodes)
    if labels is not None:
        best = Priced(labels, value, best.bound)
    return Priced(best.labels, best.value, best.value if complete else best.bound)


def _cheaper(
    problem: CutProblem,
    cost: str,
    best: Priced | None,
    labels: NDArray[np.int64],
    bound: float,
) -> Priced:
    """Return the cheaper of the best plan and `labels` (m, 2), with the better bound."""
    value = plan_price(problem, labels, cost)
    if best is not None and best.value <= value + TOLERANCE:
        return Priced(best.labels, best.value, max(bound, best.bound))
    return Priced(renumbered(labels), value, bound)


def _anneal(
    problem: CutProblem, cost: str, graph: PieceGraph, labels: NDArray[np.int64], seed: int
) -> NDArray[np.int64]:
    """Anneal labels of pieces (S,) under the real price; return labels of endpoints (m, 2)."""
    names, start = np.unique(labels, return_inverse=True)
    num_labels = min(graph.limits.max_labels, len(names) + 2)
    # Grouping c cuts of m blocks looks at up to c m steps; short circuits cost what m does.
    cut = int(np.count_nonzero(np.diff(labels[graph.piece_of], axis=1)))
    effort = len(problem.pairs) * (5 + cut)
    moves = min(ANNEAL_MOVES, ANNEAL_EFFORT // effort)
    if moves < 100:
        return graph.endpoint_labels(labels)
    found, _ = anneal_priced(
        MODELS[cost],
        blocks_of(problem),
        np.asarray(start, np.int64),
        graph.piece_of,
        graph.pieces,
        graph.limits._replace(max_labels=num_labels),
        Cooling(moves, ANNEAL_HOT, ANNEAL_COLD),
        seed,
    )
    return graph.endpoint_labels(found if is_feasible(graph, found) else labels)
