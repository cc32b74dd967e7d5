"""Sessions as they are shown when they are gone."""

from pilot_kernel.errors import AgentLostError
from pilot_kernel.jupyter.show.overviews import SessionView


class GoneSession:
    def __init__(self, closed):
        self.closed = closed

    def activity(self):
        raise AgentLostError("agent x is gone")


def test_a_session_that_is_lost_or_closed_says_so_and_is_over():
    lost, closed = SessionView(GoneSession(False)).look(), SessionView(GoneSession(True)).look()
    assert (lost.over, lost.text) == (True, "agent x is gone")
    assert closed.over
    assert "closed" in closed.text
