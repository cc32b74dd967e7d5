"""Circuits with random plans of all kinds, measured in odd ways, and what their bits read."""

import math

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.quantum_info import Statevector

from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.schmidt import rank_of
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.plan.plan import CutPlan
from tests.circuits.drawn import random_circuit, random_labels


def random_plan(circuit, rng, num_fragments=3, most=128):
    """A plan whose gate and wire cuts lie anywhere, of so many joint choices at most."""
    blocks = to_blocks(circuit)
    for _ in range(100):
        labels = random_labels(blocks.pairs, rng, num_fragments)
        lone = np.full(len(blocks.lone), labels.max(initial=-1) + 1)
        plan = CutPlan(blocks, labels, lone, max_qubits=99)
        if plan.num_cuts and joint_choices(plan) <= most:
            break
    return plan


def joint_choices(plan):
    """Choices at all cuts of a plan together, in exact mode."""
    ranks = rank_of(plan.blocks.coefficients)
    return math.prod(int(ranks[cut.block]) if isinstance(cut, GateCut) else 2 for cut in plan.cuts)


def measured_somehow(circuit, rng):
    """Some qubits measured into some bits of two registers, one bit twice, one qubit twice."""
    count = circuit.num_qubits
    made = QuantumCircuit(*circuit.qregs, ClassicalRegister(count, "a"), ClassicalRegister(3, "b"))
    made.compose(circuit, inplace=True)
    qubits = rng.permutation(count)[: rng.integers(1, count + 1)].tolist()
    bits = rng.permutation(count + 3)[: len(qubits)].tolist()
    made.measure(qubits, bits)
    free = sorted(set(range(count + 3)) - set(bits))
    made.measure(qubits[0], free[0])  # one qubit's value in two bits
    made.measure(qubits[-1], bits[0])  # and one bit written again
    return made


def dense_table(circuit, bits):
    """(2**len(bits),) probabilities of some bits by following every amplitude."""
    bare = circuit.copy_empty_like()
    source = {}
    for step in circuit.data:
        if step.operation.name == "measure":
            place = circuit.find_bit(step.clbits[0]).index
            source[place] = circuit.find_bit(step.qubits[0]).index
        else:
            bare.append(step)
    only = QuantumCircuit(circuit.num_qubits)
    for step in bare.data:
        only.append(step.operation, [circuit.find_bit(qubit).index for qubit in step.qubits])
    table = np.zeros(1 << len(bits))
    for state, probability in enumerate(Statevector(only).probabilities()):
        read = sum((state >> source[bit] & 1) << k for k, bit in enumerate(bits))
        table[read] += probability
    return table


def case(seed, num_qubits=None, num_gates=6, num_fragments=3, most=128):
    """A measured circuit, a plan for it, and a generator."""
    rng = np.random.default_rng(seed)
    count = num_qubits or int(rng.integers(2, 9))
    circuit = random_circuit(seed, count, num_gates, general=True)
    plan = random_plan(circuit, rng, num_fragments, most)
    return measured_somehow(circuit, rng), plan, rng
