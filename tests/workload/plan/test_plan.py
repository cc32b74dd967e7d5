"""Plans follow from labels; the planner keeps to the width; both say no clearly."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from qdreamer_lab import CutPlan, plan_cuts
from qdreamer_lab.errors import CircuitError, PlanError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.cuts import GateCut, WireCut
from tests.circuits.drawn import random_rzz
from tests.circuits.plain import cx_line


def plan_of(circuit, labels, max_qubits=9):
    blocks = to_blocks(circuit)
    return CutPlan(blocks, np.array(labels), np.zeros(len(blocks.lone), dtype=int), max_qubits)


def test_labels_say_which_cuts_there_are():
    plan = plan_of(cx_line(5), [[0, 0], [0, 1], [1, 1], [2, 2]])
    assert plan.cuts == (
        GateCut(block=1, qubits=(1, 2), fragments=(0, 1), gamma=pytest.approx(3)),
        WireCut(qubit=3, after=2, before=3, fragments=(1, 2), gamma=4.0),
    )
    assert [(f.width, f.num_blocks) for f in plan.fragments] == [(2, 1), (2, 1), (2, 1)]
    assert [(f.gate_cuts, f.wire_cuts) for f in plan.fragments] == [(1, 0), (1, 1), (0, 1)]
    assert plan.log2_overhead == pytest.approx(2 * np.log2(12))
    assert "1 gate cut and 1 wire cut, 3 fragments of width 2, 2, 2" in str(plan)
    assert plan._repr_html_().count("<tr>") == 4


@pytest.mark.parametrize(
    ("labels", "width", "words"),
    [
        ([[0, 0]], 9, "2 blocks but 1"),
        ([[0, 0], [2, 2]], 9, "count up from 0"),
        ([[0, 0], [0, 0]], 2, "fragment 0 needs 3 qubits, more than max_qubits=2"),
    ],
)
def test_labels_that_make_no_plan_are_refused(labels, width, words):
    with pytest.raises(PlanError, match=words):
        plan_of(cx_line(3), labels, width)


def test_what_fits_is_not_cut():
    plan = plan_cuts(cx_line(6), 6)
    assert (plan.num_cuts, [f.width for f in plan.fragments]) == (0, [6])
    assert str(plan).startswith("6 qubits: no cuts, 1 fragment of width 6")


def test_unconnected_parts_need_no_cut():
    circuit = QuantumCircuit(9)
    circuit.compose(cx_line(4), range(4), inplace=True)
    circuit.compose(cx_line(4), range(4, 8), inplace=True)
    plan = plan_cuts(circuit, 4)
    assert (plan.num_cuts, [f.width for f in plan.fragments]) == (0, [4, 4, 1])


def test_a_chain_is_cut_once():
    plan = plan_cuts(cx_line(6), 3)
    assert plan.num_cuts == 1
    assert plan.log2_overhead == pytest.approx(2 * np.log2(3))


def test_layers_are_cut_in_the_same_place():
    plan = plan_cuts(cx_line(6, layers=2), 3)
    assert plan.cuts == tuple(GateCut(block, (2, 3), (0, 1), pytest.approx(3)) for block in (2, 7))


def test_qubits_outside_the_light_cone_do_not_run():
    plan = plan_cuts(cx_line(6), 3, observables="IIIIZI")
    assert plan.lone_labels.tolist() == [-1, -1, -1]
    assert plan.blocks.num_blocks == 2
    assert plan.num_cuts == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 6), st.integers(1, 7), st.integers(0, 1000), st.integers(1, 6))
def test_plans_keep_to_the_width(num_qubits, num_gates, seed, max_qubits):
    rng = np.random.default_rng(seed)
    circuit = random_rzz(rng, num_qubits, num_gates, 0, 3)
    plan = plan_cuts(circuit, max_qubits)
    assert max(f.width for f in plan.fragments) <= max_qubits


@pytest.mark.parametrize(
    ("width", "words"), [(0, "at least 1"), (1.0, "integer"), ("3", "integer")]
)
def test_impossible_widths_are_refused(width, words):
    with pytest.raises(PlanError, match=words):
        plan_cuts(cx_line(3), width)


def test_an_empty_circuit_is_refused():
    with pytest.raises(CircuitError, match="no qubits"):
        plan_cuts(QuantumCircuit(), 2)


def test_the_package_is_light_to_import():
    code = "import sys, qdreamer_lab; print([m for m in ('qiskit', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
