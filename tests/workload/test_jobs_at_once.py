"""Jobs of one estimator that run at the same time, each in a thread of its own."""

import sys
import threading

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutEstimator
from qdreamer_lab.workload import estimator as workload_estimator
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.exact import fold as exact_fold
from qdreamer_lab.workload.exact.plans import ExactPlans
from qdreamer_lab.workload.request import Request, RunSettings
from qdreamer_lab.workload.sampled.plans import BoundPlans

CIRCUIT = efficient_su2(4, reps=1).assign_parameters(np.arange(16) * 0.3)

FIRST, SECOND = (((0, "Z"),),), (((3, "Z"),),)


def exact(plans, terms):
    return plans.runs(CIRCUIT, terms, RunSettings(max_qubits=3))


def sampled(plans, terms):
    observables = (tuple(ProductTerm(1.0, factors) for factors in terms),)
    pairs = np.zeros((1, 2), np.int64)
    request = Request(
        source=CIRCUIT,
        values=({},),
        circuits=(CIRCUIT,),
        observables=observables,
        pairs=pairs,
        precision=0.1,
    )
    return plans.plans(request, RunSettings(max_qubits=3))


@pytest.mark.parametrize(
    ("plans", "ask", "seen"),
    [
        (ExactPlans(), exact, lambda found: [run.group.terms for run in found]),
        (BoundPlans(), sampled, lambda found: [plan.blocks.measured for plan in found]),
    ],
)
def test_a_job_that_comes_in_between_changes_nothing(plans, ask, seen):
    """It comes just when the first one sees that what is kept suits it."""
    alone, came = ask(plans, FIRST), []

    class Interrupted(tuple):
        __slots__ = ()
        __hash__ = tuple.__hash__

        def __eq__(self, other):
            if not came:
                came.append(True)
                ask(plans, SECOND)
            return tuple.__eq__(self, other)

    found = ask(plans, (Interrupted(FIRST[0]),))
    assert came
    assert seen(found) == seen(alone) != seen(ask(plans, SECOND))


def test_values_of_jobs_that_run_at_once():
    texts = ["ZIII", "IZII", "IIZI", "IIIZ", "XIIX", "ZZII"]
    state = Statevector(CIRCUIT)
    expected = [state.expectation_value(SparsePauliOp(text)).real for text in texts]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(5):
            estimator = CutEstimator(3, mode="exact")
            jobs = [estimator.run([(CIRCUIT, text)]) for text in texts]
            found = [float(job.result()[0].data.evs) for job in jobs]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize(
    ("moment", "more", "here"),
    [
        (None, {}, True),
        (1.0, {}, False),
        (None, {"progress": lambda report: None}, False),
        (None, {"max_qubits": 3}, False),
    ],
)
def test_what_takes_a_moment_is_done_before_run_returns(moment, more, here, monkeypatch):
    threads = []
    run = exact_fold.run_fragments

    def watched(*args):
        threads.append(threading.get_ident())
        return run(*args)

    monkeypatch.setattr(exact_fold, "run_fragments", watched)
    if moment is not None:
        monkeypatch.setattr(workload_estimator, "_MOMENT", moment)
    text = "ZXYZ"
    job = CutEstimator(**{"max_qubits": 4, "mode": "exact", **more}).run([(CIRCUIT, text)])
    assert job.in_final_state() or not here
    expected = Statevector(CIRCUIT).expectation_value(SparsePauliOp(text)).real
    assert float(job.result()[0].data.evs) == pytest.approx(expected, abs=1e-12)
    assert job.done()
    assert not job.cancel()
    assert {one == threading.get_ident() for one in threads} == {here}


def test_gates_inside_of_instructions_count(monkeypatch):
    """One instruction may be a whole circuit, and not a matter of a moment."""
    monkeypatch.setattr(workload_estimator, "_MOMENT", 2.0**21)
    inner = efficient_su2(4, reps=60).assign_parameters(np.arange(488) * 0.3)
    outer = QuantumCircuit(4)
    outer.append(inner.to_instruction(), range(4))
    estimator = CutEstimator(4, mode="exact")
    threads = set()
    run = exact_fold.run_fragments

    def watched(*args):
        threads.add(threading.get_ident())
        return run(*args)

    monkeypatch.setattr(exact_fold, "run_fragments", watched)
    expected = Statevector(inner).expectation_value(SparsePauliOp("ZXYZ")).real
    for _ in range(2):  # the second time it is known, and not read again
        found = float(estimator.run([(outer, "ZXYZ")]).result()[0].data.evs)
        assert found == pytest.approx(expected, abs=1e-11)
    assert threading.get_ident() not in threads
