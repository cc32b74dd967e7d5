"""The prices of plans under every cost model, against plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qdreamer_lab.kernels.cost.plan_price import JOINT, LO, LOCC, WORK, Blocks, price
from tests.kernels.cost.plain_costs import plain_gate_bits, plain_wire_bits, plain_work


def labelled_circuit(seed: int):
    rng = np.random.default_rng(seed)
    n, m, parts = rng.integers(3, 9), rng.integers(1, 30), rng.integers(1, 5)
    pairs = np.array([rng.choice(n, 2, replace=False) for _ in range(m)], np.int64)
    labels = rng.integers(0, parts, (m, 2))
    labels = np.unique(labels, return_inverse=True)[1].reshape(m, 2)
    sine = np.where(rng.random(m) < 0.2, np.nan, rng.random(m))
    gate_cost = 2 * np.log2(1 + 2 * np.nan_to_num(sine, nan=3.0))
    return int(n), pairs, labels, sine, gate_cost, rng.integers(2, 5, m)


@pytest.mark.parametrize(("model", "shared", "talk"), [(LO, 0, 0), (JOINT, 1, 0), (LOCC, 1, 1)])
def test_sampling_overhead_follows_the_definitions(model: int, shared: int, talk: int) -> None:
    for seed in range(150):
        n, pairs, labels, sine, gate_cost, rank = labelled_circuit(seed)
        value = price(model, Blocks(pairs, gate_cost, 4.0, sine, rank, n), labels)
        lists = pairs.tolist(), labels.tolist()
        plain = plain_gate_bits(*lists, gate_cost.tolist(), sine.tolist(), shared=bool(shared))
        plain += plain_wire_bits(*lists, 4.0, talk=bool(talk))
        assert value == pytest.approx(plain, abs=1e-9)


def test_work_follows_the_definitions() -> None:
    for seed in range(150):
        n, pairs, labels, sine, gate_cost, rank = labelled_circuit(seed)
        value = price(WORK, Blocks(pairs, gate_cost, 4.0, sine, rank, n), labels)
        plain = plain_work(pairs.tolist(), labels.tolist(), rank.tolist())
        assert value == pytest.approx(math.log2(plain), abs=1e-9)


def test_two_parallel_cx_share_what_two_in_a_row_cannot() -> None:
    """CX, CX on separate qubits: gamma 2 * 2 * 2 - 1 = 7; on one qubit: 3 * 3."""
    sine, gate_cost, rank = np.ones(2), np.full(2, 2 * math.log2(3)), np.full(2, 2)
    labels = np.array([[0, 1], [0, 1]])
    blocks = Blocks(np.array([[0, 1], [2, 3]]), gate_cost, 4.0, sine, rank, 4)
    apart = price(JOINT, blocks, labels)
    in_a_row = price(JOINT, blocks._replace(pairs=np.array([[0, 1], [0, 2]])), labels)
    assert apart == pytest.approx(2 * math.log2(7))
    assert in_a_row == pytest.approx(4 * math.log2(3))


def test_three_wires_one_way_share_what_wires_back_and_forth_cannot() -> None:
    """Three wires from A to B: gamma 2^4 - 1. One there and one back: 3 and 4."""
    pairs = np.array([[0, 1], [1, 2], [0, 1], [1, 2]])
    none, rank = np.full(4, np.nan), np.full(4, 2)
    one_way = np.array([[0, 0], [0, 0], [1, 1], [1, 1]])
    value = price(LOCC, Blocks(pairs, np.ones(4), 4.0, none, rank, 3), one_way)
    assert value == pytest.approx(2 * math.log2(15))
    pairs, labels = np.array([[0, 1], [2, 3], [0, 2]]), np.array([[0, 0], [1, 1], [1, 1]])
    blocks = Blocks(pairs, np.ones(3), 4.0, none[:3], rank[:3], 4)
    assert price(LOCC, blocks, labels) == pytest.approx(2 * math.log2(3))
    pairs = np.array([[0, 1], [2, 3], [0, 2], [1, 3]])
    labels = np.array([[0, 0], [1, 1], [1, 1], [0, 0]])
    blocks = Blocks(pairs, np.ones(4), 4.0, none, rank, 4)
    assert price(LOCC, blocks, labels) == pytest.approx(2 * math.log2(3) + 4)
