"""Pictures show every cut, stay small, and are well formed."""

from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import CutPlan, plan_cuts
from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.cut.partition import lone_labels
from qdreamer_lab.workload.picture.layout import COLOURS, fragment_name, ranges
from tests.circuits.drawn import random_circuit, random_labels
from tests.circuits.plain import cx_line

CROSS = "\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}"


def random_plan(seed, num_qubits=6, num_gates=10):
    blocks = to_blocks(random_circuit(seed, num_qubits, num_gates))
    labels = random_labels(blocks.pairs, np.random.default_rng(seed))
    return CutPlan(blocks, labels, lone_labels(blocks, labels, 99), 99)


def test_a_small_plan_in_full():
    circuit = QuantumCircuit(5)
    for low, high in ((0, 1), (1, 2), (2, 3), (0, 3), (1, 2)):
        circuit.cx(low, high)
    labels = [[0, 0], [0, 1], [1, 1], [0, 2], [2, 1]]
    plan = CutPlan(to_blocks(circuit), np.array(labels), np.array([-1]), 9)
    rows = plan.draw().splitlines()[2:7]
    assert rows == [
        f"q0 A ─●─────────{CROSS}───────",
        f"q1 A ─●─{CROSS}───────┊─//C─{CROSS}─",
        f"q2 B ───{CROSS}─●─────┊─────{CROSS}─",
        f"q3 B ─────●─//C─{CROSS}───────",
        "q4 · ───────────────────",
    ]


@pytest.mark.parametrize("seed", range(8))
def test_every_cut_is_in_the_picture(seed):
    plan = random_plan(seed)
    gates = sum(isinstance(cut, GateCut) for cut in plan.cuts)
    wires = plan.num_cuts - gates
    rows = [line for line in plan.draw().splitlines() if line.startswith("q")]
    assert len({len(row) for row in rows}) == 1
    assert sum(row.count(CROSS) for row in rows) == 2 * gates
    assert sum(row.count("//") for row in rows) == wires
    assert sum(row.count("●") for row in rows) == 2 * (plan.blocks.num_blocks - gates)
    svg = plan.draw("svg")
    assert svg.count("stroke-dasharray") == gates
    assert svg.count("m1 12l4 -12") == wires
    assert svg.count("<circle") == 2 * (plan.blocks.num_blocks - gates)
    letters = [node.text for node in ElementTree.fromstring(svg).iter() if node.get("class") == "b"]
    assert len(letters) == len(plan.segments) + len(plan.blocks.lone)


def test_long_circuits_go_on_below():
    text = plan_cuts(random_circuit(3, 6, 70), 6).draw()
    assert max(map(len, text.splitlines()[1:])) <= 101
    assert text.count("q0 ") > 1


def test_wide_circuits_are_shown_by_fragment():
    plan = plan_cuts(cx_line(127), 32)
    text = plan.draw()
    assert "A  32 qubits, 31 blocks; cuts: 1 gate to B; on 0-31" in text
    page = plan._repr_html_()
    ElementTree.fromstring(plan.draw("svg"))
    assert len(page) < 5_000
    assert "proven optimal" in page
    assert page.count("1g") == 3


def test_pages_stay_small():
    plan = plan_cuts(random_circuit(1, 48, 380), 40, time_limit_s=0)
    assert len(plan._repr_html_()) < 120_000
    many = QuantumCircuit(200)
    page = plan_cuts(many, 1)._repr_html_()
    assert "168 more fragments" in page
    assert len(page) < 20_000


def test_nothing_to_draw_is_drawn_too():
    empty = plan_cuts(QuantumCircuit(1), 1)
    assert "q0 A" in empty.draw()
    ElementTree.fromstring(empty.draw("svg"))
    with pytest.raises(PlanError, match=r'"text", "svg".* or "plotly"'):
        empty.draw("oil")


def test_other_packages_add_forms_by_entry_points(monkeypatch):
    asked = []

    def points(group):
        asked.append(group)
        load = lambda: lambda plan: f"oil on {plan.blocks.num_qubits} qubits"  # noqa: E731
        return [SimpleNamespace(name="oil", load=load)]

    monkeypatch.setattr("importlib.metadata.entry_points", points)
    plan = plan_cuts(QuantumCircuit(1), 1)
    assert plan.draw("oil") == "oil on 1 qubits"
    assert asked == ["qdreamer_lab.drawings"]
    with pytest.raises(PlanError, match='"text", "svg" or "oil"'):
        plan.draw("plotly")


def test_names_never_end():
    assert [fragment_name(k) for k in (-1, 0, 25, 26, 27, 702)] == [
        "·",
        "A",
        "Z",
        "AA",
        "AB",
        "AAA",
    ]
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert ranges([]) == ""
    assert len(set(COLOURS)) == len(COLOURS)
