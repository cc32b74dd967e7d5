"""How many workers it takes: arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.resource.agent.adaptive import workers_needed


@pytest.mark.parametrize(
    ("waiting", "waiting_s", "at_work", "at_work_s", "needed"),
    [
        (0, 0.0, 0, 0.0, 0),
        (1, 0.001, 0, 0.0, 1),
        (3, 1000.0, 0, 0.0, 3),  # one for each task at most
        (1000, 10.0, 0, 0.0, 2),
        (1000, 10.0, 8, 4.0, 8),  # nobody is sent away who is at work
        (100, 50.0, 1, 0.5, 11),
        (0, 0.0, 3, 0.1, 3),
    ],
)
def test_as_many_as_get_through_it_in_a_few_seconds(waiting, waiting_s, at_work, at_work_s, needed):
    assert workers_needed(waiting, waiting_s, at_work, at_work_s) == needed


@given(st.integers(0, 10**5), st.floats(0, 10**6), st.integers(0, 1000), st.floats(0, 10**5))
def test_never_more_than_tasks_nor_fewer_than_are_at_work(waiting, waiting_s, at_work, at_work_s):
    needed = workers_needed(waiting, waiting_s, at_work, at_work_s)
    assert at_work <= needed <= waiting + at_work
    assert needed <= workers_needed(waiting + 1, waiting_s + 1, at_work, at_work_s)
    assert bool(needed) is bool(waiting or at_work)
