"""Reports of real sessions: living, closed, and with an agent that was killed."""

import csv
import io
import json
import os
import time

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError
from pilot_kernel.resource import registry
from pilot_kernel.resource.event_log import log_path
from pilot_kernel.sessions.reports.asking import past_report
from pilot_kernel.sessions.reports.report import Report
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import wait_until
from tests.drawing.html_check import Balance
from tests.sessions.reports import stories as s


def _wait(gate, seconds=0.0):
    while not os.path.exists(gate):
        time.sleep(0.01)
    time.sleep(seconds)
    return bytes(60_000)


def test_a_report_of_a_session_with_a_pilot_that_comes_later(tmp_path):
    gate = tmp_path / "gate"
    with pilot_kernel.Session() as session:
        early = session.add_pilot("local://", cores_per_node=1, name="early")
        wait_until(lambda: early.status.workers == 1)
        tasks = [session.submit(_wait, str(gate), 0.05, name="work") for _ in range(20)]
        wait_until(tasks[0].running)
        late = session.add_pilot("local://", cores_per_node=2, name="late")
        wait_until(lambda: late.status.workers == 2)
        during = session.report()
        gate.touch()
        for task in tasks:
            task.result(60)
        bad = session.submit(int, "x", name="bad")
        assert isinstance(bad.exception(60), ValueError)
        report = session.report()
        ident = session._link.entry.id
    assert during.living
    assert during.figures.states[TaskState.RUNNING] >= 1
    assert during.figures.tasks == 20
    assert [pilot.name for pilot in report.pilots] == ["early", "late"]
    assert [worker.name for worker in report.workers] == ["early-0", "late-0", "late-1"]
    assert report.figures.states == {TaskState.DONE: 20, TaskState.FAILED: 1}
    assert sum(worker.use.done for worker in report.workers) == 20
    assert sum(worker.use.failed for worker in report.workers) == 1
    assert all(pilot.use.done > 0 for pilot in report.pilots), "late binding"
    assert report.figures.result_bytes > 20 * 60_000
    late_figures = report.pilots[1]
    assert late_figures.came > late_figures.added > report.pilots[0].came
    assert 0 < report.utilisation <= 1
    for each in report.workers:
        assert each.use.busy_s <= each.use.wanted_s <= each.use.up_s
    # The same log, when the session is over.
    after = session.report()
    assert not after.living
    assert after.figures.states == report.figures.states
    assert after.timeline.left == "a client asked for it"
    assert past_report(ident[:-1]).figures.states == report.figures.states
    assert "early-0" in report.table
    assert "utilisation" in repr(report)
    html = report._repr_html_()
    text = Balance(html).text
    assert "late-1" in text
    assert html.count("<svg") == 1


def test_rows_of_tasks_and_of_workers(tmp_path):
    with pilot_kernel.Session() as session:
        tasks = [session.submit(pow, 2, 5, name="a, b") for _ in range(3)]
        for task in tasks:
            task.result(60)
        report = session.report()
    rows = list(csv.DictReader(io.StringIO(report.csv(tmp_path / "tasks.csv"))))
    assert (tmp_path / "tasks.csv").read_text() == report.csv()
    assert {row["task"] for row in rows} == {task.key for task in tasks}
    for row in rows:
        assert (row["name"], row["state"], row["deaths"]) == ("a, b", "DONE", "0")
        assert float(row["queued"]) <= float(row["started"]) <= float(row["finished"])
    workers = list(csv.DictReader(io.StringIO(report.csv(of="workers"))))
    assert sum(int(row["done"]) for row in workers) == 3
    with pytest.raises(PilotError, match="'tasks' or 'workers'"):
        report.csv(of="pilots")


def test_the_report_of_a_part_of_the_time(tmp_path):
    events = (
        s.HEAD,
        s.pilot(0),
        s.up(0, "p-0"),
        s.queued(0, "first-1"),
        s.ended(0, 10, "first-1", "p-0"),
        s.pilot(20, "q"),
        s.queued(20, "second-2"),
        s.ended(21, 30, "second-2", "p-0", taken=20, state="FAILED"),
    )
    path = tmp_path / "agent-1.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    report = Report.read(path)
    assert report.figures.states == {TaskState.DONE: 1, TaskState.FAILED: 1}
    later = report.between(begin=115.0)
    assert later.figures.states == {TaskState.FAILED: 1}
    assert (later.begin, later.end, later.utilisation) == (115, 130, 0.9)
    assert [pilot.name for pilot in later.pilots] == ["p", "q"]
    earlier = report.between(end=115.0)
    assert earlier.figures.states == {TaskState.DONE: 1}
    assert [pilot.name for pilot in earlier.pilots] == ["p"]
    for part in (later, earlier):
        Balance(part._repr_html_())
        assert repr(part)
    with pytest.raises(PilotError, match="was not there"):
        report.between(105.0, 104.0)
    with pytest.raises(PilotError, match="was not there"):
        report.between(end=1.0)


def test_the_report_of_a_session_whose_agent_was_killed(tmp_path):
    session = pilot_kernel.Session()
    done = session.submit(pow, 2, 5)
    assert done.result(60) == 32
    held = session.submit(_wait, str(tmp_path / "never"))
    wait_until(held.running)
    entry = session._link.entry
    wait_until(lambda: "task-started" in log_path(entry.id).read_text())
    psutil.Process(entry.pid).kill()
    wait_until(lambda: session.lost)
    report = session.report()
    assert report.figures.states == {TaskState.DONE: 1, TaskState.RUNNING: 1}
    assert not report.living
    assert "was killed" in repr(report)
    assert "agent" in [file.name for file in session.logs()]
    session.close()
    registry.prune()
    assert not entry.directory.exists()
    assert session.report().figures.states == report.figures.states
    with pytest.raises(PilotError, match="went with the session's agent"):
        session.logs()


def test_a_session_without_anything_has_an_empty_report():
    with pilot_kernel.Session() as session:
        report = session.report()
        assert report.utilisation is None
        assert "no tasks" in repr(report)
        Balance(report._repr_html_())


def test_a_session_that_is_not_on_record_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path))
    with pytest.raises(PilotError, match=r"'the last session' has no event log; there is: none"):
        past_report()
    folder = tmp_path / registry.LOGS
    folder.mkdir()
    for name in ("agent-12", "agent-13"):
        (folder / f"{name}.jsonl").write_text('{"at": 1, "event": "log", "version": 1}\n')
    with pytest.raises(PilotError, match=r"'agent-1' has several .* agent-12, agent-13"):
        past_report("agent-1")
    assert isinstance(past_report("agent-13"), Report)
