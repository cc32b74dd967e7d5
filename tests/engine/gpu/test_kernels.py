"""Each kernel against its NumPy twin, the twin of passes against the engine; and nvcc's opinion."""

import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.cpu.run import simulate
from qdreamer_lab.engine.gpu.launch import launch, source
from qdreamer_lab.engine.gpu.packed import pack_programs
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.passes.plan import PassCosts
from tests.engine.gpu import twins
from tests.engine.programs import programs

PRECISIONS = st.sampled_from([("complex128", 1e-13), ("complex64", 1e-5)])


def packed(program, tile_bits):
    width, steps = program
    gates, coefficients = read_gates(steps, {})
    rows = int(np.prod([gate.rank for gate in gates]))
    both = [coefficients, 1j * coefficients]
    return pack_programs(width, gates, both, PassCosts(tile_bits=tile_bits)), (2, rows, 1 << width)


@settings(max_examples=60, deadline=None)
@given(programs(most_qubits=8), st.sampled_from([3, 7, 12]), PRECISIONS)
def test_every_pass_is_that_of_its_twin(gpu, program, tile_bits, precision):
    dtype, error = precision
    work, shape = packed(program, tile_bits)
    coefficients = work.coefficients.astype(dtype)
    states, twin = gpu.empty(shape, dtype), np.full(shape, np.nan, complex)
    for step in work.passes:
        plan = work.integers[step.start : step.end]
        for first, count in ((1, step.choices - 1), (0, 1)):
            if not count:
                continue
            twins.run_pass(twin, plan, work.coefficients, first, count)
            numbers = [np.int64(shape[1]), np.int64(coefficients.shape[1])]
            numbers += [np.int32(shape[2].bit_length() - 1), np.int32(first), np.int32(count)]
            arguments = (states, gpu.asarray(plan), gpu.asarray(coefficients), *numbers)
            shared = step.tile_size * states.itemsize
            launch("run_pass", dtype, (step.items * count, 2), 32, arguments, shared)
        made = ~np.isnan(twin)
        np.testing.assert_array_equal(made, ~np.isnan(np.array(states)))
        scale = max(1.0, abs(twin[made]).max())
        np.testing.assert_allclose(np.array(states)[made], twin[made], rtol=0, atol=error * scale)


@settings(max_examples=60, deadline=None)
@given(programs(most_qubits=8), st.sampled_from([3, 7, 12]))
def test_the_twin_of_passes_does_what_cores_do(program, tile_bits):
    work, shape = packed(program, tile_bits)
    twin = np.full(shape, np.nan, complex)
    for step in work.passes:
        plan = work.integers[step.start : step.end]
        twins.run_pass(twin, plan, work.coefficients, 0, step.choices)
    expected = simulate(*program)
    scale = max(1.0, abs(expected).max())
    np.testing.assert_allclose(twin[0], expected, rtol=0, atol=1e-12 * scale)
    factor = 1j ** len(read_gates(program[1], {})[0])
    np.testing.assert_allclose(twin[1], expected * factor, rtol=0, atol=1e-12 * scale)


def random_states(rng, rows, qubits, dtype):
    shape = (rows, 1 << qubits)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)


def random_strings(rng, count, qubits):
    strings = rng.integers(0, 1 << qubits, size=(count, 4))
    strings[:, 2] &= rng.integers(0, 1 << qubits, size=count)
    strings[:, 3] &= strings[:, 2]
    return strings


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(0, 9), st.integers(1, 6), st.integers(1, 6),
    st.sampled_from([1, 2, 3]), PRECISIONS,
)  # fmt: skip
def test_sums(gpu, seed, qubits, a, b, shares, precision):
    dtype, error = precision
    rng = np.random.default_rng(seed)
    bra, ket = random_states(rng, a, qubits, dtype), random_states(rng, b, qubits, dtype)
    for name, rows, most in (("sums_of_one", 1, 8), ("sums_of_four", 4, 1)):
        strings = random_strings(rng, 5, qubits)
        if most > 1:
            strings[:3, 0] = strings[0, 0]
        groups = np.array([[0, 3], [3, 1], [4, 1]] if most > 1 else [[k, 1] for k in range(5)])
        out = gpu.empty((5, a, b, shares), complex)
        squares = -(-a // rows) * -(-b // rows)
        numbers = [np.int64(1 << qubits), np.int32(a), np.int32(b)]
        arrays = [gpu.asarray(strings), gpu.asarray(groups), out]
        arguments = (gpu.asarray(bra), gpu.asarray(ket), *numbers, *arrays)
        launch(name, dtype, (shares, squares, len(groups)), 32, arguments, 512)
        found = np.array(out).sum(axis=-1)
        atol = error * (1 << qubits)
        np.testing.assert_allclose(found, twins.sums(bra, ket, strings), rtol=0, atol=atol)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 8), st.integers(1, 4), st.booleans(), PRECISIONS)
def test_images(gpu, seed, qubits, rows, conjugate, precision):
    dtype, _ = precision
    rng = np.random.default_rng(seed)
    ket = random_states(rng, rows, qubits, dtype)
    strings = random_strings(rng, 3, qubits)
    columns = 1 << int(rng.integers(0, qubits + 1))
    start = columns * int(rng.integers(0, (1 << qubits) // columns))
    out = gpu.empty((3 * rows, columns), dtype)
    numbers = [np.int64(number) for number in (1 << qubits, rows, start, columns)]
    arguments = (gpu.asarray(ket), *numbers, gpu.asarray(strings), np.int64(3))
    launch("images", dtype, (2, 5), 32, (*arguments, np.int32(conjugate), out))
    np.testing.assert_array_equal(
        np.array(out), twins.images(ket, strings, start, columns, conjugate)
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 4), PRECISIONS)
def test_rotate(gpu, seed, qubits, rows, precision):
    dtype, error = precision
    rng = np.random.default_rng(seed)
    states, matrix = random_states(rng, rows, qubits, dtype), random_states(rng, 2, 1, dtype)
    bit = int(rng.integers(qubits))
    array = gpu.asarray(states)
    arguments = (array, np.int64(states.size // 2), np.int32(bit), gpu.asarray(matrix.ravel()))
    launch("rotate", dtype, (3,), 32, arguments)
    atol = 100 * error
    np.testing.assert_allclose(
        np.array(array), twins.rotate(states, bit, matrix), rtol=0, atol=atol
    )


def test_kernels_take_no_strides(gpu):
    array = gpu.zeros((2, 4, 4), complex)
    with pytest.raises(AssertionError):
        launch("rotate", complex, (1,), 32, (array[:, 0], np.int64(4), np.int32(0), array))


@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90"])
def test_nvcc_takes_the_kernels(architecture, tmp_path):
    nvcc = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
    if nvcc is None:
        pytest.skip("no nvcc here")
    known = subprocess.run([nvcc, "--list-gpu-code"], capture_output=True, text=True)
    if architecture not in known.stdout:
        pytest.skip(f"this nvcc does not know {architecture}")
    kernels = files("qdreamer_lab.engine.gpu") / "kernels.cu"
    command = [nvcc, "-std=c++17", "-Werror", "all-warnings", f"-arch={architecture}", "-cubin"]
    subprocess.run([*command, "-o", tmp_path / "kernels.cubin", kernels], check=True)


def test_the_kernels_need_no_header():
    assert "#include" not in source()  # where CuPy compiles them there may be none
