"""What devices return: used as it is meant, whatever its form, or refused; never filled in."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit.result.models import ExperimentResultData
from qiskit_aer import AerSimulator

from pilot_kernel.errors import ReadoutError
from pilot_kernel.primitive.device.run import run_pubs
from tests.primitive.vendor_devices import FORMATS, Terse, Vendor, counts_as

COUNTS = FORMATS["hexadecimal"]


def _uneven():
    """Three registers, the values 5 of 9 bits, 1 of one bit, 6 of three; nothing is random."""
    sizes = ((9, "nine"), (1, "one"), (3, "c"))
    registers = [ClassicalRegister(size, name) for size, name in sizes]
    circuit = QuantumCircuit(QuantumRegister(13), *registers)
    circuit.x([0, 2, 9, 11, 12])
    circuit.measure(range(13), range(13))
    return circuit


@pytest.mark.parametrize("data", FORMATS.values(), ids=FORMATS)
def test_every_form_of_outcome_is_understood(data):
    (result,) = run_pubs([SamplerPub.coerce((_uneven(),), 20)], Vendor(data))
    found = {name: array.get_int_counts() for name, array in result.data.items()}
    assert found == {"nine": {5: 20}, "one": {1: 20}, "c": {6: 20}}


def _sweep():
    theta = Parameter("theta")
    circuit = QuantumCircuit(2)
    circuit.ry(theta, 0)
    circuit.cx(0, 1)
    circuit.rx(0.4, 1)
    return circuit, np.linspace(0.2, 2.8, 5)


@pytest.mark.parametrize("data", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("most", [None, 2])
def test_values_are_those_of_dense_simulation(data, most):
    circuit, angles = _sweep()
    states = [Statevector(circuit.assign_parameters([angle])) for angle in angles]
    circuit.add_register(ClassicalRegister(3, "before"))  # bits besides those of the measurement
    observables = [
        SparsePauliOp("ZZ"),
        SparsePauliOp.from_list([("II", 2), ("ZI", -0.5), ("XX", 0.7), ("YY", 0.2)]),
    ]
    pub = EstimatorPub.coerce((circuit, [[o] for o in observables], angles), 0.02)
    device = Vendor(data, max_circuits=most)
    (result,) = run_pubs([pub], device, seed=3)
    truth = [[state.expectation_value(o).real for state in states] for o in observables]
    assert result.data.evs.shape == (2, 5)
    assert (result.data.stds > 0).all()
    assert (np.abs(result.data.evs - truth) < 5 * result.data.stds).all()
    assert max(device.jobs) <= (most or 15)


def test_standard_errors_are_those_that_repetition_shows():
    circuit, angles = _sweep()
    observable = SparsePauliOp.from_list([("ZZ", 1), ("ZI", 1), ("IZ", -1), ("XI", 0.5)])
    pub = EstimatorPub.coerce((circuit, observable, np.full(80, angles[1])), 0.1)
    (result,) = run_pubs([pub], AerSimulator(), seed=1)
    assert np.sqrt(np.mean(result.data.stds**2)) == pytest.approx(result.data.evs.std(), rel=0.3)


def test_a_precision_that_is_not_met_is_said():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    pubs = [EstimatorPub.coerce((circuit, SparsePauliOp("Z", k)), 0.05) for k in (1, 190)]
    met, missed = run_pubs(pubs, AerSimulator(), seed=1)
    assert "precision_met" not in met.metadata
    assert missed.metadata["precision_met"] is False
    assert missed.data.stds == pytest.approx(9.5, rel=0.05)


def test_registers_may_share_bits_and_lie_anywhere():
    bits = [Clbit() for _ in range(4)]
    crossed = ClassicalRegister(bits=[bits[3], bits[0], bits[2]], name="crossed")
    part = ClassicalRegister(bits=bits[2:], name="part")
    circuit = QuantumCircuit(QuantumRegister(4), bits, crossed, part)
    circuit.x([0, 3])
    circuit.measure(range(4), range(4))
    (result,) = run_pubs([SamplerPub.coerce((circuit,), 10)], Vendor(COUNTS))
    assert result.data.crossed.get_int_counts() == {3: 10}
    assert result.data.part.get_int_counts() == {2: 10}


def test_registers_of_a_shot_stay_together_and_part_of_the_shots_is_fair():
    registers = [ClassicalRegister(1, "a"), ClassicalRegister(1, "b")]
    circuit = QuantumCircuit(QuantumRegister(2), *registers)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    (result,) = run_pubs([SamplerPub.coerce((circuit,), 2000)], Vendor(COUNTS), seed=2)
    first, second = result.data.a.array.ravel(), result.data.b.array.ravel()
    np.testing.assert_array_equal(first, second)
    assert 0.3 < first[:200].mean() < 0.7  # counts come sorted


def test_a_device_that_takes_shots_only():
    (result,) = run_pubs([SamplerPub.coerce((_uneven(),), 5)], Terse(COUNTS), seed=1)
    assert result.data.c.get_int_counts() == {6: 5}


def test_fewer_shots_than_asked_for_are_counted_as_they_came():
    def fewer(circuit, counts, memory):
        return ExperimentResultData(memory=memory[:30])

    circuit, _ = _sweep()
    circuit = circuit.assign_parameters([np.pi / 2])
    measured = circuit.measure_all(inplace=False)
    (sampled,) = run_pubs([SamplerPub.coerce((measured,), 50)], Vendor(fewer))
    assert (sampled.data.meas.num_shots, sampled.metadata["shots"]) == (30, 30)

    def half(circuit, counts, memory):
        return ExperimentResultData(counts={"0x0": 15, "0x1": 15})

    (estimated,) = run_pubs([EstimatorPub.coerce((circuit, "IX"), 0.1)], Vendor(half))
    assert estimated.metadata["shots"] == 30
    assert estimated.data.stds == pytest.approx(1 / np.sqrt(30))


def test_a_sweep_whose_points_have_different_numbers_of_shots_is_refused():
    numbers = iter([10, 9])

    def uneven(circuit, counts, memory):
        return ExperimentResultData(memory=memory[: next(numbers)])

    circuit, angles = _sweep()
    pub = SamplerPub.coerce((circuit.measure_all(inplace=False), angles[:2]), 10)
    with pytest.raises(ReadoutError, match="10 shots were asked for at each point, and between 9"):
        run_pubs([pub], Vendor(uneven))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (lambda *_: ExperimentResultData(), "neither counts nor shots"),
        (lambda *_: ExperimentResultData(counts={}), "neither counts nor shots"),
        (lambda *_: ExperimentResultData(memory=[]), "neither counts nor shots"),
        (lambda *_: ExperimentResultData(counts={"0x0": 0}), "no shot at all"),
        (lambda *_: ExperimentResultData(counts={"0x0": 0.25}), "a count is 0.25"),
        (lambda *_: ExperimentResultData(counts={"0x0": float("nan")}), "a count is nan"),
        (lambda *_: ExperimentResultData(counts={"0x0": -1}), "a count is -1"),
        (lambda *_: ExperimentResultData(counts={"0x4": 5}), "'0x4' has more bits than the circ"),
        (lambda *_: ExperimentResultData(counts={"001": 5}), "'001' does not have the circuit's 2"),
        (
            lambda *_: ExperimentResultData(counts={"1": 5}),
            "'1' does not have the circuit's 2",
        ),
        (lambda *_: ExperimentResultData(counts={"0 1": 5}), "'0 1' does not have"),
        (lambda *_: ExperimentResultData(counts={"02": 5}), "'02' is neither"),
        (lambda *_: ExperimentResultData(counts={None: 5}), "None does not have"),
        (
            lambda *_: ExperimentResultData(counts={"0x0": 5}, memory=["0x0"]),
            "memory has 1 shots and its counts 5",
        ),
    ],
)
def test_what_is_no_result_of_the_circuit_is_refused(data, complaint):
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.measure_all()
    with pytest.raises(ReadoutError, match=f"device vendor: the result of circuit 0.*{complaint}"):
        run_pubs([SamplerPub.coerce((circuit,), 5)], Vendor(data))


def test_results_that_are_missing_or_failed_are_refused():
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    pub = SamplerPub.coerce((circuit,), 5)
    with pytest.raises(ReadoutError, match="a job of 2 circuits brought 1 results"):
        run_pubs([pub, pub], Vendor(COUNTS, keep=1))
    with pytest.raises(ReadoutError, match="it failed: out of order"):
        run_pubs([pub], Vendor(COUNTS, success=False))


def test_an_empty_sweep_needs_no_job():
    circuit, _ = _sweep()
    nothing = np.zeros((0, 1))
    device = Vendor(counts_as(lambda _, text: text))
    (sampled,) = run_pubs(
        [SamplerPub.coerce((circuit.measure_all(inplace=False), nothing), 5)], device
    )
    (estimated,) = run_pubs([EstimatorPub.coerce((circuit, "ZZ", nothing), 0.1)], device)
    assert sampled.data.meas.shape == estimated.data.evs.shape == (0,)
    assert device.jobs == []
