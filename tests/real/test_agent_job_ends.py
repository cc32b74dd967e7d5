"""How an agent's batch job ends, or goes on when whoever submitted it is gone."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import pilot_kernel
from pilot_kernel.errors import AgentLostError, PilotError
from pilot_kernel.jupyter.magics import pilot_commands
from pilot_kernel.resource import registry, slurm_job
from tests.conftest import wait_until
from tests.real.agent_jobs import JOB, WORKER, place, scratch_of

pytestmark = pytest.mark.real


def _cancel(slurm, job):
    slurm.call("scancel", job.id)


def _node_down(slurm, job):
    slurm.set_node(job.node, "DOWN")


@pytest.mark.parametrize(
    ("end", "words"),
    [(_cancel, "CANCELLED: it was canceled"), (_node_down, "NODE_FAIL: its node failed")],
)
def test_a_job_that_is_ended_from_outside(job_home, slurm, caplog, end, words):
    session = pilot_kernel.Session("ended", inside="slurm://", **JOB)
    task = session.submit(time.sleep, 100)
    session.submit(pow, 2, 3).result(60)
    scratch = scratch_of(session)
    end(slurm, slurm.jobs()[0])
    with pytest.raises(AgentLostError, match=f"is gone.*|.*{words}") as caught:
        task.result(30)
    assert words in str(caught.value)
    assert session.lost
    wait_until(lambda: "the session has ended: its job" in caplog.text)
    session.close()
    wait_until(lambda: not scratch.exists())
    assert registry.find("ended") is None


def test_the_end_of_the_walltime_is_announced_and_named(job_home, slurm, caplog):
    job = {**JOB, "walltime": "1", "queue": "short"}
    session = pilot_kernel.Session("short", inside="slurm://", **job)
    pilot = session.add_pilot("slurm://", **WORKER)
    assert session.submit(place, on=pilot.name).result(60)[0] == 0
    wait_until(lambda: "the session ends at" in caplog.text)
    assert caplog.text.count("the session ends at") == 1
    assert "in 1 min" in repr(session) or "in less than a minute" in repr(session)
    scratch = scratch_of(session)
    task = session.submit(time.sleep, 1000)
    with pytest.raises(AgentLostError, match="TIMEOUT: it reached its walltime"):
        task.result(150)
    wait_until(lambda: not slurm.jobs())
    assert not scratch.exists()
    assert caplog.text.count("the session ends at") == 1
    session.close()


def test_a_killed_agent_is_missed_and_its_jobs_go(job_home, slurm):
    session = pilot_kernel.Session("killed", inside="slurm://", **JOB)
    pilot = session.add_pilot("slurm://", **WORKER)
    assert session.submit(place, on=pilot.name).result(60)
    entry = session._link.entry
    os.kill(entry.pid, signal.SIGKILL)
    with pytest.raises(AgentLostError, match=f"job {entry.job}"):
        session.submit(pow, 2, 3).result(30)
    wait_until(lambda: not slurm.jobs(), 30)
    assert entry.directory.exists()
    registry.prune()
    assert not entry.directory.exists()
    session.close()


# ---- whoever it belonged to is gone

CLIENT = """
    import sys, time, pilot_kernel
    name, idle_s, wait = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "open"
    session = pilot_kernel.Session(
        name, idle_timeout_s=idle_s, inside="slurm://", interface="lo", walltime="10",
        cores_per_node=1, memory_per_node_bytes=1_000_000_000,
    )
    if wait:
        session.submit(pow, 2, 3).result(60)
        task = session.submit(time.sleep, 3, name="survivor")
        while task.state != "RUNNING":
            time.sleep(0.01)
    print("up", flush=True)
    time.sleep(1000)
"""


def _killed_client(name, idle_s, state):
    command = [sys.executable, "-c", textwrap.dedent(CLIENT), name, str(idle_s), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout.readline() == "up\n"
        client.kill()


def test_nobody_comes_back_to_a_killed_script_s_waiting_job(held, slurm):
    _killed_client("", 60, "pending")
    wait_until(lambda: not slurm.jobs())
    registry.prune()


def test_nobody_comes_back_to_a_killed_script_s_running_job(job_home, slurm):
    _killed_client("", 60, "open")
    wait_until(lambda: not slurm.jobs())


def test_a_killed_kernel_s_session_is_found_again_with_its_task(job_home, slurm):
    _killed_client("book", 60, "open")
    with pilot_kernel.Session("book") as session:
        assert session.attached
        [task] = [task for task in session.tasks if task.name == "survivor"]
        assert task.result(30) is None
        assert session.submit(place).result(30)[2] == session._link.entry.job


def test_a_killed_kernel_s_session_ends_after_its_idle_time(job_home, slurm):
    _killed_client("nobody", 2, "open")
    assert slurm.jobs()
    wait_until(lambda: not slurm.jobs(), 30)


def test_a_killed_kernel_s_waiting_job_is_found_again(held, slurm):
    _killed_client("later", 60, "pending")
    assert len(slurm.jobs()) == 1
    with pilot_kernel.Session("later") as session:
        assert session.attached
        held()
        assert session.submit(place).result(60)[2] == slurm.jobs()[0].id


def test_attach_and_reap(job_home, slurm):
    first = pilot_kernel.Session("theirs", inside="slurm://", **JOB)
    assert first.submit(pow, 2, 3).result(60) == 8
    entry = first._link.entry
    second = pilot_commands.attach(None, entry.id)
    assert second.submit(pow, 2, 4).result(30) == 16
    second.detach()
    local = pilot_kernel.Session("here")
    with pytest.raises(PilotError, match="has an agent already, which is no batch job"):
        pilot_kernel.Session("here", inside="slurm://", **JOB)
    local.close()
    assert pilot_commands.reap(None, entry.id) == f"removed: {entry.id}"
    assert not slurm.jobs()
    with pytest.raises(AgentLostError, match="CANCELLED"):
        first.submit(pow, 2, 3)
    first.close()


def test_an_agent_that_nobody_can_ask_about_is_taken_to_be_alive(job_home, slurm, monkeypatch):
    session = pilot_kernel.Session("unknown", inside="slurm://", **JOB)
    assert session.submit(pow, 2, 3).result(60) == 8
    entry = session._link.entry
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")
        slurm_job._asked.clear()
        assert entry.alive()
        registry.prune()
        with pytest.raises(PilotError, match="there is no 'squeue' here"):
            registry.reap(entry)
    assert entry.directory.exists()
    session.close()
