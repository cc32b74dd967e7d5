"""The primitives on real workers, against Qiskit's own reference primitives."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import QFTGate, efficient_su2
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2, StatevectorEstimator
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparsePauliOp, Statevector

from pilot_kernel.errors import PubError
from pilot_kernel.task.wire.record import TaskState
from tests.circuits.plain import bell, ghz, measured


def test_run_tells_sampler_from_estimator(session):
    counts = session.run(measured(bell()), shots=100).result()[0].data.meas.get_counts()
    assert set(counts) <= {"00", "11"}
    assert sum(counts.values()) == 100
    values = session.run((bell(), ["ZZ", "XX", "ZI", "0+"])).result()[0].data.evs
    assert np.allclose(values, [1, 1, 0, 0.25])
    values = session.run((bell(), [[{"0+": 2.0, "l1": 4.0}], ["--"]])).result()[0].data.evs
    assert np.allclose(values, [[1.5], [0.5]])


def test_a_sweep_broadcasts_as_the_reference_does(session):
    circuit = efficient_su2(4, reps=1)
    rng = np.random.default_rng(1)
    observables = [SparsePauliOp.from_list([("ZZZZ", 1.0), ("XIII", 0.5)]), "IIYZ"]
    pub = (circuit, observables, rng.random((30, 20, 1, circuit.num_parameters)))
    job = session.estimator().run([pub])
    assert len(job.task.parts) > 1
    assert np.allclose(
        job.result()[0].data.evs, StatevectorEstimator().run([pub]).result()[0].data.evs
    )
    assert job.task.progress == (job.task.progress[1],) * 2
    assert job.done()
    assert job.status() is JobStatus.DONE


def test_the_same_seed_gives_the_same_shots_however_the_work_is_spread(session):
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    circuit.ry(theta, 0)
    circuit.measure(0, 0)
    pub = (circuit, np.linspace(0, np.pi, 600), 20)
    single = session.add_pilot("local://", name="one", cores_per_node=1)
    try:
        found = [session.sampler(seed=7, on=on).run([pub, pub]).result() for on in ("local", "one")]
    finally:
        single.stop()
    first, again = (result[0].data.c.array for result in found)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, found[0][1].data.c.array)


def test_shots_follow_the_state(session):
    circuit = measured(efficient_su2(3, reps=1).assign_parameters(np.arange(12) / 5))
    counts = session.run(circuit, shots=40_000, seed=1).result()[0].data.meas.get_counts()
    exact = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities_dict()
    distance = sum(abs(counts.get(key, 0) / 40_000 - p) for key, p in exact.items()) / 2
    assert distance < 0.02


def test_precision_is_a_standard_error(session):
    pubs = [(bell(), "ZZ")] * 300
    result = session.estimator(seed=3).run(pubs, precision=0.05).result()
    values = np.array([pub.data.evs for pub in result])
    assert result[0].data.stds == pytest.approx(0.05)
    assert np.std(values) == pytest.approx(0.05, rel=0.2)
    assert np.mean(values) == pytest.approx(1.0, abs=0.015)


def test_gates_that_aer_does_not_know_are_translated(session):
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.append(QFTGate(3), range(3))
    value = session.run((circuit, "XXX")).result()[0].data.evs
    assert value == pytest.approx(Statevector(circuit).expectation_value(SparsePauliOp("XXX")).real)


def test_wide_clifford_and_matrix_product_circuits_run(session):
    wide = ghz(60)
    counts = session.run(measured(wide), shots=10).result()[0].data.meas.get_counts()
    assert set(counts) <= {"0" * 60, "1" * 60}
    wide.ry(0.3, 0)
    value = session.run((wide, "Z" * 60), method="matrix_product_state").result()[0].data.evs
    assert value == pytest.approx(np.cos(0.3))


def test_a_vqe_takes_the_estimator_unchanged(session):
    from qiskit_algorithms import VQE
    from qiskit_algorithms.optimizers import SLSQP

    hamiltonian = SparsePauliOp.from_list([("ZZ", 1.0), ("XI", 0.5), ("IX", 0.5)])
    vqe = VQE(session.estimator(), efficient_su2(2, reps=1), SLSQP(maxiter=60))
    vqe.initial_point = np.full(8, 0.4)
    found = vqe.compute_minimum_eigenvalue(hamiltonian)
    assert found.eigenvalue == pytest.approx(
        min(np.linalg.eigvalsh(hamiltonian.to_matrix())), abs=1e-4
    )


def test_they_are_the_standard_primitives(session):
    assert isinstance(session.sampler(), BaseSamplerV2)
    assert isinstance(session.estimator(), BaseEstimatorV2)


def test_canceling_a_run_cancels_its_parts(session):
    heavy = efficient_su2(20, reps=3)
    values = np.zeros((400, heavy.num_parameters))  # not over before it is canceled
    task = session.run((heavy, "Z" * 20, values))
    parts = task.parts
    assert len(parts) > 1
    assert task.cancel()
    assert all(part.state in (TaskState.CANCELED, TaskState.DONE) for part in parts)
    assert session.submit(lambda: "free").result(60) == "free"


_THETA = QuantumCircuit(1)
_THETA.ry(Parameter("theta"), 0)
_WIDE = QuantumCircuit(36)
_WIDE.h(range(36))
_WIDE.t(range(36))


@pytest.mark.parametrize(
    ("pubs", "complaint"),
    [
        (3, "expected a circuit, a PUB .* got int 3"),
        ([], "got list"),
        ([bell(), "circuit"], "PUB 1 is neither a circuit"),
        ((_THETA, "Z"), r"no values for its 1 parameters \(theta\)"),
        (measured(_THETA), r"no values for its 1 parameters \(theta\)"),
        (bell(), r"measures nothing; add measure_all\(\)"),
        ((bell(), "ZZZ"), "PUB 0: observable 'ZZZ' is of 3 qubits and the circuit has 2"),
        ([measured(bell()), (bell(), "ZZ")], "PUB 1 has observables and PUB 0 has none"),
        ((_WIDE, "Z" * 36), r"36 qubits: its state vector takes 1 TiB.*Cut it to \d+ qubits"),
    ],
)
def test_bad_pubs_are_refused_before_anything_is_submitted(session, monkeypatch, pubs, complaint):
    monkeypatch.setattr(session, "submit_call", lambda *_, **__: pytest.fail("submitted"))
    with pytest.raises(PubError, match=complaint):
        session.run(pubs)


def test_shots_and_precision_are_not_mixed_up(session):
    with pytest.raises(PubError, match="use precision="):
        session.run((bell(), "ZZ"), shots=10)
    with pytest.raises(PubError, match="use shots="):
        session.run(measured(bell()), precision=0.1)
    with pytest.raises(PubError, match="shots=0"):
        session.run(measured(bell()), shots=0)
    with pytest.raises(PubError, match=r"precision=-0\.1"):
        session.run((bell(), "ZZ"), precision=-0.1)
