"""Checkers of the second notebook."""

import math

import numpy as np
from qiskit import QuantumCircuit

from qdreamer_lab.course import plans
from qdreamer_lab.course.plans import check_bridge, check_fragments, two_rings
from qdreamer_lab.workload.plan.find import plan_cuts
from tests.course.judging import judge


def test_who_goes_where():
    judge(
        check_fragments,
        ["ABABABAB", [1, 0, 1, 0, 1, 0, 1, 0], ("x", "y") * 4, np.arange(8) % 2],
        [
            ("AAAABBBB", "strong couplings"),
            ("ABABABA", "you placed 7"),
            ("AAAAAAAB", "the device has 4"),
            ("ABCDEFGH", "two fragments are enough"),
            (2, "this is int"),
        ],
    )


def test_the_best_way_is_that_of_the_finder():
    plan = plan_cuts(two_rings(), 4, kinds=("gate",))
    assert plan.proven_optimal
    assert math.isclose(2**plan.log2_overhead, plans._best(), rel_tol=1e-9)


def test_groupings_are_all_and_once():
    found = list(plans._groupings(5, 5))
    assert len(found) == len(set(found)) == 52  # the fifth Bell number
    assert all(len(set(g)) <= max(g) + 1 for g in found)
    assert len(list(plans._groupings(4, 2))) == 10


def halves():
    """Two GHZ states of four qubits, turned."""
    circuit = QuantumCircuit(8)
    for first in (0, 4):
        circuit.h(first)
        for qubit in range(first, first + 3):
            circuit.cx(qubit, qubit + 1)
    return circuit


def bridged(*gates):
    circuit = halves()
    for name, *where in gates:
        getattr(circuit, name)(*where)
    return circuit


def test_the_bridge():
    crossed = QuantumCircuit(8)
    crossed.h(range(8))
    for a, b in ((0, 2), (2, 4), (4, 6), (1, 3), (3, 5), (5, 7)):
        crossed.rzz(0.9, a, b)
    crossed.cz(6, 7)
    idle = QuantumCircuit(8)
    for first in (0, 4):
        for qubit in range(first, first + 3):
            idle.cx(qubit, qubit + 1)
    idle.cx(3, 4)
    measuring = halves()
    measuring.measure_all()
    measuring.cx(0, 7)
    judge(
        check_bridge,
        [bridged(("rx", 0.4, 3), ("cx", 3, 4)), bridged(("rzz", 0.5, 0, 7)), crossed],
        [
            (halves(), "falls apart by itself"),
            (bridged(("cx", 3, 4), ("cx", 2, 5)), "How many gates join"),
            (idle, "not entangled"),
            (QuantumCircuit(6), "has 6 qubits"),
            ([("cx", 3, 4)], "this is list"),
            (measuring, "no state vector"),
        ],
    )
