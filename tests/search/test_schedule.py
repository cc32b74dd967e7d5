"""How hard a search tries: proofs take no more memory than they may, rounds follow one another."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from qdreamer_lab.kernels.sweep.beam import empty_beam
from qdreamer_lab.search.budget import Budget
from qdreamer_lab.search.schedule import PROOF_BYTES, _proofs, improve
from qdreamer_lab.search.strategies.piece_graph import PieceGraph, piece_graph
from tests.search.hard_problems import SUITE


def graph_of(name: str, *, limited: bool) -> PieceGraph:
    """A circuit's pieces, perhaps for few fragments."""
    base = SUITE[name]
    few = -(-base.num_qubits // base.max_qubits) + 1
    return piece_graph(replace(base, max_fragments=few) if limited else base)


@pytest.mark.parametrize("name", SUITE)
@pytest.mark.parametrize("limited", [False, True])
def test_proofs_grow_until_memory_is_used_up(name: str, limited: bool) -> None:
    graph = graph_of(name, limited=limited)
    proofs = list(_proofs(graph, prove=True).values())
    assert len(proofs) > 1
    slots = max(graph.widest, graph.limits.max_labels + 1) if limited else graph.widest
    row = sum(each.nbytes for each in empty_beam(1, slots))
    for before, after in pairwise(proofs):
        assert after.room > before.room
        assert after.max_states > before.max_states
    assert all(2 * row * (2 * each.room + 16) <= PROOF_BYTES for each in proofs)


@pytest.mark.parametrize("limited", [False, True])
def test_rounds_that_were_made_are_not_made_again(limited: bool) -> None:
    graph = graph_of("multiplier", limited=limited)
    first, made = improve(graph, 0, Budget(np.inf, 5))
    assert made == 5
    assert first.bound < first.cost
    more, made = improve(graph, 0, Budget(np.inf, 4, skip=5), best=first)
    assert made == 9
    assert more.cost <= first.cost
    assert more.bound >= first.bound
