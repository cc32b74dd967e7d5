"""Coefficients of gates against the matrices that they were read off, and tables against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.kernels.simulate.gate_coefficients import gather_coefficients, read_matrices
from qdreamer_lab.kernels.simulate.tile_pass import (
    BRANCH,
    DENSE_ONE,
    DENSE_TWO,
    DIAGONAL,
    MULTIPLEXED,
)
from tests.engine.programs import TWO_QUBITS, unitary

SIZES = {DENSE_ONE: 4, DENSE_TWO: 16, MULTIPLEXED: 8}


def read(matrices):
    """Kinds, whether qubits change places, and coefficients of gates (r, d, d)."""
    flat = np.concatenate([each.reshape(-1) for each in matrices]).astype(complex)
    two = np.array([each.shape[-1] == 4 for each in matrices])
    forms, found = read_matrices(flat, np.array([each.size for each in matrices]), two)
    return *forms.tolist(), found


def as_matrix(kind, turned, flat):
    """The 4 x 4 matrix that coefficients stand for, entry by entry."""
    if kind == DENSE_TWO:
        return flat.reshape(4, 4)
    matrix = np.zeros((4, 4), complex)
    for row in range(4):
        for column in range(4):
            if kind == DIAGONAL:
                matrix[row, column] = flat[row] if row == column else 0
                continue
            bits = [(index >> 1, index & 1) for index in (row, column)]
            (control, out), (same, into) = (b[::-1] if turned else b for b in bits)
            matrix[row, column] = flat[4 * control + 2 * out + into] if control == same else 0
    return matrix


@given(
    st.lists(st.sampled_from([*TWO_QUBITS, "alone", "phase", "branch"]), min_size=1, max_size=8),
    st.integers(0, 99),
)
def test_coefficients_stand_for_the_matrices(names, seed):
    rng = np.random.default_rng(seed)
    other = {
        "alone": lambda: unitary(rng, 2)[None],
        "phase": lambda: np.diag(np.exp(1j * rng.normal(size=2)))[None],
        "branch": lambda: rng.normal(size=(3, 2, 2)) + 0j,
    }
    matrices = [
        TWO_QUBITS[name](rng)[None] if name in TWO_QUBITS else other[name]() for name in names
    ]
    kinds, turned, flat = read(matrices)
    expected = {"alone": DENSE_ONE, "phase": DIAGONAL, "branch": BRANCH, "dense": DENSE_TWO}
    at = 0
    for name, matrix, kind, back in zip(names, matrices, kinds, turned, strict=True):
        assert kind == {**expected, "diagonal": DIAGONAL}.get(name, MULTIPLEXED)
        assert back == (name == "keeps low")
        if name in TWO_QUBITS:
            size = SIZES.get(kind, 4)
            np.testing.assert_array_equal(as_matrix(kind, back, flat[at : at + size]), matrix[0])
        else:
            size = 2 if kind == DIAGONAL else matrix.size
            mine = matrix[0].diagonal() if kind == DIAGONAL else matrix.ravel()
            np.testing.assert_array_equal(flat[at : at + size], mine)
        at += size
    assert at == len(flat)


@pytest.mark.parametrize("size", [2, 4])
def test_what_is_next_to_nothing_is_nothing(size):
    for scale in (1e-200, 1.0, 1e200):
        matrix = scale * np.eye(size, dtype=complex)[None]
        matrix[0, 0, 1] = 1e-17 * scale
        assert read([matrix])[0] == [DIAGONAL]
        matrix[0, 0, 1] = 1e-14 * scale
        assert read([matrix])[0] != [DIAGONAL]


@given(st.integers(0, 99))
def test_tables_are_products_of_diagonals(seed):
    rng = np.random.default_rng(seed)
    flat = rng.normal(size=14) + 1j * rng.normal(size=14)
    first, second = rng.choice(5, 2, replace=False).tolist()
    records = [
        (3, 32, -1, -1, -1),  # a table of ones
        (3, 32, 10, first, second),
        (3, 32, 4, second, -1),
        (0, 3, 6, -1, -1),  # copied
    ]
    out = np.full((2, 35), np.nan)
    gather_coefficients(flat, np.array(records), out)
    found = out[0] + 1j * out[1]
    np.testing.assert_array_equal(found[:3], flat[6:9])
    x = np.arange(32)
    expected = flat[10 + (x >> first & 1) + 2 * (x >> second & 1)] * flat[4 + (x >> second & 1)]
    np.testing.assert_allclose(found[3:], expected, rtol=1e-14)
