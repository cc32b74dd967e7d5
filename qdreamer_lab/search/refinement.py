"""Refines plans round by round for as long as the gap is open and there is time.

Round k depends on the problem, the seed and the rounds before it only. So a search of a given
number of rounds is repeatable, and one that is stopped by the clock has done the first rounds of
the same endless sequence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.search.anneal import NEVER
from qdreamer_lab.search.strategies.anneal import Anneal
from qdreamer_lab.search.strategies.cycle import Cycle
from qdreamer_lab.search.strategies.slices import Slices
from qdreamer_lab.search.strategies.strategy import TOLERANCE, Plan, no_plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.strategies.piece_graph import PieceGraph

__all__ = ["Pool", "refined_once"]

#: Plans that are kept to be crossed and to start from.
POOL = 10

#: What rounds do, again and again: start from the best plan, from slices of time, or afresh, cross
#: two plans, move runs of single wires, or keep to narrower fragments.
TURNS = ("best", "sliced", "runs", "cross", "best", "fresh", "sliced", "cross", "narrow", "runs")

#: The same from `MANY` pieces on, where cycles are bold: first and then again and again. Crossing
#: gains most, for as long as something new comes in between. Chosen by trial, as the rest here.
BOLD_START = ("best", "sliced", "fresh") * 2
BOLD_TURNS = (
    *("cross", "best", "cross", "fresh", "cross", "best", "cross", "cross", "best", "cross"),
    *("cross", "fresh", "best", "cross", "sliced", "cross", "best", "cross", "fresh", "cross"),
)
MANY = 900

#: The same from `HUGE` pieces times frontier on: wires trade places, and cycles refine that.
HUGE_TURNS = ("traded", "best", "traded", "cross")
HUGE = 400_000

#: Trades per wire the first time, and at most: each time tries twice as many as the one before.
TRADES, MOST_TRADES = 20_000, 200_000

#: Temperatures at which a bold cycle starts afresh, pieces in a cluster then, and moves per cluster
#: below the coarsest level.
AFRESH_HOT, AFRESH_SIZE, AFRESH_MOVES = (20.0, 50.0), (6, 12), 30

#: Moves per cluster or piece in other bold rounds, at most.
BOLD_MOVES = 10

#: Slices of time that a plan may be started from, and cycles until it joins the others.
SLICES, SLICED_CYCLES = 40, 3

#: Hottest and coldest temperature at which a round may start, in bits.
HOTTEST, COLDEST = 8.0, 0.5

#: Pieces times moves a round may take.
WORK = 1_000_000


@dataclass(frozen=True, eq=False)
class Pool:
    """Different plans of one piece graph, cheapest first."""

    plans: tuple[Plan, ...] = ()

    @property
    def best(self) -> Plan:
        """The cheapest plan; none at all if there is none."""
        return self.plans[0] if self.plans else no_plan()

    def with_bound(self, plan: Plan) -> Pool:
        """Add what a sweep found: a bound, and perhaps a better plan."""
        best = self.best.improved_by(plan)
        if best.labels is self.best.labels:
            return Pool((best, *self.plans[1:]))
        return Pool((best, *self.plans)[:POOL])

    def with_plan(self, plan: Plan) -> Pool:
        """Add a plan, unless one of its cost is there.

        If there are too many, the dearest goes. Of plans of many pieces, the one most like it goes
        of those that are dearer: so the pool does not fill with plans that are nearly the same.
        """
        if not len(plan.labels) or any(abs(p.cost - plan.cost) < TOLERANCE for p in self.plans):
            return self
        best = self.best.improved_by(plan)
        kept = list(self.plans)
        if len(kept) >= POOL:
            dearer = [k for k, each in enumerate(kept) if each.cost > plan.cost]
            if not dearer:
                return self
            goes = dearer[-1]
            if len(plan.labels) >= MANY:
                goes = min(dearer, key=lambda k: _apart(kept[k].labels, plan.labels))
            del kept[goes]
        ranked = sorted((*kept, plan), key=lambda each: each.cost)
        return Pool((replace(ranked[0], bound=best.bound), *ranked[1:]))


def _apart(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Pieces that have to change their fragment to make one plan of another, whatever the names."""
    pairs, count = np.unique(np.column_stack((one, other)), axis=0, return_counts=True)
    most = np.zeros(int(one.max()) + 1, np.int64)
    np.maximum.at(most, pairs[:, 0], count)
    return len(one) - int(most.sum())


def refined_once(
    graph: PieceGraph, pool: Pool, seed: int, number: int, stop: NDArray[np.int64] = NEVER
) -> Pool:
    """One round of refinement of a pool that is not empty.

    Args:
        graph: What is labelled.
        pool: The plans known.
        seed: Seed of everything random.
        number: Which round it is.
        stop: (1,) Flag that ends it at once when it is not 0.
    """
    rng = np.random.default_rng([seed, number])
    bold = graph.num_pieces >= MANY and not graph.only_wires
    turn = _turn(number, bold=bold)
    if bold and graph.num_pieces * graph.widest > HUGE:
        turn = HUGE_TURNS[number % len(HUGE_TURNS)]
    if turn == "traded":
        return pool.with_plan(_traded(graph, pool.best, number // 2, rng, stop))
    if turn == "sliced" and graph.is_limited:
        turn = "best"  # fragments of different slices are too many
    if turn in ("sliced", "runs") and graph.only_wires:
        turn = "best"  # slices cut gates, and so do runs of single wires
    start, others = pool.best, pool.plans[1:]
    moves = max(2, min(int(rng.choice([10, 30, 100])), WORK // graph.num_pieces))
    cycle = Cycle(
        hot=float(np.exp(rng.uniform(np.log(COLDEST), np.log(HOTTEST)))),
        moves=min(moves, BOLD_MOVES) if bold else moves,
        coarsest=int(rng.choice([20, 60, 200])),
        power=float(rng.choice([0.5, 1.0, 2.0])),
        bold=bold,
        stop=stop,
    )
    if others and rng.random() < (0.3 if turn == "best" and not bold else 0.5):
        start = others[int(rng.integers(len(others)))]
    if turn == "cross" and others:
        start, mate = _couple(pool, start, rng, bold=bold)
        cycle = replace(cycle, other=mate.labels)
    elif turn == "fresh":
        cycle = _afresh(graph, cycle, rng)
    elif turn == "narrow":
        graph = narrower(graph, rng)
    elif turn == "runs":
        hot = float(np.exp(rng.uniform(np.log(0.4), np.log(3.0))))
        runs = Anneal(moves=cycle.moves * graph.num_pieces, hot=hot, cold=hot / 5, stop=stop)
        return pool.with_plan(runs.improve(graph, start, int(rng.integers(2**31))))
    elif turn == "sliced":
        count = round(np.exp(rng.uniform(0, np.log(SLICES))))
        return pool.with_plan(
            _sliced(graph, count, cycle if bold else replace(cycle, moves=30), rng)
        )
    return pool.with_plan(cycle.improve(graph, start, int(rng.integers(2**31))))


def _turn(number: int, *, bold: bool) -> str:
    """What a round does."""
    if not bold:
        return TURNS[number % len(TURNS)]
    begun = number - len(BOLD_START)
    return BOLD_START[number] if begun < 0 else BOLD_TURNS[begun % len(BOLD_TURNS)]


def _couple(pool: Pool, start: Plan, rng: np.random.Generator, *, bold: bool) -> tuple[Plan, Plan]:
    """Two plans to cross: `start` and the best or, boldly, any other, in any order.

    Where pieces are many, and crosses are not improved for long, all would soon descend from the
    best.
    """
    others = [plan for plan in pool.plans if plan is not start]
    if not bold and start is not pool.best:
        return start, pool.best
    mate = others[int(rng.integers(len(others)))]
    return (mate, start) if bold and rng.random() < 0.5 else (start, mate)


def _afresh(graph: PieceGraph, cycle: Cycle, rng: np.random.Generator) -> Cycle:
    """The same cycle, started from random fragments, of a random number."""
    least = -(-(int(graph.pieces.wire.max()) + 1) // graph.limits.max_width)
    most = min((8 if cycle.bold else 4) * least + 2, graph.limits.max_labels)
    cycle = replace(cycle, labels=int(rng.integers(least, max(least, most) + 1)), hot=8.0)
    if not cycle.bold:
        return cycle
    size = max(20, graph.num_pieces // int(rng.choice(AFRESH_SIZE)))
    hot = float(rng.choice(AFRESH_HOT))
    return replace(cycle, hot=hot, coarsest=size, moves=AFRESH_MOVES)


def _traded(
    graph: PieceGraph,
    best: Plan,
    number: int,
    rng: np.random.Generator,
    stop: NDArray[np.int64],
) -> Plan:
    """A plan whose wires trade places, in about as many slices as the best plan has."""
    wire, count = graph.pieces.wire, 1
    if not graph.is_limited:
        fresh = wire[1:] != wire[:-1]
        cuts = np.count_nonzero((best.labels[1:] != best.labels[:-1]) & ~fresh)
        most = round(1 + cuts / (1 + np.count_nonzero(fresh)))
        count = max(1, most + (int(rng.choice([-1, 1])) if number % 4 == 3 else 0))
    trades = min(TRADES * 2 ** min(number, 10), MOST_TRADES)
    slices = Slices(count, trades, hot=float(rng.uniform(0.45, 0.7)), stop=stop)
    return slices.improve(graph, best, int(rng.integers(2**31)))


def _sliced(graph: PieceGraph, count: int, cycle: Cycle, rng: np.random.Generator) -> Plan:
    """A plan from slices of time, improved by a few cycles."""
    plan = Slices(count).improve(graph, no_plan(), int(rng.integers(2**31)))
    for _ in range(SLICED_CYCLES if len(plan.labels) else 0):
        plan = plan.improved_by(cycle.improve(graph, plan, int(rng.integers(2**31))))
    return plan


def narrower(graph: PieceGraph, rng: np.random.Generator) -> PieceGraph:
    """The same graph with fragments a little narrower, whose plans are plans here too."""
    width = graph.limits.max_width
    less = int(rng.integers(0, max(1, width // 8) + 1))
    narrow = max(1, width - less)
    rooms = np.minimum(graph.limits.rooms, narrow)
    return replace(graph, limits=graph.limits._replace(max_width=narrow, rooms=rooms))
