"""The compiled kernels against plain NumPy."""

import itertools

import numpy as np
import pytest

from qdreamer_lab.kernels.simulate.statevector import (
    apply_one_qubit,
    apply_two_qubit,
    branch_one_qubit,
)


def one_qubit(states, matrix, qubit):
    """(rows, 2**n) times a (2, 2) matrix, by einsum."""
    tensor = states.reshape(len(states), -1, 2, 1 << qubit)
    return np.einsum("xy,rayb->raxb", matrix, tensor).reshape(states.shape)


def two_qubit(states, matrix, low, high):
    """(rows, 2**n) times a (4, 4) matrix with `low` least significant, by moving axes."""
    n = states.shape[1].bit_length() - 1
    tensor = states.reshape(len(states), *[2] * n)
    axes = (n - high, n - low)
    front = np.moveaxis(tensor, axes, (1, 2))
    image = np.einsum("xy,ryb->rxb", matrix, front.reshape(len(states), 4, -1))
    return np.moveaxis(image.reshape(front.shape), (1, 2), axes).reshape(states.shape)


def random_complex(rng, *shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


TYPES = [("complex128", 1e-12), ("complex64", 1e-4)]


@pytest.mark.parametrize(("dtype", "rtol"), TYPES)
@pytest.mark.parametrize("qubit", range(4))
def test_one_qubit(qubit, dtype, rtol):
    rng = np.random.default_rng(qubit)
    states, matrix = random_complex(rng, 3, 16), random_complex(rng, 2, 2)
    expected = one_qubit(states, matrix, qubit)
    image = states.astype(dtype)
    apply_one_qubit(image, matrix.astype(dtype), qubit)
    np.testing.assert_allclose(image, expected, rtol=rtol)


@pytest.mark.parametrize(("dtype", "rtol"), TYPES)
@pytest.mark.parametrize("qubit", range(4))
def test_branching(qubit, dtype, rtol):
    rng = np.random.default_rng(qubit)
    states, matrices = random_complex(rng, 2, 16), random_complex(rng, 3, 2, 2)
    expected = np.stack([one_qubit(states, m, qubit) for m in matrices], axis=1).reshape(6, 16)
    room = np.full((6, 16), np.nan, dtype)
    room[:2] = states
    branch_one_qubit(room, 2, matrices.astype(dtype), qubit)
    np.testing.assert_allclose(room, expected, rtol=rtol)


@pytest.mark.parametrize(("dtype", "rtol"), TYPES)
@pytest.mark.parametrize(
    ("low", "high"),
    [*itertools.permutations(range(4), 2), (5, 9), (9, 5), (9, 8), (2, 9), (6, 0)],
)
def test_two_qubit(low, high, dtype, rtol):
    rng = np.random.default_rng(low + 4 * high)
    states = random_complex(rng, 3, 1 << max(4, low + 1, high + 1))
    matrix = random_complex(rng, 4, 4)
    expected = two_qubit(states, matrix, low, high)
    image = states.astype(dtype)
    apply_two_qubit(image, matrix.astype(dtype), low, high)
    np.testing.assert_allclose(image, expected, atol=10 * rtol)
