"""The variational loop on a QPU that is noisy, and on SLURM's nodes."""

from dataclasses import replace

import numpy as np
import pytest

import pilot_kernel
from qdreamer_lab.workflow.state_vector.app import StateVector
from qdreamer_lab.workflow.variational.app import VariationalAlgorithm
from tests.real.slurm_pilots import add

pytestmark = pytest.mark.real


def test_hydrogen_on_a_noisy_device(registry_home):
    app = VariationalAlgorithm(
        problem="h2", on="qpu", optimizer="COBYLA", shots=2000, iterations=30, starts=2
    )
    with pilot_kernel.Session() as session:
        session.add_pilot("qpu://fake_manila?slots=2")
        report = app.run(session)
        best, minimum = report.data, report.values["true minimum"]
        assert minimum - 0.1 < best.best < minimum + 0.25
        assert np.mean(best.values[:3]) > best.best
        cut = replace(app, problem="maxcut", qubits=4, layers=1).run(session)
        assert 0 < cut.values["greatest cut drawn"] <= -cut.values["true minimum"]


def test_a_chain_and_a_state_over_ranks_on_slurm(slurm_session):
    size = {"cores_per_node": 4, "cores_per_worker": 4}
    add(slurm_session, workers=1, memory_per_node_bytes=15 * 10**8, **size)
    app = VariationalAlgorithm(qubits=3, layers=3, review=0, starts=2, iterations=60)
    report = app.run(slurm_session)
    assert report.values["above it"] == pytest.approx(0, abs=1e-4)
    pytest.importorskip("mpi4py")
    wide = StateVector(qubits=10, ranks=4, layers=3).run(slurm_session)
    assert wide.values["largest error of a value"] < 1e-12
