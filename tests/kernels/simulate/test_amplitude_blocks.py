"""What is done to a block of amplitudes, against the same written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.kernels.simulate import amplitude_blocks as blocks


def signs_of(mask, size):
    return (-1.0) ** np.bitwise_count(np.arange(size) & mask)


@pytest.mark.parametrize("bits", range(11))
def test_a_transform_gives_the_sums_with_all_signs(bits):
    size = 1 << bits
    values = np.random.default_rng(bits).normal(size=size)
    expected = [signs_of(mask, size) @ values for mask in range(size)]
    blocks.transform(values)
    np.testing.assert_allclose(values, expected, atol=1e-11)


@settings(deadline=None)
@given(st.integers(0, 10), st.data())
def test_flips_and_signs(bits, data):
    size = 1 << bits
    flip, z, care = (data.draw(st.integers(0, size - 1)) for _ in range(3))
    value = care & data.draw(st.integers(0, size - 1))
    old, new, x = np.random.default_rng(1).normal(size=size), np.empty(size), np.arange(size)
    table = blocks.sign_table(np.array([(0, 0, 0), (z, care, value)]), size)
    np.testing.assert_array_equal(table[0], np.ones(size))
    np.testing.assert_array_equal(table[1], signs_of(z, size) * (x & care == value))
    blocks.flip_signed(old, flip, table[1], new)
    np.testing.assert_array_equal(new, table[1] * old[x ^ flip])


@pytest.mark.parametrize("count", range(1, 10))
def test_sums_with_signs(count):
    rng = np.random.default_rng(count)
    signs, values = rng.choice([-1.0, 1.0], size=(12, 64)), rng.normal(size=(2, 64))
    rows = rng.integers(0, 12, size=count)
    sums, of_one = np.empty((2, count)), np.empty(count)
    blocks.signed_sums(values, signs, rows, sums)
    blocks.signed_sums_of_one(values[1], signs, rows, of_one)
    np.testing.assert_allclose(sums, values @ signs[rows].T, atol=1e-12)
    np.testing.assert_allclose(of_one, sums[1], atol=1e-12)
