"""Which strategies run, in which order, and how hard: the only place that weighs effort."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.search.alarm import alarm
from qdreamer_lab.search.refinement import Pool, refined_once
from qdreamer_lab.search.shares import Shares, Stages
from qdreamer_lab.search.strategies.anneal import Anneal
from qdreamer_lab.search.strategies.connected_parts import Connected
from qdreamer_lab.search.strategies.guided_sweep import GuidedSweep
from qdreamer_lab.search.strategies.multilevel import Multilevel
from qdreamer_lab.search.strategies.random_plan import RandomPlan
from qdreamer_lab.search.strategies.separate_blocks import Separate
from qdreamer_lab.search.strategies.slices import Slices
from qdreamer_lab.search.strategies.strategy import Plan, no_plan
from qdreamer_lab.search.strategies.sweep import Sweep
from qdreamer_lab.search.strategies.sweep_devices import SweepDevices
from qdreamer_lab.search.windows import Bounds, windowed_bound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from qdreamer_lab.search.budget import Budget
    from qdreamer_lab.search.strategies.piece_graph import PieceGraph
    from qdreamer_lab.search.strategies.strategy import Strategy

__all__ = ["any_plan", "first_plans", "improve", "limited", "quick", "window_rooms"]


#: A sweep with fewer frontier subsets than 2^this often ends with a proof, so it goes first.
NARROW = 16.0

#: From this many pieces a wire on, a sweep looks ahead: what is near in time then matters more
#: than what joins two wires all along.
DEEP = 20

#: From this many pieces on, a deep circuit is looked at through a shorter horizon.
VERY_DEEP = 1_500


#: Pieces times frontier beyond which even a narrow beam takes too long.
SWEEP_LIMIT = 400_000


#: Pieces times frontier times plans kept of a sweep that takes a twentieth of a second.
FAST = 1_000_000

#: From 2^this frontier subsets on, a circuit is swept for a proof only where one is asked for.
PROVABLE = 22.0

#: Partial plans that the first sweep for a proof keeps, and looks at in all; each later one has
#: four times as many.
PROOF_ROOM, PROOF_STATES = 12_000, 500_000

#: Bytes of the partial plans of a step that a sweep for a proof keeps at most, and partial plans
#: that it looks at in all, of each of which it may remember five bytes.
PROOF_BYTES, MOST_PROOF_STATES = 300_000_000, 60_000_000

#: Rounds of refinement before windows of time are first bounded, least and most partial plans kept
#: then, and these times all pieces; each later time has four times as many.
FIRST_WINDOWS, WINDOW_ROOMS, WINDOW_WORK = 4, (16, 256), 60_000

#: Rounds of refinement before the first sweep for a proof, where none is asked for.
FIRST_PROOF = 16

#: Rounds of refinement before deep circuits are swept looking ahead.
LATE = 6

#: Share of the time left in which to look for any plan at all.
AT_LAST = 0.6

#: Strategies that can be stopped on the way.
SWEEPS = Sweep | GuidedSweep | SweepDevices
STOPPABLE = SWEEPS | Anneal | Slices

#: From this many pieces on, a plan that cuts only gates is made before anything else.
SLOW = 100


def quick(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies of a default call: milliseconds on circuits of up to a hundred qubits."""
    if graph.only_wires:
        yield from whole_gates(graph)
        return
    if graph.num_pieces * graph.widest > SWEEP_LIMIT:
        yield from large(graph)
        return
    if graph.num_pieces > SLOW:
        yield Multilevel(tries=1)
    yield Sweep(room=48)
    if graph.effort < NARROW:
        yield GuidedSweep(room=1_000, max_states=60_000)
    yield Multilevel(tries=4)
    yield Anneal(moves=20_000, hot=0.8, cold=0.2)
    if _is_deep(graph):
        return
    yield Anneal(moves=20_000, hot=1.5, cold=0.3)
    room = min(1_000, 60_000 // graph.num_pieces)
    if graph.effort < NARROW:
        yield GuidedSweep(room=8_000, max_states=150_000)
    elif room > 100:
        yield Sweep(room=room)


def _is_deep(graph: PieceGraph) -> bool:
    """Whether a sweep looks ahead, which takes so long that a few rounds go first."""
    few = graph.num_pieces * graph.widest <= SWEEP_LIMIT and not graph.is_limited
    deep = graph.num_pieces > DEEP * len(np.unique(graph.pieces.wire))
    return few and deep and not graph.only_wires


def _late_sweep(graph: PieceGraph) -> Sweep:
    """The sweep that looks ahead."""
    # Chosen by trial: longer circuits change faster which wires belong together.
    horizon = 20 if graph.num_pieces < VERY_DEEP else 12
    return Sweep(room=min(240, 800_000 // graph.num_pieces), horizon=horizon)


def whole_gates(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies where gates must not be cut, so that no single piece can move by itself."""
    yield Separate()
    yield Connected()
    if graph.num_pieces * graph.widest <= SWEEP_LIMIT:
        yield Sweep(room=min(48, FAST // (graph.num_pieces * graph.widest) + 1))
        yield Sweep(room=max(1, min(1_000, 200_000 // graph.num_pieces)))


def large(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies for circuits that are too large to sweep."""
    yield Multilevel(tries=1)
    for count in (1, 2, 3):
        yield Slices(count, trades=2_000)
    yield Anneal(moves=min(400_000, 20 * graph.num_pieces), hot=0.5, cold=0.1)


def limited(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies of a default call where fragments are limited in number, and perhaps in width."""
    sweeps = graph.num_pieces * graph.widest <= SWEEP_LIMIT
    if graph.only_wires:
        yield Separate()
        yield Connected()
    else:
        yield RandomPlan(tries=1)
    if not graph.only_wires:
        yield Multilevel(tries=4)
        yield Anneal(moves=min(400_000, max(20_000, 20 * graph.num_pieces)), hot=0.8, cold=0.2)
    if sweeps:
        # So narrow that it comes to its end, with a plan if there is any.
        narrow = 200_000 // (graph.num_pieces * graph.limits.max_labels)
        yield SweepDevices(room=min(48, narrow + 1))
        yield SweepDevices(room=1_000, max_states=60_000)
        yield Sweep(room=48)
    if not graph.only_wires:
        yield Anneal(moves=20_000, hot=1.5, cold=0.3)
    if sweeps:
        yield SweepDevices(room=8_000, max_states=150_000)


def first_plans(graph: PieceGraph, seed: int) -> list[Plan]:
    """What is found in no time, ever better; nothing yet perhaps.

    Where gates must not be cut, the first strategies are poor ones, and the next is not waited for.
    """
    best, found = no_plan(), []
    strategies = enumerate(limited(graph) if graph.is_limited else quick(graph))
    for number, strategy in itertools.islice(strategies, _at_once(graph)):
        best = best.improved_by(strategy.improve(graph, best, seed + number))
        found.append(best)
    return found


def _at_once(graph: PieceGraph) -> int:
    """How many strategies `first_plans` runs."""
    return 3 if graph.only_wires else 1


def any_plan(
    graph: PieceGraph, seed: int, stop: NDArray[np.int64], *, thorough: bool = True
) -> Plan:
    """The first plan that a default call finds, if any.

    Args:
        graph: What to label.
        seed: Seed of everything random.
        stop: (1,) Flag that ends it at once when it is not 0.
        thorough: Whether to go on where nothing is found in no time.
    """
    best = no_plan()
    strategies = limited(graph) if graph.is_limited else quick(graph)
    most = None if thorough else _at_once(graph)
    for number, strategy in enumerate(itertools.islice(strategies, most)):
        if stop[0] or best.cost < FORBIDDEN / 2:
            break
        if isinstance(strategy, SWEEPS):
            strategy = replace(strategy, stop=stop)
        best = best.improved_by(strategy.improve(graph, best, seed + number))
    return best


def improve(
    graph: PieceGraph,
    seed: int,
    budget: Budget,
    *,
    best: Plan | None = None,
    begun: bool = False,
) -> tuple[Plan, int]:
    """Run strategies on one graph until the plan is proven or the budget is used up.

    Args:
        graph: What to label.
        seed: Seed of everything random.
        budget: How long to go on; the first strategy always runs, unless earlier rounds did.
        best: A plan that is known already.
        begun: Whether it is the last that `first_plans` found.

    Returns:
        The best plan, and the number of rounds of refinement that have now been made in all.
    """
    best = no_plan() if best is None else best
    if budget.skip and len(best.labels):
        return refined(graph, seed, budget, best)
    strategies = enumerate(limited(graph) if graph.is_limited else quick(graph))
    for number, strategy in itertools.islice(strategies, _at_once(graph)):
        if not begun:
            best = best.improved_by(strategy.improve(graph, best, seed + number))
    if best.proven:
        return best, 0
    with alarm(budget.deadline) as stop:
        for number, strategy in strategies:
            if best.proven or (best.cost < FORBIDDEN / 2 and time.perf_counter() > budget.deadline):
                return best, 0
            if isinstance(strategy, STOPPABLE) and best.cost < FORBIDDEN / 2:
                strategy = replace(strategy, stop=stop)
            best = best.improved_by(strategy.improve(graph, best, seed + number))
    if graph.is_limited and best.cost >= FORBIDDEN / 2:
        best = _found_at_last(graph, budget, best)
    if best.proven or best.cost >= FORBIDDEN / 2:
        return best, 0
    return refined(graph, seed, budget, best)


def _found_at_last(graph: PieceGraph, budget: Budget, best: Plan) -> Plan:
    """Look for any plan at all, ever more thoroughly: there may be few, and none is known.

    Some of the time is left for finding out what would work.
    """
    now = time.perf_counter()
    with alarm(now + AT_LAST * (budget.deadline - now)) as stop:
        for sweep in _proofs(graph, prove=True).values():
            if stop[0] or best.cost < FORBIDDEN / 2 or best.bound >= FORBIDDEN / 2:
                break
            best = best.improved_by(replace(sweep, stop=stop).improve(graph, best, 0))
    return best


def refined(graph: PieceGraph, seed: int, budget: Budget, best: Plan) -> tuple[Plan, int]:
    """Refine a plan round by round, and look for a proof in between, in its share of the time.

    Returns:
        The best plan, and the number of the round that would be next.
    """
    number, pool, deep, known = budget.skip, Pool((best,)), _is_deep(graph), Bounds()
    shares = Shares(budget, best.cost)
    windows = Stages(window_rooms(graph, prove=budget.prove), shares, number)
    proofs = Stages(_proofs(graph, prove=budget.prove), shares, number)
    with alarm(budget.deadline) as stop:
        while number < budget.last_round and not (stop[0] or pool.best.proven):
            for room in windows.turn(number):
                bound = windowed_bound(graph, room, stop, pool.best, known)
                pool = pool.with_bound(Plan(pool.best.labels, pool.best.cost, bound))
            for sweep in () if pool.best.proven else proofs.turn(number):
                found = replace(sweep, stop=stop).improve(graph, pool.best, seed)
                pool = pool.with_bound(found)
            if number == LATE and deep and not pool.best.proven:
                late = replace(_late_sweep(graph), stop=stop)
                pool = pool.with_bound(late.improve(graph, pool.best, seed))
            if pool.best.proven:
                break
            pool = refined_once(graph, pool, seed, number, stop)
            shares.saw(pool.best.cost)
            number += 1
    return pool.best, number


def window_rooms(graph: PieceGraph, *, prove: bool) -> dict[int, int]:
    """Partial plans kept in windows, by the number of the round before which they are swept.

    None where fragments are limited in number: windows know nothing of that, and have been swept
    without the limit before.
    """
    if graph.is_limited:
        return {}
    least, most = WINDOW_ROOMS
    room = max(least, min(most, WINDOW_WORK // graph.num_pieces))
    return {k if prove else FIRST_WINDOWS * 4**k: room * 4**k for k in range(8)}


def _proofs(graph: PieceGraph, *, prove: bool) -> dict[int, GuidedSweep | SweepDevices]:
    """Sweeps that may prove a plan, by the number of the round before which they are made.

    The last is as large as memory allows; what it leaves open stays open.
    """
    # Where gates must not be cut, the effort says nothing: few of the subsets keep blocks whole.
    hard = graph.effort > PROVABLE and not graph.only_wires
    if graph.num_pieces * graph.widest > SWEEP_LIMIT or (hard and not prove):
        return {}
    first = 0 if prove else FIRST_PROOF
    kind = SweepDevices if graph.is_limited else GuidedSweep
    slots = max(graph.widest, graph.limits.max_labels + 1 if graph.is_limited else 0)
    # Two beams have twice as many rows as plans are kept, of three bytes a slot and some more.
    most = PROOF_BYTES // (4 * (3 * slots + 40))
    proofs: dict[int, GuidedSweep | SweepDevices] = {}
    for k in range(10):
        room, states = PROOF_ROOM * 4**k, PROOF_STATES * 4**k
        proofs[first + 8 * 4**k - 8] = kind(min(room, most), min(states, MOST_PROOF_STATES))
        if room >= most or states >= MOST_PROOF_STATES:
            break
    return proofs
