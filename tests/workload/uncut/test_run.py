"""Uncut runs other than as state vectors, against dense simulation."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import (
    Clifford,
    Operator,
    SparseObservable,
    SparsePauliOp,
    Statevector,
    random_unitary,
)

from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.errors import (
    CircuitError,
    MemoryLimitError,
    MethodError,
    PlanError,
    QDreamerError,
)
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.circuit.pauli_sums import pauli_sum
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.execution.chunk import Chunk
from qdreamer_lab.workload.execution.dispatch import run_chunks
from qdreamer_lab.workload.uncut.circuit import uncut_circuit
from qdreamer_lab.workload.uncut.stabilizer import clifford_gates
from tests.circuits.plain import bound_ansatz, ghz, rx_and_cx

METHODS = ("matrix_product_state", "stabilizer")


def estimate(circuit, observables, method, **options):
    estimator = CutEstimator(circuit.num_qubits, method=method, **options)
    return estimator.run([(circuit, observables)]).result()[0]


@st.composite
def clifford_circuits(draw):
    n = draw(st.integers(1, 5))
    circuit = QuantumCircuit(n)
    for _ in range(draw(st.integers(0, 15))):
        qubit = draw(st.integers(0, n - 1))
        kind = draw(st.integers(0, 8))
        if kind < 5 or n == 1:
            (circuit.h, circuit.s, circuit.x, circuit.sxdg, circuit.y)[kind % 5](qubit)
        elif kind == 5:
            circuit.rz(draw(st.integers(-4, 4)) * np.pi / 2, qubit)
        else:
            other = draw(st.integers(0, n - 2))
            other += other >= qubit
            (circuit.cx, circuit.cz, circuit.iswap)[kind - 6](qubit, other)
    return circuit


@st.composite
def any_circuits(draw):
    circuit = draw(clifford_circuits())
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for qubit in range(circuit.num_qubits):
        circuit.append(random_unitary(2, rng).to_instruction(), [qubit])
    for qubit in range(circuit.num_qubits - 1):
        if draw(st.booleans()):
            circuit.rzz(rng.uniform(0, 3), qubit, qubit + 1)
            circuit.ry(rng.uniform(0, 3), qubit)
    return circuit


def some_observables(n, seed):
    rng = np.random.default_rng(seed)
    found = ["".join(rng.choice(list("IXYZ"), n)) for _ in range(4)]
    found.append({"".join(rng.choice(list("IXYZ01+-rl"), n)): 0.5, "Z" * n: -1.5, "I" * n: 0.25})
    return found


@given(clifford_circuits(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_clifford_circuits_have_the_values_of_their_state(circuit, seed):
    observables = some_observables(circuit.num_qubits, seed)
    dense = CutEstimator(circuit.num_qubits, mode="exact").run([(circuit, observables)]).result()[0]
    found = estimate(circuit, observables, "stabilizer")
    assert found.data.evs == pytest.approx(dense.data.evs, abs=1e-12)
    state = Statevector(circuit)
    for value, observable in zip(found.data.evs, observables[:4], strict=False):
        assert value == pytest.approx(state.expectation_value(SparsePauliOp(observable)).real)


@given(any_circuits(), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_matrix_product_states_have_the_values_of_their_state(circuit, seed):
    observables = some_observables(circuit.num_qubits, seed)
    dense = CutEstimator(circuit.num_qubits, mode="exact").run([(circuit, observables)]).result()[0]
    found = estimate(circuit, observables, "matrix_product_state")
    assert found.data.evs == pytest.approx(dense.data.evs, abs=1e-9)
    assert not found.data.stds.any()


def test_clifford_gates_are_known_by_their_matrices():
    rng = np.random.default_rng(0)
    for _ in range(20):
        circuit = QuantumCircuit(2)
        for _ in range(6):
            circuit.h(int(rng.integers(2)))
            circuit.s(int(rng.integers(2)))
            circuit.cx(*rng.permutation(2).tolist())
        gate = Clifford(circuit).to_operator().data * np.exp(1j * rng.uniform(0, 6))
        assert clifford_gates(gate[None]) is not None
    turn = QuantumCircuit(2)
    turn.rzz(np.pi / 2 + 1e-6, 0, 1)
    assert clifford_gates(Operator(turn).data[None]) is None
    assert clifford_gates(random_unitary(4, 1).data[None]) is None


def test_two_t_gates_are_one_s_and_one_is_refused():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.t(0)
    circuit.t(0)
    circuit.cx(0, 1)
    assert estimate(circuit, "XY", "stabilizer").data.evs == pytest.approx(
        Statevector(circuit).expectation_value(SparsePauliOp("XY")).real
    )
    circuit.t(0)
    with pytest.raises(MethodError, match="Clifford"):
        estimate(circuit, "XX", "stabilizer")


@pytest.mark.parametrize("method", METHODS)
def test_sweeps_and_metadata_are_those_of_any_other_run(method):
    circuit = rx_and_cx()
    told = []
    angles = [0.0, np.pi / 2, np.pi]
    estimator = CutEstimator(3, method=method, progress=told.append)
    found = estimator.run([(circuit, [["ZII"], ["IIZ"]], angles)]).result()[0]
    assert found.data.evs == pytest.approx(np.array([[1, 0, -1]] * 2), abs=1e-9)
    usual = CutEstimator(3, mode="exact").run([(circuit, "ZZZ", angles)]).result()[0]
    assert set(found.metadata) == set(usual.metadata)
    assert found.metadata["method"] == method
    assert found.metadata["mode"] == "exact"
    assert found.metadata["plan"].num_cuts == 0
    assert [row.binding for row in found.metadata["fragments"]] == [0, 1, 2]
    assert told[-1].over
    assert [report.done for report in told] == [1, 2, 3]


@pytest.mark.parametrize("method", METHODS)
def test_workers_do_the_same(session, method):
    found = estimate(ghz(5), ["ZZIII", "XXXXX", "XIIII"], method, session=session)
    assert found.data.evs == pytest.approx([1, 1, 0], abs=1e-9)
    (row,) = found.metadata["fragments"]
    assert row.worker


def test_what_cannot_be_is_refused():
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    for pair in ((0, 1), (1, 2), (2, 3), (0, 3)):
        circuit.rzz(0.3, *pair)
    circuit.rx(0.2, range(4))
    for wrong in (
        {"method": "guess"},
        {"method": "stabilizer", "mode": "sampled"},
        {"method": "stabilizer", "shots": 100},
        {"method": "matrix_product_state", "dtype": "complex64"},
        {"most_workers": 0},
        {"most_workers": True},
    ):
        with pytest.raises(QDreamerError, match=next(iter(wrong))):
            CutEstimator(4, **wrong)
    for method in METHODS:
        with pytest.raises(PlanError, match="max_qubits=4"):
            CutEstimator(3, method=method).run([(circuit, "ZZZZ")]).result()
        with pytest.raises(PlanError, match="no plan"):
            estimate(circuit, "ZZZZ", method, plan=plan_cuts(circuit, 4))
        measured = circuit.measure_all(inplace=False)
        measured.h(0)
        with pytest.raises(CircuitError, match="measure"):
            estimate(measured, "ZZZZ", method)
    with pytest.raises(MemoryLimitError, match="bond dimensions"):
        estimate(circuit, "ZZZZ", "matrix_product_state", memory_limit_bytes=100)


def test_projectors_are_written_out_and_too_many_are_refused():
    (identity, z) = sorted(pauli_sum([ProductTerm(2.0, ((3, "1"),))]), key=lambda one: one[1])
    assert identity == (1.0, ())
    assert z == (-1.0, ((3, "Z"),))
    with pytest.raises(MethodError, match="projectors"):
        pauli_sum([ProductTerm(1.0, tuple((q, "0") for q in range(17)))])


class Held:
    """A session of four workers that notes how many tasks are under way."""

    def __init__(self):
        self.most = self.now = 0
        self.lock = threading.Lock()
        self.pool = ThreadPoolExecutor(16)

    def candidates(self, on=None):
        return [SimpleNamespace(name="p", wanted=4, workers=4, memory_per_worker_bytes=2**30)]

    pilots_for = candidates

    def submit(self, function, /, *args, name, on=None):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        future = self.pool.submit(function, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, future):
        with self.lock:
            self.now -= 1


def test_matrix_product_states_do_not_run_clifford_gates_at_the_end():
    circuit = bound_ansatz(8, 2)
    for low in range(7):
        circuit.iswap(low, low + 1)
        circuit.cz(low, low + 1)
    labels = ["ZIXIYIIZ", "IIIIIIIX", "0I1IIIII"]
    terms = [product_terms(each) for each in as_sparse(labels, 8)]
    whole, less = (uncut_circuit(circuit, terms, carry_back=back) for back in (False, True))
    assert len(less.row.pairs) < len(whole.row.pairs)
    found = estimate(circuit, labels, "matrix_product_state").data.evs
    state = Statevector(circuit)
    for label, value in zip(labels, found, strict=True):
        operator = SparsePauliOp.from_sparse_observable(SparseObservable(label))
        assert value == pytest.approx(state.expectation_value(operator).real, abs=1e-10)


@pytest.mark.parametrize(("limit", "expected"), [(None, 12), (2, 2), (1, 1), (9, 12)])
def test_a_run_is_held_to_fewer_workers(limit, expected):
    session, kept, gate = Held(), [], threading.Event()
    result = SimpleNamespace(seconds=1e-3)

    def work():
        # Let go when as many as are allowed are there: none may be left out by chance.
        if session.most >= expected:
            gate.set()
        assert gate.wait(20)
        return result

    chunks = [Chunk(0, k, 1, 1, 1.0, work, ()) for k in range(30)]
    run_chunks(
        chunks,
        session,
        stop=threading.Event(),
        keep=lambda *one: kept.append(one),
        most_workers=limit,
    )
    assert len(kept) == 30
    assert session.most == expected
    session.pool.shutdown()
