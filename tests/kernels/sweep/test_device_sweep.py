"""The sweep over devices by itself: its account, its bound, and the best of all labellings."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.adjacency import adjacency
from qdreamer_lab.kernels.pieces.pieces import Pieces, joined_pieces
from qdreamer_lab.kernels.sweep.device_sweep import device_sweep, groups_of
from qdreamer_lab.kernels.sweep.sweep import Effort
from qdreamer_lab.kernels.sweep.sweep_order import sweep_order
from tests.kernels.small_pieces import pieces_of, plain_account

ROOMS = ([8, 8], [6, 3, 3, 1], [9, 5, 2, 2, 2], [4, 4, 4, 2, 2, 2])


def test_a_sweep_keeps_its_account_however_little_room_it_has() -> None:
    for seed in range(24):
        pieces = pieces_of(seed)
        order, *_ = sweep_order(pieces.wire, *joined_pieces(pieces), 0)
        rooms = np.array(ROOMS[seed % 4], np.int64)
        total = int(rooms.sum()) - seed % 2
        best = np.inf
        for room in (3_000, 20, 1):
            labels, value, lower, _ = device_sweep(
                order, pieces, rooms, total, np.inf, Effort(room, 10**9, 0)
            )
            assert lower <= value + 1e-9
            if labels[0] >= 0:
                bits, width = plain_account(labels, pieces)
                best = min(best, value)
                assert value == pytest.approx(bits)
                assert np.all(width[: len(rooms)] <= rooms)
                assert width.sum() <= total
            assert lower <= best + 1e-9


def test_nothing_is_cheaper_than_what_it_proves() -> None:
    compared = 0
    for seed in range(200):
        pieces = pieces_of(seed)
        num = len(pieces.wire)
        if num > 8:
            continue
        compared += 1
        order, *_ = sweep_order(pieces.wire, *joined_pieces(pieces), 0)
        rooms = np.array(([4, 2, 2], [5, 3, 1], [3, 3, 3])[seed % 3], np.int64)
        total = int(rooms.sum()) - seed % 2
        best = np.inf
        for each in product(range(3), repeat=num):
            bits, width = plain_account(each, pieces)
            if np.all(width[:3] <= rooms) and width.sum() <= total:
                best = min(best, bits)
        effort = Effort(100_000, 10**9, 0)
        _, value, lower, _ = device_sweep(order, pieces, rooms, total, np.inf, effort)
        assert value == pytest.approx(best)
        assert lower == pytest.approx(best)
    assert compared > 20


def test_only_devices_of_one_width_are_exchanged() -> None:
    assert groups_of(np.array([9, 5, 5, 5, 2, 2])).tolist() == [0, 1, 1, 1, 4, 4]


def joined_wires(edges: dict[tuple[int, int], float], num: int) -> Pieces:
    """One piece a wire, joined by gates of so many bits."""
    pairs = np.array(list(edges), np.int64)
    gates = adjacency(pairs, np.array(list(edges.values())), num)
    return Pieces(np.arange(num), gates, 4.0)


def test_a_device_whose_fragment_is_over_is_another_than_one_as_full_whose_goes_on() -> None:
    # Wire 0 has left the frontier when wire 2 comes, which has to join it: the room beside wire 1
    # is for wire 3.
    pieces = joined_wires({(0, 1): 1.0, (1, 3): 5.0, (2, 3): 1.0}, 4)
    rooms = np.array([2, 2], np.int64)
    labels, value, lower, _ = device_sweep(
        np.arange(4), pieces, rooms, 4, np.inf, Effort(100, 10**9, 0)
    )
    assert labels[0] == labels[2] != labels[1] == labels[3]
    assert value == lower == 2.0


def test_a_sweep_that_is_told_to_stop_claims_nothing() -> None:
    pieces = pieces_of(3)
    order, *_ = sweep_order(pieces.wire, *joined_pieces(pieces), 0)
    rooms = np.array([6, 3, 3, 1], np.int64)
    _, value, *_ = device_sweep(order, pieces, rooms, 13, np.inf, Effort(10**5, 10**9, 0))
    stop = np.ones(1, np.int64)
    labels, cost, lower, looked = device_sweep(
        order, pieces, rooms, 13, np.inf, Effort(10**5, 10**9, 0, stop)
    )
    assert np.all(labels == -1)
    assert looked == 0
    assert lower <= value < cost
