"""Gram matrices of local operators against matrices written out."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.workload.circuit.terms import LETTERS
from qdreamer_lab.workload.fragment import gram_matrices as gram
from qdreamer_lab.workload.fragment.gram_matrices import gram_matrices


def random_states(rng, rows, num_qubits, dtype="complex128"):
    size = (rows, 1 << num_qubits)
    return (rng.normal(size=size) + 1j * rng.normal(size=size)).astype(dtype)


def written_out(bra, ket, operator):
    """⟨ψ_i|O|φ_j⟩ with O as a (2**n, 2**n) matrix."""
    letters = dict(operator)
    num_qubits = bra.shape[1].bit_length() - 1
    factors = [LETTERS[letters[q]] if q in letters else np.eye(2) for q in range(num_qubits)]
    matrix = functools.reduce(np.kron, reversed(factors), np.eye(1))
    return bra.conj() @ matrix @ ket.T


def strings(num_qubits, letters):
    return st.text(letters, min_size=num_qubits, max_size=num_qubits).map(
        lambda text: tuple((q, letter) for q, letter in enumerate(text) if letter != "I")
    )


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_strings(data):
    num_qubits = data.draw(st.integers(0, 6))
    letters = data.draw(st.sampled_from(["IXYZ", "IZ", "IXYZ01+-rl"]))
    operators = data.draw(st.lists(strings(num_qubits, letters), max_size=8))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    bra, ket = (random_states(rng, data.draw(st.integers(1, 4)), num_qubits) for _ in range(2))
    before = bra.copy(), ket.copy()
    for left, right in ((bra, bra), (bra, ket)):
        found = gram_matrices(left, right, operators)
        for operator, matrix in zip(operators, found, strict=True):
            np.testing.assert_allclose(matrix, written_out(left, right, operator), atol=1e-12)
    np.testing.assert_array_equal(bra, before[0])
    np.testing.assert_array_equal(ket, before[1])


@pytest.mark.parametrize(("dtype", "atol"), [("complex128", 1e-10), ("complex64", 0.05)])
def test_many_strings_over_several_blocks_and_threads(dtype, atol, monkeypatch):
    monkeypatch.setenv("PILOT_CORES_PER_WORKER", "2")
    monkeypatch.setattr(gram, "WORTH_THREADS", 0)
    rng = np.random.default_rng(5)
    num_qubits = 11
    states = random_states(rng, 2, num_qubits, dtype)
    z_only = [tuple((q, "Z") for q in range(num_qubits) if k >> q & 1) for k in range(0, 2048, 37)]
    flips = [((10, "X"), (9, "Y")), ((10, "Y"), (9, "X")), ((0, "X"), (4, "Z")), ((3, "Y"),)]
    operators = [*z_only, *flips]
    assert len(z_only) > 40  # so many that they are transformed rather than summed
    found = gram_matrices(states, states, operators)
    for operator, matrix in list(zip(operators, found, strict=True))[::7] + list(
        zip(flips, found[-4:], strict=True)
    ):
        np.testing.assert_allclose(matrix, written_out(states, states, operator), atol=atol)
