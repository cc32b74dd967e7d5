"""Circuits that are hard to cut, as arithmetic, oracles and dense layers are; only builds them.

What MQT Bench provides is built by it, and the rest from gates; none is needed to be exact about
what it computes, only to have the structure of what it is named after.
"""

from __future__ import annotations

import numpy as np
from qiskit import QuantumCircuit

from benchmarks.circuits import Case, hardware_efficient, kicked_ising, normal, qaoa_regular


def multiplier(bits: int) -> QuantumCircuit:
    """Product of two registers by shifted, controlled ripple-carry additions, with ancillas.

    Each partial product is computed into an ancilla by Toffoli gates and added with carries.
    """
    n = 5 * bits
    x, y, product = range(bits), range(bits, 2 * bits), range(2 * bits, 4 * bits)
    part = range(4 * bits, 5 * bits)
    circuit = QuantumCircuit(n)
    circuit.h([*x, *y])
    for i in x:
        for j in y:
            circuit.ccx(i, j, part[j - bits])
        carry = product[min(i + bits, 2 * bits - 1)]
        for k in range(bits):
            target = product[i + k]
            if target != carry:
                circuit.ccx(part[k], target, carry)
            circuit.cx(part[k], target)
        for j in y:
            circuit.ccx(i, j, part[j - bits])
    return normal(circuit)


def adder(bits: int) -> QuantumCircuit:
    """Cuccaro's ripple-carry adder."""
    a, b = range(1, bits + 1), range(bits + 1, 2 * bits + 1)
    circuit = QuantumCircuit(2 * bits + 2)
    carry = [0, *a]
    for k in range(bits):
        circuit.cx(a[k], b[k])
        circuit.cx(a[k], carry[k])
        circuit.ccx(carry[k], b[k], a[k])
    circuit.cx(a[-1], 2 * bits + 1)
    for k in reversed(range(bits)):
        circuit.ccx(carry[k], b[k], a[k])
        circuit.cx(a[k], carry[k])
        circuit.cx(carry[k], b[k])
    return normal(circuit)


def lookup(address: int) -> QuantumCircuit:
    """A bucket-brigade memory: controlled swaps down a tree, a copy, and up again."""
    nodes = 2 ** (address + 1) - 1
    down = QuantumCircuit(address + nodes)
    for level in range(address):
        for node in range(2**level):
            parent = address + 2**level - 1 + node
            child = address + 2 ** (level + 1) - 1 + 2 * node
            down.cswap(level, parent, child)
            down.ccx(level, parent, child + 1)
    circuit = down.copy()
    circuit.ry(0.4, range(address + nodes // 2, address + nodes))
    circuit.compose(down.inverse(), inplace=True)
    return normal(circuit)


def grover(n: int, rounds: int) -> QuantumCircuit:
    """Search for one string, with controlled phases decomposed by Qiskit."""
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for _ in range(rounds):
        circuit.mcp(np.pi, list(range(n - 1)), n - 1)
        circuit.h(range(n))
        circuit.x(range(n))
        circuit.mcp(np.pi, list(range(n - 1)), n - 1)
        circuit.x(range(n))
        circuit.h(range(n))
    return normal(circuit)


def generator(n: int, depth: int) -> QuantumCircuit:
    """A generator against a discriminator: entangled layers on two halves, compared in the end."""
    half = (n - 1) // 2
    circuit = QuantumCircuit(n)
    angle = 0.1
    for first in (1, 1 + half):
        for _ in range(depth):
            for q in range(first, first + half):
                circuit.ry(angle, q)
                angle += 0.1
            for q in range(first, first + half - 1):
                circuit.rxx(0.3 + angle % 1, q, q + 1)
    circuit.h(0)
    for k in range(half):
        circuit.cswap(0, 1 + k, 1 + half + k)
    circuit.h(0)
    return normal(circuit)


def fourier(n: int) -> QuantumCircuit:
    """The quantum Fourier transform, without its swaps."""
    circuit = QuantumCircuit(n)
    for a in range(n):
        circuit.h(a)
        for b in range(a + 1, n):
            circuit.cp(np.pi / 2 ** (b - a), a, b)
    return normal(circuit)


HARD = (
    Case("multiplier_45", lambda: multiplier(9), (23,)),
    Case("multiplier_30", lambda: multiplier(6), (15,)),
    Case("adder_130", lambda: adder(64), (33,)),
    Case("lookup_34", lambda: lookup(4), (12,)),
    Case("grover_9", lambda: grover(9, 2), (5,)),
    Case("generator_111", lambda: generator(111, 2), (37,)),
    Case("fourier_24", lambda: fourier(24), (8,)),
    Case("qaoa_40_p2", lambda: qaoa_regular(40, 2, 3), (14,)),
    Case("su2_16_r3_full", lambda: hardware_efficient(16, 3, "full"), (8,)),
    Case("heavyhex_trotter_127_s3", lambda: kicked_ising(3), (43,)),
)
