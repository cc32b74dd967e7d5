"""Which strategies run, in which order, and how hard: the only place that weighs effort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.search.anneal import Anneal
from qdreamer_lab.search.sweep import Sweep, best_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdreamer_lab.search.graph import PieceGraph
    from qdreamer_lab.search.strategy import Strategy

__all__ = ["quick", "thorough"]


def quick(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies of a default call: milliseconds on circuits of up to a hundred qubits."""
    yield Sweep(room=48, max_states=10**9)
    yield Anneal(moves=8_000)
    yield Sweep(room=1_000, max_states=60_000)
    yield Anneal(moves=20_000, restarts=2)
    if best_order(graph)[1] < 12:
        yield Sweep(room=8_000, max_states=400_000)


def thorough(graph: PieceGraph) -> Iterator[Strategy]:
    """Strategies that go on until the optimum is proven or the time is up."""
    yield from quick(graph)
    room = 8_000
    while True:
        yield Anneal(moves=400_000)
        yield Sweep(room=room, max_states=10**9)
        room *= 4
