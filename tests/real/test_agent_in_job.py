"""An agent that runs in a batch job: it waits, opens, works, and is cleared up."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import pilot_kernel
from pilot_kernel.errors import AgentStartError
from pilot_kernel.jupyter.magics import pilot_commands
from pilot_kernel.resource import notices
from pilot_kernel.resource.connection import job_launch
from tests.conftest import wait_until
from tests.real.agent_jobs import JOB, WORKER, agents, place, scratch_of

pytestmark = pytest.mark.real


def test_scheduler_and_agent_run_in_the_job_and_leave_nothing(job_home, slurm):
    with pilot_kernel.Session(inside="slurm://", **JOB) as session:
        [task] = [session.submit(place, 7)]
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
        scratch = scratch_of(session)
        assert scratch.exists()
        assert (entry.directory / "agent.log").stat().st_mode & 0o077 == 0
    assert not slurm.jobs()
    assert not scratch.exists()
    assert not entry.directory.exists()


def test_the_script_that_is_shown_is_the_one_that_is_submitted(job_home, slurm):
    lines = ("#SBATCH --comment=mine", "export SET_UP=yes")
    keys = {**JOB, "scheduler_script_commands": lines}
    shown = pilot_kernel.agent_job_script("slurm://", **keys)
    assert not agents(job_home)
    assert "#SBATCH --comment=mine" in shown
    with pilot_kernel.Session(inside="slurm://", **keys) as session:
        assert session.submit(os.getenv, "SET_UP").result(60) == "yes"
        [job] = slurm.jobs()
        submitted = slurm.call("scontrol", "write", "batch_script", job.id, "-")
        assert submitted.strip() == shown.replace("agent-ID", session._link.entry.id).strip()
    assert "PRIVATE KEY" not in submitted


def test_more_jobs_are_submitted_from_there_and_end_with_it(job_home, slurm):
    with pilot_kernel.Session(inside="slurm://", **JOB) as session:
        pilot = session.add_pilot("slurm://", walltime="10", **WORKER)
        first = session.submit(place, 1, on="local")
        second = session.submit(place, first, on=pilot.name)
        [inner, _, job] = second.result(90)
        assert inner[2] == session._link.entry.job
        assert job not in (None, inner[2])
        assert len(slurm.jobs()) == 2
    wait_until(lambda: not slurm.jobs())


def test_while_the_job_waits_the_reason_is_told_and_work_waits_with_it(held, slurm, caplog):
    session = pilot_kernel.Session(inside="slurm://", **JOB)
    with session, ThreadPoolExecutor() as pool:
        working = pool.submit(lambda: session.submit(place, 3).result(60))
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


def test_a_job_that_slurm_refuses_is_refused_in_its_own_words(job_home, slurm):
    with pytest.raises(AgentStartError, match="invalid partition"):
        pilot_kernel.Session(inside="slurm://", queue="nosuch", **JOB)
    assert not agents(job_home)


def test_a_job_cancelled_before_it_began(held, slurm):
    session = pilot_kernel.Session(inside="slurm://", **JOB)
    wait_until(lambda: "PENDING" in session.waits_for)
    slurm.call("scancel", slurm.jobs()[0].id)
    with pytest.raises(AgentStartError, match="CANCELLED: it was canceled"):
        session.submit(pow, 2, 3)
    session.close()


def test_an_interface_that_the_node_has_not(job_home, slurm):
    session = pilot_kernel.Session(inside="slurm://", **{**JOB, "interface": "nosuch0"})
    with pytest.raises(AgentStartError, match=r"(?s)FAILED.*on n\d: interface='nosuch0'.*has .*lo"):
        session.submit(pow, 2, 3)
    session.close()


def _apart(job_home):
    """Lines that hide the registry from the job, as if its file system were not shared."""
    return (
        '[ -n "$APART" ] || APART=1 exec unshare -m bash "$0"',
        f"mount -t tmpfs none {job_home}",
    )


def test_a_registry_that_the_node_does_not_see(job_home, slurm):
    keys = {**JOB, "scheduler_script_commands": _apart(job_home)}
    session = pilot_kernel.Session(inside="slurm://", **keys)
    with pytest.raises(AgentStartError, match=r"(?s)FAILED.*does not see their files"):
        session.submit(pow, 2, 3)
    session.close()


def test_an_agent_that_is_not_seen_from_here(job_home, slurm, monkeypatch):
    monkeypatch.setattr(job_launch, "_SILENT_S", 0.5)
    monkeypatch.setattr(job_launch, "_MUTE_S", 4.0)
    keys = {**JOB, "scheduler_script_commands": ("sleep 1000",)}
    session = pilot_kernel.Session(inside="slurm://", **keys)
    wait_until(lambda: "has not shown up: perhaps the node does not see" in session.waits_for)
    with pytest.raises(AgentStartError, match=r"RUNNING.*set PILOT_KERNEL_HOME.*is canceled"):
        session.submit(pow, 2, 3)
    session.close()


# ---- results that lie on the node


def _large(number, size):
    return [number] * size


def test_results_that_lie_on_the_node_are_fetched(job_home, slurm, tmp_path_factory):
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
        assert scratch_of(session).is_relative_to(node_tmp)
        assert not scratch_of(session).exists()
        assert session.submit(os.path.exists, str(scratch_of(session) / "results")).result(30)
        session.detach()
    with pilot_kernel.Session("far") as again:
        [task] = [task for task in again.tasks if task.key == tasks[3].key]
        assert task.result(60) == [3] * 300_000
