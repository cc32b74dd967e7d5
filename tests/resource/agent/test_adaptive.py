"""How many workers it takes: arithmetic."""

import pytest

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
