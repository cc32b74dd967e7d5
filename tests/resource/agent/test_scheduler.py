"""Tasks that are canceled, and what that does to those that need them, with a real agent."""

import operator
import time
from concurrent.futures import CancelledError

import pytest

from pilot_kernel.task.wire.record import TaskState
from tests.conftest import PATIENCE_S


def _late():
    time.sleep(600)
    return 1


def test_canceling_reaches_tasks_behind_one_that_nobody_holds(session):
    first = session.submit(_late)
    between = session.submit(operator.add, first, 1)
    last = session.submit(operator.add, between, 1)
    other = session.submit(operator.add, first, 2)
    between.release()
    assert first.cancel()
    for task in (last, other):
        with pytest.raises(CancelledError):
            task.result(PATIENCE_S)
    assert session.submit(operator.add, 1, 2).result(PATIENCE_S) == 3


def test_a_long_chain_can_be_canceled_from_its_beginning(session):
    chain = [session.submit(_late)]
    for _ in range(1_500):
        chain.append(session.submit(operator.add, chain[-1], 1))
    assert chain[0].cancel()
    with pytest.raises(CancelledError):
        chain[-1].result(PATIENCE_S)
    assert session.submit(operator.add, 1, 2).result(PATIENCE_S) == 3
    assert all(task.state is TaskState.CANCELED for task in chain)
