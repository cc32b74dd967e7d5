"""The card of a task: at one moment, and when it has ended in the background."""

import base64
import re
import time

import pytest

from pilot_kernel.drawing.units import clock
from pilot_kernel.jupyter.show.task_card import Card, card_html, card_text, last_lines
from pilot_kernel.jupyter.show.task_view import TaskView
from pilot_kernel.jupyter.worker.display_message import (
    DisplayMessage,
    encode,
)
from pilot_kernel.task.notebook.handle import Output
from pilot_kernel.task.wire.record import TaskState
from tests.drawing.html_check import Balance


def test_the_card_of_a_background_cell_ends_with_what_it_displayed():
    output = Output()
    picture = base64.b64encode(b"\x89PNG\r\n").decode()
    output.extend(
        [
            ("stdout", "said\n"),
            ("display", encode(DisplayMessage({"text/html": "<b>first</b>"}, display_id="a"))),
            (
                "display",
                encode(DisplayMessage({"text/html": "<b>second</b>"}, {}, "a", update=True)),
            ),
            (
                "display",
                encode(DisplayMessage({"image/png": b"\x89PNG\r\n", "text/plain": "<Figure>"})),
            ),
            ("display", encode(DisplayMessage({"application/vnd.plotly.v1+json": {}}))),
        ]
    )
    sent = []
    TaskView(Ended(output), lambda bundle, *_: sent.append(bundle), whole=True).show()
    html = sent[-1]["text/html"]
    assert "first" not in html
    assert html.index("said") < html.index("<b>second</b>") < html.index(picture)
    no_text = "[application/vnd.plotly.v1+json: %qresult shows it]"
    assert no_text in html
    assert sent[-1]["text/plain"].splitlines()[1:] == [
        "said",
        "[text/html: %qresult shows it]",
        "<Figure>",
        no_text,
    ]


@pytest.mark.parametrize("state", list(TaskState))
def test_a_card_that_may_be_read_later_says_when_it_was_so(state):
    """A notebook that was saved meanwhile, or whose kernel is gone, would say RUNNING for ever."""
    at = 1_795_000_000.4
    card = Card("bell", state, "local", 3.2, at=at)
    for shown in (Balance(card_html(card)).text, card_text(card)):
        assert (clock(at) in shown) is not state.final


def test_the_time_of_a_card_advances_with_what_it_says():
    sent = []
    view = TaskView(Running(Output()), lambda bundle, *_: sent.append(bundle), whole=True)
    view.show()
    text = sent[-1]["text/plain"]
    assert "RUNNING" in text
    said = re.search(r"as of (.*)", text)[1]
    seen = time.mktime(time.strptime(said, "%H:%M:%S on %Y-%m-%d"))
    assert Running.begun + 9 <= seen <= time.time()


class Ended:
    """A task that has ended without a value."""

    name, key, begun, deaths, progress, record, shipped = "t", "t-1", 0.0, 0, (1, 1), None, None
    state = TaskState.DONE

    def __init__(self, output):
        self.output = output

    def done(self):
        return True

    def cancelled(self):
        return False

    def exception(self):
        return None

    def result(self):
        return None


class Running(Ended):
    """A task that runs, since ten seconds ago."""

    state, begun = TaskState.RUNNING, time.time() - 10

    def done(self):
        return False


@pytest.mark.parametrize("state", list(TaskState))
def test_a_card_says_state_place_and_time_and_escapes_what_was_printed(state):
    card = Card("<bell>", state, "local", 3.2, 2, 8, 1, {"data": 3 * 10**6}, "a < b", "bad & worse")
    shown = Balance(card_html(card)).text
    for fact in (state, "<bell>", "on local", "3.2 s", "2/8", "data 3 MB", "a < b", "bad & worse"):
        assert fact in shown
        assert fact in card_text(card)


def test_a_card_shows_the_end_of_what_was_printed():
    assert last_lines("\n".join(map(str, range(30)))).startswith("[18 lines before")
