"""Fragments' tensors through the GPU's kernels, run on a CPU, against the workers' own."""

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.gpu.shapes import SCRATCH_BYTES
from qdreamer_lab.engine.gpu.tensors import GpuCall, gpu_tensors
from qdreamer_lab.engine.program import Step
from qdreamer_lab.errors import GpuError
from qdreamer_lab.workload.fragment.program import FragmentProgram
from qdreamer_lab.workload.fragment.simulate import run_fragment
from tests.engine.gpu.test_sums import operators_on
from tests.engine.programs import branch, one_qubit, programs, two_qubits


def tensor(call, dtype="complex128"):
    """(operators, a, b) by the workers' engine."""
    program = FragmentProgram(0, call.width, tuple(call.steps), call.open_cuts, ())
    found = run_fragment(program, call.operators, None, dtype, call.bra, call.ket)
    sides = [int(np.prod(program.dims(side))) for side in (call.bra, call.ket)]
    return found.reshape(len(call.operators), *sides)


@st.composite
def calls(draw):
    width, steps = draw(programs(most_qubits=8))
    opened = draw(st.integers(0, min(2, width - 1)))
    operators = tuple(draw(operators_on(width - opened, most=4)))
    open_cuts = tuple(range(100, 100 + opened))
    axes = [(s.cut, len(s.matrices)) for s in steps if s.cut is not None]
    axes += [(cut, 2) for cut in open_cuts]
    fixed = [(cut, size) for cut, size in axes if draw(st.booleans())]
    bra = {cut: draw(st.integers(0, size - 1)) for cut, size in fixed}
    ket = {cut: draw(st.integers(0, size - 1)) for cut, size in fixed}
    return GpuCall(width, tuple(steps), operators, open_cuts, bra, ket)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(calls(), min_size=1, max_size=3),
    st.sampled_from([("complex128", 1e-12), ("complex64", 1e-5)]),
)
def test_any_fragments(gpu, several, precision):
    dtype, error = precision
    for call, found in zip(several, gpu_tensors(several, dtype), strict=True):
        expected = tensor(call)
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        assert (found.dtype, found.shape) == (np.dtype(complex), expected.shape)
        np.testing.assert_allclose(found, expected, rtol=0, atol=error * scale)


def fragment(seed, width=7, operators=(((0, "Z"),), ((1, "X"), (2, "Y")))):
    """Calls with different seeds have the same plan."""
    rng = np.random.default_rng(seed)
    steps = [one_qubit(rng, "alone", qubit) for qubit in range(width)]
    steps += [two_qubits(rng, "dense", k, k + 1) for k in range(width - 1)]
    steps += [branch(rng, 4, 3, 0), two_qubits(rng, "diagonal", 0, 3), branch(rng, 2, 1, 1)]
    steps += [two_qubits(rng, "keeps low", k + 1, k) for k in range(width - 1)]
    return GpuCall(width, tuple(steps), operators)


def passes(gpu):
    return sum(name.startswith("run_pass") for name, _, _ in gpu.launches)


def test_fragments_of_one_plan_share_launches(gpu):
    several = [fragment(seed) for seed in range(5)]
    several.insert(2, fragment(7, width=5))
    gpu.launches.clear()
    gpu_tensors(several[:1])
    alone = passes(gpu)
    gpu.launches.clear()
    found = gpu_tensors(several)
    other = passes(gpu) - alone
    assert other <= alone
    for call, each in zip(several, found, strict=True):
        np.testing.assert_allclose(each, tensor(call), rtol=0, atol=1e-12)
    # Room for two at a time.
    room = several[0].bytes_for(16) - SCRATCH_BYTES
    gpu.launches.clear()
    again = gpu_tensors(several, limit_bytes=SCRATCH_BYTES + 2 * room)
    assert passes(gpu) == 3 * alone + other
    for first, second in zip(found, again, strict=True):
        np.testing.assert_allclose(first, second, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rows", [1, 4, 18])
@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_memory_is_what_was_said(gpu, rows, dtype, monkeypatch):
    """Everything but the scratch memory to within a few per cent; and that is kept to."""
    rng = np.random.default_rng(0)
    width = 15
    steps = [one_qubit(rng, "alone", qubit) for qubit in range(width)]
    steps += [two_qubits(rng, "dense", k, k + 1) for k in range(width - 1)]
    steps += [Step((5,), rng.normal(size=(rows, 2, 2)) + 0j, 0)] if rows > 1 else []
    operators = (((0, "Z"),), ((1, "X"), (2, "Y")), ((3, "+"), (7, "0")))
    call = GpuCall(width, tuple(steps), operators)
    monkeypatch.setattr(gpu, "threads", 1)
    gc.collect()
    gpu.peak_bytes = start = gpu.used_bytes
    gpu_tensors([call], dtype)
    known = call.bytes_for(np.dtype(dtype).itemsize) - SCRATCH_BYTES
    assert known <= gpu.peak_bytes - start <= known + SCRATCH_BYTES


def test_open_qubits_with_a_choice_count_as_a_copy():
    plain, fixed = (GpuCall(9, (), (), (4, 7), side, side) for side in ({}, {7: 0}))
    assert plain.bytes_for(16) == SCRATCH_BYTES + (16 << 9)
    assert fixed.bytes_for(16) == SCRATCH_BYTES + (16 << 9) + (16 << 8)


def test_the_largest_single_states_fit_a_card_of_141_gb():
    card = 141 * 10**9
    operators = (((0, "Z"),),) * 3
    for width, itemsize in ((32, 16), (33, 8)):
        assert GpuCall(width, (), operators).bytes_for(itemsize) < 0.5 * card
        assert GpuCall(width + 1, (), operators).bytes_for(itemsize) < 0.98 * card


def test_a_fragment_that_does_not_fit(gpu):
    message = r"a fragment of 7 qubits needs .* one state of 5 qubits would fit"
    with pytest.raises(GpuError, match=message):
        gpu_tensors([fragment(0)], limit_bytes=SCRATCH_BYTES + 1000)
