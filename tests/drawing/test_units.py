"""Numbers, durations, bars and states as people read them."""

from pilot_kernel.drawing.html import table_html
from pilot_kernel.drawing.state_symbols import PILOT_MARKS, TASK_MARKS
from pilot_kernel.drawing.text import bar
from pilot_kernel.drawing.units import rounded, seconds
from pilot_kernel.resource.pilot import PilotState
from pilot_kernel.task.wire.record import TaskState


def test_bars_and_tables_are_plain_text():
    assert (bar(1, 4), bar(0.5, 4), bar(0, 4)) == ("████", "██", "")
    assert "&lt;" in table_html(("a",), [("<",)])


def test_numbers_and_durations_have_the_digits_that_count():
    assert (rounded(0.01234), rounded(0), rounded(12.3)) == ("0.012", "0", "12")
    assert (seconds(3.21), seconds(61), seconds(7300)) == ("3.2 s", "1 min 01 s", "2 h 01 min")


def test_marks_differ_in_more_than_colour():
    for marks in (TASK_MARKS, PILOT_MARKS):
        assert {mark.symbol for mark in marks.values()} >= {"✓", "✗", "⊘"}
    assert set(TASK_MARKS) == set(TaskState)
    assert set(PILOT_MARKS) == set(PilotState)
