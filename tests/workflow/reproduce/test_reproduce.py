"""Published figures beside ours: factors by hand, and a small run of everything."""

import json

import pytest

from qdreamer_lab.workflow.circuit_execution.app import CircuitExecution
from qdreamer_lab.workflow.reproduce.measure import reproduce
from qdreamer_lab.workflow.reproduce.published import CUTTING_30, PILOT_START, THROUGHPUT
from qdreamer_lab.workflow.reproduce.table import Comparison, Row


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_factors_by_hand():
    rows = (
        Row(what="cut a", theirs=CUTTING_30[12], ours=16.88, setting="x"),
        Row(what="cut b", theirs=CUTTING_30[10], ours=0.0975, setting="x"),
        Row(what="start", theirs=PILOT_START, ours=2.3, setting="x"),
        Row(what="rate", theirs=THROUGHPUT, ours=253.2, setting="x", less_is_better=False),
    )
    assert [row.factor for row in rows] == pytest.approx([10, 1000, 2, 2])
    made = Comparison(rows=rows, notes=("a note",))
    assert made.mean_factor("cut") == pytest.approx(100)
    assert "4.6 to 8 s" in made.text()
    assert made.text().endswith("a note")
    assert "[1] 16 cores" in made.text()
    assert "[2] not told; as given in this project's plan" in made.text()
    assert json.loads(made.to_json())["rows"][1]["factor"] == pytest.approx(1000)


def test_a_small_run_has_a_row_for_each_figure(session):
    said = []
    small = CircuitExecution(circuits=4, qubits=3, depth=1)
    made = reproduce(
        session,
        qubits=6,
        widths=(4, 2),
        speedups=((34, 18),),
        uncut_qubits=8,
        calibrate_s=0,
        precision=0.05,
        tasks=20,
        circuits=small,
        share=2,
        say=said.append,
    )
    try:
        whats = [row.what for row in made.rows]
        assert whats == [
            "pilot start",
            "throughput",
            "cut exact, 6 qubits, width 4",
            "cut exact, 6 qubits, width 2",
            "cut sampled, 6 qubits, width 4",
            "cut sampled, 6 qubits, width 2",
            "sooner than uncut, 34 qubits, width 18",
            "4 circuits of 3 qubits, on cores",
            "4 circuits of 3 qubits, on GPUs",
            "predictions",
        ]
        assert all(row.setting and row.theirs.source and row.theirs.setting for row in made.rows)
        assert all(row.factor > 0 for row in made.rows)
        assert all(row.theirs.source in made.text() for row in made.rows)
        assert "2 were run, and their time multiplied" in made.text()
        assert "Unfair to us" in made.text()
        assert "pilot start is no published figure" in made.text()
        exact = made.notes[0]
        assert float(exact.split("differ by ")[1].split()[0]) < 1e-9
        assert float(exact.split("within ")[1].split()[0]) < 6
    finally:
        next(pilot for pilot in session.pilots if pilot.name == "reproduce").stop()
