"""The compiled kernels against plain NumPy."""

import numpy as np
import pytest

from qdreamer_lab.kernels.simulate.statevector import apply_one_qubit


def one_qubit(states, matrix, qubit):
    """(rows, 2**n) times a (2, 2) matrix, by einsum."""
    tensor = states.reshape(len(states), -1, 2, 1 << qubit)
    return np.einsum("xy,rayb->raxb", matrix, tensor).reshape(states.shape)


def random_complex(rng, *shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


@pytest.mark.parametrize(("dtype", "rtol"), [("complex128", 1e-12), ("complex64", 1e-4)])
@pytest.mark.parametrize("qubit", range(4))
def test_one_qubit(qubit, dtype, rtol):
    rng = np.random.default_rng(qubit)
    states, matrix = random_complex(rng, 3, 16), random_complex(rng, 2, 2)
    expected = one_qubit(states, matrix, qubit)
    image = states.astype(dtype)
    apply_one_qubit(image, matrix.astype(dtype), qubit)
    np.testing.assert_allclose(image, expected, rtol=rtol)
