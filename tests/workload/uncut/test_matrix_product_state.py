"""The matrix product state against dense simulation, and which code a notebook's process runs."""

import math
import signal
import subprocess
import sys

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector, random_unitary

from qdreamer_lab import CutEstimator
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.isolated_call import guarded
from qdreamer_lab.workload.uncut import matrix_product_state as product_state
from qdreamer_lab.workload.uncut.matrix_product_state import MatrixProductState
from tests.circuits.drawn import weak_and_strong


def dense(circuit, texts):
    state = Statevector(circuit)
    return [state.expectation_value(SparsePauliOp(text)).real for text in texts]


@pytest.mark.parametrize("seed", range(12))
def test_values_are_those_of_the_dense_state(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 10))
    circuit = weak_and_strong(rng, n, 60)
    texts = list(dict.fromkeys("".join(rng.choice(list("IXYZ"), n)) for _ in range(30)))
    done = CutEstimator(n, method="matrix_product_state").run([(circuit, texts)]).result()[0]
    assert done.data.evs == pytest.approx(dense(circuit, texts), abs=2e-11)


@pytest.mark.parametrize(
    "circuit", [QuantumCircuit(3), efficient_su2(3).assign_parameters([0.3] * 24)]
)
def test_observables_may_be_the_identity_and_nothing_else(circuit):
    estimator = CutEstimator(3, method="matrix_product_state")
    found = estimator.run([(circuit, [{"III": 0.25}, {"III": -3.0}])]).result()[0]
    assert found.data.evs.tolist() == [0.25, -3.0]


def test_many_layers_at_full_bond_dimension_stay_exact():
    circuit = efficient_su2(13, reps=8)
    angles = np.random.default_rng(0).uniform(0, 6, circuit.num_parameters)
    circuit = circuit.assign_parameters(angles)
    texts = ["Z" * 13, "X" + "I" * 11 + "Y", "I" * 6 + "ZZ" + "I" * 5]
    done = CutEstimator(13, method="matrix_product_state").run([(circuit, texts)]).result()[0]
    assert done.data.evs == pytest.approx(dense(circuit, texts), abs=1e-12)


def test_thousands_of_gates_do_not_add_up_errors():
    rng = np.random.default_rng(3)
    circuit = weak_and_strong(rng, 6, 4000)
    texts = ["ZZZZZZ", "XIIIIY", "IIZZII"]
    done = CutEstimator(6, method="matrix_product_state").run([(circuit, texts)]).result()[0]
    assert done.data.evs == pytest.approx(dense(circuit, texts), abs=1e-9)


def test_bonds_are_as_small_as_the_state_allows():
    turn = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    cx = np.eye(4)[[0, 3, 2, 1]]  # the low qubit controls
    state = MatrixProductState(30)
    state.apply_one(0, turn)
    for qubit in range(29):
        state.apply_two(qubit, qubit + 1, cx)
    assert state.widest == 2
    everywhere = tuple((qubit, "X") for qubit in range(30))
    ends = ((0, "Z"), (29, "Z"))
    found = state.values([everywhere, ends, ((7, "Z"),)])
    assert found[everywhere] == pytest.approx(1)
    assert found[ends] == pytest.approx(1)
    assert found[((7, "Z"),)] == pytest.approx(0, abs=1e-12)
    for qubit in reversed(range(29)):
        state.apply_two(qubit, qubit + 1, cx)
    assert state.widest == 1


def test_a_decomposition_that_does_not_converge_is_done_in_another_way(monkeypatch):
    def fails(*args, **kwargs):
        raise np.linalg.LinAlgError("SVD did not converge")

    rng = np.random.default_rng(1)
    circuit, state = QuantumCircuit(4), MatrixProductState(4)
    monkeypatch.setattr(product_state.np.linalg, "svd", fails)
    for low, high in ((0, 1), (2, 3), (0, 3), (1, 2), (2, 0)):
        gate = random_unitary(4, rng)
        circuit.append(gate.to_instruction(), [low, high])
        state.apply_two(low, high, gate.data)
    string = ((0, "Z"), (1, "Z"), (2, "Y"), (3, "X"))
    assert state.values([string])[string] == pytest.approx(dense(circuit, ["XYZZ"])[0], abs=1e-12)


_EVERYTHING = """
import sys
from qdreamer_lab import CutEstimator, MachineProfile, QDreamer
from tests.circuits.plain import ghz, layered, neighbours
circuit, observables = layered(6), neighbours(6)
for options in ({}, {"mode": "sampled", "shots": 100}):
    CutEstimator(3, **options).run([(circuit, observables)]).result()
CutEstimator(6, method="matrix_product_state").run([(circuit, observables)]).result()
CutEstimator(6, method="stabilizer").run([(ghz(6), observables)]).result()
QDreamer(profile=MachineProfile.nominal()).recommend(circuit, observables).run()
MachineProfile.measure(None, None, budget_s=1.0)
foreign = {"qiskit_aer", "pilot_kernel.primitive.simulator.run"} & set(sys.modules)
print(sorted(foreign))
"""


def test_no_simulator_of_others_runs_in_the_process_of_a_notebook():
    """A fault in foreign native code would end it; see `workload.reference` for the exception."""
    done = subprocess.run(
        [sys.executable, "-c", _EVERYTHING], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_crash_in_native_code_is_an_error_and_not_the_end():
    assert guarded(math.hypot, 3.0, 4.0) == 5.0
    with pytest.raises(QDreamerError, match="SIGSEGV"):
        guarded(signal.raise_signal, signal.SIGSEGV)
    with pytest.raises(QDreamerError, match="ValueError"):
        guarded(math.sqrt, -1.0)
