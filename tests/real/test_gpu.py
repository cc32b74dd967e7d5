"""The true kernels on a true GPU, from the engine up to a session's pilot.

Everything has an oracle that knows no GPU: the engine on cores, Aer, dense states. Where there is
none that CuPy can use, all of it is skipped: the same kernels run under g++ in `tests/engine/gpu`.
"""

import os

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

import pilot_kernel
from benchmarks.engine.gpu_check import check_all
from pilot_kernel.primitive.simulator.state_engines import StateWork
from pilot_kernel.resource import gpus
from qdreamer_lab import CutEstimator, CutSampler
from qdreamer_lab.engine.gpu.device import usable_device
from qdreamer_lab.errors import GpuError, MemoryLimitError
from qdreamer_lab.workflow.state_vector.app import StateVector
from qdreamer_lab.workload.uncut.state.simulator import SIMULATOR
from tests.circuits.drawn import random_circuit
from tests.conftest import PATIENCE_S, wait_until

NO_VALUES = np.empty((1, 0))


def _why_not():
    try:
        usable_device()
    except GpuError as error:
        return str(error)
    return ""


pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(_why_not()), reason=_why_not())]


@pytest.fixture(scope="module")
def gpu_session(registry_home):
    """A session whose pilot has a worker with the GPU, and one without."""
    with pilot_kernel.Session() as opened:
        opened.add_pilot("local://", cores_per_node=2, cores_per_worker=1, name="cores")
        cards = opened.add_pilot("local://", cores_per_node=2, gpus_per_node=1, name="cards")
        wait_until(lambda: "GPU" in cards.status.offers, timeout_s=3 * PATIENCE_S)
        yield opened


def dense(circuit, observable):
    """A value from a dense state."""
    operator = SparsePauliOp(observable)
    return float(Statevector(circuit).expectation_value(operator).real)


def chain(qubits):
    """A circuit that one cut in the middle parts, with a value that is not small."""
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(0.3 + 0.1 * qubit, qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
        circuit.rz(0.2 * qubit, qubit + 1)
        circuit.rx(0.4, qubit)
    return circuit


@pytest.mark.parametrize("width", [9, 15, 18])
def test_every_kind_of_operation_and_of_sum(width):
    assert check_all(width, seed=width) == []


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
@pytest.mark.parametrize("width", [4, 6, 9])
def test_cut_values_are_those_of_cores(width, dtype):
    circuit = random_circuit(7, 9, 20, general=True)
    observables = ["ZZIXYIZII", "01+-rIlXX", {"IIIIZIIII": 0.5, "YIIIIIYZZ": 2.0}]
    options = {"dtype": dtype, "seed": 1}
    here = CutEstimator(width, **options).run([(circuit, observables)]).result()[0].data.evs
    there = CutEstimator(width, on="gpu", **options).run([(circuit, observables)]).result()[0]
    np.testing.assert_allclose(there.data.evs, here, atol=1e-12 if dtype == "complex128" else 1e-5)


@pytest.mark.parametrize("qubits", [1, 2, 12, 21])
def test_whole_circuits_have_the_values_and_outcomes_of_cores(qubits):
    circuit = random_circuit(3, qubits, 40, general=True) if qubits > 1 else QuantumCircuit(1)
    if qubits == 1:
        circuit.ry(0.7, 0)
    x, z = np.random.default_rng(2).random((2, 5, qubits)) < 0.5
    here, there = (
        SIMULATOR.pauli_values(StateWork(circuit, NO_VALUES, device), x, z)
        for device in ("CPU", "GPU")
    )
    np.testing.assert_allclose(there, here, atol=1e-12)
    here, there = (
        SIMULATOR.draws(StateWork(circuit, NO_VALUES, device), range(qubits), 4000, 4)
        for device in ("CPU", "GPU")
    )
    np.testing.assert_array_equal(there, here)


def test_a_session_finds_the_gpu_and_gives_it_to_the_worker_that_was_promised_it(gpu_session):
    def which():
        from qdreamer_lab.engine.gpu.device import usable_device

        return os.environ.get("CUDA_VISIBLE_DEVICES"), usable_device().name

    seen, name = gpu_session.submit(which, on="gpu").result()
    assert name == usable_device().name
    assert seen == gpus.visible(0)["CUDA_VISIBLE_DEVICES"]
    status = next(pilot.status for pilot in gpu_session.pilots if pilot.name == "cards")
    assert "GPU" in status.offers
    told = gpus.described({"name": name, "memory_bytes": gpus.look_at("0").memory_bytes})
    assert name.split()[-1] in told


def test_primitives_of_a_session_run_on_it(gpu_session):
    circuit = chain(12)
    observable = SparsePauliOp(["Z" * 12, "I" * 11 + "X"], [1.0, 0.5])
    estimator = gpu_session.estimator(on="gpu")
    (found,) = estimator.run([(circuit, observable)]).result()
    assert found.metadata["simulator"] == "qdreamer-lab"
    assert found.data.evs == pytest.approx(dense(circuit, observable), abs=1e-10)
    measured = circuit.copy()
    measured.measure_all()
    (told,) = gpu_session.sampler(on="gpu", seed=5).run([measured], shots=20_000).result()
    counts = told.data.meas.get_counts()
    probabilities = Statevector(circuit).probabilities_dict()
    expected = np.array([20_000 * p for p in probabilities.values() if 20_000 * p > 5])
    seen = np.array([counts.get(k, 0) for k, p in probabilities.items() if 20_000 * p > 5])
    chi = float((((seen - expected) ** 2) / expected).sum())
    assert chi < len(expected) + 7 * np.sqrt(2 * len(expected))


def test_cut_runs_of_a_session_run_on_it(gpu_session):
    circuit = chain(16)
    estimator = CutEstimator(9, session=gpu_session, on="gpu")
    (found,) = estimator.run([(circuit, ["Z" * 16, "I" * 15 + "Y"])]).result()
    expected = [dense(circuit, "Z" * 16), dense(circuit, "I" * 15 + "Y")]
    np.testing.assert_allclose(found.data.evs, expected, atol=1e-10)
    measured = circuit.copy()
    measured.measure_all()
    sampler = CutSampler(9, session=gpu_session, on="gpu", seed=3)
    (drawn,) = sampler.run([measured], shots=10_000).result()
    assert sum(drawn.data.meas.get_counts().values()) == 10_000


def test_ranks_keep_their_parts_of_a_state_on_it(gpu_session):
    for ranks in (1, 2):
        app = StateVector(qubits=14, ranks=ranks, layers=4, device="GPU", oversubscribe=True)
        report = app.run(gpu_session)
        assert report.values["largest error of a value"] < 1e-12


def test_what_does_not_fit_is_said_and_leaves_the_gpu_as_it_was(gpu_session):
    circuit = chain(12)
    total = usable_device().memory_bytes
    wide = (total // 16).bit_length()  # one state more than there is memory for
    with pytest.raises(MemoryLimitError, match="may be used on the GPU"):
        SIMULATOR.draws(StateWork(chain(wide), NO_VALUES, "GPU"), range(wide), 5, 1)
    (found,) = CutEstimator(12, on="gpu").run([(circuit, "Z" * 12)]).result()
    assert float(found.data.evs) == pytest.approx(dense(circuit, "Z" * 12), abs=1e-10)
