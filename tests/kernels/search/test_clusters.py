"""Clusters of pieces: whatever is joined, costs and widths stay those of the pieces."""

from __future__ import annotations

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.pieces import Limits
from qdreamer_lab.kernels.search.anneal import Cooling
from qdreamer_lab.kernels.search.anneal_clusters import anneal_clusters
from qdreamer_lab.kernels.search.clusters import (
    cluster_cost,
    cluster_widths,
    join,
    match_alike,
    single_clusters,
)
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from qdreamer_lab.search.strategies.strategy import cost_of
from tests.search.plain_account import plain_cost, plain_widths
from tests.search.small_problems import ladder, random_problem


@pytest.mark.parametrize("seed", range(60))
def test_costs_and_widths_are_those_of_the_pieces_at_every_level(seed: int) -> None:
    problem = random_problem(seed, max_blocks=40) if seed % 3 else ladder(5, 4)
    graph = piece_graph(problem)
    rng = np.random.default_rng(seed)
    clusters, of = single_clusters(graph.pieces), np.arange(graph.num_pieces)
    for level in range(4):
        labels = rng.integers(0, 3, len(clusters.weight))
        ends = labels[of][graph.piece_of]
        assert cluster_cost(clusters, labels) == pytest.approx(plain_cost(problem, ends))
        widths = cluster_widths(clusters, labels, 3)
        expected = plain_widths(problem, ends)
        assert widths.tolist() == [expected.get(f, 0) for f in range(3)]
        kind = rng.integers(0, 2, len(labels))
        coarse, count = match_alike(clusters, kind, 3, 1.0, level)
        assert sorted(set(coarse.tolist())) == list(range(count))
        assert np.bincount(coarse).max() <= 2
        for pair in range(count):
            assert len(set(kind[coarse == pair].tolist())) == 1
        clusters, of = join(clusters, coarse, count), coarse[of]
        assert clusters.weight.max() <= 3


def test_annealing_keeps_account_and_stops_when_told() -> None:
    graph = piece_graph(ladder(8, 6))
    clusters = single_clusters(graph.pieces)
    limits = Limits(6, 2**40, 9, np.empty(0, np.int64))
    start = graph.pieces.wire // 2
    labels, cost = anneal_clusters(clusters, start, limits, Cooling(20_000, 3.0, 0.2), 1)
    assert cost == pytest.approx(cost_of(graph, labels))
    assert cost < cost_of(graph, start)
    assert cluster_widths(clusters, labels, 9).max() <= 6
    stopped = Cooling(10**15, 3.0, 0.2, np.ones(1, np.int64))
    labels, _ = anneal_clusters(clusters, start, limits, stopped, 1)
    assert np.array_equal(labels, start)


@pytest.mark.parametrize("rooms", [[9, 5, 2], [6, 6, 4, 1], [4, 4, 4, 4]])
def test_annealed_clusters_fit_on_devices(rooms: list[int]) -> None:
    graph = piece_graph(ladder(8, 6))
    clusters = single_clusters(graph.pieces)
    limits = Limits(rooms[0], sum(rooms), len(rooms), np.array(rooms))
    start = np.repeat(np.arange(len(rooms)), rooms)[graph.pieces.wire]
    labels, cost = anneal_clusters(clusters, start, limits, Cooling(20_000, 3.0, 0.2), 1)
    assert cost == pytest.approx(cost_of(graph, labels))
    assert cost <= cost_of(graph, start)
    widths = np.sort(cluster_widths(clusters, labels, len(rooms)))[::-1]
    assert np.all(widths <= rooms)


def test_annealing_that_forgets_leaves_the_plan_it_began_with() -> None:
    graph = piece_graph(ladder(8, 6))
    clusters = single_clusters(graph.pieces)
    limits = Limits(6, 2**40, 9, np.empty(0, np.int64))
    best, least = anneal_clusters(
        clusters, graph.pieces.wire // 2, limits, Cooling(50_000, 3.0, 0.2), 1
    )
    hot = Cooling(2_000, 50.0, 50.0)
    kept, cost = anneal_clusters(clusters, best, limits, hot, 2, False)
    assert np.array_equal(kept, best)
    assert cost == pytest.approx(least)
    left, cost = anneal_clusters(clusters, best, limits, hot, 2, True)
    assert not np.array_equal(left, best)
    fits = cluster_widths(clusters, left, 9).max() <= 6
    assert np.isfinite(cost) == fits
    if fits:
        assert cost == pytest.approx(cost_of(graph, left))
