"""Events to what happened to each pilot, worker and task."""

import pytest

from pilot_kernel.sessions.reports.timeline import read_timeline
from pilot_kernel.task.wire.record import TaskState
from tests.sessions.reports import stories as s


def test_a_task_that_waits_runs_and_ends():
    line = read_timeline(
        [
            s.HEAD,
            s.pilot(0),
            s.up(1, "p-0"),
            s.queued(2, "t-1"),
            s.ended(5, 7, "t-1", "p-0", taken=2, bytes=9),
        ]
    )
    task = line.tasks["t-1"]
    assert (task.name, task.state, task.worker, task.result_bytes) == ("t", "DONE", "p-0", 9)
    assert (task.ready, task.started, task.finished) == (102, 105, 107)
    assert (task.waits, task.waited_s, task.ran_s) == ([(102, 105)], 3, 2)
    [attempt] = line.workers["p-0"].attempts
    assert (attempt.begin, attempt.end, attempt.outcome) == (105, 107, TaskState.DONE)
    assert line.workers["p-0"].up == [(101, 107)]
    assert (line.begin, line.end, line.left) == (100, 107, None)
    assert line.about["agent"] == "agent-1"


def test_a_worker_knows_better_when_a_task_began_than_its_first_news():
    line = read_timeline(
        [
            s.HEAD,
            s.up(1, "p-0"),
            s.up(1, "p-1"),
            s.queued(2, "t-1"),
            s.started(3, "t-1", "p-0"),
            s.ended(4, 6, "t-1", "p-1", taken=2),
        ]
    )
    assert line.tasks["t-1"].waits == [(102, 104)]
    assert line.workers["p-0"].attempts == []
    assert [(a.begin, a.end) for a in line.workers["p-1"].attempts] == [(104, 106)]


def test_a_task_that_loses_its_worker_waits_again():
    line = read_timeline(
        [
            s.HEAD,
            s.up(0, "p-0"),
            s.up(0, "p-1"),
            s.queued(1, "t-1"),
            s.started(2, "t-1", "p-0"),
            s.back(5, "t-1", "p-0"),
            s.gone(5, "p-0"),
            s.up(6, "p-0", address="tls://again"),
            s.started(7, "t-1", "p-1"),
            s.ended(7, 9, "t-1", "p-1", taken=1, deaths=1),
        ]
    )
    task = line.tasks["t-1"]
    assert task.waits == [(101, 102), (105, 107)]
    assert task.deaths == 1
    [lost] = line.workers["p-0"].attempts
    assert (lost.begin, lost.end, lost.outcome) == (102, 105, TaskState.WAITING)
    assert line.workers["p-0"].up == [(100, 105), (106, 109)]
    assert [a.outcome for a in line.workers["p-1"].attempts] == [TaskState.DONE]


def test_a_task_that_depends_on_others_is_ready_when_those_are_done():
    line = read_timeline(
        [
            s.HEAD,
            s.up(0, "p-0"),
            s.queued(1, "t-1"),
            s.queued(1, "t-2", after=1, only=["p-0"], needs={"GPU": 1}),
            s.queued(1, "t-3", after=1),
            s.ended(1, 4, "t-1", "p-0", taken=1),
            s.event(4, "task-ready", task="t-2"),
        ]
    )
    assert [task.ready for task in line.tasks.values()] == [101, 104, None]
    assert line.tasks["t-3"].waits == []
    assert (line.tasks["t-2"].only, line.tasks["t-2"].needs) == (("p-0",), {"GPU": 1})


@pytest.mark.parametrize(("until", "end"), [(None, 104), (150.0, 150), (1.0, 104)])
def test_what_has_not_ended_goes_on_until_the_end(until, end):
    line = read_timeline(
        [
            s.HEAD,
            s.up(0, "p-0"),
            s.queued(1, "t-1"),
            s.queued(1, "t-2"),
            s.started(2, "t-1", "p-0"),
            s.queued(4, "t-3"),
        ],
        until,
    )
    assert line.end == end
    [attempt] = line.workers["p-0"].attempts
    assert (attempt.end, attempt.outcome) == (end, TaskState.RUNNING)
    assert line.tasks["t-2"].waits == [(101, end)]
    assert line.tasks["t-1"].state is TaskState.RUNNING
    assert line.workers["p-0"].up == [(100, end)]


def test_a_task_that_was_canceled_as_it_waited_has_only_waited():
    line = read_timeline(
        [s.HEAD, s.queued(1, "t-1"), s.ended(0, 5, "t-1", None, taken=1, state="CANCELED")]
    )
    assert line.tasks["t-1"].waits == [(101, 105)]
    assert line.tasks["t-1"].started is None
    assert line.workers == {}


def test_what_a_log_that_begins_anew_tells_again_is_known():
    whole = [s.HEAD, s.pilot(0), s.up(1, "p-0"), s.HEAD, s.pilot(2), s.up(1, "p-0")]
    line = read_timeline([*whole, s.gone(6, "p-0"), s.event(7, "pilot-stopped", pilot="p")])
    assert line.workers["p-0"].up == [(101, 106)]
    assert (line.pilots["p"].added, line.pilots["p"].stopped) == (100, 107)
    # Of a task that was taken before the log begins, its end tells all there is.
    line = read_timeline([s.HEAD, s.up(1, "p-0"), s.ended(5, 7, "t-1", "p-0", taken=2)])
    assert (line.tasks["t-1"].queued, line.tasks["t-1"].ran_s) == (102, 2)


def test_a_pilot_s_life():
    line = read_timeline(
        [
            s.HEAD,
            s.pilot(0),
            s.event(1, "pilot-note", pilot="p", note="waits for Resources"),
            s.event(2, "pilot-state", pilot="p", state="ACTIVE"),
            s.event(3, "pilot-stopped", pilot="p"),
            s.pilot(4),
            s.event(5, "events-lost", count=3),
            s.event(6, "agent-left", why="told to"),
            s.event(7, "of-a-kind-to-come", some=1),
        ]
    )
    assert (line.pilots["p"].state, line.pilots["p"].note) == ("PENDING", "")
    assert line.pilots["p"].stopped is None
    assert (line.events_lost, line.left) == (3, "told to")
