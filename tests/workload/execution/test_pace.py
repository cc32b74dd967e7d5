"""How much work the next task holds."""

import math

from qdreamer_lab.workload.execution.pace import Pace


def test_tasks_are_as_long_as_they_should_be():
    pace = Pace()
    pace.saw(100.0, 1.0)
    assert pace.size(1000, 1.0, 1000.0, 1) == 30  # of a hundredth of a second each


def test_where_every_task_has_a_price_there_are_no_more_than_workers():
    pace = Pace(math.inf)
    assert pace.size(1000, 1.0, 3000.0, 1) == 1000
    pace.saw(1.0, 60.0)  # a job that took long is no reason for smaller ones
    assert pace.size(1000, 1.0, 1000.0, 1) == 1000
    shared = Pace(math.inf)
    assert [shared.size(n, 1.0, float(n), 4) for n in (1000, 750, 500, 250)] == [250] * 4


def test_no_task_is_empty_or_holds_more_than_there_is():
    for target in (0.3, math.inf):
        pace = Pace(target)
        assert pace.size(1, 1e20, 1e20, 8) == 1
        pace.saw(1.0, 1e9)
        assert pace.size(5, 1.0, 5.0, 1) == (1 if target < math.inf else 5)
