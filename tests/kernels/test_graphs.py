"""Kernels on pieces and graphs, against plain Python."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.pieces.packing import pack
from qdreamer_lab.kernels.pieces.piece_costs import piece_cost, piece_widths
from qdreamer_lab.kernels.pieces.wire_pieces import contract
from qdreamer_lab.kernels.random_numbers import advance, below, unit
from qdreamer_lab.kernels.search.anneal import anneal
from qdreamer_lab.kernels.search.partition import grow_parts, match_heavy, refine_parts
from qdreamer_lab.kernels.sweep.sweep import sweep
from qdreamer_lab.kernels.sweep.sweep_order import sweep_order


def circuit(seed: int):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 9)), int(rng.integers(1, 40))
    pairs = np.array([rng.choice(n, 2, replace=False) for _ in range(m)], np.int64)
    return n, pairs, rng.random(m) * 4


def pieces_of(seed: int):
    n, pairs, cost = circuit(seed)
    piece, wire = contract(pairs, cost, n, 4.0)
    return piece, wire, *adjacency(piece, cost, len(wire))


def test_pieces_open_only_where_both_sides_of_the_wire_cost_more_than_it() -> None:
    for seed in range(100):
        n, pairs, cost = circuit(seed)
        piece, wire = contract(pairs, cost, n, 4.0)
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


def plain_account(labels, wire, start, neighbour, cost):
    bits, width = 0.0, np.zeros(10, np.int64)
    for v in range(len(wire)):
        follows = v > 0 and wire[v - 1] == wire[v]
        width[labels[v]] += not (follows and labels[v - 1] == labels[v])
        bits += 4.0 * (follows and labels[v - 1] != labels[v])
        for k in range(start[v], start[v + 1]):
            bits += cost[k] / 2 * (labels[v] != labels[neighbour[k]])
    return bits, width


def test_costs_and_widths_follow_the_definitions() -> None:
    for seed in range(50):
        _, wire, start, neighbour, cost = pieces_of(seed)
        labels = np.random.default_rng(seed).integers(0, 3, len(wire))
        bits, width = plain_account(labels, wire, start, neighbour, cost)
        assert piece_cost(labels, wire, start, neighbour, cost, 4.0) == pytest.approx(bits)
        assert np.array_equal(piece_widths(labels, wire, 10), width)


def test_the_random_stream_is_the_same_uncompiled() -> None:
    state = plain = 12345
    for bound in range(1, 60):
        state, plain = advance(state), advance.py_func(plain)
        assert state == plain
        assert below(state, bound) == below.py_func(plain, bound) < bound
        assert unit(state) == unit.py_func(plain) < 1.0


def test_annealing_keeps_its_account_and_is_the_same_uncompiled() -> None:
    for seed in range(6):
        _, wire, start, neighbour, cost = pieces_of(seed)
        arguments = (np.arange(len(wire)) % 4, wire, start, neighbour, cost, 4.0, 3, 99, 6)
        labels, value = anneal(*arguments, 3000, 2.0, 0.2, seed)
        same, same_value = anneal.py_func(*arguments, 3000, 2.0, 0.2, seed)
        assert np.array_equal(labels, same)
        assert value == pytest.approx(same_value)
        if np.isfinite(value):
            bits, width = plain_account(labels, wire, start, neighbour, cost)
            assert value == pytest.approx(bits)
            assert width.max() <= 3


def test_a_sweep_keeps_its_account_however_little_room_it_has() -> None:
    for seed in range(30):
        _, wire, start, neighbour, cost = pieces_of(seed)
        order, effort, widest = sweep_order(wire, start, neighbour, 0)
        assert sorted(order) == list(range(len(wire)))
        assert effort >= widest
        best = np.inf
        for room, horizon in ((3_000, 0), (20, 5), (20, 0), (1, 0)):
            labels, value, lower, _ = sweep(
                order, wire, start, neighbour, cost, 4.0, 3, room, np.inf, 10**9, horizon
            )
            bits, width = plain_account(labels, wire, start, neighbour, cost)
            best = min(best, value)
            assert value == pytest.approx(bits)
            assert width.max() <= 3
            assert lower <= best + 1e-9


def test_packing_fills_no_bin_beyond_its_room() -> None:
    width = np.array([3, 1, 4, 1, 5, 2, 2])
    bins, used = pack(width, 6)
    assert np.bincount(bins, width).max() <= 6
    assert used == 3


def test_refinement_says_by_how_much_the_cut_fell() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        ends = np.array([rng.choice(30, 2, replace=False) for _ in range(60)])
        start, neighbour, cost = adjacency(ends, rng.random(60), 30)
        weight = rng.integers(1, 4, 30)
        coarse, count = match_heavy(start, neighbour, cost, weight, 4, seed)
        assert np.bincount(coarse, weight, count).max() <= 4
        part, load, parts = grow_parts(start, neighbour, cost, weight, 20, 4, seed)
        assert np.array_equal(np.bincount(part, weight, parts), load)
        wire = np.arange(30)
        before = piece_cost(part, wire, start, neighbour, cost, 4.0)
        fell = refine_parts(start, neighbour, cost, weight, part, load, 20, 4)
        after = piece_cost(part, wire, start, neighbour, cost, 4.0)
        assert before - after == pytest.approx(fell, abs=1e-9)
        assert np.array_equal(np.bincount(part, weight, parts), load)
        assert load.max() <= 20
