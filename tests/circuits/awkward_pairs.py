"""Random circuits of what is easily misread, each beside a plain one that means the same.

Gates of one's own carry names of built-in instructions, controls are open and nested, angles are
parameters and expressions. The plain circuit has the insides written out, so that Qiskit's own
state vector of it is no matter of names.
"""

from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, InverseModifier, Parameter
from qiskit.circuit.library import (
    Initialize,
    PauliEvolutionGate,
    StatePreparation,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import SparsePauliOp, Statevector, random_clifford

from tests.circuits.drawn import random_unitary

NAMES = (
    *("swap", "x", "s", "id", "u", "measure", "diagonal", "multiplexer", "barrier", "reset"),
    *("initialize", "delay", "cx", "ccx", "unitary", "qpd_2q", "cut_wire", "if_else", "store_"),
)
STANDARD = [
    gate
    for gate in get_standard_gate_name_mapping().values()
    if isinstance(gate, Gate) and gate.num_qubits
]


@dataclass(frozen=True)
class Pair:
    """A circuit, what it means, and (points, parameters) values for both."""

    circuit: QuantumCircuit
    plain: QuantumCircuit
    values: np.ndarray

    def states(self):
        """The state at each point."""
        order = list(self.circuit.parameters)
        for point in self.values:
            values = dict(zip(order, point, strict=True))
            bound = self.plain.assign_parameters({p: values[p] for p in self.plain.parameters})
            yield Statevector(bound)


class _Builder:
    def __init__(self, seed, parametrised):
        self.rng = np.random.default_rng(seed)
        self.pool = [Parameter(name) for name in ("r", "X", "a[0]")] if parametrised else []

    def angle(self):
        rng = self.rng
        number = float(rng.uniform(-3, 3))
        if not self.pool or rng.random() < 0.4:
            return number
        first, second = rng.choice(len(self.pool), 2, replace=False)
        a, b = self.pool[first], self.pool[second]
        return (a, 2 * a + b / 3 - 1, a * b, a.sin(), -a)[rng.integers(5)]

    def standard(self):
        gate = STANDARD[self.rng.integers(len(STANDARD))]
        return gate.base_class(*(self.angle() for _ in gate.params)) if gate.params else gate

    def own(self, num_qubits, depth=2):
        """A gate with somebody else's name, and its insides."""
        rng = self.rng
        inside = QuantumCircuit(num_qubits, name=str(rng.choice(NAMES)))
        plain = QuantumCircuit(num_qubits, name="own")
        inside.global_phase = plain.global_phase = float(rng.uniform(0, 3))
        for _ in range(2):
            if depth and rng.random() < 0.4:
                gate, meant = self.own(int(rng.integers(1, num_qubits + 1)), depth - 1)
                places = rng.permutation(num_qubits)[: gate.num_qubits].tolist()
                inside.append(gate, places)
                plain.compose(meant, places, inplace=True)
            else:
                gate = self.standard()
                if gate.num_qubits <= num_qubits:
                    places = rng.permutation(num_qubits)[: gate.num_qubits].tolist()
                    inside.append(gate, places)
                    plain.append(gate, places)
        return inside.to_gate(), plain

    def anything(self):
        """An instruction, and a circuit of what it means."""
        rng = self.rng
        kind = int(rng.integers(8))
        if kind <= 1:
            return _alone(self.standard())
        if kind == 2:
            gate = self.standard()
            if gate.num_qubits == 1:
                first = int(rng.integers(4))
                annotated = bool(rng.integers(2))
                return _alone(gate.control(2, ctrl_state=first, annotated=annotated))
            return _alone(gate)
        if kind == 3:
            return self.own(int(rng.integers(1, 4)))
        if kind == 4:
            gate, plain = QuantumCircuit(1, name=str(rng.choice(NAMES))), QuantumCircuit(1)
            for each in (gate, plain):
                each.h(0)
                each.t(0)
            state = int(rng.integers(2))
            modifiers = [InverseModifier(), ControlModifier(1, state)]
            meant = plain.to_gate().inverse().control(1, ctrl_state=state, annotated=False)
            return AnnotatedOperation(gate.to_gate(), modifiers), _alone(meant)[1]
        if kind == 5:
            operator = SparsePauliOp(["XX", "ZI", "YY"], rng.uniform(-1, 1, 3))
            gate = PauliEvolutionGate(operator, time=self.angle())
            return gate, gate.definition
        if kind == 6:
            inside, plain = QuantumCircuit(2, 1, name=str(rng.choice(NAMES))), QuantumCircuit(2)
            matrix = random_unitary(rng)
            for each in (inside, plain):
                each.unitary(matrix, [0, 1])
            return inside.to_instruction(), plain
        return _alone(random_clifford(2, seed=rng).to_instruction())


def _alone(gate):
    plain = QuantumCircuit(gate.num_qubits)
    plain.append(gate, range(gate.num_qubits))
    return gate, plain


def awkward_pair(seed, num_qubits=5, num_gates=7):
    """The circuits of a seed."""
    rng = np.random.default_rng([seed, 1])
    build = _Builder(seed, parametrised=bool(rng.integers(2)))
    circuit = QuantumCircuit(num_qubits, 1)
    plain = QuantumCircuit(num_qubits)
    _begin(circuit, plain, rng)
    for _ in range(num_gates):
        gate, meant = build.anything()
        at = rng.permutation(num_qubits)[: gate.num_qubits].tolist()
        circuit.append(gate, at, [0] if gate.num_clbits else [])
        plain.compose(meant, at, inplace=True)
        if rng.random() < 0.2:
            circuit.barrier()
    points = int(rng.choice([1, 3])) if circuit.parameters else 1
    return Pair(circuit, plain, rng.uniform(-3, 3, (points, len(circuit.parameters))))


def _begin(circuit, plain, rng):
    """States at the start of the wires."""
    circuit.reset(0)
    state = rng.normal(size=4) + 1j * rng.normal(size=4)
    state /= np.linalg.norm(state)
    circuit.append(Initialize(state), [1, 2])
    plain.append(StatePreparation(state), [1, 2])
    for qubit in (0, 3):
        angles = rng.uniform(0, 3, 3)
        circuit.u(*angles, qubit)
        plain.u(*angles, qubit)
