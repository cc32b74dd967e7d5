"""The anytime driver: strategies run until one proves the plan, none is left, or time is out."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.search.balance import balanced
from qdreamer_lab.search.cost_models import MODELS, plan_price
from qdreamer_lab.search.devices import fits, fragment_widths, packed_on
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.search.nonadditive import search_priced
from qdreamer_lab.search.problem import Found, InfeasibleError
from qdreamer_lab.search.problem_arrays import limits_of
from qdreamer_lab.search.schedule import improve
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.strategy import TOLERANCE, Plan, no_plan
from qdreamer_lab.search.warm_up_problems import samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["make_ready", "search", "search_pareto"]

_ready: set[str] = set()
_readying = threading.Lock()


def make_ready(cost: str, *, limited: bool = False) -> None:
    """Compile the kernels of a cost model, or load them, unless this process has them already.

    A time limit is one on searching: the clock of a search starts after this.

    Args:
        cost: The cost model.
        limited: Whether fragments will be limited in number, which takes a kernel of its own.
    """
    with _readying:
        for name in dict.fromkeys(("lo", cost, *(("limited",) if limited else ()))):
            if name not in _ready:
                model = name if name in MODELS else "lo"
                for problem, limit in samples(name):
                    _search(problem, model, limit, 0, prove=False)
                _ready.add(name)


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
        problem: What to cut, and the limits.
        cost: The cost model.
        time_limit_s: No new strategy starts after this; the first plan is always finished, and
            compiling kernels does not count.
        seed: Seed of everything random.
        prove: Go on until the plan is proven optimal or the time is up, instead of stopping when
            further effort rarely pays.

    Raises:
        InfeasibleError: If no plan keeps the limits.
    """
    _check(cost)
    if not _is_trivial(problem, cost):
        make_ready(cost, limited=problem.is_limited)
    return _search(problem, cost, time_limit_s, seed, prove=prove)


def _check(cost: str) -> None:
    if cost not in MODELS:
        raise ValueError(f"cost must be one of {', '.join(MODELS)}, not {cost!r}")


def _is_trivial(problem: CutProblem, cost: str) -> bool:
    """Whether nothing needs to be cut, and every plan without cuts is as good as another."""
    narrow = problem.num_qubits <= problem.max_qubits and cost != "work"
    return len(problem.pairs) == 0 or narrow


def _search(
    problem: CutProblem,
    cost: str,
    time_limit_s: float,
    seed: int,
    *,
    prove: bool,
    before: Found | None = None,
    graph: PieceGraph | None = None,
) -> Found:
    """`search`, given a plan `before` for a smaller width and the graph of another width."""
    began = time.perf_counter()
    if _is_trivial(problem, cost):
        return Found(np.zeros((len(problem.pairs), 2), np.int64), 0.0, 0.0, True, 0.0)
    deadline, known = began + time_limit_s, 0.0
    if problem.is_limited:
        if problem.max_qubits < 2 and "gate" not in problem.kinds:
            raise _infeasible(problem, seed)
        free = _search(
            problem.without_limit, cost, time_limit_s / 2, seed, prove=prove, graph=graph
        )
        known = free.log2_lower_bound
        before = _cheaper(before, _fitted(problem, cost, free))
        if before is not None and before.log2_overhead <= known + TOLERANCE:
            return replace(with_bound(before, known), seconds=time.perf_counter() - began)
    if cost == "lo":
        labels, value, bound = _additive(problem, seed, deadline, prove, before, graph, known)
    else:
        priced = search_priced(problem, cost, seed, deadline, prove=prove, before=before)
        labels, value, bound = priced.labels, priced.value, priced.bound
    if len(labels) == 0 or value >= FORBIDDEN / 2:
        raise _infeasible(problem, seed)
    bound = min(value, max(bound, known))
    seconds = time.perf_counter() - began
    return Found(labels, value, bound, value <= bound + TOLERANCE, seconds)


def _fitted(problem: CutProblem, cost: str, free: Found) -> Found | None:
    """A plan without limits, with fragments put together until they keep them; None if none do.

    Its bound is that without limits, which holds with limits too.
    """
    limits = limits_of(problem, 2 * len(problem.pairs))
    widths = fragment_widths(problem.pairs, free.labels)
    labels, rooms = free.labels, limits.rooms
    if len(rooms) == 0:
        rooms = np.full(min(limits.max_labels, len(widths)), limits.max_width)
    if not fits(widths, rooms):
        place = packed_on(widths, rooms)
        if place.max() >= len(rooms):
            return None
        labels = renumbered(place[labels])
        widths = fragment_widths(problem.pairs, labels)
    if widths.sum() > problem.total_room:
        return None
    if cost == "lo":  # by hand, so that pricing need not be compiled
        wires = int(widths.sum()) - len(np.unique(problem.pairs))
        gates = problem.gate_cost[labels[:, 0] != labels[:, 1]]
        value = float(gates.sum() + wires * problem.wire_cost)
    else:
        value = plan_price(problem, labels, cost)
    return with_bound(replace(free, labels=labels, log2_overhead=value), 0.0)


def _cheaper(one: Found | None, other: Found | None) -> Found | None:
    """The cheaper of two plans, if any is known."""
    if one is None or other is None:
        return other if one is None else one
    return one if one.log2_overhead <= other.log2_overhead else other


def _additive(
    problem: CutProblem,
    seed: int,
    deadline: float,
    prove: bool,
    before: Found | None,
    graph: PieceGraph | None,
    known: float = 0.0,
) -> tuple[NDArray[np.int64], float, float]:
    """Search under independent local cuts, given that no plan costs less than `known` bits.

    Returns:
        Labels (m, 2), none if no plan was found; their cost and a lower bound, in bits.
    """
    if graph is None:
        graph = piece_graph(problem)
    else:
        graph = replace(graph, limits=limits_of(problem, graph.num_pieces))
    start = replace(no_plan(), bound=known)
    if before is not None:
        start = Plan(graph.piece_labels(before.labels), before.log2_overhead, known)
    best = improve(graph, seed, deadline, prove=prove, best=start)
    if len(best.labels) == 0:
        return np.empty((0, 2), np.int64), best.cost, best.bound
    best = balanced(graph, best, seed, deadline)
    return renumbered(graph.endpoint_labels(best.labels)), best.cost, best.bound


def _infeasible(problem: CutProblem, seed: int) -> InfeasibleError:
    """The error that says what would work instead."""
    devices = () if problem.devices is None else problem.devices[: problem.max_fragments]
    smallest = _smallest_width(problem, seed)
    if not devices:
        return InfeasibleError("No plan found.", smallest)
    shown = ", ".join(map(str, devices[:8])) + (", …" if len(devices) > 8 else "")
    many = f"one device of {shown}" if len(devices) == 1 else f"{len(devices)} devices of {shown}"
    return InfeasibleError(f"No plan found for {many} qubits.", smallest, len(devices))


def _smallest_width(problem: CutProblem, seed: int) -> int:
    """Smallest width for which a plan turns up, by trying one after the other."""
    fragments, narrowest = problem.max_fragments, problem.max_qubits + 1
    if problem.devices is not None:
        fragments = min(len(problem.devices), fragments or len(problem.devices))
        narrowest = -(-problem.num_qubits // fragments)
    if "gate" not in problem.kinds:
        narrowest = max(2, narrowest)
    for width in range(narrowest, problem.num_qubits):
        one = replace(problem, max_qubits=width, devices=None, max_fragments=fragments)
        graph = piece_graph(one)
        if improve(graph, seed, 0.0).cost < FORBIDDEN / 2:
            return width
    return problem.num_qubits


def with_bound(found: Found, bound: float) -> Found:
    """Return an answer with its lower bound raised to `bound`, if that is better."""
    better = min(max(found.log2_lower_bound, bound), found.log2_overhead)
    proven = found.log2_overhead <= better + TOLERANCE
    return replace(found, log2_lower_bound=better, proven_optimal=proven)


def search_pareto(
    problem: CutProblem,
    widths: Sequence[int],
    *,
    cost: str = "lo",
    time_limit_s: float = 1.0,
    seed: int = 0,
) -> list[Found]:
    """Find cheap cuts for several widths, sharing work: the graph, plans, and bounds.

    A plan for one width is a plan for every larger one, and a bound for one width holds for every
    smaller one; so costs never rise with the width.

    Args:
        problem: What to cut; its `max_qubits` is ignored, and it has no `devices`.
        widths: Values of `max_qubits`, in any order.
        cost: The cost model.
        time_limit_s: For all widths together.
        seed: Seed of everything random.

    Returns:
        One answer per width, in the order of `widths`.
    """
    _check(cost)
    ascending = sorted(set(widths))
    if any(not _is_trivial(replace(problem, max_qubits=width), cost) for width in ascending):
        make_ready(cost, limited=problem.is_limited)
    began = time.perf_counter()
    found: dict[int, Found] = {}
    shared = None
    if cost == "lo" and ascending and len(problem.pairs):
        shared = piece_graph(replace(problem, max_qubits=ascending[-1]))
    for done, width in enumerate(ascending):
        task = replace(problem, max_qubits=width)
        left = began + time_limit_s - time.perf_counter()
        share = max(0.0, left) / (len(ascending) - done)
        before = found[ascending[done - 1]] if done else None
        found[width] = _search(task, cost, share, seed, prove=False, before=before, graph=shared)
    for narrow, wide in reversed(list(pairwise(ascending))):
        found[narrow] = with_bound(found[narrow], found[wide].log2_lower_bound)
    return [found[width] for width in widths]
