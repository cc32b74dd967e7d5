"""How a task looks at one moment."""

import pytest

from pilot_kernel.jupyter.show.task_card import Card, card_html, card_text
from pilot_kernel.task.wire.record import TaskState
from tests.drawing.html_check import Balance


@pytest.mark.parametrize("state", list(TaskState))
def test_a_card_says_state_place_and_time_and_escapes_what_was_printed(state):
    card = Card("<bell>", state, "local", 3.2, 2, 8, 1, {"data": 3 * 10**6}, "a < b", "bad & worse")
    shown = Balance(card_html(card)).text
    for fact in (state, "<bell>", "on local", "3.2 s", "2/8", "data 3 MB", "a < b", "bad & worse"):
        assert fact in shown
        assert fact in card_text(card)
