"""Outcomes drawn from amplitudes, against plain sums of their probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine import draws
from qdreamer_lab.engine.draws import drawn


def amplitudes(rng, num_qubits, zeros):
    state = rng.normal(size=1 << num_qubits) + 1j * rng.normal(size=1 << num_qubits)
    state[rng.random(len(state)) < zeros] = 0
    state[rng.integers(len(state))] = 1.0  # at least one is not zero
    return state


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 10),
    st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    st.integers(1, 3000),
    st.integers(0, 10**6),
    st.sampled_from([1, 4, 256]),
    st.sampled_from([256, 1 << 18]),
)
def test_each_outcome_is_where_its_number_falls(num_qubits, zeros, shots, seed, block, at_once):
    rng = np.random.default_rng(seed)
    state = amplitudes(rng, num_qubits, zeros)
    uniforms = rng.random(shots)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws, "_BLOCK", block)
        patch.setattr(draws, "_AT_ONCE", at_once)
        found = drawn(state, uniforms)
    edges = np.cumsum(np.abs(state) ** 2)
    expected = np.searchsorted(edges, uniforms * edges[-1], side="right")
    clear = np.abs(uniforms[:, None] * edges[-1] - edges).min(axis=1) > 1e-12 * edges[-1]
    np.testing.assert_array_equal(found[clear], expected[clear])
    assert np.all(state[found] != 0)


@pytest.mark.parametrize("value", [0.0, np.nextafter(1, 0), 0.5])
@pytest.mark.parametrize("at", [0, 3, 700, 1023])
def test_a_basis_state_is_found_whatever_the_number(value, at):
    state = np.zeros(1024, np.complex64)
    state[at] = 1j
    assert drawn(state, np.full(5, value)).tolist() == [at] * 5


def test_edges_do_not_lead_to_what_is_not_there():
    state = np.zeros(1 << 12, np.complex128)
    state[5], state[4000] = np.sqrt(0.1), np.sqrt(0.9)
    numbers = np.concatenate([np.linspace(0, np.nextafter(1, 0), 999), [0.1, np.nextafter(0.1, 0)]])
    assert set(drawn(state, numbers).tolist()) == {5, 4000}


def test_states_need_not_be_normalised_and_may_be_single():
    rng = np.random.default_rng(3)
    state, numbers = amplitudes(rng, 9, 0.2), rng.random(500)
    one = drawn(state, numbers)
    np.testing.assert_array_equal(one, drawn(1e-3 * state, numbers))
    halved = drawn(state.astype(np.complex64), numbers)
    assert np.mean(one != halved) < 0.01
