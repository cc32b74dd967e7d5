"""The sampler keeps Qiskit's V2 contract, here and on a session, and says no clearly."""

from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives import BaseSamplerV2, StatevectorSampler
from qiskit.quantum_info import Statevector

from qdreamer_lab import CutSampler, plan_cuts
from qdreamer_lab.errors import (
    CircuitError,
    MemoryLimitError,
    PlanError,
    PrecisionError,
    PubError,
    QDreamerError,
)
from qdreamer_lab.workload.record import RunRecord
from tests.circuits.plain import ansatz, bound_ansatz, ghz, tilted_ghz


def measured(circuit):
    return circuit.measure_all(inplace=False)


def in_registers():
    """Six qubits of two registers read into three, one of which stays empty."""
    circuit = QuantumCircuit(
        QuantumRegister(4, "x"),
        QuantumRegister(2, "y"),
        ClassicalRegister(3, "left"),
        ClassicalRegister(1, "quiet"),
        ClassicalRegister(2, "right"),
    )
    circuit.compose(bound_ansatz(6), range(6), inplace=True)
    circuit.measure([5, 0, 3, 2], [4, 2, 0, 5])
    return circuit


def dense(circuit):
    return Statevector(circuit).probabilities()


def test_it_is_a_sampler_of_qiskit():
    assert issubclass(CutSampler, BaseSamplerV2)
    assert CutSampler(3, default_shots=7, seed=4).default_shots == 7
    assert CutSampler(3, seed=4).seed == 4


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_registers_hold_what_qiskit_s_sampler_puts_there(mode):
    circuit = in_registers()
    mine = CutSampler(3, mode=mode, seed=1).run([circuit], shots=20_000).result()[0]
    theirs = StatevectorSampler(seed=2).run([circuit], shots=20_000).result()[0]
    assert list(mine.data) == list(theirs.data) == ["left", "quiet", "right"]
    for name in mine.data:
        left, right = mine.data[name], theirs.data[name]
        assert (left.num_bits, left.num_shots, left.shape) == (
            right.num_bits,
            right.num_shots,
            right.shape,
        )
        shares = [
            np.array([each.get_int_counts().get(k, 0) for k in range(1 << left.num_bits)]) / 20_000
            for each in (left, right)
        ]
        assert np.abs(shares[0] - shares[1]).max() < (0.03 if mode == "exact" else 0.1)
    joined = mine.join_data().get_int_counts()
    assert sum(joined.values()) == 20_000


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_sweeps_broadcast_as_qiskit_does(mode):
    circuit = measured(ansatz(4))
    values = np.random.default_rng(3).normal(size=(2, 3, circuit.num_parameters))
    result = CutSampler(2, mode=mode, seed=1).run([(circuit, values)], shots=6000).result()[0]
    assert result.data.shape == result.data.meas.shape == (2, 3)
    assert result.data.meas.num_shots == 6000
    assert result.distributions.shape == (2, 3)
    bare = circuit.remove_final_measurements(inplace=False)
    for place in np.ndindex(2, 3):
        true = dense(bare.assign_parameters(values[place]))
        found = result.distributions[place]
        if mode == "exact":
            np.testing.assert_allclose(found.quasi(), true, atol=1e-12)
        else:
            assert (np.abs(found.quasi() - true) < 6 * found.stds() + 1e-3).all()
    with pytest.raises(QDreamerError, match=r"shape \(2, 3\)"):
        result.distribution  # noqa: B018


def test_angles_at_which_a_circuit_falls_apart_and_others_share_a_sweep():
    theta = Parameter("theta")
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    for qubit in range(3):
        circuit.rzz(theta, qubit, qubit + 1)
    circuit.rx(0.7, range(4))
    angles = [0.0, 0.9, np.pi]
    result = CutSampler(2).run([(measured(circuit), {theta: angles})], shots=10).result()[0]
    for found, angle in zip(result.distributions, angles, strict=True):
        np.testing.assert_allclose(
            found.quasi(), dense(circuit.assign_parameters({theta: angle})), atol=1e-12
        )


def test_few_qubits_of_many_need_no_table_of_all():
    circuit = tilted_ghz(30)
    wide = measured(circuit)
    sampler = CutSampler(10, seed=1, memory_limit_bytes=1 << 24)
    found = sampler.run([wide], shots=100).result()[0].distribution
    with pytest.raises(MemoryLimitError, match=r"all outcomes of 30 bits.*top\(16\)"):
        found.probabilities()
    assert found.probabilities([3, 17, 29]).sum() == pytest.approx(1)
    top = found.top(4)
    assert top.proven
    some = QuantumCircuit(30, 3)
    some.compose(circuit, inplace=True)
    some.measure([3, 17, 29], [0, 1, 2])
    fewer = sampler.run([some], shots=100).result()[0].distribution
    np.testing.assert_allclose(fewer.probabilities(), found.probabilities([3, 17, 29]), atol=1e-12)


def test_sixty_qubits_have_their_heaviest_outcomes_and_samples():
    circuit = ghz(60)
    angles = {0: 0.4, 20: 0.5, 41: 0.7, 59: 0.9}
    for qubit, angle in angles.items():
        circuit.ry(angle, qubit)
    result = CutSampler(20, seed=5).run([measured(circuit)], shots=200).result()[0]
    top = result.distribution.top(16)
    assert top.proven
    # The branches of |0…0⟩ and |1…1⟩ meet in no outcome, so each of 32 is a product.
    expected = {}
    for branch in (0, 1):
        for flips in range(16):
            bits, probability = [branch] * 60, 0.5
            for k, (qubit, angle) in enumerate(angles.items()):
                flipped = flips >> k & 1
                bits[qubit] ^= flipped
                probability *= np.sin(angle / 2) ** 2 if flipped else np.cos(angle / 2) ** 2
            expected["".join(map(str, bits[::-1]))] = probability
    best = sorted(expected.values(), reverse=True)[:16]
    assert list(top.probabilities.values()) == pytest.approx(best, rel=1e-9)
    for bits, probability in top.probabilities.items():
        assert expected[bits] == pytest.approx(probability, rel=1e-9)
    assert set(result.data.meas.get_counts()) <= expected.keys()


def test_equal_outcomes_without_end_are_found_at_once():
    circuit = QuantumCircuit(40)
    circuit.h(range(40))
    top = CutSampler(5).run([measured(circuit)], shots=5).result()[0].distribution.top(3)
    assert list(top.probabilities.values()) == pytest.approx([2.0**-40] * 3)
    assert top.proven


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_a_seed_means_the_same_on_any_workers(mode, session):
    circuit = measured(bound_ansatz(6))
    here, there = (
        CutSampler(3, mode=mode, seed=9, session=where).run([circuit], shots=3000).result()[0]
        for where in (None, session)
    )
    if mode == "exact":
        assert np.array_equal(here.data.meas.array, there.data.meas.array)
    # What comes in another order is added up in another order.
    quasi = (each.distribution.quasi() for each in (here, there))
    np.testing.assert_allclose(*quasi, atol=1e-10)
    assert {row.worker == "" for row in here.record.fragments} == {True}
    assert {row.worker == "" for row in there.record.fragments} == {False}


def test_a_plan_is_kept_to():
    circuit = bound_ansatz(6)
    plan = plan_cuts(circuit, 3)
    result = CutSampler(2, plan=plan).run([measured(circuit)], shots=10).result()[0]
    assert max(fragment.width for fragment in result.record.plan.fragments) == 3
    np.testing.assert_allclose(result.distribution.quasi(), dense(circuit), atol=1e-12)
    with pytest.raises(PlanError):
        CutSampler(2, plan=plan).run([measured(bound_ansatz(5))]).result()


def test_the_result_tells_how_it_came_about():
    result = CutSampler(3, mode="sampled", seed=1).run([measured(bound_ansatz(6))]).result()[0]
    record = RunRecord.of(result)
    assert record.mode == "sampled"
    assert record.shots == pytest.approx(1 << 14, rel=0.01)
    assert record.plan.num_cuts > 0
    assert "sampled" in repr(result)
    assert " cut" in str(result)
    assert "<div>" in result._repr_html_()


@pytest.mark.parametrize(
    ("pubs", "error", "told"),
    [
        (measured(ghz(3)), PubError, r"single QuantumCircuit"),
        ([ghz(3)], CircuitError, "PUB 0: the circuit measures nothing"),
        ([measured(ghz(3)), "XX"], PubError, "PUB 1"),
        ([(measured(ansatz(3)), [0.1])], PubError, "PUB 0"),
        ([(measured(ansatz(3)), [[np.nan] * 6])], PubError, "finite|PUB 0"),
        (
            [measured(measured(ghz(3)).compose(ghz(3)))],
            CircuitError,
            "is a mid-circuit measurement",
        ),
    ],
)
def test_wrong_pubs_are_refused_before_anything_runs(pubs, error, told):
    with pytest.raises(error, match=told):
        CutSampler(2).run(pubs)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"max_qubits": 0}, PlanError, "max_qubits"),
        ({"max_qubits": 2, "mode": "fast"}, QDreamerError, "unknown mode 'fast'"),
        ({"max_qubits": 2, "default_shots": 0}, QDreamerError, "default_shots=0"),
        ({"max_qubits": 2, "mode": "exact", "backend": object()}, QDreamerError, "no backend"),
        (
            {"max_qubits": 2, "session": SimpleNamespace(candidates=None), "backend": object()},
            QDreamerError,
            "one of",
        ),
    ],
)
def test_wrong_arguments_are_refused(options, error, told):
    with pytest.raises(error, match=told):
        CutSampler(**options)


@pytest.mark.parametrize(
    ("of", "told"),
    [
        ([0, 2, 0], "bit 0 is listed twice"),
        ([1, 77], "nothing was measured into bit 1"),
        ("none", "no register 'none'; the circuit has 'left', 'quiet', 'right'"),
        ("quiet", "nothing was measured into bit 3"),
    ],
)
def test_wrong_bits_are_named(of, told):
    found = CutSampler(3).run([in_registers()], shots=5).result()[0].distribution
    for ask in (found.probabilities, found.quasi, found.stds):
        with pytest.raises(QDreamerError, match=told):
            ask(of)
    with pytest.raises(QDreamerError, match=told):
        found.top(3, of)


def test_a_register_s_name_stands_for_its_bits():
    found = CutSampler(3).run([in_registers()], shots=5).result()[0].distribution
    assert found.bits == (0, 2, 4, 5)
    np.testing.assert_allclose(found.probabilities("right"), found.probabilities([4, 5]))
    assert found.probabilities([5, 4]).tolist() == pytest.approx(
        found.probabilities([4, 5]).reshape(2, 2).T.ravel().tolist()
    )
    for count in (0, -1, True, 1.5):
        with pytest.raises(QDreamerError, match="count="):
            found.top(count)


def test_too_few_shots_for_all_variants_are_refused_with_how_many_it_takes():
    with pytest.raises(PrecisionError, match=r"shots=3: too few.*give at least"):
        CutSampler(3, mode="sampled").run([measured(bound_ansatz(6))], shots=3).result()


def test_on_a_backend_shots_come_from_it():
    from qiskit_aer import AerSimulator

    circuit = bound_ansatz(4)
    result = CutSampler(2, backend=AerSimulator(), seed=3).run([measured(circuit)]).result()[0]
    assert result.record.mode == "sampled"
    found = result.distribution
    assert (np.abs(found.quasi() - dense(circuit)) < 6 * found.stds() + 1e-3).all()
