"""What a device would take."""

import numpy as np
import pytest
from qiskit.providers.fake_provider import GenericBackendV2

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.dreamer.device.cost import DeviceShape, shot_seconds
from qdreamer_lab.dreamer.device.shape import device_shape
from qdreamer_lab.dreamer.fragment.shape import program_depth
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.fragment.lower import fragment_programs
from qdreamer_lab.workload.plan.find import plan_cuts
from tests.circuits.plain import ghz, layered, neighbours


class DevicePilot:
    """A session with one QPU pilot."""

    class Status:
        resource = "qpu://generic"
        wanted = 1
        cores_per_worker = 1
        memory_per_worker_bytes = 1 << 30
        backend = "generic"

    def pilot_statuses(self):
        return [self.Status()]

    def candidates(self, on=None):
        return [self.Status()]

    def backend(self, on=None):
        return GenericBackendV2(5, seed=1)


def test_durations_come_from_the_target():
    shape = device_shape(GenericBackendV2(5, seed=1))
    assert 0 < shape.one_qubit_s < shape.two_qubit_s < shape.readout_s
    assert shape.all_to_all
    line = device_shape(GenericBackendV2(5, coupling_map=[[0, 1], [1, 2], [2, 3], [3, 4]], seed=1))
    assert not line.all_to_all


def test_deeper_circuits_take_longer():
    device = DeviceShape("d", 1e-8, 1e-7, 1e-6, 1e-4, all_to_all=False)
    times = [shot_seconds(device, deep) for deep in range(4)]
    assert times == sorted(times)
    assert times[0] == pytest.approx(1e-8 + 1e-6 + 1e-4)
    with pytest.raises(QDreamerError, match="queue_s"):
        DeviceShape("d", 0, 0, 0, 0, all_to_all=True, queue_s=-1)


def test_depth_of_a_chain_and_of_a_layer():
    (chain,) = fragment_programs(plan_cuts(ghz(5), 5))
    assert program_depth(chain) == 4


def test_a_device_s_time_grows_with_shots_and_widths_fit_it():
    dreamer = QDreamer(DevicePilot(), profile=MachineProfile.nominal())
    circuit, observables = layered(8), neighbours(8)
    found = [
        dreamer.predict(circuit, observables, max_qubits=4, mode="sampled", on="qpu", shots=shots)
        for shots in (50_000, 100_000)
    ]
    assert found[1].qpu_seconds == pytest.approx(2 * found[0].qpu_seconds, rel=0.01)
    assert found[0].makespan_s > found[0].qpu_seconds > 0
    assert found[0].phase("transpile").seconds > 0
    assert any("target" in note for note in found[0].notes)
    best = dreamer.recommend(circuit, observables, precision=0.1, on="qpu").best
    assert best.configuration.mode == "sampled"
    assert np.all([one.width <= 5 for one in best.plan.fragments])
    with pytest.raises(QDreamerError, match="sampled"):
        dreamer.predict(circuit, observables, max_qubits=4, on="qpu")
