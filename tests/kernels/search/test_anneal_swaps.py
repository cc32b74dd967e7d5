"""Trades of places: nothing gets fuller, what comes of it is what it says, and it finds optima."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.adjacency import Adjacency, adjacency
from qdreamer_lab.kernels.search.anneal import Cooling
from qdreamer_lab.kernels.search.anneal_swaps import anneal_swaps


def random_graph(num: int, seed: int) -> tuple[Adjacency, np.ndarray]:
    """Edges of a random graph, compressed and as a matrix of bits."""
    rng = np.random.default_rng(seed)
    bits = np.triu(rng.integers(0, 5, (num, num)) * (rng.random((num, num)) < 0.5), 1)
    ends = np.argwhere(bits > 0)
    return adjacency(ends, bits[bits > 0].astype(float), num), (bits + bits.T).astype(float)


def cut_bits(bits: np.ndarray, part: np.ndarray) -> float:
    """Bits of the edges between parts."""
    return float(bits[part[:, None] != part].sum() / 2)


@pytest.mark.parametrize("rooms", [(3, 3), (4, 3), (3, 3, 1), (2, 2, 2, 2)])
def test_the_cheapest_partition_that_fits_is_found(rooms: tuple[int, ...]) -> None:
    num = 6
    for seed in range(5):
        edges, bits = random_graph(num, seed)
        fitting = [
            np.array(part)
            for part in itertools.product(range(len(rooms)), repeat=num)
            if (np.bincount(part, minlength=len(rooms)) <= rooms).all()
        ]
        least = min(cut_bits(bits, part) for part in fitting)
        cooling = Cooling(20_000, 5.0, 0.2)
        found = anneal_swaps(edges, fitting[0], np.array(rooms), cooling, seed)
        assert (np.bincount(found, minlength=len(rooms)) <= rooms).all()
        assert cut_bits(bits, found) == pytest.approx(least)


def test_it_is_never_worse_than_its_start() -> None:
    edges, bits = random_graph(40, 3)
    rooms = np.full(4, 11)
    start = anneal_swaps(edges, np.arange(40) % 4, rooms, Cooling(50_000, 5.0, 0.2), 0)
    again = anneal_swaps(edges, start, rooms, Cooling(500, 50.0, 40.0), 1)
    assert cut_bits(bits, again) <= cut_bits(bits, start)
    stopped = Cooling(10**9, 5.0, 0.2, np.ones(1, np.int64))
    assert np.array_equal(anneal_swaps(edges, start, rooms, stopped, 1), start)
