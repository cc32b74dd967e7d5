"""Predictions against the runs that they are about: what they count must be what happens."""

import dataclasses
import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qdreamer_lab import CutEstimator, MachineProfile, QDreamer, plan_cuts
from qdreamer_lab.dreamer.exact.cost import exact_counts
from qdreamer_lab.dreamer.exact.shape import fragment_shape
from qdreamer_lab.dreamer.fragment.probes import probe_program
from qdreamer_lab.dreamer.model.coefficients import PHASES, PLACE
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.errors import PrecisionError, PubError, QDreamerError
from qdreamer_lab.workload.exact.lower import FragmentJob
from qdreamer_lab.workload.fragment import simulate
from qdreamer_lab.workload.fragment.footprint import batch_bytes, split_cuts
from qdreamer_lab.workload.fragment.simulate import final_states, run_fragment
from tests.circuits.plain import ghz, layered, neighbours, ring, tilted_ghz


@pytest.fixture
def dreamer():
    return QDreamer(profile=MachineProfile.nominal())


@pytest.mark.parametrize("mode", ["exact", "sampled"])
@pytest.mark.parametrize("width", [4, 6, 12])
@pytest.mark.parametrize("make", [layered, ghz, ring])
def test_plan_tasks_and_variants_are_those_of_the_run(dreamer, make, width, mode):
    circuit, observables = make(12), neighbours(12)
    if make is layered and width == 4:
        width = 5
    found = dreamer.predict(circuit, observables, max_qubits=width, mode=mode, precision=0.1)
    estimator = CutEstimator(width, mode=mode, seed=1)
    told = estimator.run([(circuit, observables)], precision=0.1).result()[0].metadata
    assert np.array_equal(found.plan.labels, told["plan"].labels)
    assert found.variants == told["variants"]
    if mode == "exact":
        assert found.tasks == len(told["fragments"])
        assert found.shots == found.standard_error == 0
    assert {one.name for one in found.phases} <= set(PHASES)
    assert found.makespan_s == pytest.approx(sum(one.seconds for one in found.phases))
    assert found.interval[0] < found.makespan_s < found.interval[1]
    assert found.memory_bytes > 0


@pytest.mark.parametrize(("make", "width"), [(layered, 5), (ghz, 5), (ring, 5), (ring, 10)])
def test_standard_error_is_the_one_observed(dreamer, make, width):
    circuit, observables = make(10), neighbours(10)
    shots = 60_000
    found = dreamer.predict(circuit, observables, max_qubits=width, mode="sampled", shots=shots)
    assert found.shots == shots
    told = [
        CutEstimator(width, mode="sampled", shots=shots, seed=seed)
        .run([(circuit, observables)])
        .result()[0]
        .data.stds
        for seed in range(6)
    ]
    # Shots of a GHZ state, whose cut is settled, do not vary; one more than was seen may.
    assert found.standard_error == pytest.approx(np.median(told), rel=0.15)


def test_more_shots_take_longer_and_err_less(dreamer):
    circuit, observables = layered(8), neighbours(8)
    found = [
        dreamer.predict(circuit, observables, max_qubits=4, mode="sampled", shots=shots)
        for shots in (20_000, 80_000, 320_000)
    ]
    times = [one.phase("execute").seconds for one in found]
    assert times == sorted(times)
    errors = [one.standard_error for one in found]
    assert errors == sorted(errors, reverse=True)


def test_uncut_work_and_memory_grow_with_the_circuit(dreamer):
    found = [dreamer.predict(tilted_ghz(n), neighbours(n)) for n in (8, 12, 16, 20)]
    for key in (lambda one: one.phase("execute").seconds, lambda one: one.memory_bytes):
        values = [key(one) for one in found]
        assert values == sorted(values)
        assert values[0] < values[-1]
    assert not any(one.cut for one in found)
    assert found[-1].memory_bytes >= 16 << 20


def test_a_plan_is_taken_as_it_is(dreamer):
    circuit, observables = layered(10), neighbours(10)
    plan = plan_cuts(circuit, 5, kinds=("gate",))
    found = dreamer.predict(circuit, observables, plan=plan)
    assert found.plan.num_cuts == plan.num_cuts
    assert found.configuration.max_qubits == 5
    with pytest.raises(QDreamerError, match="not both"):
        dreamer.predict(circuit, observables, plan=plan, max_qubits=4)


def test_slower_coefficients_predict_longer_times(dreamer):
    fast = MachineProfile.nominal()
    slow = dataclasses.replace(
        fast, belief=dataclasses.replace(fast.belief, values=3 * fast.belief.values)
    )
    circuit, observables = tilted_ghz(14), neighbours(14)
    one = dreamer.predict(circuit, observables, max_qubits=14)
    two = QDreamer(profile=slow).predict(circuit, observables, max_qubits=14)
    ratio = two.phase("execute").seconds / one.phase("execute").seconds
    assert ratio == pytest.approx(3)


def test_bad_input_gets_one_clear_error(dreamer):
    circuit, observables = layered(6), neighbours(6)
    open_circuit = QuantumCircuit(2)
    open_circuit.rx(Parameter("angle"), 0)
    with pytest.raises(PubError, match="angle"):
        dreamer.predict(open_circuit, "ZZ")
    with pytest.raises(QDreamerError, match="mode"):
        dreamer.predict(circuit, observables, mode="guess")
    with pytest.raises(QDreamerError, match="workers"):
        dreamer.predict(circuit, observables, workers=0)
    with pytest.raises(QDreamerError, match="precision"):
        dreamer.predict(circuit, observables, mode="sampled", precision=0)
    with pytest.raises(QDreamerError, match="shots"):
        dreamer.predict(circuit, observables, shots=100)
    with pytest.raises(PrecisionError, match="too few"):
        dreamer.predict(circuit, observables, mode="sampled", max_qubits=3, shots=2)
    with pytest.raises(QDreamerError, match="max_qubits"):
        dreamer.predict(circuit, observables, max_qubits=0)
    with pytest.raises(QDreamerError, match="6"):
        dreamer.predict(circuit, "ZZ")


def test_configurations_are_checked_and_told_in_words():
    assert Configuration(4, "exact", workers=2).describe(8) == (
        "in fragments of ≤ 4 qubits, exact, 2 workers"
    )
    assert "uncut" in Configuration(8, "sampled").describe(8)
    fewest = Configuration(8, "exact", cost="work").describe(8)
    assert "in fragments of ≤ 8 qubits (fewest operations)" in fewest
    for wrong in ({"mode": "x"}, {"kinds": ()}, {"cost": "x"}, {"method": "x"}, {"workers": True}):
        with pytest.raises(QDreamerError):
            Configuration(**{"max_qubits": 4, "mode": "exact", **wrong})


def test_a_large_fragment_gets_a_guess_that_says_so(dreamer, monkeypatch):
    monkeypatch.setattr("qdreamer_lab.dreamer.dreamer._ALLOWANCE_S", 0.0)
    found = dreamer.predict(
        layered(10), neighbours(10), max_qubits=5, mode="sampled", precision=0.1
    )
    assert any("overhead" in note for note in found.notes)
    assert math.isfinite(found.standard_error)
    assert found.standard_error <= 0.106


def test_texts_hold_the_numbers(dreamer):
    found = dreamer.predict(layered(10), neighbours(10), max_qubits=5)
    for text in (str(found), found._repr_html_()):
        assert "execute" in text
        assert "nominal" in text
    assert "fragments of ≤ 5" in repr(found)


def test_batches_made_in_parts_are_priced_as_often_as_they_are_made(monkeypatch):
    program = probe_program(6, ["dense", "branch", "dense", "branch", "branch", "dense"])
    operators = (((0, "Z"),),)
    limit = batch_bytes(program, operators, 16, {}, {}) // 3
    split = split_cuts(program, operators, limit, 16, {}, {})
    shape = fragment_shape(FragmentJob(program, operators), split=split)
    made = []

    def counted(*args, **kwargs):
        made.append(args)
        return final_states(*args, **kwargs)

    monkeypatch.setattr(simulate, "final_states", counted)
    run_fragment(program, operators, limit)
    assert shape.parts > 1
    steps = exact_counts(shape, 1)[PLACE["step"]]
    assert steps == len(made) * len(program.steps)


def test_a_gpu_of_this_process_is_priced_as_a_gpu(dreamer):
    """Without a session too."""

    def counted(on):
        found = dreamer.predict(
            layered(12), neighbours(12), max_qubits=6, mode="exact", method="statevector", on=on
        )
        counts = sum(account.counts for account in found.accounts)
        return any(counts[PLACE[name]] for name in PLACE if name.startswith("gpu_"))

    assert counted("gpu")
    assert not counted(None)
