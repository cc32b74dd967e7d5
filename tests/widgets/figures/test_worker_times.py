"""The figure of times by width on each kind of worker: where lines cross, and what is marked."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.dreamer.advice.ranking import TIE
from qdreamer_lab.widgets.crossover import Comparison, Kind, WidthTimes
from qdreamer_lab.widgets.figures import worker_times
from qdreamer_lab.widgets.figures.worker_times import crossings

KINDS = (Kind("1 CPU core"), Kind("2 CPU cores"), Kind("GPU", gpu=True, nominal=True))


def compared(cores, gpu, widths=None, kinds=KINDS):
    widths = widths or range(3, 3 + len(cores))
    rows = tuple(
        WidthTimes(width, width, (2 * a, a, b), ((a / 2, a * 2),) * 3)
        for width, a, b in zip(widths, cores, gpu, strict=True)
    )
    return Comparison(kinds, rows, offered=True)


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


times = st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)), min_size=2, max_size=8)


@given(times)
def test_the_ground_is_tinted_where_straight_lines_say_so(pairs):
    cores, gpu = (np.array(each) for each in zip(*pairs, strict=True))
    one = compared(cores.tolist(), gpu.tolist(), widths=range(10, 10 + 2 * len(cores), 2))
    spans = crossings(one)
    xs = np.linspace(10, 10 + 2 * (len(cores) - 1), 397)
    lead = np.interp(xs, [row.width for row in one.rows], np.log(cores / gpu)) - math.log(TIE)
    for x, ahead in zip(xs, lead, strict=True):
        if abs(ahead) > 1e-6:
            assert any(low < x < high for low, high in spans) == (ahead > 0)


def test_where_only_one_can_run_half_way_counts():
    inf = math.inf
    assert crossings(compared([1, inf, inf], [2, 1, 1])) == [(3.5, inf)]
    assert crossings(compared([2, 2, 2], [1, 1, inf])) == [(-inf, 4.5)]


@pytest.mark.parametrize("dark", [False, True])
def test_lines_bands_and_words(dark):
    one = compared([1, 1, 4, 8], [2, 2, 1, 1])
    figure = worker_times(one, picks=[7, None, 5, 2], selected=(4, 1.0), dark=dark)
    (line,) = named(figure, "2 CPU cores")
    assert list(line.x) == [3, 4, 5, 6]
    assert list(line.y) == [1, 1, 4, 8]
    assert list(line.customdata) == [7, None, 5, 2]
    (gpu,) = named(figure, "GPU (nominal)")
    assert (gpu.line.dash, line.line.dash) == ("dash", "solid")
    assert "4 times as fast as 2 CPU cores" in gpu.hovertext[2]
    assert "2 times as slow as 2 CPU cores" in gpu.hovertext[0]
    assert gpu.marker.symbol != line.marker.symbol
    (band,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert 4 < band.x0 < 5 < 6 < band.x1
    (edge,) = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert edge.x0 == edge.x1 == band.x0
    assert [note.text for note in figure.layout.annotations] == ["<b>GPU faster from 5 q</b>"]
    (ring,) = named(figure, "selected")
    assert (list(ring.x), list(ring.y)) == ([4], [1.0])
    assert not named(figure, "recommended")


def test_nothing_is_tinted_where_a_gpu_is_faster_nowhere():
    figure = worker_times(compared([1, 1], [2, 2]))
    assert not figure.layout.shapes
    assert not figure.layout.annotations


def test_several_bands_have_one_word_and_no_width():
    figure = worker_times(compared([2, 1, 2, 2], [1, 2, 1, 1]))
    assert sum(shape.type == "rect" for shape in figure.layout.shapes) == 2
    assert [note.text for note in figure.layout.annotations] == ["<b>GPU faster</b>"]


def test_what_cannot_run_is_a_gap():
    figure = worker_times(compared([1, math.inf], [2, 1]))
    (line,) = named(figure, "2 CPU cores")
    assert list(line.y) == [1, None]


def test_the_axis_of_time_has_ticks_however_close_times_are():
    figure = worker_times(compared([0.030, 0.031], [0.032, 0.033]))
    low, high = (10**edge for edge in figure.layout.yaxis.range)
    assert low < 0.030 < 0.066 < high
    assert sum(low <= tick <= high for tick in figure.layout.yaxis.tickvals) >= 2


def test_nothing_to_draw_is_said():
    figure = worker_times(Comparison(KINDS, (), offered=True))
    assert "no plan can run" in figure.layout.annotations[0].text


def test_times_that_are_all_nominal_are_called_so_once():
    kinds = tuple(Kind(kind.label, kind.gpu, nominal=True) for kind in KINDS)
    figure = worker_times(compared([1, 4], [2, 1], kinds=kinds))
    assert figure.layout.yaxis.title.text == "nominal time, exact mode"
    assert named(figure, "GPU")[0].line.dash == "dash"
