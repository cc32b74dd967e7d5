"""From which width on a GPU is faster, in words: of times that are written down."""

import math

import pytest

from qdreamer_lab.widgets.crossover import Comparison, Kind, WidthTimes

CORES, GPU = Kind("4 CPU cores"), Kind("GPU", gpu=True)
KINDS = (Kind("1 CPU core"), CORES, GPU)


def compared(*times, widths=None, kinds=KINDS, **more):
    """Of (seconds on four cores, seconds on a GPU); one core takes ten times as long as four."""
    widths = widths or range(4, 4 + len(times))
    rows = tuple(
        WidthTimes(width, width, (10 * cores, cores, gpu), ((0.0, 1.0),) * 3)
        for width, (cores, gpu) in zip(widths, times, strict=True)
    )
    return Comparison(kinds, rows, more.pop("offered", True), **more)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([(1, 2), (1, 2), (2, 1)], "faster than 4 CPU cores only with fragments of 6 qubits."),
        ([(1, 2), (2, 1), (2, 1)], "faster than 4 CPU cores from fragments of 5 qubits on."),
        ([(2, 1), (2, 1), (1, 2)], "faster than 4 CPU cores up to fragments of 5 qubits."),
        ([(2, 1)] * 3, "faster than 4 CPU cores at all widths."),
        ([(2, 1)], "faster than 4 CPU cores at 4 qubits."),
        ([(1, 2)] * 3, "At no width of this circuit is a GPU faster than 4 CPU cores"),
        ([(1, 2), (2, 1), (2, 1), (1, 2)], "with fragments of 5 to 6 qubits."),
        ([(2, 1), (1, 2), (2, 1), (2, 1)], "with fragments of 4 and 6 or more qubits."),
        ([(2, 1), (1, 2), (2, 1), (1, 2), (2, 1)], "with fragments of 4, 6 and 8 qubits."),
        ([(1, 2), (math.inf, 1)], "only with fragments of 5 qubits."),
        ([(2, 1), (1, math.inf)], "only with fragments of 4 qubits."),
        ([(1, 1.03), (1.03, 1), (1.06, 1)], "only with fragments of 6 qubits."),  # within a tie
        ([], "No plan can run"),
    ],
)
def test_it_is_said_where_a_gpu_is_faster(times, words):
    assert words in compared(*times).sentence


def test_widths_are_named_as_they_are():
    sentence = compared((1, 2), (2, 1), (3, 1), widths=(6, 12, 18)).sentence
    assert "from fragments of 12 qubits on" in sentence


def test_a_gpu_that_is_not_there_would_be_faster():
    sentence = compared((1, 2), (2, 1), (2, 1), offered=False).sentence
    assert sentence.startswith("There is no GPU here.")
    assert "a GPU would be faster" in sentence


@pytest.mark.parametrize(
    ("cores", "gpu", "words", "titles"),
    [
        (False, False, None, ["4 CPU cores", "GPU"]),
        (False, True, "Times on a GPU are nominal", ["4 CPU cores", "GPU (nominal)"]),
        (True, False, "Times on CPU cores are nominal", ["4 CPU cores (nominal)", "GPU"]),
        (True, True, "All times are nominal", ["4 CPU cores", "GPU"]),
    ],
)
def test_what_was_never_measured_is_said(cores, gpu, words, titles):
    kinds = (
        Kind("1 CPU core", nominal=cores),
        Kind("4 CPU cores", nominal=cores),
        Kind("GPU", gpu=True, nominal=gpu),
    )
    one = compared((1, 2), (2, 1), kinds=kinds)
    assert ("nominal" in one.sentence) == (words is not None)
    assert words is None or words in one.sentence
    assert one.titles[1:] == titles


def test_the_table_has_a_line_for_each_width():
    lines = compared((1, 2), (math.inf, 0.5)).text.splitlines()
    assert lines[0].split() == ["qubits", "1", "CPU", "core", "4", "CPU", "cores", "GPU"]
    assert lines[1].split() == ["4", "10", "s", "1", "s", "2", "s"]
    assert lines[2].split() == ["5", "cannot", "run", "cannot", "run", "500", "ms"]


def test_without_one_of_the_two_there_is_nothing_to_compare():
    one = Comparison((GPU,), (WidthTimes(4, 4, (1.0,), ((0.5, 2.0),)),), offered=True)
    assert one.sentence == "There is no CPU to compare with."
    assert one.runs == []
