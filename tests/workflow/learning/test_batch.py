"""Kernel entries, values and gradients against dense vectors and differences."""

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from qdreamer_lab.workflow.learning.batch import kernel_entries, values_and_gradient
from qdreamer_lab.workflow.learning.circuits import classifier, feature_map

RNG = np.random.default_rng(5)
SAMPLES = RNG.uniform(-1, 1, (6, 3))
OTHERS = RNG.uniform(-1, 1, (6, 3))
FORM = (2, 1)
WEIGHTS = RNG.uniform(-2, 2, 6)
LABELS = np.array([1, -1, 1, 1, -1, -1])


def bound(circuit, sample, weights=()):
    """By the parameters' own names, whatever their order."""
    values = {}
    for parameter in circuit.parameters:
        source = weights if "weights" in parameter.vector.name else sample
        values[parameter] = source[parameter.index]
    return Statevector(circuit.assign_parameters(values))


def overlaps(reps):
    circuit = feature_map(3, reps, "a")
    states = [[bound(circuit, each).data for each in some] for some in (SAMPLES, OTHERS)]
    return np.array([abs(np.vdot(*pair)) ** 2 for pair in zip(*states, strict=True)])


def values(weights):
    circuit = classifier(3, *FORM)
    signs = [1 - 2 * k.bit_count() / 3 for k in range(8)]
    return np.array([bound(circuit, x, weights).probabilities() @ signs for x in SAMPLES])


@pytest.mark.parametrize("reps", [1, 2])
def test_kernel_entries_are_overlaps(reps):
    found = kernel_entries(SAMPLES, OTHERS, reps, 0, 0).value
    np.testing.assert_allclose(found, overlaps(reps), atol=1e-12)
    shots = kernel_entries(SAMPLES, OTHERS, reps, 4000, 1).value
    assert np.all(np.abs(shots - overlaps(reps)) < 6 * 0.5 / np.sqrt(4000))


def test_values_and_gradients_are_those_of_the_error():
    found, gradient = values_and_gradient(SAMPLES, LABELS, WEIGHTS, FORM, 0, 0).value
    np.testing.assert_allclose(found, values(WEIGHTS), atol=1e-12)
    step = 1e-5
    differences = [
        np.sum((values(WEIGHTS + d) - LABELS) ** 2 - (values(WEIGHTS - d) - LABELS) ** 2)
        for d in step * np.eye(6)
    ]
    np.testing.assert_allclose(gradient, np.array(differences) / (2 * step), atol=1e-7)
    assert np.any(np.abs(gradient) > 0.1)
    alone, nothing = values_and_gradient(SAMPLES, None, WEIGHTS, FORM, 0, 0).value
    np.testing.assert_allclose(alone, found, atol=1e-12)
    assert not nothing.any()


def test_parts_of_a_batch_sum_up_to_it():
    whole = values_and_gradient(SAMPLES, LABELS, WEIGHTS, FORM, 0, 0).value
    parts = [
        values_and_gradient(SAMPLES[some], LABELS[some], WEIGHTS, FORM, 0, 0).value
        for some in (slice(0, 2), slice(2, 6))
    ]
    np.testing.assert_allclose(np.concatenate([p[0] for p in parts]), whole[0], atol=1e-12)
    np.testing.assert_allclose(sum(p[1] for p in parts), whole[1], atol=1e-10)


@pytest.mark.parametrize("count", [1, 6])
def test_shots_scatter_about_the_values(count):
    found, _ = values_and_gradient(SAMPLES[:count], None, WEIGHTS, FORM, 4000, 1).value
    assert found.shape == (count,)
    assert np.all(np.abs(found - values(WEIGHTS)[:count]) < 6 / np.sqrt(4000))
    assert np.any(found != values(WEIGHTS)[:count])
