"""Which fragments may tell others what they measured, against reachability by rustworkx."""

from __future__ import annotations

import numpy as np
import pytest
import rustworkx as rx

from qdreamer_lab.kernels.cost.waiting import without_waiting


def plain_choice(tail: list[int], head: list[int], num: int) -> list[bool]:
    """Choose each pair after which the graph of those chosen still has no loop."""
    graph = rx.PyDiGraph()
    graph.add_nodes_from(range(num))
    chosen = []
    for here, there in zip(tail, head, strict=True):
        chosen.append(not rx.has_path(graph, there, here))
        if chosen[-1]:
            graph.add_edge(here, there, None)
    return chosen


@pytest.mark.parametrize("num", [2, 3, 8, 63, 64, 65, 130])
def test_a_pair_is_chosen_unless_it_closes_a_loop(num: int) -> None:
    rng = np.random.default_rng(num)
    for density in (0.5, 1.0, 1.6, 3.0):
        edges = rng.integers(0, num, (int(density * num) + 1, 2))
        edges = rng.permutation(np.unique(edges[edges[:, 0] != edges[:, 1]], axis=0))
        tail, head = np.ascontiguousarray(edges.T)
        chosen = without_waiting(tail, head, num)
        assert chosen.tolist() == plain_choice(tail.tolist(), head.tolist(), num)


def test_fragments_in_a_row_all_tell_the_next() -> None:
    tail = np.arange(5_000)
    assert without_waiting(tail, tail + 1, 5_001).all()
    none = np.empty(0, np.int64)
    assert len(without_waiting(none, none, 0)) == 0


def test_a_ring_is_cut_at_its_last_pair() -> None:
    tail = np.arange(200)
    chosen = without_waiting(tail, (tail + 1) % 200, 200)
    assert chosen[:-1].all()
    assert not chosen[-1]
