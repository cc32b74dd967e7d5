"""Notices in a notebook: where they appear, and what takes the place of what."""

import logging
import threading
from types import SimpleNamespace

import pytest

from pilot_kernel.jupyter.show.notice_board import NoticeBoard
from pilot_kernel.resource import notices


class Front(list):
    """What was published, as (text, display id, is an update)."""

    def publish(self, *, data, metadata, transient, update):
        assert set(data) == {"text/html", "text/plain"}
        self.append((data["text/plain"], transient["display_id"], update))


@pytest.fixture
def shell():
    return SimpleNamespace(display_pub=Front(), execution_count=1)


@pytest.fixture
def board(shell):
    made = NoticeBoard(shell)
    made.put_up()
    yield made
    made.take_down()


def test_a_notice_appears_and_is_updated_in_its_cell(board, shell):
    notices.tell("start", "waits")
    notices.tell("start", "still waits")
    notices.tell("end", "ends <soon>")
    shell.execution_count = 2
    notices.tell("start", "is here")
    (first, one, fresh), (second, same, update), (third, other, _), (_, new, again) = (
        shell.display_pub
    )
    assert first.startswith("waits (")
    assert second.startswith("still waits (")
    assert third.startswith("ends <soon>")
    assert one == same
    assert len({one, other, new}) == 3
    assert (fresh, update, again) == (False, True, False)


def test_a_notice_of_another_thread(board, shell):
    thread = threading.Thread(target=notices.tell, args=("end", "soon"))
    thread.start()
    thread.join()
    assert len(shell.display_pub) == 1


@pytest.fixture
def log():
    """What reaches the handlers of all loggers."""
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    yield records
    logging.getLogger().removeHandler(handler)


def test_while_the_board_is_up_nobody_else_is_told(board, shell, log):
    notices.tell("start", "waits")
    assert len(shell.display_pub) == 1
    assert log == []


def test_when_it_is_down_the_log_is(shell, log):
    board = NoticeBoard(shell)
    board.put_up()
    board.take_down()
    notices.tell("start", "waits")
    assert shell.display_pub == []
    assert [record.topic for record in log] == ["start"]
