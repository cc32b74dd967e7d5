"""Advice for several sets of parameter values: it must hold for all of them."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator

from qdreamer_lab import CutEstimator, MachineProfile, QDreamer
from qdreamer_lab.dreamer.advice.remaining_work import rest
from qdreamer_lab.errors import MethodError, PubError
from tests.circuits.plain import ising
from tests.dreamer.advice.test_adviser import prediction, standing


def with_an_angle(num_qubits, layers=1):
    """Quantum dynamics with one angle: at 0, nothing entangles and every gate is Clifford."""
    angle = 2 * Parameter("t")
    return ising(num_qubits, layers, angle, angle)


@pytest.fixture
def dreamer():
    return QDreamer(profile=MachineProfile.nominal())


def dense(circuit, observables, values):
    return StatevectorEstimator().run([(circuit, observables, values)]).result()[0].data.evs


@pytest.mark.parametrize("angles", [[0.0, 0.5, 1.0], [0.3, 0.0, 0.0, 0.0], [0.0, 0.0, 0.7]])
def test_a_way_that_one_set_rules_out_is_not_recommended(dreamer, angles):
    circuit, values = with_an_angle(8), np.array(angles)[:, None]
    found = dreamer.recommend(circuit, "ZZIIIIII", values)
    assert "stabilizer" not in {one.configuration.method for one in found.predictions}
    refused = [one for one in found.refused if one.configuration.method == "stabilizer"]
    number = int(np.argmax(np.array(angles) > 0))
    assert f"set {number} of parameter values" in refused[0].reason
    with pytest.raises(MethodError, match=f"set {number}"):
        dreamer.predict(circuit, "ZZIIIIII", values, method="stabilizer")
    result = found.run()
    assert result.data.evs == pytest.approx(dense(circuit, "ZZIIIIII", values), abs=1e-9)


def test_what_all_sets_allow_can_be_recommended(dreamer):
    circuit, values = with_an_angle(8), np.array([0, np.pi / 4, np.pi / 2])[:, None]
    found = dreamer.recommend(circuit, "ZZIIIIII", values, methods=["stabilizer"])
    assert found.best.tasks == 3
    result = found.run()
    assert result.metadata["method"] == "stabilizer"
    assert result.data.evs == pytest.approx(dense(circuit, "ZZIIIIII", values), abs=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"max_qubits": 4},
        {"max_qubits": 4, "mode": "sampled", "shots": 3000},
        {"method": "matrix_product_state"},
    ],
)
def test_all_sets_are_priced_and_not_just_one(dreamer, options):
    circuit, values = with_an_angle(6, 2), np.linspace(0.2, 1, 5)[:, None]
    found = dreamer.predict(circuit, "ZZZZZZ", values, **options)
    alone = dreamer.predict(circuit.assign_parameters([1.0]), "ZZZZZZ", **options)
    assert (found.sets, alone.sets) == (5, 1)
    width = options.get("max_qubits", 6)
    others = {name: value for name, value in options.items() if name != "max_qubits"}
    estimator = CutEstimator(width, seed=0, **others)
    told = estimator.run([(circuit, "ZZZZZZ", values)]).result()[0].metadata
    assert found.variants == told["variants"] == 5 * alone.variants
    assert found.shots == told["shots"] == 5 * alone.shots
    if "method" in options:  # else a task takes several sets
        assert found.tasks == len(told["fragments"]) == 5 * alone.tasks
    execute = found.phase("execute").seconds / alone.phase("execute").seconds
    assert 3 < execute < 7


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
def test_long_sweeps_cost_in_proportion(dreamer, method):
    circuit = with_an_angle(6, 2)
    few, many = (
        dreamer.predict(circuit, "ZZZZZZ", np.linspace(0.2, 1, sets)[:, None], method=method)
        for sets in (20, 2000)
    )
    assert many.variants == 100 * few.variants
    ratio = many.phase("execute").seconds / few.phase("execute").seconds
    assert ratio == pytest.approx(100, rel=0.25)


def test_observables_and_values_are_paired_as_in_a_pub(dreamer):
    circuit, values = with_an_angle(5), np.array([0.0, 0.4, 0.9])[:, None]
    for observables in (["ZZIII", "XIIIX", "IIYYI"], [["ZZIII"], ["XIIIX"]], "ZZZZZ"):
        found = dreamer.recommend(circuit, observables, values)
        expected = dense(circuit, observables, values)
        assert found.best.num_observables == np.size(expected)
        assert found.run().data.evs == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (None, "parameter_values="),
        ({"x": [0.1, 0.2]}, "x"),
        ([[np.nan]], "finite"),
        (np.zeros((0, 1)), "nothing to estimate"),
    ],
)
def test_values_that_do_not_fit_are_refused(dreamer, values, told):
    with pytest.raises(PubError, match=told):
        dreamer.recommend(with_an_angle(3), "ZZZ", values)


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_a_plan_made_where_gates_vanish_is_not_kept(mode):
    circuit, shots = with_an_angle(8, 2), 100 if mode == "sampled" else None
    angles = [0.0, 0.4, 0.9]
    options = {"mode": mode, "shots": shots, "seed": 0}
    alone = [
        CutEstimator(5, **options).run([(circuit, "Z" * 8, [[a]])]).result()[0] for a in angles
    ]
    expected = sum(one.metadata["variants"] for one in alone)
    estimator = CutEstimator(5, **options)
    sweep = estimator.run([(circuit, "Z" * 8, np.array(angles)[:, None])]).result()[0]
    assert sweep.metadata["variants"] <= expected
    estimator = CutEstimator(5, **options)  # an optimizer that begins at 0
    steps = [estimator.run([(circuit, "Z" * 8, [[a]])]).result()[0] for a in angles]
    assert sum(one.metadata["variants"] for one in steps) <= expected
    if mode == "exact":
        truth = dense(circuit, "Z" * 8, np.array(angles)[:, None])
        assert sweep.data.evs == pytest.approx(truth, abs=1e-9)


def test_what_is_left_is_the_same_for_a_prediction_of_all_sets():
    now = standing(queued=((10, 5.0),), flying=((1.0, 0.5),), bindings=4)
    one = rest(now, prediction(10.0, contract_s=1.0), 1.0)
    every = rest(now, replace(prediction(40.0, contract_s=4.0), sets=4), 1.0)
    assert every.seconds == pytest.approx(one.seconds)
    assert every.slower == pytest.approx(one.slower)


def test_tensors_of_several_sets_are_held_at_once_and_counted(dreamer):
    circuit, values = with_an_angle(8, 11), np.linspace(0.2, 0.9, 6)[:, None]
    CutEstimator(4).run([(circuit, "ZZIIIIII", values[:1])]).result()  # with kernels loaded
    tracemalloc.start()
    try:
        plan = CutEstimator(4).run([(circuit, "ZZIIIIIZ", values)]).result()[0].metadata["plan"]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert plan.num_cuts > 7
    told = dreamer.predict(circuit, "ZZIIIIIZ", values, max_qubits=4).memory_bytes
    alone = dreamer.predict(circuit, "ZZIIIIIZ", values[:1], max_qubits=4).memory_bytes
    assert alone < peak <= 1.1 * told
