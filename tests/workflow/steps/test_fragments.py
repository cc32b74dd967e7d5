"""Fragments that are found again, and those that must not be."""

from concurrent.futures import Future

import numpy as np
import pytest
from qiskit.circuit.library import RXGate
from qiskit.quantum_info import SparsePauliOp, Statevector

import pilot_kernel
from qdreamer_lab.engine.program import Step
from qdreamer_lab.errors import PlanError
from qdreamer_lab.workflow.steps.fragments import FragmentSession, keeping
from qdreamer_lab.workflow.steps.store import Store
from qdreamer_lab.workload.estimator import CutEstimator
from qdreamer_lab.workload.fragment.program import FragmentProgram
from qdreamer_lab.workload.fragment.simulate import FragmentCall, run_fragments
from tests.circuits.plain import bound_ansatz


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def value(session, circuit, observable, **options):
    precision = options.pop("precision", None)
    estimator = CutEstimator(4, session=session, seed=options.pop("seed", 1), **options)
    return float(estimator.run([(circuit, observable)], precision=precision).result()[0].data.evs)


def test_another_session_finds_them(session, store):
    circuit, observable = bound_ansatz(7), SparsePauliOp("ZIIIIIZ")
    dense = Statevector(circuit).expectation_value(observable).real
    first = keeping(session, store)
    assert value(first, circuit, observable) == pytest.approx(dense, abs=1e-9)
    assert first.reused == 0
    assert first.ran > 0
    with pilot_kernel.Session() as other:
        other.add_pilot("local://", cores_per_node=1)
        again = keeping(other, Store(store.folder))
        assert value(again, circuit, observable) == pytest.approx(dense, abs=1e-9)
        assert (again.ran, again.reused) == (0, first.ran)


class Here:
    """A run whose tasks are over at once, in this process."""

    def __init__(self):
        self.calls = []

    def submit_call(self, kind, fn, args, kwargs, options):
        self.calls.append(args)
        return Done(fn(*args))

    @property
    def session(self):
        return self

    def backend(self, on=None):
        return None


class Done:
    def __init__(self, value):
        self.task, self.value = Future(), value
        self.task.set_result(None)

    def result(self):
        return self.value


def test_exact_fragments_are_found_however_they_are_spread_over_tasks(store):
    calls = []
    for k, angle in enumerate((0.1, 0.2, 0.3)):
        turn = RXGate(angle).to_matrix()
        program = FragmentProgram(k, 1, (Step((0,), turn[None]),), (), ((0, 0),))
        calls.append(FragmentCall(program, (((0, "Z"),),), {}, {}))
    run = Here()
    kept = FragmentSession(run, store)

    def values(chosen, limit=None):
        task = kept.submit(run_fragments, tuple(chosen), limit, "complex128", "CPU", name="f")
        return [float(tensor.real.squeeze()) for tensor in task.result().tensors]

    assert values(calls[:2]) == pytest.approx(np.cos([0.1, 0.2]))
    assert values(calls[1:], 10**9) == pytest.approx(np.cos([0.2, 0.3]))
    assert [len(args[0]) for args in run.calls] == [2, 1]
    assert values(calls[::-1]) == pytest.approx(np.cos([0.3, 0.2, 0.1]))
    assert (len(run.calls), kept.ran, kept.reused) == (2, 3, 4)
    single = kept.submit(run_fragments, tuple(calls), None, "complex64", "CPU", name="f")
    assert len(single.result().tensors) == 3
    assert kept.ran == 6  # another precision is another fragment


def test_other_observables_and_circuits_are_other_fragments(session, store):
    circuit = bound_ansatz(7)
    for observable in (SparsePauliOp("ZIIIIIZ"), SparsePauliOp("XIIIIIY")):
        dense = Statevector(circuit).expectation_value(observable).real
        assert value(keeping(session, store), circuit, observable) == pytest.approx(dense, abs=1e-9)
    other = circuit.copy()
    other.rx(0.3, 0)
    dense = Statevector(other).expectation_value(observable).real
    assert value(keeping(session, store), other, observable) == pytest.approx(dense, abs=1e-9)


def test_shots_are_found_by_their_seed(session, store, monkeypatch):
    circuit, observable = bound_ansatz(6), SparsePauliOp("ZIIIIZ")
    how = {"mode": "sampled", "shots": 20_000}
    calls = []
    first = keeping(session, store)
    submit = first.submit

    def written_down(*args, **options):
        calls.append((args, options))
        return submit(*args, **options)

    monkeypatch.setattr(first, "submit", written_down)
    found = value(first, circuit, observable, **how)
    assert first.ran == len(calls) > 1
    # Other tasks may ask for them: how shots are divided is a matter of the clock.
    assert value(keeping(session, store), circuit, observable, **how) == pytest.approx(found)
    again = keeping(session, store)
    for args, options in calls:
        assert again.submit(*args, **options).done()
    assert (again.ran, again.reused) == (0, len(calls))
    other = keeping(session, store)
    assert value(other, circuit, observable, seed=2, **how) != pytest.approx(found)
    assert other.reused == 0


def test_a_device_counts_with_its_calibration(session, store, monkeypatch):
    pilots = [session.add_pilot(f"qpu://fake_{name}", name=name) for name in ("manila", "lima")]
    try:
        kept = keeping(session, store)
        keys = [kept._key(np.add, (1, 2), place) for place in ("manila", "lima", None)]
        assert len({*keys}) == 3
        assert None not in keys
        backend = kept.backend("manila")
        monkeypatch.setattr(kept, "backend", lambda on: backend)
        assert kept._key(np.add, (1, 2), "manila") == keys[0]
        name, (qubits, known) = "x", next(iter(backend.target["x"].items()))
        assert known.error > 0
        monkeypatch.setattr(known, "error", known.error * 2)
        assert kept._key(np.add, (1, 2), "manila") != keys[0], (name, qubits)
    finally:
        for pilot in pilots:
            pilot.stop()


def test_errors_are_the_runs(session, store):
    with pytest.raises(PlanError):
        CutEstimator(0, session=keeping(session, store))
