"""What breaks under a pilot in SLURM's batch jobs, with real daemons: nothing is lost or left."""

import os
import signal
import time

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import registry
from pilot_kernel.resource.pilot import PilotState
from tests.conftest import runs, wait_until
from tests.pilot.mischief import kill_family
from tests.real.slurm_pilots import KEYS, PATIENCE_S, add, begun, job_processes, noted, up, wait_for

pytestmark = pytest.mark.real


def test_an_invalid_partition_is_told_in_slurms_own_words_and_not_tried_again(slurm_session, slurm):
    pilot = slurm_session.add_pilot("slurm://", queue="nope", **KEYS)
    wait_until(lambda: pilot.state is PilotState.FAILED)
    assert "invalid partition specified: nope" in pilot.status.note
    refusals = [slurm.refusals("nope")]
    wait_until(lambda: refusals.append(slurm.refusals("nope")) or len(refusals) > 100)
    assert set(refusals) == {1}  # it would have been tried again by now
    assert pilot.state is PilotState.FAILED
    assert pilot.replace(queue="debug") == 1
    up(pilot, 1)
    assert pilot.state is PilotState.ACTIVE
    assert slurm_session.submit(abs, -1).result(PATIENCE_S) == 1


def test_a_job_that_does_not_start_is_reported_and_can_be_replaced(slurm_session, slurm):
    pilot = slurm_session.add_pilot("slurm://", queue="closed", start_within_s=1, **KEYS)
    noted(pilot, "waits for more than start_within_s=1: PartitionDown")
    assert pilot.state is PilotState.PENDING
    task = slurm_session.submit(abs, -2)
    [waiting] = slurm.jobs()
    assert pilot.replace(queue="debug") == 1
    assert task.result(PATIENCE_S) == 2
    assert [job.state for job in slurm.jobs(over=True) if job.id == waiting.id] == ["CANCELLED"]
    with pytest.raises(DescriptionError, match="number_of_nodes"):
        pilot.replace(number_of_nodes=2)


def test_a_job_that_fails_tells_what_it_wrote_last(slurm_session, slurm):
    lines = ["echo the disk is full >&2", "exit 3"]
    pilot = slurm_session.add_pilot("slurm://", scheduler_script_commands=lines, **KEYS)
    noted(pilot, "ended: FAILED (NonZeroExitCode): the disk is full")
    noted(pilot, "it failed 3 times")
    wait_until(lambda: pilot.state is PilotState.FAILED, PATIENCE_S)  # not submitted for ever
    pilot.stop()


def test_a_job_cancelled_from_outside_is_replaced_and_its_task_runs_again(
    slurm_session, slurm, tmp_path
):
    pilot = add(slurm_session)
    gate, log = tmp_path / "gate", tmp_path / "log"
    task = slurm_session.submit(wait_for, str(gate), str(log))
    wait_until(lambda: begun(log) == 1)
    [job] = slurm.jobs()
    slurm.call("scancel", job.id)
    noted(pilot, f"(before: job {job.id} ended: CANCELLED)")
    wait_until(lambda: begun(log) == 2, PATIENCE_S)
    gate.touch()
    assert task.result(PATIENCE_S) not in (None, job.id)


def test_a_requeued_job_is_the_same_one_and_its_task_runs_again(slurm_session, slurm, tmp_path):
    pilot = add(slurm_session)
    gate, log = tmp_path / "gate", tmp_path / "log"
    task = slurm_session.submit(wait_for, str(gate), str(log))
    wait_until(lambda: begun(log) == 1)
    [job] = slurm.jobs()
    slurm.set_node(job.node, "DOWN")
    try:
        noted(pilot, f"job {job.id} waits to start again: ")
        assert [each.id for each in slurm.jobs()] == [job.id]
        wait_until(lambda: begun(log) == 2, PATIENCE_S)
    finally:
        slurm.set_node(job.node, "RESUME")
    gate.touch()
    assert task.result(PATIENCE_S) == job.id
    assert [each.id for each in slurm.jobs()] == [job.id]


def test_a_workload_outlives_the_walltime_of_its_jobs(slurm_session, slurm, tmp_path):
    pilot = add(slurm_session, walltime=1)
    wait_until(lambda: pilot.status.ends_at is not None)
    assert 0 < pilot.status.ends_at - time.time() < 60
    done = tmp_path / "done"

    def work(at):
        import time

        time.sleep(2)
        with done.open("a") as file:
            file.write(f"{at}\n")
        return at * at

    tasks = [slurm_session.submit(work, at) for at in range(40)]  # 80 s on one worker
    assert [task.result(180) for task in tasks] == [at * at for at in range(40)]
    assert len({job.id for job in slurm.jobs(over=True) if "slurm" in job.name}) > 1
    assert sorted({int(line) for line in done.read_text().split()}) == list(range(40))


def test_a_killed_agent_leaves_no_job_no_process_and_no_file(registry_home, slurm, tmp_path):
    working = tmp_path / "work"
    working.mkdir()
    with pilot_kernel.Session() as session:
        add(session, working_directory=str(working))
        waiting = session.add_pilot("slurm://", queue="closed", name="waiting", **KEYS)
        noted(waiting, "PartitionDown")
        assert len(slurm.jobs()) == 2
        entry = session._link.entry
        os.kill(entry.pid, signal.SIGKILL)
        wait_until(lambda: not slurm.jobs())
        wait_until(lambda: not list(job_processes()))
        wait_until(lambda: not list(working.iterdir()))
    registry.prune()
    assert not entry.directory.exists()


def test_the_next_session_cancels_what_an_agent_without_undertaker_left(registry_home, slurm):
    with pilot_kernel.Session() as session:
        waiting = session.add_pilot("slurm://", queue="closed", **KEYS)
        noted(waiting, "PartitionDown")
        entry = session._link.entry
        kill_family(entry)
        assert slurm.jobs()
    registry.prune()
    wait_until(lambda: not slurm.jobs())


def test_a_session_that_is_closed_at_once_leaves_no_job(registry_home, slurm):
    for pause_s in (0, 0.1, 0.3):
        with pilot_kernel.Session() as session:
            session.add_pilot("slurm://", number_of_nodes=3, **KEYS)
            time.sleep(pause_s)
        wait_until(lambda: not slurm.jobs())


def test_an_agent_killed_while_it_submits_leaves_no_job(registry_home, slurm):
    for pause_s in (0, 0.05, 0.1, 0.2):
        with pilot_kernel.Session() as session:
            session.add_pilot("slurm://", number_of_nodes=3, **KEYS)
            agent = psutil.Process(session._link.entry.pid)
            time.sleep(pause_s)
            agent.kill()
            wait_until(lambda agent=agent: not runs(agent))
        wait_until(lambda: not slurm.jobs())
    wait_until(lambda: not list(job_processes()))
    registry.prune()


def test_a_worker_that_loses_the_agent_comes_back_in_the_same_job(slurm_session, slurm, tmp_path):
    pilot = add(slurm_session)
    gate, log = tmp_path / "gate", tmp_path / "log"
    task = slurm_session.submit(wait_for, str(gate), str(log))
    wait_until(lambda: begun(log) == 1)
    [job] = slurm.jobs()

    def cut(dask_scheduler):
        for stream in dask_scheduler.stream_comms.values():
            stream.comm.abort()

    slurm_session._link.client.run_on_scheduler(cut)
    wait_until(lambda: begun(log) == 2, PATIENCE_S)
    gate.touch()
    assert task.result(PATIENCE_S) == job.id
    assert [each.id for each in slurm.jobs(over=True) if each.name == job.name] == [job.id]
    assert pilot.status.workers == 1


def test_a_controller_that_is_away_for_a_while_is_waited_for(slurm_session, slurm):
    slurm.stop_controller()
    try:
        pilot = slurm_session.add_pilot("slurm://", **KEYS)
        wait_until(lambda: "trying again" in pilot.status.note, PATIENCE_S)
    finally:
        slurm.start_controller()
    up(pilot, 1)
    assert len(slurm.jobs()) == 1
