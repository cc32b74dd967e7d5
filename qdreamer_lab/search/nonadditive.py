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
from qdreamer_lab.search.alarm import alarm
from qdreamer_lab.search.cost_models import MODELS, plan_price
from qdreamer_lab.search.exhaustive import search_exhaustively
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.search.least_costs import least_costs
from qdreamer_lab.search.problem_arrays import blocks_of
from qdreamer_lab.search.refinement import Pool, refined_once
from qdreamer_lab.search.schedule import first_plans, improve, window_rooms
from qdreamer_lab.search.shares import Shares, Stages
from qdreamer_lab.search.strategies.piece_graph import PieceGraph, piece_graph
from qdreamer_lab.search.strategies.strategy import TOLERANCE, Plan, is_feasible, no_plan, plan_of
from qdreamer_lab.search.strategies.sweep import Sweep
from qdreamer_lab.search.windows import Bounds, windowed_bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qdreamer_lab.search.budget import Budget
    from qdreamer_lab.search.memory import Recalled
    from qdreamer_lab.search.problem import CutProblem

__all__ = ["Priced", "search_priced"]

#: Wires of so many bits stand for wires that share a decomposition with a few others, and with
#: many: gates then cost as much as alone, and halfway to the least that they can. By trial.
SHARED_WIRE, WIDELY_SHARED_WIRE = 2.7, 2.2

#: Circuits with more block endpoints than this are not searched exhaustively.
EXHAUSTIVE_ENDS = 20

#: Partial plans an exhaustive search may look at in a default call.
EXHAUSTIVE_NODES = 2_000_000

#: Seconds that an exhaustive search may take even if no time is left.
EXHAUSTIVE_S = 0.05

#: Effort of annealing under the real price, in units of about ten nanoseconds, and moves at most.
ANNEAL_EFFORT = 4_000_000
ANNEAL_MOVES = 5_000

#: Blocks from which on a price takes so long that stand-ins are left out when time is up.
MANY_BLOCKS = 5_000

#: A simpler search takes as long as so many prices before it has found anything.
SIMPLER_PRICES = 4

#: Effort of a wire cut, in the same units.
WIRE_EFFORT = 20

#: Temperatures between which it anneals, in bits (or log2 of the work).
ANNEAL_HOT, ANNEAL_COLD = 1.5, 0.1


#: Size and room of the sweep that bounds plans with communication from below.
BOUND_LIMIT = 2_000
BOUND_ROOM = 200


@dataclass(frozen=True, eq=False)
class Priced:
    """Labels of endpoints (m, 2) with their price, a bound no price is below, and rounds made."""

    labels: NDArray[np.int64]
    value: float
    bound: float
    rounds: int = 0


def search_priced(
    problem: CutProblem,
    cost: str,
    seed: int,
    budget: Budget,
    known: Recalled,
    simpler: Callable[[], NDArray[np.int64] | None],
) -> Priced:
    """Search under a cost model that is not additive; no labels if no plan was found.

    What shares nothing costs no less, so a plan that is cheap under a simpler model is cheap here.

    Args:
        problem: What to cut.
        cost: "joint", "locc" or "work".
        seed: Seed of everything random.
        budget: How long to go on.
        known: What is known already.
        simpler: Searches under the next simpler model for its share of the time, and returns labels
            of endpoints (m, 2), or None if there is no such model or nothing was found.
    """
    problem = _forbidding(problem)
    best, starts, price_s = _begun(problem, cost, seed, budget, known)
    budget = replace(budget, deadline=budget.deadline - price_s)
    best = _finish(problem, cost, best, budget)
    if not starts or best.value >= FORBIDDEN / 2:
        return best
    if best.value <= best.bound + TOLERANCE:
        return best
    left = budget.deadline - time.perf_counter()
    worthwhile = left > SIMPLER_PRICES * price_s or budget.rounds is not None
    labels = simpler() if worthwhile else None
    if labels is None:
        return _refined(problem, cost, seed, budget, best, starts)
    if budget.rounds is not None:
        # From another start, more rounds could lead to a dearer plan.
        best = _refined(problem, cost, seed, budget, best, starts)
        return _cheaper(problem, cost, best, labels)
    best = _cheaper(problem, cost, best, labels)
    graph, pool = starts[0]
    starts[0] = graph, pool.with_plan(plan_of(graph, labels))
    return _refined(problem, cost, seed, budget, best, starts)


def _begun(
    problem: CutProblem, cost: str, seed: int, budget: Budget, known: Recalled
) -> tuple[Priced, list[tuple[PieceGraph, Pool]], float]:
    """Search under each stand-in without refinement.

    Returns:
        The best plan, plans to refine, and the seconds that a price takes: what is found last has
        to be priced in the end.
    """
    low_gates, low_wire = least_costs(problem, cost)
    stand_ins = [(problem.gate_cost, problem.wire_cost)]
    if cost == "joint":
        stand_ins.append((low_gates, problem.wire_cost))
    if cost == "locc":
        halfway = (problem.gate_cost + low_gates) / 2
        stand_ins += [(halfway, WIDELY_SHARED_WIRE), (problem.gate_cost, SHARED_WIRE)]
    if "gate" not in problem.kinds:
        stand_ins = stand_ins[:1]  # the same plans are cheap whatever a wire costs
    best = Priced(np.empty((0, 2), np.int64), np.inf, known.bound)
    if cost == "locc":
        bound = _quick_bound(problem, low_gates, low_wire, seed)
        best = replace(best, bound=max(bound, best.bound))
    if known.labels is not None:
        best = Priced(known.labels, known.value, best.bound)
    starts: list[tuple[PieceGraph, Pool]] = []
    price_s = 0.0
    with alarm(budget.deadline) as stop:
        for gates, wire in stand_ins:
            late = time.perf_counter() > budget.deadline - price_s
            if late and starts and len(problem.pairs) > MANY_BLOCKS:
                break
            graph = piece_graph(problem, gates, wire)
            first, began = first_plans(graph, seed), time.perf_counter()
            for plan in first:  # what no time at all gives; dearer ones may come of it
                if len(plan.labels):
                    best = _cheaper(problem, cost, best, graph.endpoint_labels(plan.labels))
            if not starts:
                price_s = (time.perf_counter() - began) / len(first)
                budget = replace(budget, deadline=budget.deadline - price_s)
            brief = replace(budget, rounds=0, skip=0)
            plan, _ = improve(graph, seed, brief, best=first[-1], begun=True)
            if cost == "joint" and (graph.only_wires or gates is low_gates):
                best = replace(best, bound=max(best.bound, plan.bound))
            if len(plan.labels) == 0:
                continue
            starts.append((graph, Pool((plan,))))
            if plan.labels is not first[-1].labels or not stop[0]:
                best = _priced(problem, cost, best, graph, plan, seed, stop)
    return best, starts, price_s


def _bounded(
    problem: CutProblem,
    cost: str,
    best: Priced,
    room: int,
    stop: NDArray[np.int64],
    known: Bounds,
) -> Priced:
    """With the bound that windows of time have, if every cut costs as little as it can."""
    if cost == "work":
        return best
    gates, wire = least_costs(problem, cost)
    graph = piece_graph(problem, gates, wire)
    plan = plan_of(graph, best.labels) if len(best.labels) else None
    bound = windowed_bound(graph, room, stop, plan, known)
    return replace(best, bound=min(best.value, max(best.bound, bound)))


def _priced(
    problem: CutProblem,
    cost: str,
    best: Priced,
    graph: PieceGraph,
    plan: Plan,
    seed: int,
    stop: NDArray[np.int64],
) -> Priced:
    """Price a plan of a stand-in, anneal it until `stop` (1,), and return the best of all."""
    best = _cheaper(problem, cost, best, graph.endpoint_labels(plan.labels))
    if not stop[0]:
        annealed = _anneal(problem, cost, graph, plan.labels, seed, stop)
        if annealed is not None:
            best = _cheaper(problem, cost, best, annealed)
    return best


def _refined(
    problem: CutProblem,
    cost: str,
    seed: int,
    budget: Budget,
    best: Priced,
    pools: list[tuple[PieceGraph, Pool]],
) -> Priced:
    """Refine plans of the stand-ins in turn, and price and anneal what is new among them."""
    number, known = budget.skip, Bounds()
    pools, shares = list(pools), Shares(budget, best.value)
    windows = Stages(window_rooms(pools[0][0], prove=budget.prove), shares, number)
    with alarm(budget.deadline) as stop:
        while number < budget.last_round and not stop[0] and best.value > best.bound + TOLERANCE:
            for room in windows.turn(number):
                best = _bounded(problem, cost, best, room, stop, known)
            turn, own = number % len(pools), number // len(pools)
            graph, pool = pools[turn]
            if own == 0 and len(best.labels):
                pool = pool.with_plan(plan_of(graph, best.labels))
            old = {id(plan) for plan in pool.plans}
            pool = refined_once(graph, pool, seed, own, stop)
            pools[turn] = graph, pool
            for plan in pool.plans:
                if id(plan) not in old and not stop[0]:
                    best = _priced(problem, cost, best, graph, plan, number, stop)
            shares.saw(best.value)
            number += 1
    return replace(best, rounds=number)


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


def _finish(problem: CutProblem, cost: str, best: Priced, budget: Budget) -> Priced:
    """Search small circuits to the end, which improves and proves the plan at once."""
    if 2 * len(problem.pairs) > EXHAUSTIVE_ENDS:
        return best
    nodes, complete = EXHAUSTIVE_NODES, False
    with alarm(max(budget.deadline, time.perf_counter() + EXHAUSTIVE_S)) as stop:
        while not complete:
            labels, value, complete = search_exhaustively(problem, cost, best.value, nodes, stop)
            if labels is not None:
                best = replace(best, labels=labels, value=value)
            if stop[0] or not budget.prove:
                break
            nodes *= 4
    return replace(best, bound=best.value) if complete else best


def _cheaper(problem: CutProblem, cost: str, best: Priced, labels: NDArray[np.int64]) -> Priced:
    """Return the cheaper of the best plan and `labels` (m, 2)."""
    value = plan_price(problem, labels, cost)
    if best.value <= value + TOLERANCE:
        return best
    return replace(best, labels=renumbered(labels), value=value)


def _anneal(
    problem: CutProblem,
    cost: str,
    graph: PieceGraph,
    labels: NDArray[np.int64],
    seed: int,
    stop: NDArray[np.int64],
) -> NDArray[np.int64] | None:
    """Anneal labels of pieces (S,) under the real price; return labels of endpoints (m, 2).

    None where nothing new comes of it, as where a price takes too long.
    """
    names, start = np.unique(labels, return_inverse=True)
    num_labels = min(graph.limits.max_labels, len(names) + 2)
    # Grouping c cuts of m blocks looks at up to c m steps; short circuits cost what m does.
    cut = int(np.count_nonzero(np.diff(labels[graph.piece_of], axis=1)))
    # Wires are sorted by the fragments that they join.
    wire = graph.pieces.wire
    wires = int(np.count_nonzero((labels[1:] != labels[:-1]) & (wire[1:] == wire[:-1])))
    effort = len(problem.pairs) * (5 + cut) + WIRE_EFFORT * wires
    moves = min(ANNEAL_MOVES, ANNEAL_EFFORT // effort)
    if moves < 100:
        return None
    found, _ = anneal_priced(
        MODELS[cost],
        blocks_of(problem),
        np.asarray(start, np.int64),
        graph.piece_of,
        graph.pieces,
        graph.limits._replace(max_labels=num_labels),
        Cooling(moves, ANNEAL_HOT, ANNEAL_COLD, stop),
        seed,
    )
    return graph.endpoint_labels(found) if is_feasible(graph, found) else None
