"""Views that stay up to date: what they send, when they end, where they are shown."""

import threading

import pytest
from pilot_kernel.jupyter.board import Board, Look
from pilot_kernel.jupyter.live import Keeper, cell_of, gone_cells
from pilot_kernel.jupyter.views import SessionView

from pilot_kernel.errors import AgentLostError
from tests.conftest import wait_until


def looks(*contents):
    """A look function that gives these one after the other, the last one for ever."""
    left = list(contents)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def content(essence, detail=0, over=False):
    return Look(f"<b>{essence} {detail}</b>", f"{essence} {detail}", essence, detail, over)


class Sent(list):
    """What was published, as (text, is an update)."""

    def __call__(self, bundle, display_id, update):
        self.append((bundle["text/plain"], update))
        self.id = display_id


def test_a_board_sends_what_is_new_and_nothing_else():
    sent = Sent()
    board = Board(looks(content("a"), content("a"), content("b"), content("b", 1)), sent)
    board.show()
    assert sent == [("a 0", False)]
    board.refresh()
    board.refresh()
    board.refresh()  # only the gauges moved, a moment after
    assert sent == [("a 0", False), ("b 0", True)]
    board.repeat()
    board.repeat()
    assert sent[2:] == [("b 0", True)]


def test_a_board_that_is_shown_before_there_is_anything_does_not_wait():
    ready, sent = threading.Event(), Sent()

    def look():
        ready.wait(30)
        return content("there")

    board = Board(look, sent)
    board.show()
    assert "fills in by itself" in sent[0][0]
    ready.set()
    board.refresh()
    assert sent[-1] == ("there 0", True)


def test_a_board_shown_twice_is_one_display():
    sent = Sent()
    board = Board(looks(content("a")), sent)
    board.show()
    first = sent.id
    board.show()
    assert sent.id == first


@pytest.fixture
def keeper():
    made = Keeper(period_s=0.01)
    yield made
    made.clear()
    wait_until(lambda: made._thread is None)


def test_a_view_is_refreshed_until_its_last_cell_is_gone(keeper):
    count = iter(range(10**9))
    sent = Sent()
    board = Board(lambda: content(next(count)), sent)
    board.show()
    keeper.keep(board, "one")
    keeper.keep(board, "two")
    wait_until(lambda: len(sent) > 3)
    keeper.forget({"one", "other"})
    assert keeper.views == [board]
    keeper.forget({"two"})
    assert keeper.views == []
    wait_until(lambda: keeper._thread is None)


def test_a_view_that_is_over_ends_the_thread_and_is_repeated_in_the_next_cell(keeper):
    sent = Sent()
    board = Board(looks(content("a"), content("end", over=True)), sent)
    board.show()
    keeper.keep(board, None)
    keeper.forget({"one"})  # where it is shown is not known: it stays
    wait_until(lambda: keeper._thread is None)
    assert sent == [("a 0", False), ("end 0", True)]
    keeper.settle()
    keeper.settle()
    assert sent[2:] == [("end 0", True)]


def test_a_view_can_be_kept_after_the_thread_has_ended(keeper):
    first, second = Sent(), Sent()
    for sent in (first, second):
        board = Board(looks(content("a"), content("end", over=True)), sent)
        board.show()
        keeper.keep(board, None)
        wait_until(lambda: keeper._thread is None)
        assert sent[-1] == ("end 0", True)


class Asked:
    """A shell in whose kernel a request is being answered."""

    def __init__(self, **metadata):
        self.metadata = metadata

    def get_parent(self):
        return {"metadata": self.metadata}


def test_the_request_says_which_cells_are_gone():
    assert gone_cells(Asked(cellId="a", deletedCells=["b", "c"])) == {"a", "b", "c"}
    assert cell_of(Asked(cellId="a")) == "a"
    assert gone_cells(Asked()) == set()
    assert cell_of(Asked()) is None
    assert gone_cells(object()) == set()


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


def test_a_view_that_fails_does_not_end_the_others(keeper, caplog):
    class Bad(Board):
        def refresh(self):
            raise ValueError("no picture")

    sent = Sent()
    good = Board(looks(content(1), content(2)), sent)
    keeper.keep(Bad(looks(content(0)), sent), "a")
    keeper.keep(good, "a")
    wait_until(lambda: len(sent) > 1)
    wait_until(lambda: keeper.views == [good])
    assert "a live view ended" in caplog.text
