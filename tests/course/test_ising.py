"""Checkers of the fifth notebook."""

import math

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab.course import ising as module
from qdreamer_lab.course.circuits import state_of
from qdreamer_lab.course.ising import check_ansatz, check_hamiltonian, critical_energy
from tests.course.judging import judge


def ising(n, h, zz=-1.0, x=-1.0, bonds=None, coupling="ZZ", field="X"):
    pairs = [(k, k + 1) for k in range(n - 1)] if bonds is None else bonds(n)
    terms = [(coupling, list(pair), zz) for pair in pairs]
    terms += [(field, [k], x * h) for k in range(n)]
    return SparsePauliOp.from_sparse_list(terms, n)


def labels(n, h):
    texts = ["I" * k + "ZZ" + "I" * (n - k - 2) for k in range(n - 1)]
    fields = ["I" * k + "X" + "I" * (n - k - 1) for k in range(n)]
    return SparsePauliOp.from_list([(t, -1) for t in texts] + [(f, -h) for f in fields])


def ring(n):
    return [(k, (k + 1) % n) for k in range(n)]


def test_hamiltonians():
    judge(
        check_hamiltonian,
        [ising, labels, lambda n, h: ising(n, h).to_matrix(), lambda n, h: -1 * ising(n, h, 1, 1)],
        [
            (lambda n, h: ising(n, h, 1, 1), "Both signs"),
            (lambda n, h: ising(n, h, zz=1), "couplings have the wrong sign"),
            (lambda n, h: ising(n, h, x=1), "field has the wrong sign"),
            (lambda n, h: ising(n, h, bonds=ring), "closed to a ring"),
            (lambda n, h: ising(n, h, field="Z"), "points along Z"),
            (lambda n, h: ising(n, h, coupling="XX", field="Z"), "changed places"),
            (lambda n, h: ising(n, 1), "missing its strength"),
            (lambda n, h: ising(n, 0), "no field"),
            (lambda n, h: ising(n, h, field="Y"), "another one"),
            (lambda n, h: ising(n + 1, h), "acts on 5 qubits"),
            (lambda n, h: "ZZ", "An operator is wanted"),
        ],
        placeholders=(None, ..., lambda n, h: ...),
    )


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_formula_of_the_critical_chain(n):
    lowest = np.linalg.eigvalsh(module._wanted(n, 1.0))[0] if n > 1 else -1.0
    assert critical_energy(n) == pytest.approx(lowest, abs=1e-9)


def layers(*angles, closing=()):
    """Rotations about ZZ along the chain and about X, for each pair of angles."""
    circuit = QuantumCircuit(12)
    circuit.h(range(12))
    for coupling, field in angles:
        for k in range(11):
            circuit.rzz(coupling, k, k + 1)
        for pair in closing:
            circuit.rzz(coupling, *pair)
        circuit.rx(field, range(12))
    return circuit


BEST = (-0.40397179, -1.29146123), (-0.72417533, -0.61317802)


def test_energies_are_those_of_the_operator():
    circuit = layers(*BEST)
    direct = Statevector(circuit).expectation_value(ising(12, 1.0)).real
    assert module._energy(state_of(circuit)) == pytest.approx(direct, abs=1e-9)


def test_the_best_product_state():
    angles = np.linspace(0, math.pi / 2, 2001)
    energies = -11 * np.cos(angles) ** 2 - 12 * np.sin(angles)
    assert module._best_product_energy() == pytest.approx(energies.min(), abs=1e-5)


def test_ansatzes():
    phased = layers(*BEST)
    phased.global_phase = 2.0
    once = layers((-0.39789368, -0.7853982))
    free = layers((Parameter("a"), 0.3))
    halves = QuantumCircuit(12)
    for first in (0, 6):
        half = layers(*BEST)
        for instruction in half.data:
            where = [half.find_bit(qubit).index for qubit in instruction.qubits]
            if all(first <= qubit < first + 6 for qubit in where):
                halves.append(instruction.operation, where)
    measured = layers(*BEST)
    measured.measure_all()
    judge(
        check_ansatz,
        [layers(*BEST), phased, once, measured],
        [
            (layers(*BEST, *BEST, *BEST), "reach across the middle"),
            (layers((0.2, 0.0)), "yours has to be lower"),
            (halves, "no cut is needed"),
            (QuantumCircuit(12), "Nothing joins"),
            (free, "parameters a have no values"),
            (QuantumCircuit(10), "has 10 qubits"),
            (list(BEST), "this is list"),
        ],
    )
