"""Figures show what the plan, the prediction or the run says, in either theme and at any size."""

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import CutEstimator, CutPlan, MachineProfile, QDreamer, plan_cuts
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import PlanError, QDreamerError
from qdreamer_lab.search.labels import renumbered
from qdreamer_lab.widgets import figures
from qdreamer_lab.widgets.figures.graph_layout import spread
from qdreamer_lab.widgets.figures.style import seconds_ticks
from qdreamer_lab.widgets.palette import DARK, KINDS, LIGHT, contrast, look_of, look_of_kind
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.cut.partition import lone_labels
from qdreamer_lab.workload.execution.chunk import FragmentRow
from tests.circuits.drawn import random_rzz
from tests.circuits.plain import turned_cx_line

OF_A_PLAN = (figures.circuit, figures.coupling, figures.fragments, figures.drawing)


def labelled(circuit, labels):
    blocks = to_blocks(circuit)
    labels = renumbered(np.asarray(labels(blocks), dtype=np.int64))
    return CutPlan(blocks, labels, lone_labels(blocks, labels, 999), 999)


def random_plan(seed, num_qubits=9, num_gates=25, count=3):
    """Any labels make a plan: gate cuts and wire cuts in abundance."""
    rng = np.random.default_rng(seed)
    circuit = random_rzz(rng, num_qubits, num_gates, 0.1, 1.4)
    return labelled(circuit, lambda blocks: rng.integers(0, count, blocks.pairs.shape))


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def count_points(figure, name):
    return sum(len(trace.x) for trace in named(figure, name))


@pytest.fixture(scope="module")
def dreamer():
    return QDreamer(profile=MachineProfile.nominal())


@pytest.fixture(scope="module")
def candidates(dreamer):
    circuit, observable = turned_cx_line(8), "Z" * 8
    return [
        dreamer.predict(circuit, observable, max_qubits=width, mode=mode)
        for mode, width in itertools.product(("exact", "sampled"), (8, 6, 4))
    ]


@pytest.mark.parametrize("seed", range(6))
def test_every_cut_is_in_every_view(seed):
    plan = random_plan(seed)
    gates = [cut for cut in plan.cuts if isinstance(cut, GateCut)]
    wires = [cut for cut in plan.cuts if not isinstance(cut, GateCut)]
    assert gates
    assert wires
    circuit = figures.circuit(plan)
    assert count_points(circuit, "gate cut") == 2 * len(gates)
    assert count_points(circuit, "wire cut") == len(wires)
    coupling = figures.coupling(plan)
    assert count_points(coupling, "gate cut") == len({cut.qubits for cut in gates})
    assert count_points(coupling, "wire cut") == len({cut.qubit for cut in wires})
    graph = figures.fragments(plan)
    for name, cuts in (("gate cuts", gates), ("wire cuts", wires)):
        (trace,) = named(graph, name)
        numbers = [int(text.strip("\N{EN SPACE}").strip("<b>/")) for text in trace.text]
        assert sum(numbers) == len(cuts)
        assert len(numbers) == len({frozenset(cut.fragments) for cut in cuts})


@pytest.mark.parametrize("seed", range(3))
def test_wires_and_blocks_are_all_there(seed):
    plan = random_plan(seed)
    figure = figures.circuit(plan)
    wires = [
        trace
        for trace in figure.data
        if trace.mode == "lines" and trace.line.width == 1.5 and trace.fill is None
    ]
    assert sum(np.isnan(trace.x).sum() for trace in wires) == len(plan.segments) + len(
        plan.blocks.lone
    )
    (speaking,) = [trace for trace in figure.data if trace.mode == "none"]
    inside = np.flatnonzero(plan.labels[:, 0] == plan.labels[:, 1])
    assert set(speaking.customdata[:, 0].astype(int)) == set(inside.tolist())
    boxes = sum((~np.isnan(trace.x[::6])).sum() for trace in figure.data if trace.fill == "toself")
    far = np.diff(plan.blocks.pairs[inside], axis=1) > 1
    assert boxes == len(inside) + far.sum()


def test_hovering_tells_what_cutting_a_block_would_cost():
    plan = plan_cuts(turned_cx_line(4), 4)
    (speaking,) = [trace for trace in figures.circuit(plan).data if trace.mode == "none"]
    expected = 2 * np.log2(plan.blocks.gammas[speaking.customdata[:, 0].astype(int)])
    assert np.allclose(speaking.customdata[:, 3], expected, atol=1e-6)
    assert "%{customdata[3]" in speaking.hovertemplate
    (silent,) = [t for t in figures.circuit(plan, costs=False).data if t.mode == "none"]
    assert "%{customdata[3]" not in silent.hovertemplate


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("draw", OF_A_PLAN)
def test_plans_of_all_kinds_are_drawn(draw, dark):
    nothing = QuantumCircuit(3)
    lone = QuantumCircuit(5)
    lone.cx(0, 1)
    single = QuantumCircuit(1)
    single.x(0)
    for plan in (
        plan_cuts(turned_cx_line(4), 4),
        plan_cuts(turned_cx_line(4), 2),
        plan_cuts(nothing, 2),
        plan_cuts(lone, 3),
        plan_cuts(lone, 3, observables="IIIZZ"),
        plan_cuts(single, 1),
        random_plan(1),
    ):
        figure = draw(plan, dark=dark)
        assert isinstance(figure, go.Figure)
        assert figure.layout.paper_bgcolor == (DARK if dark else LIGHT).background
        json.loads(figure.to_json())


def test_few_traces_however_large_the_circuit():
    plan = labelled(turned_cx_line(127, 4), lambda blocks: blocks.pairs // 4)
    assert len(plan.fragments) == 32
    assert len(figures.circuit(plan).data) <= 40
    assert len(figures.coupling(plan).data) <= 40
    assert len(figures.fragments(plan).data) <= 16


def test_a_plan_draws_itself():
    small, wide = plan_cuts(turned_cx_line(5), 3), plan_cuts(turned_cx_line(80), 40)
    assert named(small.draw("plotly"), "gate cut")
    assert small.draw("plotly").layout.xaxis.title.text.startswith("time")
    assert wide.draw("plotly").layout.xaxis.title.text is None
    with pytest.raises(PlanError, match=r'"text", "svg".* or "plotly"'):
        small.draw("png")


def test_planning_needs_no_plotly():
    code = (
        "import sys, qdreamer_lab.workload.plan.plan, qdreamer_lab.workload.picture.layout\n"
        "assert not {'plotly', 'qdreamer_lab.widgets'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_figures_need_no_network(candidates):
    pages = [draw(random_plan(2)).to_json() for draw in OF_A_PLAN]
    pages += [figures.pareto(candidates).to_json(), figures.timeline(candidates[1]).to_json()]
    assert not any("http" in page for page in pages)


@pytest.mark.parametrize("against", ["overhead", "width"])
def test_candidates_carry_their_index(candidates, against):
    figure = figures.pareto(candidates, against=against, selected=1, recommended=2, pinned=[0, 4])
    found = {
        index: (x, y)
        for name in ("exact", "sampled")
        for trace in named(figure, name)
        for index, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }
    for index, one in enumerate(candidates):
        x, y = found[index]
        assert y == one.makespan_s
        width = max(fragment.width for fragment in one.plan.fragments)
        assert x == (one.plan.log2_overhead if against == "overhead" else width)
    for name, which in (("selected", [1]), ("recommended", [2]), ("pinned", [0, 4])):
        (trace,) = named(figure, name)
        assert list(trace.customdata) == which
        assert [(x, y) for x, y in zip(trace.x, trace.y, strict=True)] == [found[k] for k in which]


def test_the_front_is_what_nothing_beats(candidates):
    (front,) = named(figures.pareto(candidates), "Pareto front")
    points = {(one.plan.log2_overhead, one.makespan_s) for one in candidates}
    unbeaten = {
        (x, y)
        for x, y in points
        if not any((a <= x and b < y) or (a < x and b <= y) for a, b in points)
    }
    assert set(zip(front.x, front.y, strict=True)) == unbeaten


def test_intervals_and_the_uncut_run_are_drawn(candidates):
    figure = figures.pareto(candidates)
    (exact,) = named(figure, "exact")
    for k, y, up, down in zip(
        exact.customdata, exact.y, exact.error_y.array, exact.error_y.arrayminus, strict=True
    ):
        assert (y - down, y + up) == pytest.approx(candidates[k].interval)
    uncut = min(one.makespan_s for one in candidates if not one.cut)
    (line,) = named(figure, f"uncut: {seconds_text(uncut)}")
    assert set(line.y) == {uncut}
    assert line.showlegend
    cut = [one for one in candidates if one.cut]
    assert not any((trace.name or "").startswith("uncut") for trace in figures.pareto(cut).data)


def test_a_kind_of_run_looks_the_same_whatever_else_is_drawn(candidates):
    for some in (candidates, candidates[::-1], candidates[3:]):
        (sampled,) = named(figures.pareto(some), "sampled")
        look = look_of_kind("sampled")
        assert (sampled.marker.symbol, sampled.marker.color) == (look.symbol, look.fill)
    assert len({look_of_kind(kind) for kind in (*KINDS, "plan")}) == len(KINDS) + 1


def test_plans_are_drawn_by_overhead_against_width():
    plans = [plan_cuts(turned_cx_line(6), width) for width in (6, 4, 3, 2)]
    (trace,) = named(figures.pareto(plans), "plan")
    assert list(trace.x) == [max(f.width for f in plan.fragments) for plan in plans]
    assert list(trace.y) == [plan.log2_overhead for plan in plans]
    assert trace.error_y.array is None


def test_no_candidate_is_said_in_words(candidates):
    (note,) = figures.pareto([]).layout.annotations
    assert "No candidate" in note.text
    alone = figures.pareto(candidates[1:2], recommended=0)
    assert [trace.name for trace in alone.data if trace.showlegend] == ["exact"]
    assert [note.text for note in alone.layout.annotations] == ["<b>recommended</b>, 6 q"]
    with pytest.raises(QDreamerError, match="there is no candidate 6: there are 6"):
        figures.pareto(candidates, selected=6)
    with pytest.raises(QDreamerError, match='"overhead" or "width"'):
        figures.pareto(candidates, against="time")


def bars(figure, axis="y"):
    return [
        (trace.name, row, start, start + length)
        for trace in figure.data
        if trace.yaxis == axis
        for row, start, length in zip(trace.y, trace.base, trace.x, strict=True)
    ]


def scale(figure):
    return {"time (s)": 1.0, "time (ms)": 1e-3, "time (µs)": 1e-6}[figure.layout.xaxis.title.text]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_predicted_timeline_adds_up(candidates, workers):
    one = candidates[2]
    figure = figures.timeline(one, workers=workers)
    drawn, unit = bars(figure), scale(figure)
    assert max(end for *_, end in drawn) * unit == pytest.approx(one.makespan_s)
    inside = [bar for bar in drawn if bar[0].startswith("execution")]
    begin, end = min(bar[2] for bar in inside), max(bar[3] for bar in inside)
    assert (end - begin) * unit == pytest.approx(one.phase("execute").seconds)
    fragments = "ABC"[: len(one.plan.fragments)]
    assert {bar[0] for bar in inside} == {f"execution of {letter}" for letter in fragments}
    assert len(figure.layout.yaxis.categoryarray) == 1 + workers
    for row in {bar[1] for bar in drawn}:
        mine = sorted(bar[2:] for bar in drawn if bar[1] == row)
        assert all(a[1] <= b[0] + 1e-9 * b[1] for a, b in itertools.pairwise(mine))


def test_a_real_run_is_under_the_predicted_one(dreamer):
    circuit, observable = turned_cx_line(6), "Z" * 6
    predicted = dreamer.predict(circuit, observable, max_qubits=3)
    result = CutEstimator(3, mode="exact").run([(circuit, observable)]).result()[0]
    figure = figures.timeline((predicted, result))
    told, unit = result.metadata, scale(figure)
    real = bars(figure, "y2")
    assert sorted((end - start) * unit for name, _, start, end in real if "execution" in name) == (
        pytest.approx(sorted(row.seconds for row in told["fragments"]))
    )
    assert {bar[1] for bar in real} == {"notebook", "this process"}
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert {trace.xaxis for trace in figure.data} == {None}  # all on one
    assert "measured" in figure.layout.annotations[1].text
    assert sum(trace.showlegend and trace.name == "planning" for trace in figure.data) == 1
    assert bars(figures.timeline((None, result))) == real


def row(number, worker, start=None):
    made = FragmentRow(0, number % 2, 4, 8, 0.5, worker, "here")
    return made if start is None else SimpleNamespace(**{**_fields(made), "start": start})


def _fields(made):
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def test_workers_have_short_names_and_tasks_do_not_overlap():
    rows = tuple(row(k, f"tcp-pilot-a-{k % 3}") for k in range(9))
    figure = figures.timeline(SimpleNamespace(metadata={"fragments": rows, "plan_s": 1.0}))
    drawn = bars(figure)
    assert {bar[1] for bar in drawn} == {"notebook", "worker 0", "worker 1", "worker 2"}
    for who in ("worker 0", "worker 1", "worker 2"):
        mine = sorted(bar[2:] for bar in drawn if bar[1] == who)
        assert mine == [(1.0, 1.5), (1.5, 2.0), (2.0, 2.5)]
    assert figure.layout.annotations[0].text.endswith("so far")


def test_known_starts_are_kept():
    rows = (row(0, "w-1", 100.0), row(1, "w-2", 100.25), row(2, "w-1", 101.0))
    drawn = bars(figures.timeline(SimpleNamespace(metadata={"fragments": rows})))
    assert sorted(bar[2:] for bar in drawn) == [(0.0, 0.5), (0.25, 0.75), (1.0, 1.5)]


def test_very_many_tasks_are_drawn_together():
    rows = tuple(row(2 * (k % 2), f"w-{k % 4}") for k in range(4000))
    drawn = bars(figures.timeline(SimpleNamespace(metadata={"fragments": rows})))
    assert len(drawn) == 4
    assert sum(end - start for *_, start, end in drawn) == pytest.approx(2000.0)


def test_a_timeline_of_nothing_says_so(candidates):
    for nothing in ((None, None), SimpleNamespace(metadata={})):
        (note,) = figures.timeline(nothing).layout.annotations
        assert "Nothing" in note.text
    with pytest.raises(QDreamerError, match="not str"):
        figures.timeline("run")
    whole = replace(candidates[0], plan=None)
    assert "execution of A" in {bar[0] for bar in bars(figures.timeline(whole))}


@pytest.mark.parametrize("dark", [False, True])
def test_contrast_reaches_level_aa(dark):
    colours = DARK if dark else LIGHT
    for text in (colours.ink, colours.muted, colours.accent):
        assert contrast(text, colours.background) >= 4.5
    for fragment in range(-1, 20):
        look = look_of(fragment, dark)
        assert contrast(look.line, colours.background) >= 3
        if fragment >= 0:
            assert contrast(look.text, look.fill) >= 4.5
    looks = [(look_of(k, dark).fill, look_of(k, dark).symbol) for k in range(64)]
    assert len(set(looks)) == 64
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_nodes_lie_apart_and_neighbours_close(seed):
    rng = np.random.default_rng(seed)
    rows, columns = 5, 7
    order = rng.permutation(rows * columns)
    place = np.arange(rows * columns).reshape(rows, columns)
    edges = np.concatenate(
        [
            np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()], axis=1),
            np.stack([place[:-1].ravel(), place[1:].ravel()], axis=1),
        ]
    )
    drawn = spread(rows * columns, order[edges])[order]
    distance = np.linalg.norm(drawn[:, None] - drawn, axis=2)
    steps = np.abs(np.subtract.outer(place.ravel() // columns, place.ravel() // columns))
    steps = steps + np.abs(np.subtract.outer(place.ravel() % columns, place.ravel() % columns))
    beside = distance[steps == 1]
    assert beside.max() < 2.2 * beside.min()
    assert distance[steps > 1].min() > 0.6 * beside.mean()
    assert np.ptp(drawn[:, 0]) > np.ptp(drawn[:, 1])


def test_graphs_of_any_shape_have_places():
    for n, edges in ((0, []), (1, []), (2, [[0, 1]]), (5, []), (40, [[0, 1]]), (700, [[0, 699]])):
        drawn = spread(n, np.array(edges, dtype=np.int64).reshape(-1, 2))
        assert drawn.shape == (n, 2)
        assert np.isfinite(drawn).all()
        assert len(np.unique(drawn.round(6), axis=0)) == n


def test_times_have_units_that_suit_them():
    values, names = seconds_ticks(0.002, 40.0)
    assert dict(zip(names, values, strict=True))["10 ms"] == pytest.approx(0.01)
    assert {"100 ms", "1 s", "10 s", "100 s"} <= set(names)
    assert "10<sup>6</sup> s" in seconds_ticks(1.0, 1e7)[1]


def test_hopeless_candidates_do_not_stretch_the_axes(candidates):
    slow = replace(candidates[-1], makespan_s=1e9, interval=(1e8, 1e10))
    plain, more = (figures.pareto(some) for some in (candidates, [*candidates, slow]))
    assert more.layout.yaxis.range == plain.layout.yaxis.range
    assert "1 much slower way" in more.layout.xaxis.title.text
    chosen = figures.pareto([*candidates, slow], selected=len(candidates))
    assert chosen.layout.yaxis.range[1] > plain.layout.yaxis.range[1]
