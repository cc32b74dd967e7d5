"""Graph partitioning: loads are right, and so are the bits that refinement says it saves."""

from __future__ import annotations

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.pieces.piece_costs import piece_cost
from qdreamer_lab.kernels.pieces.pieces import Pieces
from qdreamer_lab.kernels.search.partition import WeightedGraph, grow_parts, match_heavy
from qdreamer_lab.kernels.search.refine_parts import refine_parts


def test_refinement_says_by_how_much_the_cut_fell() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        ends = np.array([rng.choice(30, 2, replace=False) for _ in range(60)])
        edges = adjacency(ends, rng.random(60), 30)
        weight = rng.integers(1, 4, 30)
        graph = WeightedGraph(edges, weight)
        coarse, count = match_heavy(graph, 4, seed)
        assert np.bincount(coarse, weight, count).max() <= 4
        part, load, parts = grow_parts(graph, np.full(84, 20), 4, seed)
        assert np.array_equal(np.bincount(part, weight, parts), load)
        pieces = Pieces(np.arange(30), edges, 4.0)
        before = piece_cost(part, pieces)
        fell = refine_parts(graph, part, load, np.full(parts, 20), 4)
        after = piece_cost(part, pieces)
        assert before - after == pytest.approx(fell, abs=1e-9)
        assert np.array_equal(np.bincount(part, weight, parts), load)
        assert load.max() <= 20
