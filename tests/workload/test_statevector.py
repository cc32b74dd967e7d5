"""The compiled kernels against plain NumPy."""

import numpy as np
import pytest

from qdreamer_lab.kernels.statevector import apply_one_qubit, apply_two_qubit, branch_one_qubit


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


@pytest.mark.parametrize("qubit", range(4))
def test_one_qubit(qubit):
    rng = np.random.default_rng(qubit)
    states, matrix = random_complex(rng, 3, 16), random_complex(rng, 2, 2)
    expected = one_qubit(states, matrix, qubit)
    apply_one_qubit(states, matrix, qubit)
    np.testing.assert_allclose(states, expected, rtol=1e-13)


@pytest.mark.parametrize("qubit", range(4))
def test_branching(qubit):
    rng = np.random.default_rng(qubit)
    states, matrices = random_complex(rng, 2, 16), random_complex(rng, 3, 2, 2)
    expected = np.stack([one_qubit(states, m, qubit) for m in matrices], axis=1).reshape(6, 16)
    np.testing.assert_allclose(branch_one_qubit(states, matrices, qubit), expected, rtol=1e-13)


@pytest.mark.parametrize("low", range(4))
@pytest.mark.parametrize("high", range(4))
def test_two_qubit(low, high):
    if low == high:
        return
    rng = np.random.default_rng(low + 4 * high)
    states, matrix = random_complex(rng, 3, 16), random_complex(rng, 4, 4)
    expected = two_qubit(states, matrix, low, high)
    apply_two_qubit(states, matrix, low, high)
    np.testing.assert_allclose(states, expected, rtol=1e-12)
