"""State vectors made by the GPU's kernels, run on a CPU, against NumPy and the engine for cores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.cpu.run import simulate
from qdreamer_lab.engine.gpu.costs import gpu_costs
from qdreamer_lab.engine.gpu.device import usable_device
from qdreamer_lab.engine.gpu.states import apply, gpu_states, run_programs
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.passes.plan import PassCosts
from qdreamer_lab.engine.program import Step
from qdreamer_lab.errors import GpuError
from tests.engine.programs import (
    TWO_QUBITS,
    branch,
    expected_states,
    one_qubit,
    programs,
    two_qubits,
)


def check(found, expected, dtype, error):
    assert (found.dtype, found.shape) == (np.dtype(dtype), expected.shape)
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(np.array(found), expected, rtol=0, atol=error * scale)


@settings(max_examples=60, deadline=None)
@given(
    programs(),
    st.sampled_from([3, 7, 8, 12]),
    st.sampled_from([1, 4, 7]),
    st.booleans(),
    st.sampled_from([("complex128", 1e-13), ("complex64", 1e-5)]),
)
def test_any_program_in_any_tiles(gpu, program, tile_bits, threads, backwards, precision):
    gpu.threads, gpu.backwards = threads, backwards
    width, steps = program
    dtype, error = precision
    found = gpu_states(width, steps, dtype, costs=PassCosts(tile_bits=tile_bits, crowded=(0.0,)))
    check(found, expected_states(width, steps), dtype, error)


def large(seed, width=14, gates=60):
    rng = np.random.default_rng(seed)
    kinds = list(TWO_QUBITS)
    steps = [one_qubit(rng, "alone", qubit) for qubit in range(width)]
    for k in range(gates):
        pair = rng.choice(width, 2, replace=False).tolist()
        steps.append(two_qubits(rng, kinds[k % 4], *pair))
        if k in (10, 35):
            steps.append(branch(rng, 2, pair[0], k))
    return steps


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_the_tiles_of_a_real_gpu_with_all_its_threads(gpu, dtype):
    gpu.threads, gpu.backwards = 256, True
    gpu.launches.clear()
    steps = large(1)
    found = gpu_states(14, steps, dtype)
    expected = simulate(14, steps, dtype)
    np.testing.assert_allclose(
        np.array(found), expected, atol=1e-13 if dtype == "complex128" else 1e-5
    )
    tile_bits = gpu_costs(usable_device(), found.itemsize).tile_bits
    assert {"complex128": 12, "complex64": 13}[dtype] == tile_bits
    assert max(shared for _, _, shared in gpu.launches) == found.itemsize << tile_bits
    gpu.threads = 7


def test_tiles_grow_and_shrink_and_grow(gpu, monkeypatch):
    monkeypatch.setattr(gpu, "threads", 64)
    steps = large(5, width=14, gates=20)
    expected = simulate(14, steps)
    for bits in (12, 13, 12, 11, 13):
        gpu.launches.clear()
        found = gpu_states(14, steps, costs=gpu_costs(usable_device(), 16, bits))
        assert max(shared for _, _, shared in gpu.launches) == 16 << bits
        np.testing.assert_allclose(np.array(found), expected, rtol=0, atol=1e-13)


def test_launches_are_few(gpu):
    steps = large(2)
    gpu.launches.clear()
    gpu_states(14, steps)
    assert {name for name, _, _ in gpu.launches} == {"run_pass_double"}
    assert len(gpu.launches) <= len(steps) / 4


@settings(max_examples=30)
@given(programs(most_cuts=0), st.integers(0, 30), st.sampled_from([3, 7, 12]))
def test_steps_on_a_state_that_is_there(gpu, program, split, tile_bits):
    width, steps = program
    costs = PassCosts(tile_bits=tile_bits, crowded=(0.0,))
    state = gpu_states(width, steps[:split], costs=costs)[0]
    apply(state, steps[split:], costs)
    check(state[None], expected_states(width, steps), "complex128", 1e-13)


def test_choices_that_are_fixed(gpu):
    steps = large(3, width=9)
    expected = expected_states(9, steps, {35: 1})
    check(gpu_states(9, steps, fixed={35: 1}), expected, "complex128", 1e-13)


def test_programs_of_one_plan_share_launches(gpu):
    several = [large(4, 8), large(4, 8)]
    rng = np.random.default_rng(0)
    several.append(
        [
            Step(
                s.qubits, s.matrices * np.exp(1j * rng.normal(size=(len(s.matrices), 1, 1))), s.cut
            )
            for s in several[0]
        ]
    )
    read = [read_gates(steps, {}) for steps in several]
    assert read[0][0] == read[2][0]
    gpu.launches.clear()
    found = run_programs(8, read[0][0], [flat for _, flat in read], "complex128")
    shared = len(gpu.launches)
    for states, steps in zip(found, several, strict=True):
        check(states, expected_states(8, steps), "complex128", 1e-13)
    gpu.launches.clear()
    run_programs(8, read[0][0], [read[0][1]], "complex128")
    assert len(gpu.launches) == shared


@pytest.mark.parametrize("width", [1, 2, 6, 13])
def test_no_steps_at_all(gpu, width):
    found = np.array(gpu_states(width, []))
    assert found[0, 0] == 1
    assert np.count_nonzero(found) == 1


def test_states_that_do_not_fit(gpu, monkeypatch):
    monkeypatch.setattr(gpu, "memory_bytes", 1 << 20)
    freed = gpu.freed
    with pytest.raises(GpuError, match=r"memory is full: 1 states of 17 qubits needs 0\.00195 GiB"):
        gpu_states(17, [])
    assert gpu.freed == freed + 1
