"""Control flow on simulators: deterministic programs, whose only outcome is worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import IfElseOp, Instruction, Parameter
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.run import run_pubs
from pilot_kernel.primitive.pub.check import sampler_pubs
from tests.primitive.in_process import simulated

_PILOTS = [SimpleNamespace(name="qpu", memory_per_worker_bytes=2**30)]


def _outcome(circuit, register="o", values=None):
    """The one outcome of a register."""
    pub = SamplerPub.coerce((circuit, values), 20)
    counts = simulated([pub])[0].data[register].get_int_counts()
    assert len(counts) == 1, counts
    return next(iter(counts))


def _outcome_on_device(circuit):
    """What is measured into `o` on an ideal QPU."""
    backend = backend_named("aer_simulator")
    pubs = for_device([SamplerPub.coerce(circuit, 20)], backend, _PILOTS, 1)
    counts = run_pubs(pubs, backend)[0].data.o.get_int_counts()
    assert len(counts) == 1, counts
    return next(iter(counts))


def _start(bits):
    """Bits measured into `c`, one more qubit to act on, `o` to read it."""
    c, o = ClassicalRegister(len(bits), "c"), ClassicalRegister(1, "o")
    circuit = QuantumCircuit(QuantumRegister(len(bits) + 1, "q"), c, o)
    for place, bit in enumerate(bits):
        if bit:
            circuit.x(place)
        circuit.measure(place, c[place])
    return circuit, c, o


_TESTS = {
    "tuple": lambda c: (c, 5),
    "bit": lambda c: (c[1], 1),
    "equal": lambda c: expr.equal(c, 5),
    "not_equal": lambda c: expr.not_equal(c, 6),
    "less": lambda c: expr.less(c, 4),
    "greater_equal": lambda c: expr.greater_equal(c, 3),
    "bit_not": lambda c: expr.equal(expr.bit_not(c), 2),
    "bit_and": lambda c: expr.equal(expr.bit_and(c, 3), 1),
    "bit_xor": lambda c: expr.less_equal(expr.bit_xor(c, 6), 3),
    "number": lambda c: expr.cast(c, types.Bool()),
    "no number": lambda c: expr.logic_not(c),
    "numbers": lambda c: expr.logic_and(expr.bit_and(c, 3), expr.bit_and(c, 6)),
    "shortened": lambda c: expr.equal(expr.cast(c, types.Uint(2)), 1),
    "widened": lambda c: expr.equal(expr.bit_not(expr.cast(c, types.Uint(4))), 12),
    "logic": lambda c: expr.logic_or(expr.logic_not(c[0]), expr.logic_and(c[1], c[2])),
}
_TRUTHS = {
    "tuple": lambda n: n == 5,
    "bit": lambda n: n >> 1 & 1,
    "equal": lambda n: n == 5,
    "not_equal": lambda n: n != 6,
    "less": lambda n: n < 4,
    "greater_equal": lambda n: n >= 3,
    "bit_not": lambda n: ~n & 7 == 2,
    "bit_and": lambda n: n & 3 == 1,
    "bit_xor": lambda n: n ^ 6 <= 3,
    "number": lambda n: n != 0,
    "no number": lambda n: n == 0,
    "numbers": lambda n: n & 3 and n & 6,
    "shortened": lambda n: n % 4 == 1,
    "widened": lambda n: ~n & 15 == 12,
    "logic": lambda n: not n & 1 or (n >> 1 & 1 and n >> 2 & 1),
}


@pytest.mark.parametrize("name", _TESTS)
def test_conditions_hold_when_they_should(name):
    for number in range(8):
        circuit, c, o = _start([number >> place & 1 for place in range(3)])
        with circuit.if_test(_TESTS[name](c)):
            circuit.x(3)
        circuit.measure(3, o)
        assert _outcome(circuit) == bool(_TRUTHS[name](number)), number
        assert _outcome_on_device(circuit) == bool(_TRUTHS[name](number)), number


@pytest.mark.parametrize(("acted_on", "measured"), [(0, 1), (1, 0), (2, 0), (0, 2)])
def test_conditions_may_be_on_qubits_that_nobody_measures(acted_on, measured):
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "o"))
    circuit.h(range(3))
    with circuit.if_test((circuit.clbits[0], False)):
        circuit.x(acted_on)
    circuit.h(measured)
    circuit.x(measured)
    circuit.measure(measured, 1)
    assert _outcome(circuit) == 2


def test_a_loop_on_a_device_ends_when_its_number_is_zero():
    circuit, c, o = _start([1, 1])
    with circuit.while_loop(expr.cast(c, types.Bool())):
        circuit.x(2)
        circuit.reset([0, 1])
        circuit.measure([0, 1], c)
    circuit.measure(2, o)
    assert _outcome_on_device(circuit) == _outcome(circuit) == 1


@pytest.mark.parametrize("number", range(4))
def test_a_switch_takes_its_case(number):
    circuit, c, o = _start([number & 1, number >> 1])
    with circuit.switch(c) as case:
        with case(0, 2):
            circuit.x(2)
        with case(3), circuit.switch(c[0]) as inner, inner(True):
            circuit.x(2)
        with case(case.DEFAULT):
            circuit.id(2)
    circuit.measure(2, o)
    assert _outcome(circuit) == (number in (0, 2, 3))


def test_loops_run_as_often_as_they_say():
    angle, step = Parameter("angle"), Parameter("step")
    circuit, c, o = _start([0, 0])
    with circuit.for_loop(range(1, 4), step):  # 1 + 2 + 3 = 6 halves of a turn, times the angle
        circuit.rx(np.pi / 6 * step * angle, 2)
    circuit.measure(2, o)
    assert _outcome(circuit, values=[1.0]) == 1
    assert _outcome(circuit, values=[2.0]) == 0
    circuit, c, o = _start([0, 0])
    with circuit.for_loop(range(5), step):
        circuit.x(0)
        circuit.measure(0, c[0])
        with circuit.if_test((c[0], 0)):
            circuit.break_loop()
        circuit.ry(np.pi * (step + 1), 2)
    circuit.measure(2, o)
    assert _outcome(circuit) == 1
    circuit, c, o = _start([1, 0])
    with circuit.while_loop((c[0], 1)):
        circuit.x([0, 2])
        circuit.measure(0, c[0])
    circuit.measure(2, o)
    assert _outcome(circuit) == 1


def test_bodies_hold_own_gates_boxes_and_evolutions():
    flip = QuantumCircuit(1, name="id")
    flip.x(0)
    evolution = PauliEvolutionGate(SparsePauliOp(["X"]), time=Parameter("time"))
    circuit, c, o = _start([1, 0])
    with circuit.if_test((c[0], 1)):
        circuit.append(flip.to_gate(), [2])
        with circuit.box():
            circuit.append(flip.to_gate().control(1), [2, 1])
        circuit.append(evolution, [2])
    circuit.cx(1, 2)
    circuit.measure(2, o)
    assert _outcome(circuit, values=[np.pi / 2]) == 1
    assert _outcome(circuit, values=[0.0]) == 0


def test_conditions_within_instructions_are_on_the_outer_bits():
    inner = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "inner"))
    inner.measure([0, 1], [0, 1])
    with inner.if_test((inner.cregs[0], 1)), inner.if_test((inner.clbits[1], 0)):
        inner.x(1)
    c = ClassicalRegister(3, "c")
    circuit = QuantumCircuit(QuantumRegister(3), c)
    circuit.x(2)
    instruction = Instruction("inner", 2, 2, [])
    instruction.definition = inner
    circuit.append(instruction, [2, 0], [2, 0])
    circuit.measure(0, 1)
    assert _outcome(circuit, "c") == 0b110


def test_bodies_made_by_hand_have_bits_of_their_own():
    deeper = QuantumCircuit(1, 1)
    deeper.x(0)
    body = QuantumCircuit(2, 1)
    body.append(IfElseOp((body.clbits[0], 1), deeper), [1], [0])
    circuit = QuantumCircuit(3, 3)
    circuit.x(1)
    circuit.measure(1, 2)
    circuit.append(IfElseOp((circuit.clbits[2], 1), body), [1, 0], [2])
    circuit.measure(0, 0)
    assert _outcome(circuit, "c") == 0b101


def test_a_measurement_within_an_instruction_counts():
    block = QuantumCircuit(1, 1, name="barrier")
    block.x(0)
    block.measure(0, 0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(block.to_instruction(), [0], [0])
    assert _outcome(circuit, "c") == 1
    assert sampler_pubs([circuit], 5)
    pretender = QuantumCircuit(1, name="measure")
    pretender.x(0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(pretender.to_gate(), [0])
    with pytest.raises(PubError, match="measures nothing"):
        sampler_pubs([circuit], 5)


def _with_a_variable():
    circuit = QuantumCircuit(1, 1)
    variable = circuit.add_var("a", expr.lift(True))
    circuit.measure(0, 0)
    circuit.store(variable, circuit.clbits[0])
    return circuit


def _with_a_shift():
    circuit = QuantumCircuit(1, 3)
    circuit.measure(0, 0)
    with circuit.if_test(expr.equal(expr.shift_left(circuit.cregs[0], 1), 2)):
        circuit.x(0)
    return circuit


def _with_many_bits():
    circuit = QuantumCircuit(1, 33)
    circuit.x(0)
    circuit.measure(0, 32)
    with circuit.if_test(expr.equal(circuit.cregs[0], 2**32)):
        circuit.x(0)
    circuit.measure(0, 0)
    return circuit


def _with_a_stored_bit():
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    with circuit.if_test((0, True)):
        circuit.store(circuit.clbits[1], expr.logic_not(circuit.clbits[0]))
    return circuit


@pytest.mark.parametrize(
    ("circuit", "complaint"),
    [
        (_with_a_variable(), "classical variable 'a'"),
        (_with_a_shift(), "SHIFT_LEFT"),
        (_with_many_bits(), "33 bits"),
        (_with_a_stored_bit(), "stores into"),
    ],
)
def test_what_aer_cannot_evaluate_is_refused(circuit, complaint):
    pub = SamplerPub.coerce(circuit, 5)
    with pytest.raises(PubError, match=complaint):
        simulated([pub])
    with pytest.raises(PubError, match=complaint):  # Aer would end the process
        for_device([pub], backend_named("aer_simulator"), _PILOTS, 1)


def test_a_switch_over_an_expression_is_for_simulators_only():
    circuit, c, o = _start([0, 1])
    with circuit.switch(expr.bit_and(c, 2)) as case, case(2):
        circuit.x(2)
    circuit.measure(2, o)
    assert _outcome(circuit) == 1
    with pytest.raises(PubError, match="switch over an expression"):
        for_device([SamplerPub.coerce(circuit, 5)], backend_named("aer_simulator"), _PILOTS, 1)
