"""Exact mode gives the dense value for any mix of cuts, not only those a planner would choose."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparseObservable, SparsePauliOp, Statevector, random_unitary

from qdreamer_lab.errors import MemoryLimitError, ObservableError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.cut.cuts import GateCut, WireCut
from qdreamer_lab.workload.exact.lower import lower
from qdreamer_lab.workload.fragment.footprint import batch_bytes
from qdreamer_lab.workload.fragment.lower import fragment_programs
from qdreamer_lab.workload.fragment.simulate import run_fragment
from qdreamer_lab.workload.plan.find import plan_cuts
from qdreamer_lab.workload.plan.plan import CutPlan
from tests.circuits.plain import cx_line


def cut_value(plan, observable, memory_limit_bytes=None):
    """The observable's value through a plan, in process."""
    (sparse,) = as_sparse(observable, plan.blocks.num_qubits)
    terms = product_terms(sparse)
    run = lower(plan, [t.factors for t in terms])
    tensors = [run_fragment(job.program, job.operators, memory_limit_bytes) for job in run.jobs]
    return float(np.dot([t.coefficient for t in terms], run.values(tensors)))


def dense_value(circuit, observable):
    operator = SparsePauliOp.from_sparse_observable(SparseObservable(observable))
    return float(np.real(Statevector(circuit).expectation_value(operator)))


def labelled(blocks, labels):
    """A plan with these labels, renumbered so that ids count up; no limit on width."""
    _, labels = np.unique(np.asarray(labels), return_inverse=True)
    labels = labels.reshape(-1, 2)
    lone = np.full(len(blocks.lone), labels.max(initial=-1) + 1)
    return CutPlan(blocks, labels, lone, max_qubits=99)


CASE_BYTES = 64 * 2**20
"""Random labels can ask for tensors of many GiB; such cases would test the machine's memory."""


def largest_bytes(plan):
    operators = ((), ((0, "Z"),))
    programs = fragment_programs(plan)
    return max((batch_bytes(p, operators, 16, {}, {}) for p in programs), default=0)


@st.composite
def cut_circuits(draw):
    """A circuit of random blocks with a fragment drawn for every block end, and an observable."""
    num_qubits = draw(st.integers(2, 8))
    num_blocks = draw(st.integers(0, 6))
    seed = draw(st.integers(0, 2**16))
    circuit = QuantumCircuit(num_qubits)
    for k in range(num_blocks):
        pair = draw(st.permutations(range(num_qubits)))[:2]
        kind = draw(st.sampled_from(["su4", "cx", "rzz"]))
        if kind == "su4":
            circuit.unitary(random_unitary(4, seed=seed + k), pair)
        elif kind == "cx":
            circuit.ry(0.3 + k, pair[0])
            circuit.cx(*pair)
        else:
            circuit.sx(pair[1])
            circuit.rzz(0.1 + 0.2 * k, *pair)
    circuit.ry(0.7, draw(st.integers(0, num_qubits - 1)))
    blocks = to_blocks(circuit)
    ends = st.lists(st.integers(0, 2), min_size=2, max_size=2)
    labels = draw(st.lists(ends, min_size=blocks.num_blocks, max_size=blocks.num_blocks))
    plan = labelled(blocks, labels)
    assume(largest_bytes(plan) <= CASE_BYTES)
    letters = draw(st.text("IXYZ01+-rl", min_size=num_qubits, max_size=num_qubits))
    observable = SparseObservable.from_list([(letters, 0.7), ("Z" * num_qubits, -0.4)])
    return circuit, plan, observable


@settings(deadline=None, max_examples=150)
@given(cut_circuits())
def test_any_labels_give_the_dense_value(case):
    circuit, plan, observable = case
    assert cut_value(plan, observable) == pytest.approx(dense_value(circuit, observable), abs=1e-10)


def test_a_wire_that_leaves_and_comes_back():
    circuit = QuantumCircuit(3)
    for k, pair in enumerate([(0, 1), (1, 2), (0, 1)]):
        circuit.unitary(random_unitary(4, seed=k), pair)
    plan = labelled(to_blocks(circuit), [[0, 0], [1, 1], [0, 0]])
    assert [type(cut) for cut in plan.cuts] == [WireCut, WireCut]
    assert [f.width for f in plan.fragments] == [3, 2]
    for label in ("ZZZ", "XYX", "IIZ"):
        assert cut_value(plan, label) == pytest.approx(dense_value(circuit, label), abs=1e-12)


def test_an_uncut_side_is_simulated_once():
    circuit = QuantumCircuit(4)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(2, 3)
    wire = lower(labelled(to_blocks(circuit), [[0, 0], [0, 0], [1, 1]]), [()])
    assert [job.program.variants for job in wire.jobs] == [1, 2]
    gate = lower(labelled(to_blocks(circuit), [[0, 0], [0, 1], [1, 1]]), [()])
    assert [job.program.variants for job in gate.jobs] == [2, 2]


def test_a_separable_block_is_cut_for_nothing():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(0, 1)
    circuit.ry(0.3, 1)
    plan = labelled(to_blocks(circuit), [[0, 1]])
    assert isinstance(plan.cuts[0], GateCut)
    assert plan.log2_overhead == pytest.approx(0, abs=1e-9)
    assert [job.program.variants for job in lower(plan, [()]).jobs] == [1, 1]
    assert cut_value(plan, "ZX") == pytest.approx(dense_value(circuit, "ZX"), abs=1e-12)


def test_equal_local_operators_are_evaluated_once():
    plan = labelled(to_blocks(cx_line(4)), [[0, 0], [0, 1], [1, 1]])
    terms = [product_terms(s)[0].factors for s in as_sparse(["IIIZ", "IIZZ", "ZIIZ", "ZIII"], 4)]
    assert [len(job.operators) for job in lower(plan, terms).jobs] == [3, 2]


def test_a_fragment_that_does_not_fit_is_refused_with_sizes():
    plan = plan_cuts(cx_line(30), 30)
    with pytest.raises(
        MemoryLimitError,
        match=r"fragment 0 needs 16 GiB .* 1 GiB may be used: plan with max_qubits=25",
    ):
        cut_value(plan, "Z" * 30, memory_limit_bytes=2**30)


def test_many_cuts_on_few_qubits_are_refused_before_they_fill_memory():
    circuit = QuantumCircuit(3)
    for k in range(8):
        circuit.unitary(random_unitary(4, seed=k), [1, 2] if k % 2 else [0, 1])
    plan = labelled(to_blocks(circuit), [[0, 1], [1, 0]] * 4)
    assert [f.width for f in plan.fragments] == [2, 1]
    with pytest.raises(MemoryLimitError, match=r"65536 states of \d+ qubits"):
        cut_value(plan, "ZZZ", memory_limit_bytes=2**30)


def test_an_observable_outside_the_plans_light_cone_is_refused():
    plan = plan_cuts(cx_line(3), 2, observables="IIZ")
    assert cut_value(plan, "IIZ") == pytest.approx(1)
    with pytest.raises(ObservableError, match="qubit 2"):
        cut_value(plan, "ZII")


def test_an_identity_needs_no_fragment():
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    plan = plan_cuts(circuit, 1, observables="II")
    assert plan.fragments == ()
    assert cut_value(plan, "II") == 1.0
