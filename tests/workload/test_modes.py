"""What holds for every mode that is registered: nothing that surrounds a run is forgotten."""

from concurrent.futures import CancelledError, ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.decisions import Decision
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.execution.watch import Watch
from qdreamer_lab.workload.modes import EXACT, MODES, mode_of
from qdreamer_lab.workload.pubs import request_of
from qdreamer_lab.workload.request import RunSettings

every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda mode: f"{mode.name}-{mode.method}")


class PoolSession:
    def __init__(self, pool):
        self.pool = pool

    def candidates(self, on=None):
        return [SimpleNamespace(name="p", wanted=2, workers=2, memory_per_worker_bytes=2**30)]

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


def bell():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    return request_of(EstimatorPub.coerce((circuit, ["ZZ", "XX", "ZI"]), 0.05))


def settings(mode):
    return RunSettings(max_qubits=1 if mode.cuts else 2, shots=4000 if mode.takes_shots else None)


@every_mode
def test_tasks_are_watched_and_decisions_reported(mode):
    reports = []
    with ThreadPoolExecutor(2) as pool:
        watch = CountingWatch()
        execution = Execution(session=PoolSession(pool), watch=watch, progress=reports.append)
        found = mode.runner().run(bell(), settings(mode), execution)
    assert np.allclose(found.evs, [1, 1, 0], atol=6 * found.stds.max() + 1e-9)
    assert (found.shots > 0) == mode.takes_shots
    assert bool(found.stds.any()) == mode.takes_shots == (not mode.exact)
    assert watch.seen == len(found.rows) > 0
    assert all(report.decisions == watch.decisions for report in reports)
    assert reports[-1].over


@every_mode
def test_a_run_can_be_stopped(mode):
    execution = Execution()
    execution.stop.set()
    with pytest.raises(CancelledError):
        mode.runner().run(bell(), settings(mode), execution)


@every_mode
def test_modes_are_found_by_what_users_call_them(mode):
    assert mode_of(mode.name, mode.method) is mode
    assert mode_of("exact") is EXACT
    with pytest.raises(QDreamerError, match="no mode='sampled' with method='stabilizer'"):
        mode_of("sampled", "stabilizer")
