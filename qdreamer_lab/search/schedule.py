"""Which strategies run, in which order, and how hard: the only place that weighs effort."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.search.strategies.anneal import Anneal
from qdreamer_lab.search.strategies.multilevel import Multilevel
from qdreamer_lab.search.strategies.random_plan import RandomPlan
from qdreamer_lab.search.strategies.separate_blocks import Separate
from qdreamer_lab.search.strategies.strategy import Plan, no_plan
from qdreamer_lab.search.strategies.sweep import Sweep
from qdreamer_lab.search.strategies.sweep_devices import SweepDevices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph
    from qdreamer_lab.search.strategies.strategy import Strategy

__all__ = ["improve", "limited", "quick", "thorough"]


#: A sweep with fewer frontier subsets than 2^this is cheap enough to go first.
NARROW = 9.5

#: From this many pieces a wire on, a sweep looks ahead: what is near in time then matters more
#: than what joins two wires all along.
DEEP = 20

#: From this many pieces on, a deep circuit is looked at through a shorter horizon.
VERY_DEEP = 1_500


#: Pieces times frontier beyond which even a narrow beam takes too long.
SWEEP_LIMIT = 400_000


#: Partial plans a sweep looks at in a second, or more.
STATES_PER_SECOND = 400_000

#: The same of a sweep over devices.
DEVICE_STATES_PER_SECOND = 250_000

#: Moves of an annealing in a second, or more.
MOVES_PER_SECOND = 500_000

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
        yield Sweep(room=1_000, max_states=60_000)
    yield Multilevel(tries=4)
    yield Anneal(moves=20_000, hot=0.8, cold=0.2)
    if graph.num_pieces > DEEP * len(np.unique(graph.pieces.wire)):
        # Chosen by trial: longer circuits change faster which wires belong together.
        horizon = 20 if graph.num_pieces < VERY_DEEP else 12
        yield Sweep(room=min(240, 800_000 // graph.num_pieces), horizon=horizon)
        return
    yield Anneal(moves=20_000, hot=1.5, cold=0.3)
    room = min(1_000, 60_000 // graph.num_pieces)
    if graph.effort < NARROW:
        yield Sweep(room=8_000, max_states=150_000)
    elif room > 100:
        yield Sweep(room=room)


def whole_gates(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies where gates must not be cut, so that no single piece can move by itself."""
    yield Separate()
    if graph.num_pieces * graph.widest <= SWEEP_LIMIT:
        room = max(1, min(1_000, 200_000 // graph.num_pieces))
        yield Sweep(room=min(room, 48))
        yield Sweep(room=room)


def large(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies for circuits that are too large to sweep."""
    yield Multilevel(tries=1)
    moves = min(400_000, 20 * graph.num_pieces)
    yield Anneal(moves=moves, hot=0.5, cold=0.1)
    yield Multilevel(tries=4)
    yield Anneal(moves=moves, hot=0.5, cold=0.1)


def thorough(graph: PieceGraph, deadline: float) -> Iterator[Strategy]:
    """Strategies that go on until the optimum is proven or `deadline` (perf_counter) is near."""
    yield from quick(graph)
    room = 12_000
    while graph.num_pieces * graph.widest <= SWEEP_LIMIT:
        left = deadline - time.perf_counter()
        yield Sweep(room=room, max_states=int(max(0.0, left) * STATES_PER_SECOND))
        yield Anneal(moves=200_000, hot=1.5)
        room *= 4


def limited(graph: PieceGraph, deadline: float) -> Iterator[Strategy]:
    """Strategies where fragments are limited in number, and perhaps each in width.

    They go on until `deadline` (perf_counter).
    """
    sweeps = graph.num_pieces * graph.widest <= SWEEP_LIMIT
    yield Separate() if graph.only_wires else RandomPlan(tries=1)
    if not graph.only_wires:
        yield Multilevel(tries=4)
        yield Anneal(moves=min(400_000, max(20_000, 20 * graph.num_pieces)), hot=0.8, cold=0.2)
    if sweeps:
        yield SweepDevices(room=48, max_states=200_000)
        yield SweepDevices(room=1_000, max_states=60_000)
        yield Sweep(room=48)
    if not graph.only_wires:
        yield Anneal(moves=20_000, hot=1.5, cold=0.3)
    if sweeps:
        yield SweepDevices(room=8_000, max_states=150_000)
        states = int(max(0.0, deadline - time.perf_counter()) / 2 * DEVICE_STATES_PER_SECOND)
        # So wide that it comes to its end, with a plan; where less suffices, with a proof.
        yield SweepDevices(room=states // (graph.num_pieces * graph.limits.max_labels) + 1)
    hot = 4.0
    while (left := deadline - time.perf_counter()) > 0:
        yield Anneal(moves=max(20_000, int(min(0.5, left / 3) * MOVES_PER_SECOND)), hot=hot)
        hot = 1.5 if hot > 2 else 4.0


def improve(
    graph: PieceGraph,
    seed: int,
    deadline: float,
    *,
    prove: bool = False,
    best: Plan | None = None,
) -> Plan:
    """Run strategies on one graph until proven, used up or past `deadline` (perf_counter).

    Args:
        graph: What to label.
        seed: Seed of everything random.
        deadline: No strategy but the first starts after this.
        prove: Use the strategies of `thorough` instead of those of `quick`; both are others where
            fragments are limited in number.
        best: A plan that is known already.
    """
    best = no_plan() if best is None else best
    if graph.is_limited:
        strategies = limited(graph, deadline)
    else:
        strategies = thorough(graph, deadline) if prove else quick(graph)
    for number, strategy in enumerate(strategies):
        if best.proven or (best.cost < FORBIDDEN / 2 and time.perf_counter() > deadline):
            break
        best = best.improved_by(strategy.improve(graph, best, seed + number))
    return best
