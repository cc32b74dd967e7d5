"""Variants on devices: shots, seeds, jobs, and failures that say why."""

import pickle

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import CXGate
from qiskit.quantum_info import Pauli, Statevector
from qiskit.result.models import ExperimentResultData
from qiskit.transpiler import Target
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from qdreamer_lab import CutEstimator
from qdreamer_lab.errors import DeviceError, PubError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse
from qdreamer_lab.workload.sampled.device.check import check_device
from qdreamer_lab.workload.sampled.device.jobs import (
    run_on_device,
)
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.simulate import exact_tensor
from tests.circuits.drawn import random_circuit
from tests.primitive.vendor_devices import FORMATS, Vendor
from tests.workload.sampled.device.cut_devices import (
    DEVICES,
    IDEAL,
    Elsewhere,
    assert_same,
    chain,
    every_variant,
    lowered,
    templates,
)


@pytest.mark.parametrize("wire", [False, True])
def test_shots_agree_with_exact_tensors(wire):
    circuit, run = chain(wire=wire)
    tensors = []
    for fragment, template in zip(
        run.fragments, templates(circuit, run, DEVICES["line"]), strict=True
    ):
        found = run_on_device(fragment, template, every_variant(fragment, 4000), IDEAL)
        away = found.tensor.mean - exact_tensor(fragment)
        error = np.sqrt(np.square(found.tensor.deviations).sum(axis=0))
        assert (np.abs(away) <= 5 * error + 1e-12).all()
        assert found.tensor.shots == 4000 * fragment.num_variants
        tensors.append(found.tensor.mean)
    state = Statevector(circuit)
    truth = [state.expectation_value(o).real for o in as_sparse(["ZZZ", "XIY"], 3)]
    np.testing.assert_allclose(run.gluing.values(tensors)[:2], truth, atol=0.15)


def test_a_request_gives_the_same_however_it_is_split():
    circuit, run = chain(wire=False)
    fragment = run.fragments[0]
    template = templates(circuit, run, IDEAL)[0]
    count = fragment.num_variants
    shots = np.where(np.arange(count) < 5, 70, 130)

    def part(start, stop):
        places = np.arange(start, stop)
        request = ShotRequest(places, shots[start:stop], (4, 2), places)
        return run_on_device(fragment, template, request, IDEAL).tensor

    whole = part(0, count)
    split = part(0, 2) + part(2, 6) + part(6, count)
    np.testing.assert_allclose(split.mean, whole.mean, atol=1e-12)
    np.testing.assert_array_equal(part(0, count).mean, whole.mean)


def test_noise_shows():
    circuit = QuantumCircuit(4)
    circuit.h(0)
    for k in range(6):
        circuit.cx(k % 2, k % 2 + 1)
    circuit.cx(2, 3)
    run = lowered(circuit, [[0, 0]] * 6 + [[0, 1]], ["IIZZ", "IZZZ"])
    device = FakeManilaV2()
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    found = run_on_device(fragment, template, every_variant(fragment, 1000), device).tensor
    error = np.sqrt(np.square(found.deviations).sum(axis=0))
    assert (np.abs(found.mean - exact_tensor(fragment)) > 6 * error + 1e-3).any()


def test_a_device_that_is_no_simulator_gets_one_job():
    circuit, run = chain(wire=False)
    device = Elsewhere()
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    run_on_device(fragment, template, every_variant(fragment, 100), device)
    assert device.jobs == [(fragment.num_variants, 100)]


def test_different_shots_need_few_jobs():
    circuit, run = chain(wire=False)
    device = Elsewhere()
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    shots = 100 + np.arange(fragment.num_variants)
    request = ShotRequest(np.arange(len(shots)), shots, (1,), report=True)
    found = run_on_device(fragment, template, request, device)
    assert len(device.jobs) == 6  # 64, 32, 8, 4, 2, 1: no number from 100 to 111 has a 16
    assert sum(circuits * each for circuits, each in device.jobs) == shots.sum()
    assert found.tensor.shots == shots.sum()
    assert len(found.samples) == len(shots)


def test_what_measures_nothing_is_not_run():
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    circuit.cx(0, 1)  # the block is the identity, and nothing is asked of qubit 0
    run = lowered(circuit, [[0, 1]], ["ZI"])
    device = Elsewhere(error=RuntimeError("never called"))
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    found = run_on_device(fragment, template, every_variant(fragment, 10), device)
    np.testing.assert_array_equal(found.tensor.mean, [[1.0]])


def test_too_wide():
    circuit = random_circuit(1, 7, 20)
    run = lowered(circuit, [[0, 0]] * to_blocks(circuit).num_blocks, ["Z" * 7])
    with pytest.raises(DeviceError, match="needs 7 qubits and it has 5; plan with max_qubits=5"):
        check_device(run.fragments, DEVICES["line"])
    with pytest.raises(DeviceError, match="needs 7 qubits"):
        templates(circuit, run, DEVICES["line"])


def test_cuts_glued_as_one():
    circuit = QuantumCircuit(4)
    circuit.rzz(0.3, 0, 2)
    circuit.rzz(0.4, 1, 3)
    circuit.ry(0.4, range(4))
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    labels = [[0, 1], [0, 1], [0, 0], [1, 1]]
    together = lowered(circuit, labels, ["ZZZZ"], joint=True, cost="joint")
    with pytest.raises(DeviceError, match="joint=False"):
        check_device(together.fragments, IDEAL)
    apart = lowered(circuit, labels, ["ZZZZ"], joint=False, cost="joint")
    assert_same(circuit, apart, IDEAL, 1)


def test_a_job_that_fails():
    circuit, run = chain(wire=True)
    device = Elsewhere(error=RuntimeError("maintenance until noon"))
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    with pytest.raises(DeviceError, match="device elsewhere: a job failed: maintenance") as caught:
        run_on_device(fragment, template, every_variant(fragment, 10), device)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.device, str(again)) == ("elsewhere", str(caught.value))


def test_gates_that_do_not_suffice():
    circuit, run = chain(wire=True)
    target = Target(num_qubits=5)
    target.add_instruction(CXGate(), {(0, 1): None, (1, 2): None})
    with pytest.raises(DeviceError, match="cannot be written in its gates"):
        templates(circuit, run, Elsewhere(target=target))


@pytest.mark.parametrize("data", FORMATS.values(), ids=FORMATS)
def test_devices_that_return_counts_give_the_values_of_dense_simulation(data):
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.ry(0.4, 1)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    estimator = CutEstimator(2, backend=Vendor(data), seed=1, default_precision=0.05)
    observables = ["IIZ", "ZZI", "XYI"]
    result = estimator.run([(circuit, observables)]).result()[0].data
    state = Statevector(circuit)
    truth = [state.expectation_value(o).real for o in as_sparse(observables, 3)]
    assert (np.abs(result.evs - truth) <= 5 * result.stds + 1e-12).all()
    assert (result.stds[1:] > 0).all()


def test_shots_that_a_device_loses_are_not_counted():
    circuit, run = chain(wire=False)
    device = Vendor(lambda _, counts, memory: ExperimentResultData(memory=memory[:-3]))
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    found = run_on_device(fragment, template, every_variant(fragment, 2000), device).tensor
    assert found.shots == 1997 * fragment.num_variants
    error = np.sqrt(np.square(found.deviations).sum(axis=0))
    assert (np.abs(found.mean - exact_tensor(fragment)) <= 5 * error + 1e-12).all()


def test_a_device_that_returns_nothing_has_failed():
    circuit, run = chain(wire=False)
    device = Vendor(lambda *_: ExperimentResultData())
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    with pytest.raises(DeviceError, match=r"a job failed: .*neither counts nor shots"):
        run_on_device(fragment, template, every_variant(fragment, 10), device)


def test_a_precision_of_zero_is_refused_before_anything_runs():
    circuit, _ = chain(wire=False)
    for mode in ("sampled", "auto"):
        estimator = CutEstimator(2, backend=Elsewhere(error=RuntimeError("called")), mode=mode)
        for pubs, precision in ([(circuit, "ZZZ")], 0), ([(circuit, "ZZZ", None, 0)], None):
            with pytest.raises(PubError, match=r"PUB 0: precision=0.*need more than zero"):
                estimator.run(pubs, precision=precision)
    exact = CutEstimator(2).run([(circuit, "ZZZ")], precision=0).result()[0].data.evs
    assert exact == pytest.approx(Statevector(circuit).expectation_value(Pauli("ZZZ")).real)
