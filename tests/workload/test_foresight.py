"""What is said before a run that takes hours."""

import threading
import warnings
from types import SimpleNamespace

import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import CutEstimator
from qdreamer_lab.errors import LongRunWarning
from qdreamer_lab.workload.execution import foresight
from qdreamer_lab.workload.execution.foresight import warn_if_long
from qdreamer_lab.workload.request import RunOptions


def options(*workers, most=None):
    pilots = [SimpleNamespace(workers=one, wanted=2 * one) for one in workers]
    session = SimpleNamespace(candidates=lambda on: pilots) if pilots else None
    stop = threading.Event()
    return RunOptions(4, None, session, None, 0, None, None, "complex128", stop, most_workers=most)


@pytest.mark.parametrize(
    ("where", "workers"),
    [(options(), 1), (options(2, 3), 10), (options(8, most=3), 3), (options(0), 1)],
)
def test_hours_are_announced_and_minutes_are_not(where, workers):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_long(where, 3500 * workers)
    with pytest.warns(LongRunWarning, match="about 20 hours"):
        warn_if_long(where, 20 * 3600 * workers)
    with pytest.warns(LongRunWarning, match=r"1e\+20 hours"):
        warn_if_long(where, 1e20 * 3600 * workers)


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
