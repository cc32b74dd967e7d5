"""Workers over time: boiled down rightly, drawn small."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.drawing.lanes import Bar, Lane, Lanes, coverage, lanes_text, levels
from pilot_kernel.drawing.lanes_svg import lanes_svg
from tests.drawing.html_check import Balance

_SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


@given(_SPANS, st.sampled_from([1, 3, 6, 60]))
def test_coverage_is_the_mean_of_counting_moments(spans, columns):
    found = coverage(spans, 60.0, columns)
    wide = 60 // columns
    for at, number in enumerate(found):
        moments = range(at * wide, (at + 1) * wide)
        there = sum(begin <= moment < end for moment in moments for begin, end in spans)
        assert number == pytest.approx(there / wide, abs=1e-9)


def test_coverage_of_nothing_and_of_no_time():
    assert coverage([(0, 1)], 0.0, 3) == (0, 0, 0)
    assert coverage([(-5, 100)], 10.0, 2) == (1, 1)


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(1, 8))
def test_levels_are_runs_of_what_is_not_empty(shares, most):
    seen = {}
    for at, count, level in levels(shares, most):
        assert 1 <= level <= most
        for column in range(at, at + count):
            seen[column] = level
    for column, share in enumerate(shares):
        assert (column in seen) is (share >= 1e-9)
        if column in seen:
            assert abs(seen[column] - most * share) <= 1
    runs = levels(shares, most)
    assert not any(
        one[0] + one[1] == other[0] and one[2] == other[2]
        for one, other in itertools.pairwise(runs)
    )


def picture(bars, count=1, duration=100.0, waiting=(), group=lambda at: "p"):
    return Lanes(
        duration_s=duration,
        lanes=tuple(
            Lane(f"p-{at}", group(at), (0.0, 5.0), ((5.0, duration),), tuple(bars), "50 %")
            for at in range(count)
        ),
        left_out=0,
        waiting=tuple(waiting),
        label="a <picture>",
    )


def test_a_long_task_is_a_bar_of_its_own_that_says_what_it_was():
    svg = lanes_svg(picture([Bar(10, 30, "solve & co", False), Bar(30, 60, "oh", True)]))
    Balance(svg)
    assert svg.count("<rect ") == 2
    assert "<title>solve &amp; co</title>" in svg
    assert "--jp-error-color1" in svg
    assert "failed" in Balance(svg).text
    assert "failed" not in Balance(lanes_svg(picture([Bar(10, 30, "fine")]))).text


def test_short_tasks_show_what_share_of_the_time_they_take():
    dense = lanes_svg(picture([Bar(at / 10, at / 10 + 0.09, "t") for at in range(1000)]))
    sparse = lanes_svg(picture([Bar(at / 10, at / 10 + 0.02, "t") for at in range(1000)]))
    assert len(dense) < 15_000

    def heights(svg):
        return [int(each) for each in re.findall(r"V?v-(\d+)h", svg)]

    assert min(heights(dense)) >= 8
    assert max(heights(sparse)) <= 6


def test_the_picture_of_many_tasks_on_many_workers_is_small():
    bars = [Bar(at * 0.05, at * 0.05 + 0.03, f"task number {at}") for at in range(2000)]
    many = [Bar(at * 1.25, at * 1.25 + 1.0, f"task number {at}") for at in range(80)]
    for svg in (
        lanes_svg(picture(bars, 64, waiting=[(0, each.begin) for each in bars])),
        lanes_svg(picture(many, 64)),
    ):
        Balance(svg)
        assert len(svg) < 400_000


def test_several_pilots_have_colours_and_a_legend():
    drawn = lanes_svg(picture([Bar(10, 30, "x")], 3, group=lambda at: f"<g{at}>"))
    assert {"<g0>", "<g1>", "<g2>"} <= set(re.findall(r"<g\d>", Balance(drawn).text))


@pytest.mark.parametrize("duration", [0.0, 0.003, 0.9, 7.0, 100.0, 4000.0, 1e5, 1e7])
def test_times_below_are_few_and_in_order(duration):
    svg = lanes_svg(picture([Bar(0, duration, "x")], duration=duration))
    Balance(svg)
    places = [float(x) for x in re.findall(r"<text x='([\d.]+)' y='\d+' text-anchor='middle'", svg)]
    assert 1 <= len(places) <= 20
    assert places == sorted(places)


def test_as_text_gaps_are_where_a_worker_was_not_up():
    text = lanes_text(picture([Bar(50, 100, "x")], waiting=[(0, 50)]))
    waiting, lane = text.splitlines()
    assert waiting.startswith("waiting")
    assert waiting.endswith("at most 1")
    assert lane.startswith("p-0      ")
    blocks = lane.removeprefix("p-0      ")[:48]
    assert blocks.startswith("  ")
    assert blocks.rstrip().endswith("█" * 23)
    assert "▁" in blocks
    assert lane.endswith("50 %")
