"""Still pictures put everything where its numbers say, and are well formed whatever is in them."""

import base64
import copy
import math
import pickle
import re
from itertools import pairwise
from xml.etree import ElementTree

import nbformat
import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert import HTMLExporter

from qdreamer_lab.still import picture, words
from qdreamer_lab.widgets.figures.spec import figure_of_spec, to_json
from qdreamer_lab.widgets.figures.style import figure, message, value_axis
from qdreamer_lab.widgets.palette import theme
from qdreamer_lab.workflow.figures import report_figure
from qdreamer_lab.workflow.outcome import Curve

SVG = "{http://www.w3.org/2000/svg}"
PLACE = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
PARTS = {"quantum": 1.5, "classical": 0.5, "communication": 0.25, "waiting": 0.0, "overhead": 2.0}


def read(svg):
    return ElementTree.fromstring(svg)


def points(svg):
    """Where markers are, (n, 2) in pixels."""
    found = [node.get("transform") for node in read(svg).iter() if node.get("class") == "point"]
    return np.array([[float(part) for part in PLACE.match(one).groups()] for one in found])


def said(svg):
    """All texts with their places."""
    return [
        ("".join(node.itertext()), float(node.get("x")), float(node.get("y")), node)
        for node in read(svg).iter(f"{SVG}text")
    ]


def scale(pixels, values):
    """The line through pairs of pixels and values, and how far they are from it."""
    fit = np.polyfit(pixels, values, 1)
    return fit, np.abs(np.polyval(fit, pixels) - values).max()


def number(label):
    return float(label.replace("\N{MINUS SIGN}", "-").replace(",", ""))


def read_off(svg):
    """The values of points as a person reads them off the ticks; logarithmic axes have powers."""
    texts = said(svg)
    bottom = [(x, number(t)) for t, x, _, node in texts if node.get("text-anchor") == "middle"]
    left = [(y, number(t)) for t, _, y, node in texts if node.get("text-anchor") == "end"]
    (across, off), (down, out) = (scale(*np.array(ticks).T) for ticks in (bottom, left))
    assert len(bottom) >= 2
    assert len(left) >= 2
    # A label's base line lies 0.35 of its size below its tick.
    at = points(svg) + np.array([0.0, 0.35 * 12])
    return (
        np.polyval(across, at[:, 0]),
        np.polyval(down, at[:, 1]),
        2 * (off + abs(across[0]) + 1e-9),
        2 * (out + abs(down[0]) + 1e-9),
    )


@given(
    st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=2, max_size=12),
    st.integers(-3, 6),
    st.booleans(),
)
def test_points_lie_where_their_numbers_say(pairs, power, packed):
    x, y = np.array(pairs, dtype=float).T * 10.0**power
    x[0], y[0] = 1e3 * 10.0**power, -1e3 * 10.0**power  # some extent
    given_x = {"dtype": "f8", "bdata": _packed(x)} if packed else x
    svg = picture({"data": [{"type": "scatter", "mode": "markers", "x": given_x, "y": y}]})
    seen_x, seen_y, slack_x, slack_y = read_off(svg)
    assert np.abs(seen_x - x).max() <= slack_x
    assert np.abs(seen_y - y).max() <= slack_y


def _packed(values):
    return base64.b64encode(values.tobytes()).decode()


def test_points_on_logarithmic_axes():
    y = np.array([3e-4, 2e-2, 1.0, 70.0, 5e3])
    axis = {"type": "log", "tickvals": [1e-3, 1e2, 1e3], "ticktext": ["-3", "2", "3"]}
    spec = {
        "data": [{"type": "scatter", "mode": "markers", "x": [0, 1, 2, 3, 4], "y": y}],
        "layout": {"yaxis": axis},
    }
    _, seen, _, slack = read_off(picture(spec))
    assert np.abs(seen - np.log10(y)).max() <= slack


def test_a_given_range_and_a_turned_axis():
    spec = {
        "data": [{"type": "scatter", "mode": "markers", "x": [1, 2], "y": [10, 20]}],
        "layout": {"xaxis": {"range": [0, 4]}, "yaxis": {"range": [30, 0]}},
    }
    seen_x, seen_y, slack_x, slack_y = read_off(picture(spec))
    assert np.abs(seen_x - [1, 2]).max() <= slack_x
    assert np.abs(seen_y - [10, 20]).max() <= slack_y
    at = points(picture(spec))
    assert at[0, 1] < at[1, 1]


def rects(svg):
    return [
        [float(node.get(name)) for name in ("x", "y", "width", "height")]
        for node in read(svg).iter(f"{SVG}rect")
        if node.get("class") == "bar"
    ]


def test_stacked_bars_lie_end_to_end_and_are_as_long_as_their_numbers():
    found = rects(picture(report_figure("vqe", PARTS, (), False).to_dict()))
    lengths = np.array([width for _, _, width, _ in found])
    seconds = np.array(list(PARTS.values()))
    assert np.allclose(lengths / lengths.sum(), seconds / seconds.sum(), atol=1e-3)
    for (x, _, width, _), (after, _, _, _) in pairwise(found):
        assert math.isclose(x + width, after, abs_tol=0.21)


def test_upright_bars_stand_on_zero():
    svg = picture({"data": [{"type": "bar", "x": ["a", "b"], "y": [1.0, 3.0]}]})
    (first, second) = rects(svg)
    assert math.isclose(second[3] / first[3], 3, rel_tol=0.01)
    assert math.isclose(first[1] + first[3], second[1] + second[3], abs_tol=0.21)
    assert {"a", "b"} <= {text for text, *_ in said(svg)}


@pytest.mark.parametrize("dark", [False, True])
def test_names_ticks_and_axes_are_said(dark):
    curve = Curve(name="energy <here>", x=(0, 1, 2), y=(3.0, 2.0, 1.5), x_title="turn", y_title="E")
    spec = report_figure("vqe", PARTS, [curve], dark).to_dict()
    svg = picture(spec)
    texts = {text for text, *_ in said(svg)}
    assert {"turn", "E", "quantum", "waiting"} <= texts
    assert read(svg).find(f"{SVG}title").text == words(spec)
    assert "turn" in words(spec)
    assert "waiting" in words(spec)
    assert theme(dark).background in svg


@pytest.mark.parametrize(
    "nasty", ["<script>alert(1)</script>", "a & b", 'x" onload="y', "]]>", "é<b"]
)
def test_nothing_that_is_named_becomes_part_of_the_page(nasty):
    trace = {
        "type": "scatter",
        "mode": "lines+markers+text",
        "x": [1, 2],
        "y": [1, 2],
        "name": nasty,
        "text": [nasty, nasty],
        "line": {"color": nasty},
        "marker": {"color": nasty, "symbol": nasty},
        "showlegend": True,
    }
    note = {"text": nasty, "x": 1, "y": 1, "font": {"color": nasty}}
    axis = {"title": {"text": nasty}, "gridcolor": nasty, "linecolor": nasty, "showline": True}
    layout = {"annotations": [note], "xaxis": axis, "title": {"text": nasty}}
    svg = picture({"data": [trace], "layout": layout | {"paper_bgcolor": nasty}})
    nodes = list(read(svg).iter())
    kinds = {node.tag.removeprefix(SVG) for node in nodes}
    assert kinds <= {"svg", "title", "rect", "text", "tspan", "path", "g"}
    assert not any(name.startswith("on") for node in nodes for name in node.attrib)


def test_what_is_not_drawn_is_told():
    svg = picture({"data": [{"type": "heatmap", "z": [[1]]}, {"type": "pie", "values": [1]}]})
    assert any(text == "not drawn here: heatmap, pie" for text, *_ in said(svg))
    many = np.zeros(50_000)
    svg = picture({"data": [{"type": "scatter", "x": many, "y": many, "name": "much"}]})
    assert any("50,000 points of much" in text for text, *_ in said(svg))
    assert len(svg) < 10_000


@pytest.mark.parametrize("data", [[], [{"type": "scatter", "x": [], "y": []}]])
def test_figures_without_anything(data):
    read(picture({"data": data, "layout": {}}))
    assert words({"data": data}) == "Figure"


def test_gaps_and_what_is_no_number_leave_no_mark():
    trace = {"type": "scatter", "x": [1, 2, None, 4], "y": [1, math.nan, 3, 4], "name": "x"}
    svg = picture({"data": [trace]})
    assert len(points(svg)) == 2
    assert "nan" not in svg


def test_a_message_is_said():
    spec = message("There is no plan for this width.", False)
    assert any(text == "There is no plan for this width." for text, *_ in said(picture(spec)))
    assert words(spec) == "Figure: There is no plan for this width."


# ---- figures of ours in notebooks


@pytest.fixture
def drawn():
    axis = value_axis(theme(False), "width")
    return figure([{"type": "scatter", "x": [1, 2], "y": [2, 1], "name": "a"}], False, xaxis=axis)


@pytest.fixture
def mime(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")


def test_a_notebook_gets_a_live_figure_a_picture_and_words(drawn, mime, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    drawn._ipython_display_()
    drawn.show()
    assert shown[0] == shown[1]
    assert set(shown[0]) == {"application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"}
    assert len(points(shown[0]["image/svg+xml"])) == 2
    assert shown[0]["text/plain"] == "Figure: width"


def test_a_picture_is_of_the_figure_as_it_was_changed(drawn, mime):
    drawn.add_scatter(x=[3], y=[3], name="later")
    drawn.update_layout(height=333)
    svg = drawn._repr_mimebundle_()["image/svg+xml"]
    assert len(points(svg)) == 3
    assert read(svg).get("height") == "333"


def test_other_ways_to_show_figures_are_plotly_s_own(drawn, monkeypatch):
    seen = []
    monkeypatch.setattr(pio, "show", lambda *args, **kwargs: seen.append((args, kwargs)))
    monkeypatch.setattr(pio.renderers, "default", "json")
    assert "image/svg+xml" not in drawn._repr_mimebundle_()
    drawn.show(renderer="browser")
    assert len(seen) == 1


def test_copies_of_figures_bring_pictures_too(drawn, mime):
    for made in (copy.deepcopy(drawn), pickle.loads(pickle.dumps(drawn))):
        assert isinstance(made, go.Figure)
        assert made == drawn
        assert "image/svg+xml" in made._repr_mimebundle_()


def test_a_static_page_of_a_notebook_shows_the_picture(drawn, mime):
    bundle = drawn._repr_mimebundle_()
    cell = nbformat.v4.new_code_cell(
        "figure", outputs=[nbformat.v4.new_output("display_data", data=bundle)]
    )
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    output = page.split("jp-OutputArea-output")[-1]
    svg = base64.b64decode(output.split("image/svg+xml;base64,")[1].split('"')[0]).decode()
    assert svg == bundle["image/svg+xml"]
    assert "plotly" not in output.lower()


def test_a_spec_and_its_figure_make_the_same_picture():
    spec = {"data": [{"type": "scatter", "x": np.arange(3), "y": np.ones(3)}], "layout": {}}
    assert picture(spec) == picture(figure_of_spec(spec).to_dict())
    assert to_json(spec)
