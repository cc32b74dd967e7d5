"""Circuit cutting against dense vectors, predictions beside runs, fragments that are kept."""

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.circuit_cutting.app import CircuitCutting
from qdreamer_lab.workflow.circuit_cutting.cut_run import ansatz, last_z


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    """No profile but the nominal one, and nothing of the user's changed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("QDREAMER_LAB_STORE", str(tmp_path / "store"))


def dense(qubits, reps=2, seed=7):
    state = Statevector(ansatz(qubits, reps, seed))
    return state.expectation_value(last_z(qubits)).real


def test_every_width_gives_the_value_of_the_dense_vector(session):
    motif = CircuitCutting(qubits=(8, 10), widths=(6, 4, 3), reps=2)
    report = motif.run(session)
    assert len(report.data) == 2 * 4
    for one in report.data:
        assert one.value == pytest.approx(dense(one.qubits), abs=1e-9)
        assert one.error == 0
        assert min(one.predicted_s, one.measured_s) > 0
        assert one.cuts >= 1
    assert [one.recommended for one in report.data] == [True, False, False, False] * 2
    assert {one.width for one in report.data} == {6, 4, 3}
    assert report.values["spread of values"] < 1e-9
    assert "recommended" in report.text()
    assert report.spent.quantum_s > 0
    assert report.spent.classical_s > 0
    assert report.traffic.tasks == sum(one.tasks for one in report.data)


def test_sampled_values_are_within_their_errors(session):
    motif = CircuitCutting(qubits=(6,), widths=(4,), reps=2, precision=0.02, recommend=False)
    (one,) = motif.run(session).data
    assert 0 < one.error < 0.03
    assert abs(one.value - dense(6)) < 6 * 0.02


def test_fragments_are_kept_across_runs(session):
    motif = CircuitCutting(qubits=(9,), widths=(5,), reps=2, recommend=False, reuse=True)
    first = motif.run(session)
    assert first.outcome.notes == ()
    again = motif.run(session)
    assert again.data[0].value == first.data[0].value
    assert f"{first.data[0].tasks} fragments were reused, 0 ran" in again.text()
    other = CircuitCutting(qubits=(9,), widths=(5,), reps=2, recommend=False, reuse=True, seed=8)
    assert other.run(session).data[0].value == pytest.approx(dense(9, seed=8), abs=1e-9)


def test_several_circuits_have_angles_of_their_own(session):
    report = CircuitCutting(qubits=(6,), widths=(4,), reps=2, circuits=2, recommend=False).run(
        session
    )
    assert [one.number for one in report.data] == [0, 1]
    for one, seed in zip(report.data, (7, 8), strict=True):
        assert one.value == pytest.approx(dense(6, seed=seed), abs=1e-9)
        assert one.planning_s > 0
    assert report.values["spread of values"] == 0
    assert CircuitCutting().grown(3).circuits == 3


def test_one_angle_for_all(session):
    report = CircuitCutting(qubits=(7,), widths=(4,), reps=2, angle=0.4, recommend=False).run(
        session
    )
    state = Statevector(ansatz(7, 2, 0, 0.4))
    expected = state.expectation_value(last_z(7)).real
    assert report.data[0].value == pytest.approx(expected, abs=1e-9)


def test_a_noisy_device_comes_close(session):
    pilot = session.add_pilot("qpu://fake_manila", name="manila")
    try:
        motif = CircuitCutting(
            qubits=(4,), widths=(3,), reps=1, recommend=False, on="manila", precision=0.03
        )
        (one,) = motif.run(session).data
        assert abs(one.value - dense(4, 1)) < 0.3
    finally:
        pilot.stop()


def test_the_papers_preset():
    paper = CircuitCutting.paper()
    assert paper.qubits == (30, 33, 34, 36)
    assert paper.widths == (12, 10, 8, 6, 4, 2)
    assert (paper.reps, paper.angle) == (2, 0.4)
    circuit = ansatz(5, paper.reps, 1)
    assert circuit.num_parameters == 0
    assert np.allclose(last_z(5).to_matrix(sparse=False), np.kron([[1, 0], [0, -1]], np.eye(16)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"qubits": (1,)},
        {"qubits": (8, 6.5)},
        {"circuits": 0},
        {"widths": ()},
        {"widths": (0,)},
        {"widths": (8, 12), "qubits": (12, 8), "recommend": False},
        {"precision": 1e-7},
        {"precision": float("nan")},
        {"angle": float("inf")},
        {"reps": 0},
    ],
)
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(MotifError, match=next(iter(wrong))):
        CircuitCutting(**wrong)
