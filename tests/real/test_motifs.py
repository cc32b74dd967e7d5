"""Motifs on SLURM's nodes, against dense vectors: what holds on a local pilot holds there."""

import numpy as np
import pytest

from qdreamer_lab.workflow.circuit_cutting.app import CircuitCutting
from qdreamer_lab.workflow.circuit_execution.app import CircuitExecution
from qdreamer_lab.workflow.learning.app import Learning
from qdreamer_lab.workflow.learning.batch import kernel_entries
from tests.real.slurm_pilots import add
from tests.workflow.circuit_cutting.test_app import dense as dense_value
from tests.workflow.circuit_execution.test_app import dense

pytestmark = pytest.mark.real


@pytest.fixture
def pilot(slurm_session, slurm, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return add(slurm_session, workers=2, cores_per_node=2, memory_per_node_bytes=2 * 10**9)


def test_motifs_run_on_nodes(slurm_session, pilot):
    motif = CircuitExecution(circuits=5, qubits=3, depth=2, batch=2, on=pilot.name)
    report = motif.run(slurm_session)
    np.testing.assert_allclose(report.data, dense(motif), atol=1e-12)
    assert report.workers == 2
    assert sum(report.spent.parts().values()) == pytest.approx(report.spent.wall_s)
    cutting = CircuitCutting(qubits=(8,), widths=(5,), reps=2, recommend=False, on=pilot.name)
    (one,) = cutting.run(slurm_session).data
    assert one.value == pytest.approx(dense_value(8), abs=1e-9)


def test_learning_runs_on_nodes(slurm_session, pilot):
    pytest.importorskip("sklearn", reason="pip install 'qdreamer-lab[learn]'")
    motif = Learning(samples=16, qubits=2, steps=2, minibatch=4, on=pilot.name)
    found = motif.run(slurm_session).data
    train, (kernel, _) = found["data"].train, found["kernel"]
    rows, columns = np.indices(kernel.shape).reshape(2, -1)
    every = kernel_entries(train[rows], train[columns], 1, 0, 0).value
    np.testing.assert_allclose(kernel.ravel(), every, atol=1e-12)
