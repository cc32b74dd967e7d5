"""Pieces, their graph and their costs, against plain Python."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.pieces.packing import pack
from qdreamer_lab.kernels.pieces.piece_costs import piece_cost, piece_widths
from qdreamer_lab.kernels.pieces.pieces import joined_pieces
from qdreamer_lab.kernels.pieces.wire_pieces import wire_pieces
from tests.kernels.small_pieces import circuit, pieces_of, plain_account


def test_pieces_open_only_where_both_sides_of_the_wire_cost_more_than_it() -> None:
    for seed in range(100):
        n, pairs, cost = circuit(seed)
        piece, wire = wire_pieces(pairs, cost, n, 4.0)
        numbers = defaultdict(list)
        for block, (one, two) in enumerate(pairs.tolist()):
            numbers[one].append((block, 0))
            numbers[two].append((block, 1))
        count = 0
        for qubit in range(n):
            ends = numbers[qubit]
            for k, end in enumerate(ends):
                before = sum(cost[b] for b, _ in ends[:k])
                after = sum(cost[b] for b, _ in ends[k:])
                count += k == 0 or (before > 4.0 and after > 4.0)
                assert piece[end] == count - 1
                assert wire[count - 1] == qubit
        assert count == len(wire)


def test_adjacency_sums_parallel_edges() -> None:
    for seed in range(50):
        _, pairs, cost = circuit(seed)
        start, neighbour, weight = adjacency(pairs, cost, 9)
        plain: dict[tuple[int, int], float] = defaultdict(float)
        for (one, two), bits in zip(pairs.tolist(), cost, strict=True):
            plain[one, two] += bits
            plain[two, one] += bits
        found = {
            (v, int(neighbour[k])): weight[k]
            for v in range(9)
            for k in range(start[v], start[v + 1])
        }
        assert found == pytest.approx(plain)


def test_pieces_are_joined_by_gates_and_along_their_wires() -> None:
    for seed in range(50):
        pieces = pieces_of(seed)
        start, neighbour = joined_pieces(pieces)
        assert len(neighbour) >= start[-1]
        for v, wire in enumerate(pieces.wire):
            along = [u for u in (v - 1, v + 1) if 0 <= u < len(pieces.wire)]
            expected = [u for u in along if pieces.wire[u] == wire]
            gates = pieces.gates.neighbour[pieces.gates.start[v] : pieces.gates.start[v + 1]]
            assert neighbour[start[v] : start[v + 1]].tolist() == [*expected, *gates]


def test_costs_and_widths_follow_the_definitions() -> None:
    for seed in range(50):
        pieces = pieces_of(seed)
        labels = np.random.default_rng(seed).integers(0, 3, len(pieces.wire))
        bits, width = plain_account(labels, pieces)
        assert piece_cost(labels, pieces) == pytest.approx(bits)
        assert np.array_equal(piece_widths(labels, pieces.wire, 10), width)


def test_packing_fills_no_bin_beyond_its_room() -> None:
    width = np.array([3, 1, 4, 1, 5, 2, 2])
    bins, used = pack(width, 6)
    assert np.bincount(bins, width).max() <= 6
    assert used == 3
