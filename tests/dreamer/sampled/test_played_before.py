"""What was played for the same program and goal is not played again, and nothing else is taken."""

import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import plan_cuts
from qdreamer_lab.dreamer.sampled import case
from qdreamer_lab.dreamer.sampled.played_before import played_once
from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.workload.circuit.terms import ProductTerm
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.shot_goal import Goal


def program(angle=0.7, factor=1.0, string=((0, "Z"), (3, "Z"))):
    circuit = QuantumCircuit(4)
    circuit.ry(angle, range(4))
    for qubit in range(3):
        circuit.cx(qubit, qubit + 1)
    plan = plan_cuts(circuit, 2, kinds=("gate",))
    return lower(plan, [[ProductTerm(factor, string)]])


def test_the_same_question_is_played_once():
    played = []

    def answer(run, goal):
        def play():
            played.append(goal)
            return case._played_out(run, goal)

        return played_once(run, goal, play)

    goal = Goal(0.0512, None, 10**7)
    first, again = answer(program(), goal), answer(program(), goal)
    assert first is again
    assert len(played) == 1
    others = [
        (program(0.8), goal),
        (program(factor=2.0), goal),
        (program(string=((1, "X"), (3, "Z"))), goal),
        (program(), Goal(0.0256, None, 10**7)),
        (program(), Goal(0.0512, 1000, 10**7)),
    ]
    for run, wanted in others:
        found = answer(run, wanted)
        alone = case._played_out(run, wanted)
        assert found.standard_error == alone.standard_error
        assert found.shots == alone.shots
    assert len(played) == 6


def test_what_was_refused_is_asked_again():
    run, goal = program(), Goal(1e-4, None, 1000)
    for _ in range(2):
        with pytest.raises(PrecisionError):
            played_once(run, goal, lambda: case._played_out(run, goal))
