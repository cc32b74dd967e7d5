"""Figures as plain data say what plotly figures say, and reach a page without loss."""

import base64
import inspect
import json
import math

import numpy as np
import pytest

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets import figures
from qdreamer_lab.widgets.figures.spec import to_json
from qdreamer_lab.widgets.figures.style import message
from tests.circuits.plain import turned_cx_line


def read(value):
    """What plotly.js reads: lists of numbers where there were bytes."""
    if isinstance(value, list):
        return [read(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "bdata" in value:
        found = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        shape = [int(size) for size in value.get("shape", "-1").split(",")]
        return [read(part) for part in found.reshape(shape).tolist()]
    return {name: read(part) for name, part in value.items()}


def rounded(value):
    """Without what plotly adds or writes otherwise: numbers are floats, NaN is nothing."""
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if name != "template"}
        return {n: rounded(part) for n, part in kept.items() if (n, part) != ("annotations", [])}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None if math.isnan(value) else float(np.float32(value))
    return value


@pytest.fixture(scope="module")
def drawn():
    """All figures: what draws them, and what of."""
    dreamer = QDreamer(profile=MachineProfile.nominal())
    found = [dreamer.predict(turned_cx_line(8), "Z" * 8, max_qubits=k) for k in (8, 6, 4)]
    plan = found[1].plan
    return {
        "circuit": (figures.circuit, plan),
        "coupling": (figures.coupling, plan),
        "fragments": (figures.fragments, plan),
        "time": (figures.pareto, found),
        "plans": (figures.pareto, [each.plan for each in found]),
        "timeline": (figures.timeline, found[1]),
    }


@pytest.mark.parametrize("name", ["circuit", "coupling", "fragments", "time", "plans", "timeline"])
def test_the_page_gets_what_the_plotly_figure_says(drawn, name):
    draw, what = drawn[name]
    sent = read(json.loads(to_json(draw.spec(what))))
    made = read(json.loads(draw(what).to_json()))
    assert sent["data"]
    assert rounded(sent["data"]) == rounded(made["data"])
    assert rounded(sent["layout"]) == rounded(made["layout"])


@pytest.mark.parametrize(
    "values",
    [
        np.array([0.5, np.nan, -np.inf]),
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([2**31 - 1, -5]),
        np.array([2**31, -5]),
        np.array(["a", "b"]),
        np.zeros((1, 2, 2)),
        np.zeros(0, dtype=np.int64),
        np.arange(10)[::3],
        [1.5, math.nan, math.inf, np.float64(2.5), np.int64(3), True, None, "x"],
    ],
)
def test_values_reach_the_page(values):
    def finite(value):
        if isinstance(value, list):
            return [finite(part) for part in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    sent = read(json.loads(to_json({"data": [{"x": values}], "layout": {}})))["data"][0]["x"]
    wanted = values.tolist() if isinstance(values, np.ndarray) else values
    assert finite(sent) == finite(wanted)


def test_a_drawer_keeps_its_help():
    assert str(inspect.signature(figures.circuit)).endswith("dark: 'bool' = False) -> 'go.Figure'")
    assert figures.circuit.__doc__.startswith("Draw the circuit of a plan.")


def test_a_message_has_its_text():
    sent = json.loads(to_json(message("Nothing yet.", True)))
    assert [note["text"] for note in sent["layout"]["annotations"]] == ["Nothing yet."]
    assert sent["data"] == []


def test_wrong_arguments_are_refused_alike(drawn):
    draw, found = drawn["time"]
    for way in (draw, draw.spec):
        with pytest.raises(QDreamerError, match="no candidate 3"):
            way(found, selected=3)
