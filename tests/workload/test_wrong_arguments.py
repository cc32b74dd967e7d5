"""Wrong arguments and numbers that are none: one error that names them, before anything runs."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Parameter

from qdreamer_lab import CutEstimator, CutSampler, QDreamer, plan_cuts
from qdreamer_lab.errors import MemoryLimitError, ObservableError, PubError, QDreamerError

FREE = QuantumCircuit(2)
FREE.ry(2 * Parameter("a"), 0)
FREE.cx(0, 1)
BOUND = FREE.assign_parameters([0.3])


@pytest.mark.parametrize("primitive", [CutEstimator, CutSampler])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"memory_limit_bytes": "1GB"}, "memory_limit_bytes='1GB': a number above zero"),
        ({"memory_limit_bytes": -5}, "memory_limit_bytes=-5"),
        ({"memory_limit_bytes": float("nan")}, "memory_limit_bytes=nan"),
        ({"memory_limit_bytes": True}, "memory_limit_bytes=True"),
        ({"plan": "x"}, "plan= takes a plan, as plan_cuts .* got str 'x'"),
        ({"backend": "x"}, "backend= takes a Qiskit backend, got str 'x'"),
        ({"on": "qpu"}, "on='qpu' names workers or a pilot of a session, and there is none"),
        ({"on": ["gpu", "manila"]}, "on='manila' names workers or a pilot of a session"),
        ({"on": 3}, "on=3 names workers or a pilot of a session"),
    ],
)
def test_arguments_of_both_primitives(primitive, given, said):
    with pytest.raises(QDreamerError, match=said):
        primitive(2, **given)


@pytest.mark.parametrize("value", ["abc", None, np.nan, np.inf, 0, True, np.array([0.1, 0.2])])
def test_default_precisions(value):
    with pytest.raises(QDreamerError, match=r"default_precision=.*: a number above zero"):
        CutEstimator(2, default_precision=value)


@pytest.mark.parametrize(
    ("pub", "said"),
    [
        ((BOUND, "ZZ", None, np.nan), "precision=nan: a finite number"),
        ((BOUND, "ZZ", None, np.inf), "precision=inf: a finite number"),
        ((BOUND, {"ZZ": np.nan}), "coefficient that is no finite number"),
        ((BOUND, [{"ZZ": 1.0}, {"XX": np.inf}]), "coefficient that is no finite number"),
        ((BOUND, "1e400*Z0"), "column 1: the number is too large"),
        ((BOUND, {"ZZ": 1j}), "coefficients must be real and finite"),
        ((BOUND, "0*Z0"), "an observable is zero"),
        ((BOUND, {"ZZ": 0.0}), "an observable is zero"),
        ((FREE, "ZZ", 1e308), "an angle that is no finite number"),
        ((FREE, "ZZ", 10**400), "parameter values are numbers"),
    ],
)
def test_pubs(pub, said):
    with pytest.raises(PubError, match=f"PUB 0: .*{said}"):
        CutEstimator(1).run([pub])


@pytest.mark.parametrize("value", [1e308, 10**400])
def test_values_of_sampler_pubs(value):
    measured = FREE.copy()
    measured.measure_all()
    with pytest.raises(PubError, match=r"PUB 0: .*(finite|numbers)"):
        CutSampler(1).run([(measured, value)])


@pytest.mark.parametrize("name", ["shape", "items", "keys"])
def test_registers_that_no_result_could_hold(name):
    circuit = QuantumCircuit(2)
    circuit.add_register(ClassicalRegister(1, name))
    circuit.measure(0, 0)
    with pytest.raises(PubError, match=f"PUB 0 has a classical register '{name}'"):
        CutSampler(1).run([circuit])


@pytest.mark.parametrize(
    ("observables", "said"),
    [({"ZZ": np.nan}, "no finite number"), ("0*Z0", "zero"), ("1e400*Z0", "too large")],
)
def test_observables_of_plans(observables, said):
    with pytest.raises(ObservableError, match=said):
        plan_cuts(BOUND, 1, observables=observables)


def test_what_is_predicted():
    for value in (np.inf, "x", True):
        with pytest.raises(QDreamerError, match=r"precision=.*: a number above zero"):
            QDreamer().predict(BOUND, "ZZ", precision=value)
    with pytest.raises(QDreamerError, match="plan= takes a plan"):
        QDreamer().predict(BOUND, "ZZ", plan="x")
    with pytest.raises(QDreamerError, match="limits= takes Limits"):
        QDreamer().recommend(BOUND, "ZZ", limits=5)
    for ask in (QDreamer().predict, QDreamer().recommend):
        with pytest.raises(QDreamerError, match="on='qpu' names workers or a pilot of a session"):
            ask(BOUND, "ZZ", on="qpu")
    with pytest.raises(PubError, match="an angle that is no finite number"):
        QDreamer().predict(FREE, "ZZ", parameter_values=1e308)


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_draws(mode):
    measured = BOUND.copy()
    measured.measure_all()
    found = CutSampler(1, mode=mode, seed=1).run([measured], shots=100).result()[0].distribution
    for shots in (0, -1, 1.5, True, "3"):
        with pytest.raises(QDreamerError, match=r"shots=.*: a whole number of at least 1"):
            found.draw(shots, 1)
    for seed in (-1, "a", 1.5):
        with pytest.raises(QDreamerError, match=r"seed=.*: whole numbers of at least 0"):
            found.draw(3, seed)
    assert found.draw(np.int64(3), (1, 2)).shape == (3, 2)


def test_what_is_one_qubit_wide_already_is_not_to_be_narrower():
    measured = BOUND.copy()
    measured.measure_all()
    with pytest.raises(MemoryLimitError, match="may be used: plan with fewer cuts, or raise"):
        CutSampler(1, memory_limit_bytes=8).run([measured]).result()
