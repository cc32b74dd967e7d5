"""Circuits of a family and size, the same at every call, and an observable that goes with them."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import UnitaryGate, efficient_su2
from qiskit.quantum_info import SparsePauliOp


def bell():
    return ghz(2)


def ghz(num_qubits):
    circuit = QuantumCircuit(num_qubits)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit


def turned_ghz(num_qubits):
    """A GHZ state, but not by Clifford gates alone: these take no state vectors and no cuts."""
    circuit = ghz(num_qubits)
    circuit.rx(0.3, range(num_qubits))
    circuit.rx(-0.3, range(num_qubits))
    return circuit


def tilted_ghz(num_qubits):
    """Like a GHZ state, but no Clifford circuit, so that state vectors have something to do."""
    circuit = ghz(num_qubits)
    circuit.rx(0.3, range(num_qubits))
    return circuit


def star(num_qubits):
    """A GHZ state, every CX from the first qubit."""
    circuit = QuantumCircuit(num_qubits)
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(0, qubit)
    return circuit


def flipped(num_qubits=3):
    """Measured, with one possible outcome: all ones."""
    circuit = QuantumCircuit(num_qubits)
    circuit.x(range(num_qubits))
    circuit.measure_all()
    return circuit


def measured(circuit):
    """A copy that is measured at its end."""
    return circuit.measure_all(inplace=False)


def cx_line(num_qubits, layers=1):
    """CX between neighbours."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(layers):
        for low in range(num_qubits - 1):
            circuit.cx(low, low + 1)
    return circuit


def rzz_line(num_qubits, angle, step=0.0):
    """RZZ between neighbours, by angles that grow from pair to pair."""
    circuit = QuantumCircuit(num_qubits)
    for low in range(num_qubits - 1):
        circuit.rzz(angle + step * low, low, low + 1)
    return circuit


def turned_cx_line(num_qubits, layers=2):
    """CX between neighbours, each behind a rotation."""
    circuit = QuantumCircuit(num_qubits)
    for _ in range(layers):
        for low in range(num_qubits - 1):
            circuit.ry(0.3, low)
            circuit.cx(low, low + 1)
    return circuit


def layered_cx_line(num_qubits=4, layers=2):
    """Layers of different rotations, and of CX between neighbours."""
    circuit = QuantumCircuit(num_qubits)
    for layer in range(layers):
        for qubit in range(num_qubits):
            circuit.ry(0.4 + 0.3 * qubit + layer, qubit)
        for qubit in range(num_qubits - 1):
            circuit.cx(qubit, qubit + 1)
    return circuit


def rx_and_cx(name="t"):
    """One rotation by a parameter, and two CX that carry it on."""
    circuit = QuantumCircuit(3)
    circuit.rx(Parameter(name), 0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    return circuit


def parallel_rotations():
    """Two pairs of qubits, with two parallel rotations between the pairs."""
    circuit = QuantumCircuit(4)
    circuit.ry(0.7, range(4))
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    circuit.rzz(0.9, 0, 2)
    circuit.rzz(1.3, 1, 3)
    circuit.rx(0.5, range(4))
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    return circuit


def uneven_line(num_qubits, symbols=0):
    """Interactions of neighbours by different angles, the first of which are parameters."""
    circuit = QuantumCircuit(num_qubits)
    circuit.h(range(num_qubits))
    for low in range(num_qubits - 1):
        angle = Parameter(f"a{low}") if low < symbols else 0.3 + 0.1 * low
        circuit.rzz(angle, low, low + 1)
        circuit.rx(0.3, low)
    return circuit


def ising(num_qubits, steps, angle, field=0.3):
    """Steps of an Ising chain in a transverse field, from |+>; angles may be parameters."""
    circuit = QuantumCircuit(num_qubits)
    circuit.h(range(num_qubits))
    for _ in range(steps):
        for qubit in range(num_qubits - 1):
            circuit.rzz(angle, qubit, qubit + 1)
        circuit.rx(field, range(num_qubits))
    return circuit


def kicked_ising(num_qubits, steps=1):
    """A kicked Ising chain, in even and odd layers."""
    circuit = QuantumCircuit(num_qubits)
    for step in range(steps):
        circuit.rx(0.4 + 0.1 * step, range(num_qubits))
        for parity in (0, 1):
            for low in range(parity, num_qubits - 1, 2):
                circuit.rzz(0.3 + 0.01 * low, low, low + 1)
    circuit.rx(0.7, range(num_qubits))
    return circuit


def ring(num_qubits):
    circuit = QuantumCircuit(num_qubits)
    circuit.h(range(num_qubits))
    for qubit in range(num_qubits):
        circuit.rzz(0.7, qubit, (qubit + 1) % num_qubits)
    circuit.rx(0.4, range(num_qubits))
    return circuit


def double_ring(num_qubits):
    """Twice around: blocks that a wire cut and gate cuts can both serve."""
    circuit = QuantumCircuit(num_qubits)
    for k in range(2 * num_qubits):
        circuit.ry(0.3 + 0.1 * k, k % num_qubits)
        circuit.rzz(0.2 + 0.1 * k, k % num_qubits, (k + 1) % num_qubits)
        circuit.rx(0.9 - 0.1 * k, (k + 1) % num_qubits)
    return circuit


def brickwork(num_qubits=12):
    """Two layers and three bonds on top: terms with light cones of their own, run in groups."""
    circuit = QuantumCircuit(num_qubits)
    for layer in range(2):
        for low in range(layer, num_qubits - 1, 2):
            circuit.ry(0.4 + 0.1 * low, low)
            circuit.cx(low, low + 1)
    for qubit in (0, 5, 9):
        circuit.rzz(0.3, qubit, (qubit + 2) % num_qubits)
    circuit.ry(0.2, range(num_qubits))
    return circuit


def ansatz(num_qubits, reps=1):
    """EfficientSU2, linear, its parameters free."""
    return efficient_su2(num_qubits, reps=reps, entanglement="linear")


def bound_ansatz(num_qubits, reps=1):
    """EfficientSU2, linear, by angles spread evenly over [0.1, 2.9]."""
    circuit = ansatz(num_qubits, reps)
    return circuit.assign_parameters(np.linspace(0.1, 2.9, circuit.num_parameters))


def layered(num_qubits, reps=2):
    """EfficientSU2, linear, by random angles."""
    circuit = ansatz(num_qubits, reps)
    angles = np.random.default_rng(0).uniform(0, 6, circuit.num_parameters)
    return circuit.assign_parameters(angles)


def swept_ansatz(num_qubits, points):
    """EfficientSU2, linear, and (points, parameters) random values."""
    circuit = ansatz(num_qubits)
    return circuit, np.random.default_rng(5).normal(size=(points, circuit.num_parameters))


def of_unitaries(num_qubits, pairs, unitaries):
    """The circuit of (4, 4) unitaries on pairs of qubits."""
    circuit = QuantumCircuit(num_qubits)
    for pair, unitary in zip(pairs.tolist(), unitaries, strict=True):
        circuit.append(UnitaryGate(unitary), pair)
    return circuit


def neighbours(num_qubits, letter="Z"):
    """The sum of ZZ, or of another letter, on all pairs of neighbours."""
    terms = [(2 * letter, [k, k + 1], 1.0) for k in range(num_qubits - 1)]
    return SparsePauliOp.from_sparse_list(terms, num_qubits)
