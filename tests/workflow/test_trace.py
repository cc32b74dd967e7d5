"""Traces: what waited for what, by hand and from a run with threads of its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Outcome
from qdreamer_lab.workflow.spent import TaskTimes
from qdreamer_lab.workflow.trace import Portion, Step, traced


def test_by_hand():
    times = {k: TaskTimes("p", 0, begun, begun + 2, ()) for k, begun in enumerate((2, 4, 6, 9))}
    log = [
        Step("a", 0, 1.0, heard=False),
        Step("a", 1, 1.5, heard=False),
        Step("a", 0, 4.5, heard=True),
        Step("a", 9, 4.6, heard=True),  # it never ran
        Step("a", 2, 5.0, heard=False),
        Step("a", 1, 6.5, heard=True),
        Step("b", 3, 8.5, heard=False),  # a thread's first one
        Step("b", 3, 11.5, heard=True),
    ]
    found = traced(log, times, {2: (1,)}, {3: Portion(4, 8.0)}, 0.5, 14.0)
    assert [t.previous for t in found.tasks] == [None, 0, 1, None]
    assert [t.heard for t in found.tasks] == [(), (), (0,), (0, 1)]
    assert [t.inputs for t in found.tasks] == [(), (), (1,), ()]
    assert [t.gap_s for t in found.tasks] == pytest.approx([0.5, 0.5, 0.5, 2.0])
    assert [t.busy_s for t in found.tasks] == [2.0] * 4
    assert [t.portion.items for t in found.tasks] == [1, 1, 1, 4]
    assert (found.tail_s, found.wall_s) == (2.5, 13.5)


def twice(value):
    return 2 * value


class Chains(Motif):
    """Two chains of three in threads of their own, and one more that takes both their ends."""

    name, title = "chains", "Chains"

    def work(self, run):
        def chain(_):
            value = 1
            for _ in range(3):
                work = run.submit("classical", twice, value)
                value = work.result()
            return work

        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(chain, range(2)))
        last = run.submit("classical", sum, ends)
        return Outcome(values={"sum": last.result()})


def test_of_a_run(session):
    report = Chains().run(session)
    assert report.values["sum"] == 16
    *chained, last = report.trace.tasks
    assert len(chained) == 6
    firsts = [k for k, task in enumerate(chained) if task.previous is None]
    assert len(firsts) == 2
    for k, task in enumerate(chained):
        if k not in firsts:
            assert task.heard == (task.previous,)
    ends = {*range(6)} - {task.previous for task in chained}
    assert {*last.inputs} == ends
    assert {*last.heard} == {*range(6)}
    assert all(task.busy_s > 0 and task.gap_s >= 0 for task in report.trace.tasks)
    assert 0 <= report.trace.tail_s <= report.trace.wall_s == report.spent.wall_s
    assert type(report).from_json(report.to_json()).trace is None
