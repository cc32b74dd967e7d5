"""What is said before a run that takes hours."""

import warnings
from types import SimpleNamespace

import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import CutEstimator
from qdreamer_lab.errors import LongRunWarning
from qdreamer_lab.workload.execution import long_run_warning as foresight
from qdreamer_lab.workload.execution.execution import Execution


def execution(*workers, most=None):
    pilots = [SimpleNamespace(workers=one, wanted=2 * one) for one in workers]
    session = SimpleNamespace(candidates=lambda on: pilots) if pilots else None
    return Execution(session=session, most_workers=most)


@pytest.mark.parametrize(
    ("where", "workers"),
    [(execution(), 1), (execution(2, 3), 10), (execution(8, most=3), 3), (execution(0), 1)],
)
def test_hours_are_announced_and_minutes_are_not(where, workers):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        where.warn_if_long(3500 * workers)
    with pytest.warns(LongRunWarning, match="about 20 hours"):
        where.warn_if_long(20 * 3600 * workers)
    with pytest.warns(LongRunWarning, match=r"1e\+20 hours"):
        where.warn_if_long(1e20 * 3600 * workers)


@pytest.mark.parametrize(
    "how", [{}, {"mode": "sampled", "shots": 100}, {"method": "matrix_product_state"}]
)
def test_every_mode_says_so_before_it_starts(monkeypatch, how):
    circuit = QuantumCircuit(4)
    for qubit in range(3):
        circuit.ry(0.3, qubit)
        circuit.rzz(0.4, qubit, qubit + 1)
    width = 4 if "method" in how else 2
    finished = []
    estimator = CutEstimator(width, seed=0, progress=finished.append, **how)
    monkeypatch.setattr(foresight, "_LONG_S", 1e-12)

    def heard(*arguments, **options):
        assert not finished
        raise RuntimeError("heard")

    monkeypatch.setattr(foresight.warnings, "warn", heard)
    with pytest.raises(RuntimeError, match="heard"):
        estimator.run([(circuit, "ZZZZ")]).result()
