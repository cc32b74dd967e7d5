"""Something that changes, in any number of places: what is sent, and when."""

import threading

from pilot_kernel.jupyter.show import live_output
from pilot_kernel.jupyter.show.live_output import LiveOutput
from tests.jupyter.show.sent_outputs import Sent, content, looks


def test_a_live_output_sends_what_is_new_and_nothing_else():
    sent = Sent()
    output = LiveOutput(looks(content("a"), content("a"), content("b"), content("b", 1)), sent)
    output.show()
    assert sent == [("a 0", False)]
    output.refresh()
    output.refresh()
    output.refresh()  # only the gauges moved, a moment after
    assert sent == [("a 0", False), ("b 0", True)]
    output.repeat()
    output.repeat()
    assert sent[2:] == [("b 0", True)]


def test_a_live_output_that_is_shown_before_there_is_anything_does_not_wait(monkeypatch):
    monkeypatch.setattr(live_output, "_FIRST_WAIT_S", 0.1)
    ready, sent = threading.Event(), Sent()

    def look():
        ready.wait(120)
        return content("there")

    output = LiveOutput(look, sent)
    output.show()
    assert "updates itself" in sent[0][0]
    ready.set()
    output.refresh()
    assert sent[-1] == ("there 0", True)


def test_a_live_output_shown_twice_is_one_display():
    sent = Sent()
    output = LiveOutput(looks(content("a")), sent)
    output.show()
    first = sent.id
    output.show()
    assert sent.id == first
