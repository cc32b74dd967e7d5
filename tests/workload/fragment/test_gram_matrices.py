"""Gram matrices of local operators against matrices written out."""

import functools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.cpu import gram_plan
from qdreamer_lab.workload.circuit.terms import LETTERS
from qdreamer_lab.workload.fragment.gram_matrices import gram_matrices, gram_scratch_bytes


def random_states(rng, rows, num_qubits, dtype="complex128"):
    size = (rows, 1 << num_qubits)
    return (rng.normal(size=size) + 1j * rng.normal(size=size)).astype(dtype)


def written_out(bra, ket, operator):
    """⟨ψ_i|O|φ_j⟩ with O as a (2**n, 2**n) matrix."""
    letters = dict(operator)
    num_qubits = bra.shape[1].bit_length() - 1
    factors = [LETTERS[letters[q]] if q in letters else np.eye(2) for q in range(num_qubits)]
    matrix = functools.reduce(np.kron, reversed(factors), np.eye(1))
    return bra.conj() @ matrix @ ket.T


def strings(num_qubits, letters):
    return st.text(letters, min_size=num_qubits, max_size=num_qubits).map(
        lambda text: tuple((q, letter) for q, letter in enumerate(text) if letter != "I")
    )


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_strings(data):
    num_qubits = data.draw(st.integers(0, 6))
    letters = data.draw(st.sampled_from(["IXYZ", "IZ", "IXYZ01+-rl"]))
    operators = data.draw(st.lists(strings(num_qubits, letters), max_size=8))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    bra, ket = (random_states(rng, data.draw(st.integers(1, 4)), num_qubits) for _ in range(2))
    before = bra.copy(), ket.copy()
    for left, right in ((bra, bra), (bra, ket)):
        found = gram_matrices(left, right, operators)
        for operator, matrix in zip(operators, found, strict=True):
            np.testing.assert_allclose(matrix, written_out(left, right, operator), atol=1e-12)
    np.testing.assert_array_equal(bra, before[0])
    np.testing.assert_array_equal(ket, before[1])


@pytest.fixture
def small_pieces(monkeypatch):
    """Set sizes such that few amplitudes make many blocks, tiles and parts; any way of summing."""

    def choose(way):
        changes = {"BLOCK": 4, "ROWS": 2, "_FRAME_BYTES": 600, "_FRAMES": 1, "_PART": 1}
        ways = {
            "dots": {"_FEW": 99},
            "table": {"_FEW": 0, "_TABLE": 99, "_TABLE_OF_ONE": 99},
            "transform": {"_FEW": 0, "_TABLE": 0, "_TABLE_OF_ONE": 0},
            "few strings": {"_SUMS_BYTES": 128},
            "one range": {"_PARTS": 1},
        }
        for name, value in {**changes, **ways[way]}.items():
            monkeypatch.setattr(gram_plan, name, value)
        gram_plan.plan_gram.cache_clear()

    yield choose
    gram_plan.plan_gram.cache_clear()


@pytest.mark.parametrize("way", ["dots", "table", "transform", "few strings", "one range"])
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_over_many_blocks_tiles_and_parts(small_pieces, way, data):
    small_pieces(way)
    num_qubits = data.draw(st.integers(2, 7))
    letters = data.draw(st.sampled_from(["IXYZ", "IZ", "IX", "IXYZ01", "01+-rl"]))
    operators = data.draw(st.lists(strings(num_qubits, letters), min_size=1, max_size=12))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    dtype = data.draw(st.sampled_from(["complex128", "complex64"]))
    bra, ket = (
        random_states(rng, data.draw(st.integers(1, 5)), num_qubits, dtype) for _ in range(2)
    )
    for left, right in ((bra, bra), (bra, ket)):
        found = gram_matrices(left, right, operators, cores=2)
        for operator, matrix in zip(operators, found, strict=True):
            expected = written_out(left.astype(complex), right.astype(complex), operator)
            single = dtype == "complex64" and set("+-rl") & {letter for _, letter in operator}
            np.testing.assert_allclose(matrix, expected, atol=1e-4 if single else 1e-11)


def z_strings(num_qubits, count):
    return [
        tuple((q, "Z") for q in range(num_qubits) if (37 * k) >> q & 1) for k in range(1, 1 + count)
    ]


@pytest.mark.parametrize(("rows", "num_qubits"), [(1, 14), (3, 12), (40, 10)])
@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_sums_are_in_double_precision_and_the_same_on_any_number_of_cores(rows, num_qubits, dtype):
    states = random_states(np.random.default_rng(5), rows, num_qubits, dtype)
    others = random_states(np.random.default_rng(6), 2, num_qubits, dtype)
    top = num_qubits - 1
    flips = [
        ((0, "X"), (4, "Z"), (top, "X")),
        ((3, "Y"), (top, "Z")),
        ((top, "X"), (top - 1, "Y")),
        ((top, "Y"), (top - 1, "X")),
        ((2, "1"), (top - 2, "0"), (top, "X")),
        ((1, "0"), (top - 1, "1")),
    ]
    operators = [*z_strings(num_qubits, 25), *(tuple(sorted(flip)) for flip in flips)]
    exact_states, exact_others = states.astype(complex), others.astype(complex)
    for ket, exact_ket in ((states, exact_states), (others, exact_others)):
        one, two, five = (gram_matrices(states, ket, operators, cores) for cores in (1, 2, 5))
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, five)
        for operator, matrix in zip(operators, one, strict=True):
            bits = {letter: sum(1 << q for q, of in operator if of == letter) for letter in "XYZ01"}
            x = np.arange(1 << num_qubits)
            flip, z = bits["X"] | bits["Y"], bits["Z"] | bits["Y"]
            factor = 1j ** bits["Y"].bit_count() * (-1.0) ** np.bitwise_count(x & z)
            factor = factor * (x & bits["0"] == 0) * (x & bits["1"] == bits["1"])
            expected = exact_states.conj()[:, x ^ flip] @ (factor * exact_ket).T
            np.testing.assert_allclose(matrix, expected, atol=1e-10)


def test_matrices_of_a_batch_with_itself_are_hermitian_to_the_last_bit():
    states = random_states(np.random.default_rng(7), 35, 9)
    operators = [((8, "Y"), (0, "X")), ((1, "Y"),), ((2, "Z"),), ((3, "Y"), (8, "Y"))]
    found = gram_matrices(states, states, [tuple(sorted(operator)) for operator in operators])
    np.testing.assert_array_equal(found, found.conj().transpose(0, 2, 1))


def test_rows_apart_in_memory():
    states = random_states(np.random.default_rng(8), 6, 5)
    operators = [((0, "X"), (3, "Z")), ((1, "+"),)]
    found = gram_matrices(states[::2], states[1::2], operators)
    for operator, matrix in zip(operators, found, strict=True):
        np.testing.assert_allclose(matrix, written_out(states[::2], states[1::2], operator))


MEASURE = """
import sys
from pathlib import Path
import numpy as np
from qdreamer_lab.workload.fragment.gram_matrices import gram_matrices, gram_scratch_bytes

def held(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))

rows, num_qubits, dtype, letters = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
operators = tuple(tuple(enumerate(text)) for text in letters)
operators = tuple(tuple((q, c) for q, c in operator if c != "I") for operator in operators)
few = np.ones((2, 1 << num_qubits), dtype)
gram_matrices(few, few, operators)  # what is loaded and planned once
states = np.ones((rows, 1 << num_qubits), dtype)
before = held("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
result = gram_matrices(states, states, operators)
print(held("VmHWM") - before, result.nbytes)
print(gram_scratch_bytes(rows, states[0].nbytes, operators))
"""


@pytest.mark.parametrize(
    ("rows", "num_qubits", "dtype", "operators"),
    [
        (1, 22, "complex128", ["Z" * 22, "X" * 22, "IZ" * 11]),
        (300, 13, "complex64", ["Z" * 13, "X" * 13, "Y" + "Z" * 12]),
        (1, 22, "complex128", ["+" * 22]),
        (600, 9, "complex128", ["Z" * 9, "XY" * 4]),
    ],
)
def test_memory_is_not_above_what_was_foreseen(rows, num_qubits, dtype, operators):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(rows), str(num_qubits), dtype, *operators],
        check=True,
        capture_output=True,
        text=True,
    )
    taken, result, foreseen = map(int, done.stdout.split())
    assert taken < 1.1 * (result + foreseen) + (2 << 20)  # and what Python itself takes


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(3, 20), st.integers(1, 60), st.integers(1, 300))
def test_memory_grows_with_rows_size_and_strings(rows, num_qubits, count, more):
    operators = tuple(((0, "Z"), (1, "X")) for _ in range(count))
    least = gram_scratch_bytes(rows, 16 << num_qubits, operators)
    assert 0 < least <= gram_scratch_bytes(rows + more, 16 << num_qubits, operators)
    assert least <= gram_scratch_bytes(rows, 32 << num_qubits, operators)
    assert least <= gram_scratch_bytes(rows, 16 << num_qubits, operators * 2)
