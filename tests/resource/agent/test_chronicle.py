"""What an agent notes of pilots, workers and clients."""

import os
import signal
import time
from dataclasses import replace

import pytest

import pilot_kernel
from pilot_kernel.resource import event_log
from pilot_kernel.resource.agent.chronicle import pilot_events
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from tests.conftest import wait_until, worker_pids

NEW = PilotStatus("p", "local://", PilotState.PENDING, 0, 2, 0, 1, ("CPU",), 1000)


def changes(before, now):
    found = pilot_events({"p": before} if before else {}, {"p": now} if now else {})
    return [
        {name: fact for name, fact in event.items() if name not in ("at", "pilot")}
        for event in found
    ]


def test_a_pilot_that_is_added_and_one_that_is_stopped():
    [added] = pilot_events({}, {"p": NEW})
    assert (added["event"], added["pilot"], added["wanted"]) == ("pilot-added", "p", 2)
    assert changes(NEW, None) == [{"event": "pilot-stopped"}]
    assert changes(NEW, NEW) == []


@pytest.mark.parametrize(
    ("change", "event"),
    [
        ({"state": PilotState.ACTIVE}, {"event": "pilot-state", "state": "ACTIVE"}),
        ({"wanted": 5}, {"event": "pilot-scaled", "wanted": 5, "was": 2}),
        ({"adaptive": (1, 4)}, {"event": "pilot-adaptive", "between": (1, 4)}),
        ({"draining": True}, {"event": "pilot-draining", "draining": True}),
        ({"note": "why"}, {"event": "pilot-note", "note": "why"}),
        ({"ends_at": 9.0}, {"event": "pilot-ends", "ends_at": 9.0}),
        ({"workers": 1, "running": 3}, None),
    ],
)
def test_what_changes_of_a_pilot(change, event):
    assert changes(NEW, replace(NEW, **change)) == ([event] if event else [])
    again = changes(None, replace(NEW, **change))
    assert again[0]["event"] == "pilot-added"
    if event and event["event"] != "pilot-scaled":
        assert again[1:] == [event]


def test_a_password_in_a_url_is_not_written_down():
    secret = replace(NEW, resource="ssh://me:hush@host:22/x")
    [added] = pilot_events({}, {"p": secret})
    assert added["resource"] == "ssh://me:***@host:22/x"
    [added] = pilot_events({}, {"p": replace(NEW, resource="ssh://me@host:22")})
    assert added["resource"] == "ssh://me@host:22"


def test_a_session_s_log_outlives_it_and_tells_of_all_that_came_and_went():
    with pilot_kernel.Session() as session:
        pilot = session.add_pilot("local://", cores_per_node=1, name="mine")
        wait_until(lambda: pilot.status.workers == 1)
        ident = session._link.entry.id
        os.kill(worker_pids(session)["mine-0"], signal.SIGKILL)
        path = event_log.log_path(ident)
        wait_until(lambda: len(_of(path, "worker-up", session)) == 2)
        pilot.scale(2)
        pilot.stop()
    events = event_log.read(path).events
    story = [
        (event["event"], event.get("pilot") or event.get("worker"))
        for event in events
        if event["event"].startswith(("pilot", "worker", "agent"))
    ]
    first = [kind for kind, of in story if of in ("mine", "mine-0")]
    assert first[0] == "pilot-added"
    assert first.index("worker-gone") > first.index("worker-up")
    assert ("pilot-scaled", "mine") in story
    assert story.index(("pilot-stopped", "mine")) > story.index(("pilot-scaled", "mine"))
    assert story[-1][0] == "agent-left"
    assert events[-1]["why"] == "a client asked for it"
    assert [event["event"] for event in events].count("client-came") == 1


def test_a_worker_that_is_drained_is_told_of(tmp_path):
    with pilot_kernel.Session() as session:
        pilot = session.add_pilot("local://", cores_per_node=1, name="mine")
        wait_until(lambda: pilot.status.workers == 1)
        task = session.submit(_wait, str(tmp_path / "gate"))
        wait_until(task.running)
        pilot.drain()
        path = event_log.log_path(session._link.entry.id)
        wait_until(lambda: _of(path, "worker-leaving", session))
        (tmp_path / "gate").touch()
        task.result(60)
        wait_until(lambda: _of(path, "worker-gone", session))
        assert _of(path, "pilot-draining", session)
        report = session.report()
    [worker] = report.workers
    assert (worker.use.done, worker.use.lost) == (1, 0)
    [leaving] = report.timeline.workers["mine-0"].leaving
    [up] = report.timeline.workers["mine-0"].up
    assert up[0] < leaving[0] < leaving[1] == up[1]


def _wait(gate):
    while not os.path.exists(gate):
        time.sleep(0.01)


def _of(path, kind, session):
    session._call("event_log_path")
    return [event for event in event_log.read(path).events if event["event"] == kind]
