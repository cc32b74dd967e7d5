"""Gram matrices by the GPU's kernels, run on a CPU, against dense operators."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.gpu import shapes
from qdreamer_lab.engine.gpu.shapes import ProductShape, by_products
from qdreamer_lab.engine.gpu.sums import gpu_gram, on_host, start_gram
from qdreamer_lab.workload.circuit.terms import LETTERS
from tests.engine.programs import applied


def random_states(rng, rows, qubits, dtype="complex128"):
    states = rng.normal(size=(rows, 1 << qubits)) + 1j * rng.normal(size=(rows, 1 << qubits))
    return (states / np.linalg.norm(states, axis=1)[:, None]).astype(dtype)


def expected_gram(bra, ket, operators):
    out = []
    for operator in operators:
        image = ket.astype(complex)
        for qubit, letter in operator:
            image = applied(image, LETTERS[letter], (qubit,))
        out.append(bra.conj().astype(complex) @ image.T)
    return np.array(out).reshape(len(operators), len(bra), len(ket))


@st.composite
def operators_on(draw, qubits, most=12):
    one = st.just({})
    if qubits:
        one = st.dictionaries(st.integers(0, qubits - 1), st.sampled_from(list(LETTERS)))
    several = st.lists(one, max_size=most)
    return [tuple(sorted(each.items())) for each in draw(several)]


@st.composite
def cases(draw):
    qubits = draw(st.integers(0, 6))
    rows = st.sampled_from([1, 2, 3, 5, 16, 17, 20])
    a, b = draw(rows), draw(st.none() | rows)
    return qubits, a, b, draw(operators_on(qubits)), draw(st.integers(0, 2**32))


@settings(max_examples=80, deadline=None)
@given(
    cases(),
    st.sampled_from([1, 3, 7]),
    st.booleans(),
    st.sampled_from([("complex128", 1e-13), ("complex64", 1e-6)]),
)
def test_any_operators_between_any_states(gpu, case, threads, backwards, precision):
    qubits, a, b, operators, seed = case
    dtype, error = precision
    gpu.threads, gpu.backwards = threads, backwards
    rng = np.random.default_rng(seed)
    bra = random_states(rng, a, qubits, dtype)
    ket = bra if b is None else random_states(rng, b, qubits, dtype)
    on_device = gpu.asarray(bra)
    other = on_device if b is None else gpu.asarray(ket)
    found = gpu_gram(on_device, other, operators)
    assert (type(found), found.dtype) == (np.ndarray, np.dtype(complex))
    np.testing.assert_allclose(found, expected_gram(bra, ket, operators), rtol=0, atol=error)
    np.testing.assert_allclose(np.array(on_device), bra, rtol=0, atol=error)  # as it was
    np.testing.assert_allclose(np.array(other), ket, rtol=0, atol=error)


PAULIS = [((0, "Z"), (9, "Z")), ((3, "X"), (11, "Y")), ((2, "Y"), (5, "Y"), (7, "Y")), ()]


@pytest.mark.parametrize("rows", [1, 4, 24])
def test_states_that_several_blocks_share(gpu, rows, monkeypatch):
    monkeypatch.setattr(gpu, "threads", 256 if rows < 24 else 1)
    rng = np.random.default_rng(rows)
    states = random_states(rng, rows, 13)
    operators = [*PAULIS, ((1, "+"), (8, "l"), (12, "1"))] * 3
    np.testing.assert_allclose(
        gpu_gram(gpu.asarray(states), gpu.asarray(states), operators),
        expected_gram(states, states, operators),
        rtol=0,
        atol=1e-13,
    )


@pytest.mark.parametrize("part", [1, 1 << 12, 1 << 15])
@pytest.mark.parametrize("rows", [1, 6, 20])
def test_little_room_takes_more_launches_and_gives_the_same(gpu, rows, part, monkeypatch):
    rng = np.random.default_rng(rows)
    bra, ket = random_states(rng, rows, 5), random_states(rng, rows + 1, 5)
    operators = [((q, "X"), ((q + 1) % 5, letter)) for q in range(5) for letter in "YZ0"]
    arrays = gpu.asarray(bra), gpu.asarray(ket)
    gpu.launches.clear()
    gpu_gram(*arrays, operators)
    before = len(gpu.launches)
    monkeypatch.setattr(shapes, "_PART", part)
    gpu.launches.clear()
    found = gpu_gram(*arrays, operators)
    np.testing.assert_allclose(found, expected_gram(bra, ket, operators), rtol=0, atol=1e-13)
    assert len(gpu.launches) > before or part > 1


def test_strings_of_one_flip_share_launches(gpu):
    states = gpu.asarray(random_states(np.random.default_rng(0), 1, 6))
    gpu.launches.clear()
    gpu_gram(states, states, [((q, "Z"),) for q in range(6)])
    assert [(name, grid) for name, grid, _ in gpu.launches] == [("sums_of_one_double", (1, 1, 1))]


def test_several_come_back_together(gpu, monkeypatch):
    rng = np.random.default_rng(1)
    fetched = []
    real = gpu.asnumpy
    monkeypatch.setattr(gpu, "asnumpy", lambda array: fetched.append(array.shape) or real(array))
    several = [random_states(rng, rows, 5) for rows in (1, 3, 18)]
    pending = []
    for states in several:
        array = gpu.asarray(states)
        pending.append(start_gram(array, array, [((0, "+"),), ((1, "Z"),)]))
    for found, states in zip(on_host(pending), several, strict=True):
        expected = expected_gram(states, states, [((0, "+"),), ((1, "Z"),)])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert len(fetched) == 1


def test_no_operators(gpu):
    states = gpu.asarray(random_states(np.random.default_rng(0), 2, 3))
    assert gpu_gram(states, states, []).shape == (0, 2, 2)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 1 << 16),
    st.integers(1, 1 << 16),
    st.integers(0, 33),
    st.sampled_from([8, 16]),
)
def test_products_keep_to_their_room(a, b, qubits, itemsize):
    shape = ProductShape.of(a, b, 1 << qubits, itemsize)
    room = shapes.SCRATCH_BYTES // 4
    assert (1 << qubits) % shape.columns == 0
    assert shape.stack * b * shape.columns * itemsize <= room
    assert shape.rows * shape.columns * itemsize <= room
    assert shape.rows * shape.stack * b * itemsize <= room
    assert by_products(a, b) == (a > 16 or b > 16)
