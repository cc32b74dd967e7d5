"""State vectors of whole programs, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.cpu.run import apply, simulate
from qdreamer_lab.engine.passes import shares
from qdreamer_lab.engine.passes.plan import PassCosts
from qdreamer_lab.engine.program import Step
from tests.engine.programs import (
    TWO_QUBITS,
    branch,
    expected_states,
    one_qubit,
    programs,
    two_qubits,
)


@settings(max_examples=150, deadline=None)
@given(
    programs(),
    st.sampled_from([3, 5, 7, 15]),
    st.sampled_from([1, 3]),
    st.sampled_from([("complex128", 1e-13), ("complex64", 1e-5)]),
)
def test_any_program_in_any_tiles_on_any_cores(program, tile_bits, cores, precision):
    width, steps = program
    dtype, error = precision
    expected = expected_states(width, steps)
    found = simulate(width, steps, dtype, cores=cores, costs=PassCosts(tile_bits=tile_bits))
    assert (found.dtype, found.shape) == (np.dtype(dtype), expected.shape)
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=error * scale)


@settings(max_examples=60, deadline=None)
@given(programs(most_cuts=3), st.integers(0, 2), st.integers(0, 1))
def test_choices_that_are_fixed(program, cut, choice):
    width, steps = program
    if not any(step.cut == cut for step in steps):
        return
    found = simulate(width, steps, fixed={cut: choice})
    expected = expected_states(width, steps, {cut: choice})
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * max(1, abs(expected).max()))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("costs", [PassCosts(tile_bits=8), PassCosts(start_ns=1e9), PassCosts()])
def test_states_larger_than_a_tile_shared_out_among_threads(seed, costs, monkeypatch):
    monkeypatch.setattr(shares, "_WORTH_THREADS", 1)
    rng = np.random.default_rng(seed)
    width, kinds = 14, list(TWO_QUBITS)
    steps = [one_qubit(rng, "alone", qubit) for qubit in range(width)]
    for k in range(60):
        pair = rng.choice(width, 2, replace=False).tolist()
        steps.append(two_qubits(rng, kinds[k % 4], *pair))
        if k in (10, 35):
            steps.append(branch(rng, 2, pair[0], k))
    expected = expected_states(width, steps)
    alone = simulate(width, steps, costs=costs)
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-12 * abs(expected).max())
    np.testing.assert_array_equal(simulate(width, steps, cores=4, costs=costs), alone)


@pytest.mark.parametrize("width", [1, 4, 6, 17])
def test_qubits_without_gates_are_zero(width):
    states = simulate(width, [])
    assert states.shape == (1, 1 << width)
    assert states[0, 0] == 1
    assert not states[0, 1:].any()


def test_branches_done_out_of_order_keep_their_rows():
    """The second branch is on a qubit that is free, the first one waits for a far qubit."""
    rng = np.random.default_rng(0)
    steps = [
        two_qubits(rng, "dense", 0, 11),
        branch(rng, 2, 11, 0),
        branch(rng, 3, 1, 1),
        two_qubits(rng, "dense", 11, 5),
    ]
    expected = expected_states(12, steps)
    found = simulate(12, steps, costs=PassCosts(tile_bits=7))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_entries_of_the_size_of_rounding_errors_are_zeros_and_others_are_not():
    matrix = np.diag([1.0, 1.0, 1.0, 1.0]).astype(complex)
    matrix[0, 3] = 1e-12
    steps = [Step((0,), np.full((1, 2, 2), 1.0 + 0j)), Step((0, 1), matrix[None])]
    steps.insert(1, Step((1,), np.full((1, 2, 2), 1.0 + 0j)))
    found = simulate(2, steps)
    np.testing.assert_allclose(found, [[1 + 1e-12, 1, 1, 1]], rtol=1e-15)
    assert found[0, 0] != 1


@settings(max_examples=80)
@given(
    programs(most_cuts=0),
    st.integers(0, 30),
    st.sampled_from([3, 7, 15]),
    st.sampled_from([1, 3]),
    st.sampled_from([("complex128", 1e-13), ("complex64", 1e-5)]),
)
def test_steps_on_a_state_that_is_there(program, split, tile_bits, cores, precision):
    width, steps = program
    dtype, error = precision
    costs = PassCosts(tile_bits=tile_bits)
    state = simulate(width, steps[:split], dtype, costs=costs)[0].copy()
    apply(state, steps[split:], cores, costs)
    expected = expected_states(width, steps)[0]
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(state, expected, rtol=0, atol=error * scale)
