"""The sweep by itself: its account of costs and its bound."""

from __future__ import annotations

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.pieces import joined_pieces
from qdreamer_lab.kernels.sweep.sweep import Effort, sweep
from qdreamer_lab.kernels.sweep.sweep_order import sweep_order
from tests.kernels.small_pieces import pieces_of, plain_account


def test_a_sweep_keeps_its_account_however_little_room_it_has() -> None:
    for seed in range(30):
        pieces = pieces_of(seed)
        order, effort, widest = sweep_order(pieces.wire, *joined_pieces(pieces), 0)
        assert sorted(order) == list(range(len(pieces.wire)))
        assert effort >= widest
        best = np.inf
        for room, horizon in ((3_000, 0), (20, 5), (20, 0), (1, 0)):
            labels, value, lower, _ = sweep(order, pieces, 3, np.inf, Effort(room, 10**9, horizon))
            bits, width = plain_account(labels, pieces)
            best = min(best, value)
            assert value == pytest.approx(bits)
            assert width.max() <= 3
            assert lower <= best + 1e-9
