"""The variance of sampled values, against many rounds of shots that were really drawn."""

import numpy as np
import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import plan_cuts
from qdreamer_lab.dreamer.sampled.second_order_errors import product_variance
from qdreamer_lab.dreamer.sampled.variance import fragment_moments, fragment_variances
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.sampled.allocation import predicted_variance
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.simulate import sample_fragment
from tests.circuits.plain import ghz

SEEDS = 600


def cut_run(depth):
    """Two fragments of three qubits, with values that depend on both and values that hardly do."""
    rng = np.random.default_rng(4)
    circuit = QuantumCircuit(6)
    for _ in range(depth):
        for qubit in range(6):
            circuit.ry(rng.uniform(0, np.pi), qubit)
        for qubit in range(5):
            circuit.cx(qubit, qubit + 1)
    circuit.rx(0.4, range(6))  # else what is measured would settle the last cut
    plan = plan_cuts(circuit, 3, kinds=("gate",), time_limit_s=0.0)
    strings = ["ZIIIIZ", "IZIIZI", "XIIIIX", "ZZIIII", "IIZZII"]
    terms = [
        [ProductTerm(1.0, tuple((q, p) for q, p in enumerate(reversed(s)) if p != "I"))]
        for s in strings
    ]
    return lower(plan, terms)


@pytest.mark.parametrize(("depth", "each"), [(1, 4), (1, 64), (2, 8)])
def test_errors_that_multiply_make_up_what_few_shots_lack(depth, each):
    run = cut_run(depth)
    assert len(run.fragments) == 2
    shots = [np.full(fragment.num_variants, each) for fragment in run.fragments]

    def values(seed):
        return run.gluing.values(
            [
                sample_fragment(
                    fragment, ShotRequest(np.arange(len(number)), number, (seed, place))
                ).tensor.mean
                for place, (fragment, number) in enumerate(zip(run.fragments, shots, strict=True))
            ]
        )

    seen = np.var([values(seed) for seed in range(SEEDS)], axis=0)
    moments = fragment_moments(run)
    first = predicted_variance([one.true for one in fragment_variances(run, moments)], shots)
    product = product_variance(run, moments, shots)
    assert seen == pytest.approx(first.sum(axis=0) + product, rel=0.3, abs=1e-12)
    assert np.all(product >= 0)
    fewer = product_variance(run, moments, [2 * one for one in shots])
    assert fewer == pytest.approx(product / 4)
    if each == 4:
        assert product.max() > 0.3 * first.sum(axis=0)[product.argmax()]


def test_nothing_is_added_for_one_fragment():
    run = lower(plan_cuts(ghz(3), 3), [[ProductTerm(1.0, ((0, "Z"),))]])
    shots = [np.full(fragment.num_variants, 8) for fragment in run.fragments]
    assert np.all(product_variance(run, fragment_moments(run), shots) == 0)
