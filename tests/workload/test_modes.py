"""What holds for every mode that is registered: nothing that surrounds a run is forgotten."""

from concurrent.futures import CancelledError, ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qdreamer_lab import CutEstimator
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution import watch
from qdreamer_lab.workload.execution.decisions import Decision
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.execution.watch import Watch
from qdreamer_lab.workload.modes import EXACT, MODES, mode_of
from qdreamer_lab.workload.pubs import request_of
from qdreamer_lab.workload.request import RunSettings

every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda mode: f"{mode.name}-{mode.method}")


def pilots(count):
    return [SimpleNamespace(name="p", wanted=count, workers=count, memory_per_worker_bytes=2**30)]


class PoolSession:
    def __init__(self, pool):
        self.pool = pool

    def candidates(self, on=None):
        return pilots(2)

    pilots_for = candidates

    def submit(self, fn, /, *args, name, on=None):
        return self.pool.submit(fn, *args)


class CountingWatch(Watch):
    def __init__(self):
        super().__init__()
        self.seen = 0
        self.decisions = (Decision(0.1, 1, 2, "a worker came"),)

    def saw(self, chunk, seconds):
        self.seen += 1
        super().saw(chunk, seconds)


def bell(mode):
    """A Bell state, for state vectors by gates of which not all are Clifford gates."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    if mode.method == "statevector":
        circuit.rx(0.3, 0)
        circuit.rx(-0.3, 0)
    return request_of(EstimatorPub.coerce((circuit, ["ZZ", "XX", "ZI"]), 0.05))


def settings(mode):
    return RunSettings(max_qubits=1 if mode.cuts else 2, shots=4000 if mode.takes_shots else None)


@every_mode
def test_tasks_are_watched_and_decisions_reported(mode):
    reports = []
    with ThreadPoolExecutor(2) as pool:
        counting = CountingWatch()
        execution = Execution(session=PoolSession(pool), watch=counting, progress=reports.append)
        found = mode.runner().run(bell(mode), settings(mode), execution)
    assert np.allclose(found.evs, [1, 1, 0], atol=6 * found.stds.max() + 1e-9)
    assert (found.shots > 0) == mode.takes_shots
    assert bool(found.stds.any()) == mode.takes_shots == (not mode.exact)
    assert counting.seen == len(found.rows) > 0
    assert all(report.decisions == counting.decisions for report in reports)
    assert reports[-1].over


@pytest.mark.parametrize("method", ["matrix_product_state", "stabilizer"])
def test_uncut_runs_say_that_workers_came_and_ask_nobody_for_another_plan(monkeypatch, method):
    class GrowingSession(PoolSession):
        looks = 0

        def pilots_for(self, on=None):
            self.looks += 1
            count = 1 if self.looks == 1 else 2
            return pilots(count)

        def candidates(self, on=None):
            return pilots(1)

    class Adviser:
        def changed(self, standing):
            raise AssertionError("there is no other plan")

    monkeypatch.setattr(watch, "_SETTLE_S", 0.0)
    circuit = QuantumCircuit(2)
    circuit.rz(Parameter("t"), 0)
    circuit.cx(0, 1)
    with ThreadPoolExecutor(2) as pool:
        estimator = CutEstimator(2, method=method, session=GrowingSession(pool), adviser=Adviser())
        result = estimator.run([(circuit, "ZZ", np.zeros((40, 1)))]).result()[0]
    assert np.allclose(result.data.evs, 1)
    (decision,) = result.record.decisions
    assert "the rest is dealt out to 2 workers" in decision.reason
    assert (decision.workers_before, decision.workers_after) == (1, 2)


@every_mode
def test_a_run_can_be_stopped(mode):
    execution = Execution()
    execution.stop.set()
    with pytest.raises(CancelledError):
        mode.runner().run(bell(mode), settings(mode), execution)


@every_mode
def test_modes_are_found_by_what_users_call_them(mode):
    assert mode_of(mode.name, mode.method) is mode
    assert mode_of("exact") is EXACT
    with pytest.raises(QDreamerError, match="no mode='sampled' with method='stabilizer'"):
        mode_of("sampled", "stabilizer")
