"""What kind of gate a step is told to be."""

import numpy as np
import pytest

from qdreamer_lab.engine.passes.gates import Gate, read_gates
from qdreamer_lab.engine.program import Step
from qdreamer_lab.kernels.simulate.tile_pass import (
    BRANCH,
    DENSE_ONE,
    DENSE_TWO,
    DIAGONAL,
    MULTIPLEXED,
)
from tests.engine.programs import branch, one_qubit, two_qubits

CX = np.eye(4)[[0, 3, 2, 1]].astype(complex)
"""Control is the low qubit."""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("dense", Gate(DENSE_TWO, (3, 5))),
        ("diagonal", Gate(DIAGONAL, (3, 5))),
        ("keeps low", Gate(MULTIPLEXED, (5, 3))),
        ("keeps high", Gate(MULTIPLEXED, (3, 5))),
    ],
)
def test_two_qubits(kind, expected):
    gates, flat = read_gates([two_qubits(np.random.default_rng(0), kind, 3, 5)], {})
    assert gates == (expected,)
    assert len(flat) == {DENSE_TWO: 16, DIAGONAL: 4, MULTIPLEXED: 8}[expected.kind] == gates[0].size


def test_a_controlled_not_is_nothing_or_a_flip():
    [gate], flat = read_gates([Step((0, 1), CX[None])], {})
    assert gate == Gate(MULTIPLEXED, (1, 0))
    np.testing.assert_array_equal(flat, [1, 0, 0, 1, 0, 1, 1, 0])


def test_one_qubit_and_branches():
    rng = np.random.default_rng(0)
    steps = [one_qubit(rng, "alone", 2), one_qubit(rng, "phase", 2), branch(rng, 3, 1, 7)]
    gates, flat = read_gates(steps, {})
    assert gates == (Gate(DENSE_ONE, (2,)), Gate(DIAGONAL, (2,)), Gate(BRANCH, (1,), 3))
    np.testing.assert_array_equal(flat[6:], steps[2].matrices.ravel())
    gates, flat = read_gates(steps, {7: 1})
    assert gates[2] == Gate(DENSE_ONE, (1,))
    np.testing.assert_array_equal(flat[6:], steps[2].matrices[1].ravel())


def test_rounding_errors_make_no_gate_dense_however_large_or_small_its_matrix_is():
    for scale in (1e-200, 1.0, 1e200):
        matrix = scale * CX
        matrix[0, 1] = 1e-17 * scale
        assert read_gates([Step((0, 1), matrix[None])], {})[0][0].kind == MULTIPLEXED
        matrix[0, 1] = 1e-14 * scale
        assert read_gates([Step((0, 1), matrix[None])], {})[0][0].kind == DENSE_TWO


def test_gates_are_read_in_order():
    rng = np.random.default_rng(0)
    steps = [
        two_qubits(rng, "dense", 0, 1),
        one_qubit(rng, "alone", 1),
        two_qubits(rng, "diagonal", 1, 2),
    ]
    assert [gate.mask for gate in read_gates(steps, {})[0]] == [0b11, 0b10, 0b110]
