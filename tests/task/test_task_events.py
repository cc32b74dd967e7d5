"""What changes of records mean, by themselves and in a real session."""

import os
import signal
import time
from dataclasses import replace

import pytest

import pilot_kernel
from pilot_kernel.errors import WorkerDiedError
from pilot_kernel.resource import event_log
from pilot_kernel.task.task_events import Records, changed_event
from pilot_kernel.task.wire.record import TaskRecord, TaskState
from tests.conftest import wait_until, worker_pids

WAITING = TaskRecord("t-1", "t", TaskState.WAITING, queued=10.0)
PLACED = replace(WAITING, worker="w-0", pilot="w")
RUNNING = replace(PLACED, state=TaskState.RUNNING, started=11.0)
DONE = replace(RUNNING, state=TaskState.DONE, finished=12.0)
PLACE = {"worker": "w-0", "pilot": "w"}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (WAITING, PLACED, None),
        (PLACED, RUNNING, ("task-started", 11.0, PLACE)),
        (RUNNING, replace(RUNNING, output_bytes=5), None),
        (RUNNING, replace(PLACED, deaths=1), ("task-sent-back", None, {**PLACE, "deaths": 1})),
        (RUNNING, PLACED, ("task-sent-back", None, {**PLACE, "deaths": 0})),
        (PLACED, replace(PLACED, deaths=1), ("task-died", None, {**PLACE, "deaths": 1})),
        (RUNNING, replace(RUNNING, deaths=2), ("task-died", None, {**PLACE, "deaths": 2})),
        (
            RUNNING,
            DONE,
            ("task-ended", 12.0, {"state": "DONE", "queued": 10.0, **PLACE, "started": 11.0}),
        ),
        (
            WAITING,
            replace(WAITING, state=TaskState.CANCELED, finished=12.0),
            ("task-ended", 12.0, {"state": "CANCELED", "queued": 10.0}),
        ),
        (DONE, replace(DONE, output_bytes=3), None),
    ],
)
def test_what_a_change_means(before, now, expected):
    event = changed_event(before, now, 77)
    if expected is None:
        assert event is None
        return
    kind, at, facts = expected
    size = {"bytes": 77} if facts.get("state") == "DONE" else {}
    assert event == (kind, at, {"task": "t-1", **facts, **size})


def test_every_change_of_the_book_is_told():
    told = []
    records = Records(lambda before, now: told.append((before, now)))
    records["t-1"] = WAITING
    records["t-1"] = RUNNING
    assert told == [(None, WAITING), (WAITING, RUNNING)]
    assert list(records.values()) == [RUNNING]


def _sleep_once(path, seconds):
    if not os.path.exists(path):
        open(path, "w").close()
        time.sleep(seconds)
    return bytes(50_000)


def _end():
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_log_of_a_session_has_every_task_once_with_its_place_and_size(tmp_path):
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1, name="mine")
        killed = session.submit(_sleep_once, str(tmp_path / "gate"), 60)
        wait_until((tmp_path / "gate").exists)  # then it will not sleep again
        wait_until(lambda: killed.state == TaskState.RUNNING)
        os.kill(worker_pids(session)["mine-0"], signal.SIGKILL)
        assert len(killed.result(60)) == 50_000
        after = session.submit(len, killed)
        assert after.result(60) == 50_000
        crashed = session.submit(_end)
        with pytest.raises(WorkerDiedError):
            crashed.result(60)
        bound = session.submit(pow, 2, 2, on="mine")
        canceled = session.submit(time.sleep, 60)
        bound.result(60)
        canceled.cancel()
        wait_until(lambda: canceled.record.state.final)
        path = session._call("event_log_path")
    events = [e for e in event_log.read(path).events if e["event"].startswith("task-")]

    def of(task):
        return [event for event in events if event["task"] == task.key]

    story = [event["event"] for event in of(killed)]
    assert story[:3] == ["task-queued", "task-started", "task-sent-back"]
    assert story.count("task-ended") == 1
    ended = of(killed)[-1]
    assert (ended["state"], ended["worker"], ended["deaths"]) == ("DONE", "mine-0", 1)
    assert 50_000 < ended["bytes"] < 51_000
    assert ended["queued"] <= ended["started"] <= ended["at"]
    story = [event["event"] for event in of(after)]
    quick = ["task-queued", "task-ready", "task-ended"]
    assert [kind for kind in story if kind != "task-started"] == quick  # told if it takes a while
    assert of(after)[0]["after"] == 1
    assert (of(crashed)[-1]["state"], of(crashed)[-1]["deaths"]) == ("FAILED", 2)
    assert of(bound)[0]["needs"] == {"pilot:mine": 1}
    assert of(canceled)[-1]["state"] == "CANCELED"
    for task in (killed, after, crashed, bound, canceled):
        assert [event["event"] for event in of(task)].count("task-ended") == 1
