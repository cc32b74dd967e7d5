"""The anytime driver: strategies run until one proves the plan, none is left, or time is out."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.search.alarm import alarm
from qdreamer_lab.search.balance import balanced
from qdreamer_lab.search.budget import Budget
from qdreamer_lab.search.cost_models import MODELS, plan_price
from qdreamer_lab.search.devices import fits, fragment_widths, packed_on
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.search.memory import Recalled, recall, remember, remember_time
from qdreamer_lab.search.nonadditive import Priced, search_priced
from qdreamer_lab.search.problem import Found, InfeasibleError
from qdreamer_lab.search.problem_arrays import limits_of
from qdreamer_lab.search.schedule import any_plan, improve
from qdreamer_lab.search.strategies.anneal import Anneal
from qdreamer_lab.search.strategies.cycle import Cycle
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.slices import Slices
from qdreamer_lab.search.strategies.strategy import TOLERANCE, Plan, plan_of
from qdreamer_lab.search.warm_up_problems import samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["make_ready", "search", "search_pareto"]

#: Seeds are taken modulo this: strategies make thousands of each, which have to fit in 64 bits.
SEEDS = 2**48

#: Seconds that the search for a width that works may take even if no time is left.
HINT_S = 0.1

#: The cost model that lets cuts share less, and under which a plan costs no less.
SIMPLER = {"joint": "lo", "locc": "joint"}

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
                examples = samples(name)
                model = name if name in MODELS else "lo"
                for problem, limit in examples:
                    _search(problem, model, limit, 0, rounds=0)
                for problem, _ in examples[:1]:
                    graph = piece_graph(problem)
                    plan, _ = improve(graph, 0, Budget(np.inf))
                    Cycle(coarsest=2).improve(graph, plan, 0)
                    Slices(2, trades=1).improve(graph, plan, 0)
                    Anneal(moves=1).improve(graph, plan, 0)
                _ready.add(name)


def search(
    problem: CutProblem,
    *,
    cost: str = "lo",
    time_limit_s: float = 1.0,
    seed: int = 0,
    prove: bool = False,
    rounds: int | None = None,
) -> Found:
    """Find cheap cuts: search until the plan is proven optimal, or the time or rounds are up.

    Given `rounds`, the answer depends on the arguments alone, unless the time limit interrupts.
    Without, it also depends on how far the search comes in its time, and on what this process has
    found out before: it is no dearer than any plan remembered for the cost model and the limits,
    and what was searched already is not searched again. The same question, asked again, goes on
    where it stopped if it is given more time, and else gets the best answer known at once.

    Args:
        problem: What to cut, and the limits.
        cost: The cost model.
        time_limit_s: Seconds to search for; the first plan is always finished, and compiling
            kernels does not count.
        seed: Seed of everything random.
        prove: Spend more of the time on proofs.
        rounds: Rounds of refinement at most; None for as many as there is time for.

    Raises:
        InfeasibleError: If no plan keeps the limits.
    """
    _check(cost)
    if not _is_trivial(problem, cost):
        make_ready(cost, limited=problem.is_limited)
    return _search(problem, cost, time_limit_s, seed % SEEDS, prove=prove, rounds=rounds)


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
    prove: bool = False,
    rounds: int | None = None,
    before: Found | None = None,
    graph: PieceGraph | None = None,
) -> Found:
    """`search`, given a plan `before` for a smaller width and the graph of another width."""
    began = time.perf_counter()
    if _is_trivial(problem, cost):
        return Found(np.zeros((len(problem.pairs), 2), np.int64), 0.0, 0.0, True, 0.0)
    known = recall(problem, cost, seed, prove=prove) if rounds is None else Recalled()
    known = known.improved_by(before)
    left = time_limit_s - known.seconds
    budget = Budget(began + left, rounds, known.rounds, prove=prove)
    done = known.labels is not None and left <= 0 and known.seconds > 0
    if problem.is_hopeless:
        raise _infeasible(problem, seed, budget.deadline)
    if problem.is_limited and not (known.proven or done):
        free = _search(
            problem.without_limit,
            cost,
            time_limit_s / 2,
            seed,
            prove=prove,
            rounds=rounds,
            graph=graph,
        )
        known = known.with_bound(free.log2_lower_bound)
        known = known.improved_by(_fitted(problem, cost, free))
    if known.labels is not None and (known.proven or done):
        answer = Priced(known.labels, known.value, known.bound, known.rounds)
    elif cost == "lo":
        answer = _additive(problem, seed, budget, known, graph)
    else:

        def simpler() -> NDArray[np.int64] | None:
            share = min(time_limit_s / 2, budget.deadline - time.perf_counter())
            return _simpler(problem, cost, share, seed, rounds)

        answer = search_priced(problem, cost, seed, budget, known, simpler)
    if len(answer.labels) == 0 or answer.value >= FORBIDDEN / 2:
        raise _infeasible(problem, seed, budget.deadline)
    seconds = time.perf_counter() - began
    proven = answer.value <= answer.bound + TOLERANCE
    found = Found(answer.labels, answer.value, answer.bound, proven, seconds)
    remember(problem, cost, found)
    if rounds is None and left > 0:
        remember_time(problem, cost, seed, (time_limit_s, answer.rounds), prove=prove)
    return found


def _simpler(
    problem: CutProblem, cost: str, seconds: float, seed: int, rounds: int | None
) -> NDArray[np.int64] | None:
    """Labels of endpoints (m, 2) that are cheap where cuts share less; None where there are none.

    So what `cost` lets cuts share never makes a plan dearer, given as many rounds.
    """
    if cost not in SIMPLER or seconds <= 0:
        return None
    try:
        return _search(problem, SIMPLER[cost], seconds, seed, rounds=rounds).labels
    except InfeasibleError:  # none turned up in a shorter time; there may be some
        return None


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


def _additive(
    problem: CutProblem, seed: int, budget: Budget, known: Recalled, graph: PieceGraph | None
) -> Priced:
    """Search under independent local cuts."""
    if graph is None:
        graph = piece_graph(problem)
    else:
        graph = replace(graph, limits=limits_of(problem, graph.num_pieces))
    start = Plan(np.empty(0, np.int64), np.inf, known.bound)
    if known.labels is not None:
        start = start.improved_by(plan_of(graph, known.labels))
    best, rounds = improve(graph, seed, budget, best=start)
    if known.labels is not None and known.value <= best.cost + TOLERANCE:
        return Priced(known.labels, known.value, min(best.bound, known.value), rounds)
    if len(best.labels) == 0:
        return Priced(np.empty((0, 2), np.int64), best.cost, best.bound, rounds)
    best = balanced(graph, best, seed, budget.deadline)
    labels = renumbered(graph.endpoint_labels(best.labels))
    return Priced(labels, best.cost, best.bound, rounds)


def _infeasible(problem: CutProblem, seed: int, deadline: float) -> InfeasibleError:
    """The error that says what would work instead."""
    devices = () if problem.devices is None else problem.devices[: problem.max_fragments]
    smallest = _smallest_width(problem, seed, deadline)
    if not devices:
        return InfeasibleError("No plan found.", smallest, at_most=True)
    shown = ", ".join(map(str, devices[:8])) + (", …" if len(devices) > 8 else "")
    many = f"one device of {shown}" if len(devices) == 1 else f"{len(devices)} devices of {shown}"
    message = f"No plan found for {many} qubits."
    return InfeasibleError(message, smallest, len(devices), at_most=True)


def _smallest_width(problem: CutProblem, seed: int, deadline: float) -> int:
    """A small width for which a plan turns up, found by bisection: all qubits in one fragment do.

    Narrower fragments have fewer plans, but they may be found where those of wider ones are not;
    so there may be a smaller width.
    """
    fragments, least = problem.max_fragments, problem.max_qubits + 1
    if problem.devices is not None:
        used = problem.devices[:fragments]
        fragments, least = len(used), used[0] + 1 if used[0] == used[-1] else 1
    if fragments is not None:
        least = max(least, -(-problem.num_qubits // fragments))
    if "gate" not in problem.kinds:
        least = max(2, least)
    most = max(least, problem.num_qubits)
    one = replace(problem, max_qubits=most, devices=None, max_fragments=fragments)
    graph = piece_graph(one)
    with alarm(max(deadline, time.perf_counter() + HINT_S)) as stop:
        for thorough in (False, True):
            low = least
            while low < most and not stop[0]:
                width = (low + most) // 2
                limits = limits_of(replace(one, max_qubits=width), graph.num_pieces)
                narrow = replace(graph, limits=limits)
                if any_plan(narrow, seed, stop, thorough=thorough).cost < FORBIDDEN / 2:
                    most = width
                else:
                    low = width + 1
    return most


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
    rounds: int | None = None,
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
        rounds: As for `search`, for each width.

    Returns:
        One answer per width, in the order of `widths`.
    """
    _check(cost)
    ascending, seed = sorted(set(widths)), seed % SEEDS
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
        found[width] = _search(task, cost, share, seed, rounds=rounds, before=before, graph=shared)
    for narrow, wide in reversed(list(pairwise(ascending))):
        found[narrow] = with_bound(found[narrow], found[wide].log2_lower_bound)
    return [found[width] for width in widths]
