"""An agent that runs in a batch job: it waits, opens, works, ends, and is found and cleared up."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import pilot_kernel
from pilot_kernel.errors import AgentLostError, AgentStartError, PilotError
from pilot_kernel.jupyter.magics import pilot_commands
from pilot_kernel.resource import notices, registry, slurm_job
from pilot_kernel.resource.connection import job_launch
from tests.conftest import wait_until

pytestmark = pytest.mark.real

JOB = {
    "interface": "lo",
    "walltime": "10",
    "cores_per_node": 2,
    "memory_per_node_bytes": 2_000_000_000,
}
WORKER = {"interface": "lo", "cores_per_node": 1, "memory_per_node_bytes": 600_000_000}


@pytest.fixture
def home(tmp_path, monkeypatch, slurm):
    """A registry of the test's own; no job and no file may be left of its agents."""
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path))
    yield tmp_path
    wait_until(lambda: not slurm.jobs())
    wait_until(lambda: not _agents(tmp_path))
    _resume(slurm)
    wait_until(lambda: set(slurm.node_states().values()) == {"idle"}, 60)


def _resume(slurm):
    for node, state in slurm.node_states().items():
        if state.startswith(("down", "drain")):
            slurm.set_node(node, "RESUME")


def _agents(home):
    return [folder.name for folder in home.glob("agent-*")]


def _scratch(session):
    return Path(session._link.entry.scratch)


def _place(x=0):
    return x, os.environ.get("SLURMD_NODENAME"), os.environ.get("SLURM_JOB_ID")


@pytest.fixture
def held(home, slurm):
    """No node takes a job until `held()` is called."""
    for node in slurm.nodes:
        slurm.set_node(node, "DRAIN")

    return lambda: _resume(slurm)


def test_scheduler_and_agent_run_in_the_job_and_leave_nothing(home, slurm):
    with pilot_kernel.Session(inside="slurm://", **JOB) as session:
        [task] = [session.submit(_place, 7)]
        [job] = slurm.jobs()
        assert task.result(60) == (7, job.node, job.id)
        entry = session._link.entry
        assert (entry.host, entry.job, entry.batch) == (job.node, job.id, "slurm")
        assert not entry.here
        assert abs(entry.ends_at - time.time() - 600) < 60
        assert f"job {job.id} on {job.node}, ends at" in repr(session)
        [status] = session.pilot_statuses()
        assert (status.name, status.wanted) == ("local", 2)
        assert status.memory_per_worker_bytes == 800_000_000  # the agent has its share
        assert job.node in str(pilot_commands.agents(session))
        assert f"job {job.id} RUNNING" in str(pilot_commands.agents(None))
        scratch = _scratch(session)
        assert scratch.exists()
        assert (entry.directory / "agent.log").stat().st_mode & 0o077 == 0
    assert not slurm.jobs()
    assert not scratch.exists()
    assert not entry.directory.exists()


def test_the_script_that_is_shown_is_the_one_that_is_submitted(home, slurm):
    lines = ("#SBATCH --comment=mine", "export SET_UP=yes")
    keys = {**JOB, "scheduler_script_commands": lines}
    shown = pilot_kernel.agent_job_script("slurm://", **keys)
    assert not _agents(home)
    assert "#SBATCH --comment=mine" in shown
    with pilot_kernel.Session(inside="slurm://", **keys) as session:
        assert session.submit(os.getenv, "SET_UP").result(60) == "yes"
        [job] = slurm.jobs()
        submitted = slurm.call("scontrol", "write", "batch_script", job.id, "-")
        assert submitted.strip() == shown.replace("agent-ID", session._link.entry.id).strip()
    assert "PRIVATE KEY" not in submitted


def test_more_jobs_are_submitted_from_there_and_end_with_it(home, slurm):
    with pilot_kernel.Session(inside="slurm://", **JOB) as session:
        pilot = session.add_pilot("slurm://", walltime="10", **WORKER)
        first = session.submit(_place, 1, on="local")
        second = session.submit(_place, first, on=pilot.name)
        [inner, _, job] = second.result(90)
        assert inner[2] == session._link.entry.job
        assert job not in (None, inner[2])
        assert len(slurm.jobs()) == 2
    wait_until(lambda: not slurm.jobs(), 10)


def test_while_the_job_waits_the_reason_is_told_and_work_waits_with_it(held, slurm, caplog):
    session = pilot_kernel.Session(inside="slurm://", **JOB)
    with session, ThreadPoolExecutor() as pool:
        working = pool.submit(lambda: session.submit(_place, 3).result(60))
        wait_until(lambda: "PENDING (" in session.waits_for)
        assert "PENDING" in repr(session)
        assert "PENDING" in str(pilot_commands.status(session))
        assert session.tasks == []
        assert "PENDING" in str(pilot_commands.agents(session))
        assert not working.done()
        held()
        assert working.result(60)[0] == 3
        assert session.waits_for == ""


def test_who_waits_in_the_main_thread_is_told_for_what(held, slurm, caplog):
    with pilot_kernel.Session(inside="slurm://", **JOB) as session, ThreadPoolExecutor() as pool:
        pool.submit(lambda: wait_until(lambda: "PENDING" in caplog.text) or held())
        assert session.submit(pow, 2, 3).result(60) == 8
    told = [record.getMessage() for record in caplog.records if record.name == notices.LOGGER]
    assert any("waiting: the agent's job" in text and "PENDING" in text for text in told)
    assert any(text.startswith("here it is: agent in job") for text in told)


def test_a_job_that_does_not_begin_in_time_is_cancelled(held, slurm):
    session = pilot_kernel.Session(inside="slurm://", start_within_s=1, **JOB)
    with pytest.raises(AgentStartError, match=r"start_within_s=1.*PENDING \("):
        session.submit(pow, 2, 3)
    assert session.lost
    session.close()


@pytest.mark.parametrize("leave", [True, False])
def test_a_session_can_be_left_while_its_job_waits(held, slurm, leave):
    session = pilot_kernel.Session("waits", inside="slurm://", **JOB)
    (session.close if leave else session.detach)()
    assert len(slurm.jobs()) == (not leave)
    if leave:
        return
    again = pilot_kernel.Session("waits")
    assert again.attached
    wait_until(lambda: "PENDING" in again.waits_for)
    held()
    assert again.submit(pow, 2, 3).result(60) == 8
    again.close()


def test_a_job_that_slurm_refuses_is_refused_in_its_own_words(home, slurm):
    with pytest.raises(AgentStartError, match="invalid partition"):
        pilot_kernel.Session(inside="slurm://", queue="nosuch", **JOB)
    assert not _agents(home)


def test_a_job_cancelled_before_it_began(held, slurm):
    session = pilot_kernel.Session(inside="slurm://", **JOB)
    wait_until(lambda: "PENDING" in session.waits_for)
    slurm.call("scancel", slurm.jobs()[0].id)
    with pytest.raises(AgentStartError, match="CANCELLED: it was cancelled"):
        session.submit(pow, 2, 3)
    session.close()


def test_an_interface_that_the_node_has_not(home, slurm):
    session = pilot_kernel.Session(inside="slurm://", **{**JOB, "interface": "nosuch0"})
    with pytest.raises(AgentStartError, match=r"(?s)FAILED.*on n\d: interface='nosuch0'.*has .*lo"):
        session.submit(pow, 2, 3)
    session.close()


def _apart(home):
    """Lines that hide the registry from the job, as if its file system were not shared."""
    return (
        '[ -n "$APART" ] || APART=1 exec unshare -m bash "$0"',
        f"mount -t tmpfs none {home}",
    )


def test_a_registry_that_the_node_does_not_see(home, slurm):
    keys = {**JOB, "scheduler_script_commands": _apart(home)}
    session = pilot_kernel.Session(inside="slurm://", **keys)
    with pytest.raises(AgentStartError, match=r"(?s)FAILED.*does not see their files"):
        session.submit(pow, 2, 3)
    session.close()


def test_an_agent_that_is_not_seen_from_here(home, slurm, monkeypatch):
    monkeypatch.setattr(job_launch, "_SILENT_S", 0.5)
    monkeypatch.setattr(job_launch, "_MUTE_S", 4.0)
    keys = {**JOB, "scheduler_script_commands": ("sleep 1000",)}
    session = pilot_kernel.Session(inside="slurm://", **keys)
    wait_until(lambda: "has not shown up: perhaps the node does not see" in session.waits_for)
    with pytest.raises(AgentStartError, match=r"RUNNING.*set PILOT_KERNEL_HOME.*is cancelled"):
        session.submit(pow, 2, 3)
    session.close()


# ---- ends


def _cancel(slurm, job):
    slurm.call("scancel", job.id)


def _node_down(slurm, job):
    slurm.set_node(job.node, "DOWN")


@pytest.mark.parametrize(
    ("end", "words"),
    [(_cancel, "CANCELLED: it was cancelled"), (_node_down, "NODE_FAIL: its node failed")],
)
def test_a_job_that_is_ended_from_outside(home, slurm, caplog, end, words):
    session = pilot_kernel.Session("ended", inside="slurm://", **JOB)
    task = session.submit(time.sleep, 100)
    session.submit(pow, 2, 3).result(60)
    scratch = _scratch(session)
    end(slurm, slurm.jobs()[0])
    with pytest.raises(AgentLostError, match=f"is gone.*|.*{words}") as caught:
        task.result(30)
    assert words in str(caught.value)
    assert session.lost
    wait_until(lambda: "the session has ended: its job" in caplog.text)
    session.close()
    wait_until(lambda: not scratch.exists())
    assert registry.find("ended") is None


def test_the_end_of_the_walltime_is_announced_and_named(home, slurm, caplog):
    job = {**JOB, "walltime": "1", "queue": "short"}
    session = pilot_kernel.Session("short", inside="slurm://", **job)
    pilot = session.add_pilot("slurm://", **WORKER)
    assert session.submit(_place, on=pilot.name).result(60)[0] == 0
    wait_until(lambda: "the session ends at" in caplog.text)
    assert caplog.text.count("the session ends at") == 1
    assert "in 1 min" in repr(session) or "in less than a minute" in repr(session)
    scratch = _scratch(session)
    task = session.submit(time.sleep, 1000)
    with pytest.raises(AgentLostError, match="TIMEOUT: it reached its walltime"):
        task.result(150)
    wait_until(lambda: not slurm.jobs(), 10)
    assert not scratch.exists()
    assert caplog.text.count("the session ends at") == 1
    session.close()


def test_a_killed_agent_is_missed_and_its_jobs_go(home, slurm):
    session = pilot_kernel.Session("killed", inside="slurm://", **JOB)
    pilot = session.add_pilot("slurm://", **WORKER)
    assert session.submit(_place, on=pilot.name).result(60)
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
    wait_until(lambda: not slurm.jobs(), 10)
    registry.prune()


def test_nobody_comes_back_to_a_killed_script_s_running_job(home, slurm):
    _killed_client("", 60, "open")
    wait_until(lambda: not slurm.jobs(), 20)


def test_a_killed_kernel_s_session_is_found_again_with_its_task(home, slurm):
    _killed_client("book", 60, "open")
    with pilot_kernel.Session("book") as session:
        assert session.attached
        [task] = [task for task in session.tasks if task.name == "survivor"]
        assert task.result(30) is None
        assert session.submit(_place).result(30)[2] == session._link.entry.job


def test_a_killed_kernel_s_session_ends_after_its_idle_time(home, slurm):
    _killed_client("nobody", 2, "open")
    assert slurm.jobs()
    wait_until(lambda: not slurm.jobs(), 30)


def test_a_killed_kernel_s_waiting_job_is_found_again(held, slurm):
    _killed_client("later", 60, "pending")
    assert len(slurm.jobs()) == 1
    with pilot_kernel.Session("later") as session:
        assert session.attached
        held()
        assert session.submit(_place).result(60)[2] == slurm.jobs()[0].id


def test_attach_and_reap(home, slurm):
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


def test_an_agent_that_nobody_can_ask_about_is_taken_to_be_alive(home, slurm, monkeypatch):
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


# ---- results that lie on the node


def _large(number, size):
    return [number] * size


def test_results_that_lie_on_the_node_are_fetched(home, slurm, tmp_path_factory):
    node_tmp = tmp_path_factory.mktemp("node")
    lines = (
        '[ -n "$APART" ] || APART=1 exec unshare -m bash "$0"',
        f"mount -t tmpfs none {node_tmp}",  # seen by nobody outside of the job
        f"export TMPDIR={node_tmp}",
    )
    keys = {**JOB, "scheduler_script_commands": lines}
    with pilot_kernel.Session("far", inside="slurm://", **keys) as session:
        tasks = [session.submit(_large, number, 300_000) for number in range(4)]
        sums = [session.submit(sum, task) for task in tasks]
        assert [task.result(60) for task in sums] == [300_000 * number for number in range(4)]
        assert [task.result(60) for task in tasks] == [[n] * 300_000 for n in range(4)]
        assert _scratch(session).is_relative_to(node_tmp)
        assert not _scratch(session).exists()
        assert session.submit(os.path.exists, str(_scratch(session) / "results")).result(30)
        session.detach()
    with pilot_kernel.Session("far") as again:
        [task] = [task for task in again.tasks if task.key == tasks[3].key]
        assert task.result(60) == [3] * 300_000
