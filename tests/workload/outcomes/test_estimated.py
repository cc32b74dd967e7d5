"""Distributions from shots: right with endless shots, unbiased with few, honest error bars."""

import functools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from qdreamer_lab import CutSampler
from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.outcomes.estimated import EstimatedOutcomes, Part, check_table
from qdreamer_lab.workload.outcomes.measured import measured_at_the_end
from qdreamer_lab.workload.outcomes.rounds import lower_outcomes, measured_here
from qdreamer_lab.workload.outcomes.unseen import one_more_shot
from qdreamer_lab.workload.sampled.reconstruct import glued
from qdreamer_lab.workload.sampled.simulate import exact_tensor
from qdreamer_lab.workload.sampled.work_sizes import GROUPS
from tests.workload.outcomes.cut_states import case, dense_table

GIB = 1 << 30


def endless(plan, qubits):
    """What infinitely many shots would estimate."""
    program = lower_outcomes(plan, qubits)
    assume(all(f.num_variants <= 2000 for f in program.fragments))
    parts = []
    for fragment in program.fragments:
        (mean,) = glued(fragment, program.glues, exact_tensor(fragment)[None])
        names = tuple(qubit for qubit, _ in measured_here(fragment.program, qubits))
        legs = tuple(leg.glue for leg in fragment.legs)
        parts.append(
            Part(names, legs, mean, *(np.zeros((0, k, *mean.shape[1:])) for k in (len(mean), 1)))
        )
    for qubit in set(qubits) & plan.blocks.lone.keys():
        shares = np.square(np.abs(plan.blocks.lone[qubit][:, 0]))
        parts.append(Part((qubit,), (), shares, np.zeros((0, 2)), np.zeros((0, 1))))
    return EstimatedOutcomes(parts, (0,))


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_endless_shots_of_any_plan_give_the_dense_distribution(seed):
    circuit, plan, rng = case(seed, num_gates=5, num_fragments=2, most=16)
    measured = measured_at_the_end(circuit)
    found = endless(plan, measured.qubits)
    bits = list({qubit: bit for bit, qubit in measured.qubit_of.items()}.values())
    bits = rng.permutation(bits)[: rng.integers(1, len(bits) + 1)].tolist()
    qubits = [measured.qubit_of[bit] for bit in bits]
    np.testing.assert_allclose(found.quasi(qubits, GIB), dense_table(circuit, bits), atol=1e-9)
    assert not found.stds(qubits, GIB).any()


def layered(num_qubits=4):
    """Two layers of rotations and CX, all bits measured."""
    circuit = QuantumCircuit(num_qubits)
    for layer in range(2):
        for qubit in range(num_qubits):
            circuit.ry(0.5 + 0.3 * qubit + layer, qubit)
        for qubit in range(num_qubits - 1):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def distributions(circuit, width, shots, count):
    """What many seeds estimate."""
    samplers = (CutSampler(width, mode="sampled", seed=seed) for seed in range(count))
    return [each.run([circuit], shots=shots).result()[0].distribution for each in samplers]


def tables(found):
    """Quasi-probabilities and standard errors of distributions, (count, outcomes) each."""
    return np.array([(each.quasi(), each.stds()) for each in found]).swapaxes(0, 1)


def runs(circuit, width, shots, count):
    """Quasi-probabilities and standard errors of many seeds, (count, outcomes) each."""
    return tables(distributions(circuit, width, shots, count))


@functools.cache
def of_layered():
    """300 of them, in fragments of two qubits."""
    return distributions(layered(), 2, 4000, 300)


def test_intervals_cover_what_they_promise_and_nothing_is_biased():
    true = dense_table(layered(), range(4))
    quasi, stds = tables(of_layered())
    covered = (np.abs(quasi - true) <= 1.96 * stds).mean()
    assert 0.91 <= covered <= 0.98
    each = (np.abs(quasi - true) <= 1.96 * stds).mean(axis=0)
    assert each.min() > 0.85
    off = (quasi.mean(axis=0) - true) / (quasi.std(axis=0) / np.sqrt(300))
    assert np.abs(off).max() < 4.5
    spread = np.sqrt(quasi.var(axis=0).mean())
    assert np.sqrt(np.square(stds).mean()) == pytest.approx(spread, rel=0.15)


def seldom():
    """Four qubits that are mostly 0: most outcomes are rarer than one in a thousand."""
    circuit = QuantumCircuit(4)
    for qubit, angle in enumerate((0.5, 0.1, 0.2, 0.15)):
        circuit.ry(angle, qubit)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(2, 3)
    circuit.ry(0.08, range(4))
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("width", [2, 4])
def test_rare_outcomes_are_covered_whether_they_were_seen_or_not(width):
    circuit = seldom()
    true = dense_table(circuit, range(4))
    rare = true < 2e-3
    assert rare.sum() >= 6
    quasi, stds = runs(circuit, width, 2000, 80)
    assert (quasi[:, rare] == 0).mean() > 0.1  # the scatter of shots says nothing of those
    assert (stds > 0).all()
    covered = np.abs(quasi - true) <= 1.96 * stds
    assert covered[:, rare].mean() > 0.91
    assert 0.91 < covered[:, ~rare].mean() < 0.99


def test_one_shot_more_is_allowed_for_and_once_only():
    circuit = QuantumCircuit(5)
    circuit.ry(1.0, 0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    sampler = CutSampler(5, mode="sampled", seed=1)
    found = sampler.run([circuit], shots=1000).result()[0].distribution
    np.testing.assert_allclose(found.stds()[1:-1], 1 / 1000, rtol=0.1)
    share = np.sin(0.5) ** 2
    wanted = np.sqrt(share * (1 - share) / 1000 + 1e-6)  # not once for each of sixteen outcomes
    np.testing.assert_allclose(found.stds([0]), wanted, rtol=0.25)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_one_more_shot_in_any_variant(seed):
    _, plan, rng = case(seed, num_gates=4, num_fragments=2, most=16)
    program = lower_outcomes(plan, range(plan.blocks.num_qubits))
    for fragment in program.fragments:
        variants = rng.permutation(fragment.num_variants)[:8]  # few enough for no signs to matter
        sizes = rng.uniform(0.001, 0.01, len(variants))
        found = one_more_shot(fragment, variants, sizes, (seed,))
        pairs = zip(variants, sizes, strict=True)
        moves = [fragment.readout(k).T * size for k, size in pairs]
        moves = [each / np.sqrt(len(each)) for each in moves]
        if sum(map(len, moves)) > GROUPS:
            continue
        squares = np.array([np.square(each).sum(axis=0) for each in moves])
        telling = squares.sum(axis=0) ** 2 / np.maximum(np.square(squares).sum(axis=0), 1e-300)
        whole = sum(each.T @ each for each in moves)
        scale = 1 / np.sqrt(np.maximum(telling, 1e-300))
        np.testing.assert_allclose(found.T @ found, scale[:, None] * whole * scale, atol=1e-12)


def test_errors_of_marginals_are_those_of_summed_estimates():
    wanted, found, errors = [1, 3], [], []
    for distribution in of_layered()[:200]:
        found.append(distribution.quasi(wanted))
        errors.append(distribution.stds(wanted))
        whole = distribution.quasi().reshape(2, 2, 2, 2)
        summed = whole.sum(axis=(1, 3)).ravel()  # axes are bits 3, 2, 1, 0
        np.testing.assert_allclose(found[-1], summed, atol=1e-12)
    spread = np.std(found, axis=0)
    np.testing.assert_allclose(np.sqrt(np.square(errors).mean(axis=0)), spread, rtol=0.25)


def test_more_shots_lower_errors_as_their_root():
    circuit = layered()
    few, many = (runs(circuit, 2, shots, 6)[1].mean() for shots in (2000, 32_000))
    assert few / many == pytest.approx(4, rel=0.2)


def test_a_random_selection_of_variants_is_unbiased(monkeypatch):
    from qdreamer_lab.workload.sampled import rounds as of_sampled
    from qdreamer_lab.workload.sampled import work_sizes

    for module in (work_sizes, of_sampled):
        monkeypatch.setattr(module, "is_drawn", lambda count: count > 3)
    circuit = layered()
    true = dense_table(circuit, range(4))
    quasi, stds = runs(circuit, 2, 4000, 60)
    off = (quasi.mean(axis=0) - true) / (quasi.std(axis=0) / np.sqrt(60))
    assert np.abs(off).max() < 4.5
    assert 0.88 < (np.abs(quasi - true) <= 1.96 * stds).mean() < 0.99


def test_more_outcomes_than_memory_are_refused_before_anything_runs():
    with pytest.raises(MemoryLimitError, match=r"enough for 10 bits: measure fewer qubits"):
        check_table(11, 48 << 10)
    check_table(10, 48 << 10)
    circuit = QuantumCircuit(12)
    circuit.h(range(12))
    circuit.measure_all()
    sampler = CutSampler(6, mode="sampled", memory_limit_bytes=48 << 10)
    with pytest.raises(MemoryLimitError, match="mode='exact'"):
        sampler.run([circuit]).result()
