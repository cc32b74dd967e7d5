"""Circuit execution against dense vectors: many circuits, many points, shots, several pilots."""

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.circuit_execution.app import CircuitExecution
from qdreamer_lab.workflow.circuit_execution.batch import Circuits

SMALL = {"circuits": 5, "qubits": 3, "depth": 2, "batch": 2}


def dense(motif):
    """The mean of Z of each circuit at each point, by Qiskit's own vectors and plain sums."""
    circuits = Circuits(motif.qubits, motif.depth, motif.points, 0, motif.seed)
    signs = [1 - 2 * k.bit_count() / motif.qubits for k in range(2**motif.qubits)]
    values = np.empty((motif.circuits, motif.points))
    for number in range(motif.circuits):
        made, _, *points = circuits.pub(number)
        for k, point in enumerate(points[0] if points else [[]]):
            state = Statevector(made.assign_parameters(point))
            values[number, k] = state.probabilities() @ signs
    return values


@pytest.mark.parametrize(
    "more",
    [{}, {"points": 7}, {"points": 2, "batch": 5}, {"seed": 3, "batch": 50}, {"circuits": 1}],
)
def test_values_are_those_of_dense_vectors(session, more):
    motif = CircuitExecution(**{**SMALL, **more})
    report = motif.run(session)
    np.testing.assert_allclose(report.data, dense(motif), atol=1e-12)
    assert report.values["mean of Z"] == pytest.approx(dense(motif).mean())
    assert report.values["circuits"] == motif.circuits * motif.points


@pytest.mark.parametrize("points", [1, 3])
def test_shots_scatter_about_these(session, points):
    motif = CircuitExecution(**SMALL, points=points, shots=4000)
    found = motif.run(session).data
    # the mean of three bits of variance 1 at most
    assert np.all(np.abs(found - dense(motif)) < 6 / np.sqrt(4000))
    assert found.std() > 0
    np.testing.assert_array_equal(found, motif.run(session).data)
    assert np.any(found != CircuitExecution(**SMALL, points=points, shots=4001).run(session).data)


def test_several_pilots_share_the_work(session, lone_worker):
    motif = CircuitExecution(**{**SMALL, "circuits": 24}, on=f"local, {lone_worker}")
    report = motif.run(session)
    np.testing.assert_allclose(report.data, dense(motif), atol=1e-12)
    shares = [report.values[f"circuits on {place}"] for place in ("local", lone_worker)]
    assert min(shares) > 0
    assert sum(shares) == 24
    assert set(report.pilots) == {"local", lone_worker}


def test_a_noisy_device_comes_close(session):
    pilot = session.add_pilot("qpu://fake_manila", name="manila")
    try:
        motif = CircuitExecution(circuits=3, qubits=3, depth=1, batch=1, on="manila")
        found = motif.run(session).data
        assert np.all(np.abs(found - dense(motif)) < 0.2)
        shots = CircuitExecution(circuits=3, qubits=3, depth=1, batch=1, on="manila", shots=2000)
        assert np.all(np.abs(shots.run(session).data - dense(motif)) < 0.2)
    finally:
        pilot.stop()


def test_the_papers_preset():
    paper = CircuitExecution.paper()
    assert (paper.circuits, paper.qubits, paper.depth) == (1024, 25, 1)
    assert paper.memory_bytes() >= 16 * 2**25


@pytest.mark.parametrize(
    "wrong", [{"circuits": 0}, {"points": -1}, {"qubits": 0}, {"batch": 0}, {"on": "cpu,,gpu"}]
)
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(MotifError, match=next(iter(wrong))):
        CircuitExecution(**wrong)


def test_a_state_that_fits_nowhere_is_refused(session):
    with pytest.raises(MotifError, match="circuit-execution needs"):
        CircuitExecution(qubits=40).run(session)
