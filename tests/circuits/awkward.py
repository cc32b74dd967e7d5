"""Circuits that are easy to get wrong, and what they do: computed densely, by definitions alone.

Every standard gate, nested and open controls, gates of one's own with names of built-in ones, one
inside the other, gates that only have a matrix, parameters and expressions of them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlledGate, ControlModifier, Gate, Parameter
from qiskit.circuit.library import (
    DiagonalGate,
    PauliEvolutionGate,
    PauliGate,
    PermutationGate,
    UCRYGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import SparsePauliOp, random_unitary

# Qiskit itself cannot hold a gate called "store".
NAMES = [
    *("swap", "x", "s", "id", "u", "measure", "unitary", "diagonal", "multiplexer", "barrier"),
    *("reset", "initialize", "delay", "cx", "cx_o0", "mcx", "rz", "pauli", "kraus", "jump", "mark"),
    *("if_else", "save_expval", "save_statevector", "ecr", "set_statevector", "roerror"),
    *("cu1", "permutation", "clifford", "PauliEvolution", "superop", "global_phase", "circuit-1"),
]
_NO_GATES = ("measure", "reset", "delay", "global_phase")
STANDARD = [g for name, g in get_standard_gate_name_mapping().items() if name not in _NO_GATES]


@dataclass(frozen=True)
class Awkward:
    """A circuit without measurements, and values for its parameters.

    `values` has the shape (points, parameters), in the order of `circuit.parameters`.
    """

    circuit: QuantumCircuit
    values: np.ndarray

    @cached_property
    def states(self):
        """The state vectors of all points, of shape (points, 2^n)."""
        return np.stack([_state(self.circuit.assign_parameters(row)) for row in self.values])


class OnlyAMatrix(Gate):
    """A gate without a definition, named like another one."""

    def __init__(self, matrix, name):
        super().__init__(name, int(np.log2(len(matrix))), [])
        self._matrix = np.asarray(matrix)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._matrix, dtype)


def awkward(seed: int, *, parametrised: bool | None = None) -> Awkward:
    """The circuit of a seed, on three or four qubits, at 1, 2 or 5 points."""
    rng = np.random.default_rng(seed)
    parametrised = bool(rng.integers(2)) if parametrised is None else parametrised
    pool = [Parameter(name) for name in ("r", "X", "angle0")] if parametrised else []
    circuit = QuantumCircuit(int(rng.integers(3, 5)))
    for qubit in range(circuit.num_qubits):
        circuit.u(*rng.uniform(0, 3, 3), qubit)
    # All standard gates have their turn within a few dozen seeds.
    _append(circuit, STANDARD[seed % len(STANDARD)], rng, pool)
    for _ in range(6):
        _append(circuit, _random_gate(rng, pool), rng, pool)
    circuit.u(0.3, 0.5, 0.7, 0)
    points = int(rng.choice([1, 2, 5])) if circuit.num_parameters else 1
    return Awkward(circuit, rng.uniform(-4, 4, (points, circuit.num_parameters)))


def _random_gate(rng, pool):
    kind = rng.integers(7)
    if kind < 2:
        return STANDARD[rng.integers(len(STANDARD))]
    if kind == 2:
        return _controlled(_fill(STANDARD[rng.integers(len(STANDARD))], rng, pool), rng)
    if kind < 5:
        return _own_gate(rng, pool, depth=2)
    if kind == 5:
        gate = OnlyAMatrix(random_unitary(4, seed=rng).data, str(rng.choice(NAMES)))
        return gate if rng.integers(2) else UnitaryGate(random_unitary(4, seed=rng))
    return _from_the_library(rng, pool)


def _from_the_library(rng, pool):
    operator = SparsePauliOp(["XX", "ZI", "YY", "IZ"], rng.uniform(-1, 1, 4))
    time = pool[0] if pool and rng.integers(2) else 0.7
    choice = [
        PauliEvolutionGate(operator, time=time),
        DiagonalGate(np.exp(1j * rng.uniform(0, 6, 4))),
        PermutationGate(rng.permutation(3)),
        PauliGate("XYZ"),
        UCRYGate(list(rng.uniform(0, 6, 4))),
    ]
    return choice[rng.integers(len(choice))]


def _controlled(gate, rng):
    if gate.num_qubits > 2:
        return gate
    state = int(rng.integers(2))
    if not gate.params and rng.integers(3) == 0:
        return AnnotatedOperation(gate, [ControlModifier(1, state)])
    once = gate.control(1, ctrl_state=state)
    return (
        once if gate.num_qubits == 2 or rng.integers(2) else once.control(1, ctrl_state=1 - state)
    )


def _own_gate(rng, pool, depth):
    inside = QuantumCircuit(int(rng.integers(1, 4)), name=str(rng.choice(NAMES)))
    inside.global_phase = float(rng.uniform(0, 3))
    for _ in range(3):
        if depth and rng.integers(2):
            _append(inside, _own_gate(rng, pool, depth - 1), rng, pool)
        else:
            _append(inside, STANDARD[rng.integers(len(STANDARD))], rng, pool)
    return inside.to_gate()


def _fill(gate, rng, pool):
    """A standard gate with angles: numbers, parameters, expressions."""
    if not gate.params:
        return gate
    return gate.base_class(*(_angle(rng, pool) for _ in gate.params))


def _angle(rng, pool):
    if not pool or rng.integers(4) == 0:
        return float(rng.uniform(-4, 4))
    first, second = rng.choice(len(pool), 2, replace=False)
    a, b = pool[first], pool[second]
    forms = [a, a, -a, 2 * a + b / 3 - 1, a * b, a.sin(), a - a + b, 0.5 * a, a.abs()]
    return forms[rng.integers(len(forms))]


def _append(circuit, gate, rng, pool):
    if gate in STANDARD:
        gate = _fill(gate, rng, pool)
    if gate.num_qubits <= circuit.num_qubits:
        circuit.append(gate, rng.permutation(circuit.num_qubits)[: gate.num_qubits].tolist())


def _state(circuit):
    """The state of a circuit, gate by gate."""
    wide = circuit.num_qubits
    state = np.zeros((2,) * wide, dtype=complex)
    state.flat[0] = 1
    for matrix, places in _matrices(circuit, range(wide)):
        count = len(places)
        # Qiskit's first qubit is the last axis.
        axes = [wide - 1 - place for place in reversed(places)]
        tensor = matrix.reshape((2,) * (2 * count))
        moved = np.tensordot(tensor, state, (range(count, 2 * count), axes))
        state = np.moveaxis(moved, range(count), axes)
    return state.ravel()


def _matrices(circuit, places):
    """Matrices of all gates with their qubits; definitions are followed, names never looked at."""
    known = {gate.base_class for gate in STANDARD}
    for step in circuit.data:
        gate = step.operation
        at = [places[circuit.find_bit(qubit).index] for qubit in step.qubits]
        if isinstance(gate, AnnotatedOperation):
            (modifier,) = gate.modifiers
            yield _with_control(np.asarray(gate.base_op), modifier.ctrl_state), at
        elif gate.base_class in known or isinstance(gate, (UnitaryGate, OnlyAMatrix)):
            yield _of_class(gate), at
        elif isinstance(gate, PermutationGate):
            yield np.asarray(gate), at
        else:
            yield from _matrices(gate.definition, at)


def _of_class(gate):
    if isinstance(gate, ControlledGate) and gate.num_ctrl_qubits == 1 and gate.name != "cu":
        # Not for cu, whose phase is that of the control and not part of its base gate.
        return _with_control(np.asarray(gate.base_gate), gate.ctrl_state)
    return np.asarray(gate)


def _with_control(matrix, state):
    """Controlled by the first qubit."""
    first, other = np.diag([1 - state, state]), np.diag([state, 1 - state])
    return np.kron(matrix, first) + np.kron(np.eye(len(matrix)), other)
