"""What a plan has yet to pay at least, and sweeps that drop those that cannot be good."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.adjacency import Adjacency
from qdreamer_lab.kernels.pieces.pieces import Pieces, joined_pieces
from qdreamer_lab.kernels.sweep.beam import NONE
from qdreamer_lab.kernels.sweep.frontier import Frontier, frontier_of
from qdreamer_lab.kernels.sweep.isolation import Isolation, isolated, isolation_of
from qdreamer_lab.kernels.sweep.sweep import NEVER, Effort, guided_sweep, sweep
from qdreamer_lab.kernels.sweep.sweep_order import sweep_order
from tests.kernels.small_pieces import pieces_of, plain_account


def turned(pieces: Pieces) -> Pieces:
    """The same with time reversed, piece by piece and in plain Python."""
    num = len(pieces.wire)
    start, neighbour, cost = pieces.gates
    lists = [
        [(num - 1 - neighbour[k], cost[k]) for k in range(start[v], start[v + 1])]
        for v in reversed(range(num))
    ]
    flat = [each for every in lists for each in every]
    gates = Adjacency(
        np.cumsum([0, *map(len, lists)]),
        np.array([u for u, _ in flat], np.int64),
        np.array([c for _, c in flat], np.float64),
    )
    return Pieces(pieces.wire[::-1].copy(), gates, pieces.wire_cost)


def costs_apart(pieces: Pieces, labels: np.ndarray, among: np.ndarray) -> float:
    """Bits of the cuts between the pieces that are `among` some."""
    start, neighbour, cost = pieces.gates
    bits = 0.0
    for v in np.flatnonzero(among):
        for k in range(start[v], start[v + 1]):
            u = neighbour[k]
            bits += cost[k] / 2 * (among[u] and labels[u] != labels[v])
        if v > 0 and pieces.wire[v - 1] == pieces.wire[v] and among[v - 1]:
            bits += pieces.wire_cost * (labels[v - 1] != labels[v])
    return bits


def test_a_partial_plan_pays_no_less_than_its_fragments_take_to_isolate() -> None:
    """By all ways to go on: every labelling of the pieces that are still to come.

    Fragments are numbered as they first appear in the sweep; other numbers would be the same plan.
    """
    tight = tried = 0
    for seed in range(200):
        pieces = pieces_of(seed)
        num = len(pieces.wire)
        if not 3 <= num <= 7:
            continue
        order, _, _ = sweep_order(pieces.wire, *joined_pieces(pieces), 0)
        frontier = frontier_of(order, pieces)
        knowing = isolation_of(frontier, pieces, 3, 10_000)
        blind = isolation_of(frontier, pieces, 3, int(knowing.start[-1]) - 1)
        owed: dict[tuple[int, ...], float] = {}
        for key in product(range(min(num, 4)), repeat=num):
            if any(label > max(key[:k], default=-1) + 1 for k, label in enumerate(key)):
                continue
            labels = np.empty(num, np.int64)
            labels[order] = key
            bits, width = plain_account(labels, pieces)
            if width.max() > 3:
                continue
            for step in range(num - 1):
                owed[key[: step + 1]] = min(owed.get(key[: step + 1], np.inf), bits)
        for key, bits in owed.items():
            step = len(key) - 1
            begun, due = due_of(knowing, frontier, pieces, order, key)
            assert begun + due <= bits + 1e-9
            _, less = due_of(blind, frontier, pieces, order, key)
            assert less <= due + 1e-9
            tight += begun + due >= bits - 1e-9
            tried += 1
    assert tried > 1_000
    assert tight > 0.3 * tried


def due_of(
    isolation: Isolation, frontier: Frontier, pieces: Pieces, order: np.ndarray, key: tuple
) -> tuple[float, float]:
    """Bits that labels of the first pieces cost, and those that they have yet to pay at least."""
    num, step = len(order), len(key) - 1
    labels, among = np.full(num, 9), np.zeros(num, bool)
    labels[order[: step + 1]], among[order[: step + 1]] = key, True
    held = [v for v in order[: step + 1] if frontier.leaves[v] > step]
    names = {label: k for k, label in enumerate(dict.fromkeys(labels[held].tolist()))}
    row = np.full(frontier.slots, NONE, np.uint8)
    row[frontier.slot[held]] = [names[labels[v]] for v in held]
    widths = np.zeros(frontier.slots, np.int16)
    for v in np.flatnonzero(among):
        starts = v == 0 or pieces.wire[v - 1] != pieces.wire[v] or labels[v - 1] != labels[v]
        if labels[v] in names:
            widths[names[labels[v]]] += starts
    sets = np.empty(frontier.slots, np.int64)
    due = isolated(isolation, step, row, widths, len(names), 3, sets)
    return costs_apart(pieces, labels, among), due


def test_minimum_cuts_that_are_too_many_are_not_found() -> None:
    pieces = pieces_of(3)
    order, _, _ = sweep_order(pieces.wire, *joined_pieces(pieces), 0)
    assert len(isolation_of(frontier_of(order, pieces), pieces, 3, 2).bits) == 0


@pytest.mark.parametrize("foresight", [0, 100, 10**6])
def test_sweeps_from_both_ends_agree_with_one_that_drops_nothing(foresight: int) -> None:
    fewer = tried = 0
    for seed in range(60):
        pieces = pieces_of(seed)
        back, num = turned(pieces), len(pieces.wire)
        order, _, _ = sweep_order(pieces.wire, *joined_pieces(pieces), 0)
        plain = sweep(order, pieces, 3, np.inf, Effort(2_000, 10**9, 0))
        if plain[1] > plain[2] + 1e-9:
            continue  # too large for a sweep that drops nothing
        rest = np.zeros(num + 1)
        for room in (2, 10, 40, 2_000):
            for ahead in (True, False):
                *_, bound, _, spent = guided_sweep(
                    order if ahead else num - 1 - order[::-1],
                    pieces if ahead else back,
                    3,
                    plain[1] + 1e-3,
                    Effort(room, 10**9, 0, NEVER, foresight),
                    rest,
                )
                assert bound <= plain[1] + 1e-6
                assert np.all(np.diff(spent) >= -1e-9)
                among = np.zeros(num, bool)
                labels = plain[0] if ahead else plain[0][::-1]
                for k, v in enumerate(order if ahead else num - 1 - order[::-1]):
                    among[v] = True
                    known = costs_apart(pieces if ahead else back, labels, among)
                    assert spent[k + 1] <= known + 1e-9
                rest = spent[::-1].copy()
        labels, cost, bound, looked, _ = guided_sweep(
            order, pieces, 3, plain[1] + 1e-3, Effort(2_000, 10**9, 0, NEVER, foresight), rest
        )
        assert plain_account(labels, pieces)[0] == pytest.approx(cost)
        assert cost == pytest.approx(bound) == pytest.approx(plain[1])
        fewer += looked < plain[3]
        tried += 1
    assert tried > 20
    assert fewer > 0.8 * tried
