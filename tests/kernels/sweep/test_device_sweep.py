"""The sweep over devices by itself: its account, its bound, and the best of all labellings."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.pieces import joined_pieces
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
