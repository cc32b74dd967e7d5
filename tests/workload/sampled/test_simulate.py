"""What a simulator reads off states, against plain Python and NumPy."""

import numpy as np
import pytest

from qdreamer_lab.kernels.simulate.shot_counts import combined, read_all, squared, tally
from qdreamer_lab.workload.sampled.bases import bases_of
from qdreamer_lab.workload.sampled.simulate import Batch
from tests.workload.sampled.lowered import CUTS, lowered


def test_tally_and_read_all_count_as_plain_python_does():
    rng = np.random.default_rng(2)
    letters = ["IXYZ01+-rl"[k] for k in rng.integers(0, 10, size=200)]
    operators = [
        tuple((q, x) for q, x in enumerate(letters[k : k + 5]) if x != "I")
        for k in range(0, 200, 5)
    ]
    for basis in bases_of(operators):
        hits = rng.integers(0, 2 << 5, size=300)
        sums = np.zeros((7, 2, len(basis.operators)))
        tally(hits, 5, basis.parity, basis.care, basis.value, sums)
        expected = np.zeros_like(sums)
        probabilities = np.zeros((2, 32))
        for shot, hit in enumerate(hits.tolist()):
            probabilities[hit >> 5, hit & 31] += 1
            for k, operator in enumerate(basis.operators.tolist()):
                read = 1
                for qubit, letter in operators[operator]:
                    bit = hit >> qubit & 1
                    read *= (
                        (1 - bit if letter in "0+r" else bit) if letter in "01+-rl" else 1 - 2 * bit
                    )
                expected[shot % 7, hit >> 5, k] += read
        np.testing.assert_array_equal(sums, expected)
        means = np.zeros((2, len(basis.operators)))
        read_all(probabilities, basis.parity, basis.care, basis.value, means)
        np.testing.assert_array_equal(means, expected.sum(axis=0))


def test_branches_are_what_numpy_makes_of_them():
    rng = np.random.default_rng(3)
    states = rng.normal(size=(3, 2, 8)) + 1j * rng.normal(size=(3, 2, 8))
    kraus = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
    kraus[1, 1] = 0
    out = combined(states, kraus)
    np.testing.assert_allclose(out, (kraus @ states).reshape(6, 8), atol=1e-12)
    np.testing.assert_allclose(squared(out), np.abs(out) ** 2, atol=1e-12)


def test_the_order_of_variants_does_not_change_their_probabilities():
    circuit, labels, _ = CUTS["mixed"]
    run = lowered(circuit, labels, ["ZZZZ", "XXXX"])
    for fragment in run.fragments:
        orderly, anyhow = Batch(fragment), Batch(fragment)
        expected = [orderly.probabilities(k) for k in range(fragment.num_variants)]
        for k in np.random.default_rng(1).permutation(fragment.num_variants).tolist():
            np.testing.assert_allclose(anyhow.probabilities(k), expected[k], atol=1e-14)
            assert expected[k].sum() == pytest.approx(1)
