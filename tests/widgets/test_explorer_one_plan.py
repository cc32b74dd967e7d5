"""Summary, marked point, drawings, numbers, timeline and code tell of one plan in every state."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab import QDreamer
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.widgets.changes import advised, clicked, moved, pinned
from qdreamer_lab.widgets.cost_table import proof_text
from qdreamer_lab.widgets.engine import Engine
from qdreamer_lab.widgets.planner import Planner
from qdreamer_lab.widgets.problem import problem_of
from qdreamer_lab.widgets.python_export import python_source
from qdreamer_lab.widgets.render import Renderer
from qdreamer_lab.widgets.saved_output import static_html, static_text
from qdreamer_lab.widgets.state import AXES, Controls, View
from qdreamer_lab.workload.cut.cuts import GateCut
from tests.circuits.drawn import random_rzz
from tests.widgets.conftest import done_by


class Shown:
    """An explorer without widgets: all that is shown, checked whenever it changes."""

    def __init__(self, circuit, observables, width):
        self.problem = problem_of(circuit, observables)
        self.planner = Planner(self.problem, QDreamer())
        self.renderer = Renderer(self.problem, self.planner.workers)
        self.parts, self.wrong, self.states = {}, [], 0
        controls = Controls(width, values=self.problem.start, time_limit_s=0.05)
        self.engine = Engine(self.planner, View(controls, working=True), self.show)
        self.change(lambda view: view)

    def show(self, view):
        self.parts.update(self.renderer.parts(view))
        try:
            if view.selected is not None:
                self.states += 1
                agree(self.problem, view, self.parts)
        except AssertionError as error:
            self.wrong.append(error)

    def change(self, how):
        self.engine.post(how)
        assert self.engine.settle(60)
        assert not self.wrong, self.wrong[0]


def agree(problem, view, parts):
    """Read everything back from what is shown, and compare it."""
    one, plan, n = view.selected, view.selected.plan, problem.num_qubits
    numbers = dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', parts["numbers"]))
    summary, told = parts["summary"], parts["alternatives"]
    assert summary.split(":")[0].lower() == one.configuration.describe(n)
    assert one.configuration.max_qubits == view.controls.width
    if plan is None:
        assert "cannot run" in summary
        return
    gates = sum(isinstance(cut, GateCut) for cut in plan.cuts)
    counts = [gates, plan.num_cuts - gates]
    for text in [numbers["Cuts"], *[summary] * (plan.num_cuts > 0)]:
        assert [counted(text, f"{kind} cut") for kind in ("gate", "wire")] == counts
    drawn = view.drawn
    assert marks(parts["circuit"], drawn, view) == drawn.num_cuts
    assert f": {drawn.summary}" in told["circuit"]
    assert f": {drawn.summary}" in told["fragments"]
    nodes = trace(parts["fragments"], "fragments")
    assert len(nodes.get("text", ())) == len(drawn.fragments)
    if drawn is not plan:
        assert one.groups[view.group] is drawn
        assert parts["options"]["groups"][view.group].startswith(f"group {view.group + 1} of ")
    if plan.num_cuts:
        assert f"2^{plan.log2_overhead:.1f}" in numbers["Sampling overhead"]
        if one.prediction is not None:
            assert f"sampling overhead {numbers['Sampling overhead']}" in summary
    assert proof_text(plan) in numbers["Optimality"]
    priced(view, parts, numbers)
    static = static_text(problem, view)
    assert summary in static
    assert numbers["Cuts"] in static
    assert summary.split(":")[0] in static_html(problem, view)


def priced(view, parts, numbers):
    """Times and shots are those of one prediction, and the ring is at it."""
    one = view.selected
    ring = trace(parts["tradeoff"], "selected")
    if one.prediction is None:
        assert numbers["Predicted time"] == "cannot run"
        return
    time = seconds_text(one.seconds)
    assert numbers["Predicted time"] == time
    assert f"predicted {time} (" in parts["summary"]
    assert time in json.dumps(json.loads(parts["timeline"])["layout"], ensure_ascii=False)
    shots = one.prediction.shots
    assert numbers["Shots"] == (f"{shots:,}" if shots else "none, exact")
    assert (f"{shots:,} shots" in parts["summary"]) == bool(shots)
    best = view.recommended
    same = best is not None and best.sameness == one.sameness
    assert parts["summary"].endswith("Recommended.") == same
    if view.axes == "workers":
        return
    bits = one.plan.log2_overhead
    across = {"overhead": bits}.get(view.axes, one.width)
    assert ring["x"] == pytest.approx([across])
    assert ring["y"] == pytest.approx([bits if view.axes == "plans" else one.seconds])
    star = trace(parts["tradeoff"], "recommended")
    assert bool(star) == (best is not None)
    if same:
        assert star["customdata"] == ring["customdata"]


def counted(text, noun):
    found = re.search(rf"(\d+) {noun}", text)
    return int(found[1]) if found else 0


def trace(figure, name):
    found = [one for one in json.loads(figure)["data"] if one.get("name") == name]
    return found[0] if found else {}


def marks(figure, plan, view):
    """How many cuts a drawing of the circuit has."""
    if view.graph:
        return plan.num_cuts
    ends = {name: trace(figure, name).get("customdata") for name in ("gate cut", "wire cut")}
    points = {
        name: trace(figure, name).get("hovertext") or trace(figure, name).get("text") or []
        for name in ends
    }
    return len(points["gate cut"]) // 2 + len(points["wire cut"])


def monotonic(view):
    """Of the plans that were looked for in one way, a wider one costs no more."""
    plans = [one for one in view.candidates if one.given and one.plan is not None]
    plans = sorted({(one.configuration.max_qubits, one.plan.log2_cost) for one in plans})
    costs = [cost for _, cost in plans]
    assert all(a >= b - 1e-9 for a, b in pairwise(costs))


def circuit_of(rng):
    """Blocks here and there, or loosely coupled parts, whose terms run in groups."""
    if rng.integers(2):
        return random_rzz(rng, int(rng.integers(4, 9)), int(rng.integers(6, 20)), 0.1, 1.4)
    parts, size = int(rng.integers(2, 4)), int(rng.integers(2, 5))
    circuit = QuantumCircuit(parts * size)
    for _ in range(2):
        for first in range(0, parts * size, size):
            part = random_rzz(rng, size, 4, 0.1, 1.4)
            circuit.compose(part, range(first, first + size), inplace=True)
        for last in range(size - 1, parts * size - 1, size):
            circuit.cx(last, last + 1)
    return circuit


def steps(rng, n):
    """Changes that a person could make, one of each kind of control."""
    return [
        lambda view: moved(view, width=int(rng.integers(2, n + 1))),
        lambda view: moved(view, mode=str(rng.choice(["auto", "exact", "sampled"]))),
        lambda view: moved(view, cost=str(rng.choice(["lo", "joint", "work"]))),
        lambda view: moved(view, kinds=[("gate",), ("wire",), ("gate", "wire")][rng.integers(3)]),
        lambda view: moved(view, precision=float(rng.uniform(0.01, 0.1))),
        lambda view: clicked(view, int(rng.integers(max(1, len(view.shown))))),
        lambda view: replace(view, against=str(rng.choice(AXES[:3]))),
        lambda view: replace(view, group=int(rng.integers(max(1, len(groups(view)))))),
        advised,
        pinned,
    ]


def groups(view):
    return () if view.selected is None else view.selected.groups


@pytest.mark.parametrize("seed", range(3))
def test_all_that_is_shown_tells_of_one_plan(seed):
    rng = np.random.default_rng(seed)
    circuit = circuit_of(rng)
    n = circuit.num_qubits
    terms = [("ZZ", [k, k + 1], 1.0) for k in range(n - 1)]
    observables = [None, SparsePauliOp.from_sparse_list(terms, n), "Z" + "I" * (n - 1)]
    shown = Shown(circuit, observables[int(rng.integers(3))], int(rng.integers(2, n + 1)))
    for which in rng.integers(0, 10, 6).tolist():
        shown.change(steps(rng, n)[which])
    assert shown.states
    view = shown.engine.view
    one = view.selected
    if one.handed and one.prediction is not None:
        code = python_source(shown.problem, one, view.controls, workers=None)
        given = {"circuit": circuit, "observables": shown.problem.observables}
        made = done_by(code.partition("estimator = ")[0], **given)["plan"]
        assert np.array_equal(made.labels, one.plan.labels)
        assert made.summary == one.plan.summary
    monotonic(view)
    shown.engine.close()
