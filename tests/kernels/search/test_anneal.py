"""Annealing by itself: its account of costs, and the same numbers uncompiled."""

from __future__ import annotations

import numpy as np
import pytest

from qdreamer_lab.kernels.pieces.pieces import Limits
from qdreamer_lab.kernels.random_numbers import advance, below, unit
from qdreamer_lab.kernels.search.anneal import Cooling, anneal
from tests.kernels.small_pieces import pieces_of, plain_account


def test_annealing_keeps_its_account_and_is_the_same_uncompiled() -> None:
    for seed in range(6):
        pieces = pieces_of(seed)
        limits, cooling = Limits(3, 99, 6, np.empty(0, np.int64)), Cooling(3000, 2.0, 0.2)
        arguments = (np.arange(len(pieces.wire)) % 4, pieces, limits, cooling, seed)
        labels, value = anneal(*arguments)
        same, same_value = anneal.py_func(*arguments)
        assert np.array_equal(labels, same)
        assert value == pytest.approx(same_value)
        if np.isfinite(value):
            bits, width = plain_account(labels, pieces)
            assert value == pytest.approx(bits)
            assert width.max() <= 3


def test_the_random_stream_is_the_same_uncompiled() -> None:
    state = plain = 12345
    for bound in range(1, 60):
        state, plain = advance(state), advance.py_func(plain)
        assert state == plain
        assert below(state, bound) == below.py_func(plain, bound) < bound
        assert unit(state) == unit.py_func(plain) < 1.0
