"""Event log, report and log files, with batch jobs that come and go, and in a real browser."""

import os
import time
from pathlib import Path

import pytest

import pilot_kernel
from pilot_kernel.resource import event_log
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import wait_until
from tests.drawing.html_check import Balance
from tests.real.lab import open_notebook, outputs, run_all, use_theme, write_notebook
from tests.real.test_views import CONTRAST

pytestmark = pytest.mark.real

JOBS = {
    "interface": "lo",
    "walltime": "10",
    "cores_per_node": 1,
    "memory_per_node_bytes": 5 * 10**8,
}
PATIENCE_S = 60


def _work(gate, seconds):
    while not os.path.exists(gate):
        time.sleep(0.01)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))
    return bytes(40_000)


def test_jobs_that_come_late_and_end_early_are_in_the_report(slurm, tmp_path, artifacts):
    gate = tmp_path / "gate"
    with pilot_kernel.Session() as session:
        here = session.add_pilot("local://", cores_per_node=1, name="here")
        wait_until(lambda: here.status.workers == 1, PATIENCE_S)
        tasks = [session.submit(_work, str(gate), 0.1, name="work") for _ in range(60)]
        wait_until(tasks[0].running, PATIENCE_S)
        jobs = session.add_pilot("slurm://", number_of_nodes=2, name="jobs", **JOBS)
        wait_until(lambda: jobs.status.workers == 2, PATIENCE_S)
        wait_until(lambda: _running_on("jobs", tasks), PATIENCE_S)
        held = _running_on("jobs", tasks)
        first = held.record.worker
        slurm.call("scancel", _job_of(slurm, first))
        wait_until(lambda: "sent-back" in event_log_of(session), PATIENCE_S)
        wait_until(lambda: jobs.status.workers == 2, PATIENCE_S)
        gate.touch()
        for task in tasks:
            task.result(PATIENCE_S)
        report = session.report()
        logs = session.logs()
        text = " ".join(file.name for file in logs)
    assert report.figures.states == {TaskState.DONE: 60}
    assert report.figures.deaths == 0, "nobody is to blame for a job that was canceled"
    assert [pilot.name for pilot in report.pilots] == ["here", "jobs"]
    assert report.pilots[1].came > report.pilots[1].added
    assert report.pilots[1].use.lost >= 1
    assert report.pilots[1].use.done > 1, "jobs took their share"
    kinds = [event["event"] for event in event_log.read(report.path).events]
    assert "worker-gone" in kinds
    assert "task-sent-back" in kinds
    Balance(report._repr_html_())
    (artifacts / "report.html").write_text(report._repr_html_())
    assert "agent" in text
    assert "here-0" in text
    assert first in text, "the log of a job that is gone"
    assert "Registered to" in logs[first].text


def _running_on(pilot, tasks):
    for task in tasks:
        record = task.record
        if record.state is TaskState.RUNNING and record.pilot == pilot:
            return task
    return None


def event_log_of(session):
    return Path(session._call("event_log_path")).read_text()


def _job_of(slurm, worker):
    start = worker.rpartition("-")[0]
    [job] = [job.id for job in slurm.jobs() if job.name.endswith(start)]
    return job


CELLS = (
    "%pilot add local:// --cores 2 --name early",
    """
import time, pilot_kernel
session = pilot_kernel.session()
def work(seconds):
    time.sleep(seconds)
def fail():
    raise ValueError
tasks = [session.submit(work, 0.05 + at % 5 / 10, name="work") for at in range(60)]
tasks.append(session.submit(fail))
time.sleep(3)
session.add_pilot("local://", cores_per_node=1, name="late")
for task in tasks:
    task.exception()
""",
    "%pilot report",
    "%pilot logs late",
)


@pytest.fixture(scope="module")
def page(browser, lab, artifacts):
    """A notebook with a report and some logs."""
    write_notebook(lab.work / "report.ipynb", CELLS)
    page = open_notebook(browser, lab, "report.ipynb", width=1280, height=900)
    try:
        run_all(page)
        outputs(page).filter(has_text="late-0.log").last.wait_for(timeout=60_000)
        yield page
    finally:
        page.screenshot(path=artifacts / "report-last.png")
        page.close()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_report_and_logs_read_well_in_a_notebook(page, artifacts, theme):
    use_theme(page, theme)
    for name, words in (("report", "utilisation:"), ("logs", "late-0.log")):
        view = outputs(page).filter(has_text=words).last
        view.wait_for(timeout=30_000)
        view.scroll_into_view_if_needed()
        page.mouse.move(5, 5)
        page.screenshot(path=artifacts / f"{name}-{theme.lower()}.png")
        assert view.evaluate(CONTRAST) >= 4.5
    picture = outputs(page).locator("svg[role=img][aria-label*='workers over time']")
    assert picture.count() == 1
    box = picture.bounding_box()
    assert box["width"] > 400
    assert picture.locator("title").count() > 10
