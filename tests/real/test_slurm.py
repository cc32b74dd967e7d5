"""Pilots in SLURM's batch jobs, with real daemons: starting, scaling, and what breaks."""

import contextlib
import os
import signal
import socket
import stat
import time

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import registry
from pilot_kernel.resource.pilot import PilotState
from tests.conftest import wait_until

pytestmark = pytest.mark.real

KEYS = {
    "interface": "lo",
    "walltime": "10",
    "cores_per_node": 1,
    "memory_per_node_bytes": 5 * 10**8,
}
PATIENCE_S = 60


@pytest.fixture
def own(registry_home, slurm):
    """A session of the test's own, and no job of it left in the end."""
    with pilot_kernel.Session() as session:
        yield session
    wait_until(lambda: not slurm.jobs(), timeout_s=10)


def add(session, workers=1, **keys):
    """A pilot whose workers are up."""
    pilot = session.add_pilot("slurm://", **{**KEYS, **keys})
    up(pilot, workers)
    return pilot


def up(pilot, workers):
    wait_until(lambda: pilot.status.workers == workers, PATIENCE_S)


def noted(pilot, words):
    wait_until(lambda: words in pilot.status.note, PATIENCE_S)


def wait_for(gate, log=None):
    """A task: wait until there is a file; note that it began."""
    import os
    import time

    if log is not None:
        with open(log, "a") as file:
            file.write("begun\n")
    while not os.path.exists(gate):
        time.sleep(0.02)
    return os.environ["SLURM_JOB_ID"]


def begun(log):
    return log.read_text().count("begun") if log.exists() else 0


def job_processes():
    """What runs in SLURM's jobs on this machine."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            mine = environment.get("SLURM_CONF") == os.environ["SLURM_CONF"]
            if mine and "SLURM_JOB_ID" in environment:
                yield process


def test_a_pilot_grows_and_shrinks_and_leaves_nothing(own, slurm):
    pilot = add(own)
    for workers in (4, 2):
        pilot.scale(workers)
        up(pilot, workers)
        tasks = [own.submit(pow, 3, at) for at in range(40)]
        assert [task.result(PATIENCE_S) for task in tasks] == [3**at for at in range(40)]
    wait_until(lambda: len(slurm.jobs()) == 2)
    assert {status.name for status in own.pilot_statuses()} == {"slurm"}
    assert pilot.status.note == ""
    own.close()
    wait_until(lambda: not slurm.jobs(), timeout_s=10)
    wait_until(lambda: not list(job_processes()))


def test_jobs_with_several_workers_know_their_sizes_and_their_end(own, slurm):
    add(own, workers=2, cores_per_node=4, cores_per_worker=2, tags=("mine",))

    def told():
        import os

        return {name: value for name, value in os.environ.items() if name.startswith("PILOT_")}

    environment = own.submit(told).result(PATIENCE_S)
    assert environment["PILOT_CORES_PER_WORKER"] == "2"
    assert environment["PILOT_MEMORY_PER_WORKER_BYTES"] == str(KEYS["memory_per_node_bytes"] // 2)
    assert 500 < float(environment["PILOT_ENDS_AT"]) - time.time() < 600
    assert "PILOT_RESULTS" not in environment
    workers = own._link.client.scheduler_info(n_workers=-1)["workers"].values()
    assert {worker["name"] for worker in workers} == {"slurm-0-0", "slurm-0-1"}
    assert all(worker["nthreads"] == 1 for worker in workers)
    assert all(worker["resources"]["tag:mine"] == 1 for worker in workers)


def test_nothing_in_a_job_listens_in_the_clear_or_can_be_read_by_others(own, slurm):
    add(own)
    ports, folders = set(), set()
    for process in job_processes():
        with contextlib.suppress(psutil.Error):
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    assert connection.laddr.ip == "127.0.0.1"
                    ports.add(connection.laddr.port)
            folders.add(process.environ().get("PILOT_NURSERY", "").rpartition("/")[0])
    assert len(ports) == 2  # a worker and its nanny
    for port in ports:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert b"HTTP" not in plain.recv(100)
    directory = own._link.entry.directory
    for folder in [*filter(None, folders), directory, directory / "logs"]:
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    for log in (directory / "logs").iterdir():
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
    key = (directory / "tls-key.pem").read_text().splitlines()[1]
    for process in job_processes():
        with contextlib.suppress(psutil.Error):
            assert key not in " ".join([*process.cmdline(), *process.environ().values()])


def test_the_script_that_is_shown_is_the_one_that_is_submitted(own, slurm):
    shown_before = own.job_script("slurm://", queue="debug", name="mine", **KEYS)
    assert not slurm.jobs(over=True) or all("mine" not in job.name for job in slurm.jobs())
    pilot = own.add_pilot("slurm://", queue="debug", name="mine", **KEYS)
    wait_until(lambda: any(job.name.endswith("mine-0") for job in slurm.jobs()))
    [job] = [job for job in slurm.jobs() if job.name.endswith("mine-0")]
    submitted = slurm.call("scontrol", "write", "batch_script", job.id, "-")
    assert pilot.job_script() == shown_before
    assert submitted.strip() == shown_before.strip()


def test_an_invalid_partition_is_told_in_slurms_own_words_and_not_tried_again(own, slurm):
    pilot = own.add_pilot("slurm://", queue="nope", **KEYS)
    wait_until(lambda: pilot.state is PilotState.FAILED)
    assert "invalid partition specified: nope" in pilot.status.note
    refusals = [slurm.refusals("nope")]
    wait_until(lambda: refusals.append(slurm.refusals("nope")) or len(refusals) > 100)
    assert set(refusals) == {1}  # it would have been tried again by now
    assert pilot.state is PilotState.FAILED
    assert pilot.replace(queue="debug") == 1
    up(pilot, 1)
    assert pilot.state is PilotState.ACTIVE
    assert own.submit(abs, -1).result(PATIENCE_S) == 1


def test_a_job_that_does_not_start_is_reported_and_can_be_replaced(own, slurm):
    pilot = own.add_pilot("slurm://", queue="closed", start_within_s=1, **KEYS)
    noted(pilot, "waits for more than start_within_s=1: PartitionDown")
    assert pilot.state is PilotState.PENDING
    task = own.submit(abs, -2)
    [waiting] = slurm.jobs()
    assert pilot.replace(queue="debug") == 1
    assert task.result(PATIENCE_S) == 2
    assert [job.state for job in slurm.jobs(over=True) if job.id == waiting.id] == ["CANCELLED"]
    with pytest.raises(DescriptionError, match="number_of_nodes"):
        pilot.replace(number_of_nodes=2)


def test_a_job_that_fails_tells_what_it_wrote_last(own, slurm):
    lines = ["echo the disk is full >&2", "exit 3"]
    pilot = own.add_pilot("slurm://", scheduler_script_commands=lines, **KEYS)
    noted(pilot, "FAILED")
    assert "ended: FAILED (NonZeroExitCode): the disk is full" in pilot.status.note
    noted(pilot, "it failed 3 times")
    wait_until(lambda: pilot.state is PilotState.FAILED, PATIENCE_S)  # not submitted for ever
    pilot.stop()


def test_a_job_cancelled_from_outside_is_replaced_and_its_task_runs_again(own, slurm, tmp_path):
    pilot = add(own)
    gate, log = tmp_path / "gate", tmp_path / "log"
    task = own.submit(wait_for, str(gate), str(log))
    wait_until(lambda: begun(log) == 1)
    [job] = slurm.jobs()
    slurm.call("scancel", job.id)
    noted(pilot, f"(before: job {job.id} ended: CANCELLED)")
    wait_until(lambda: begun(log) == 2, PATIENCE_S)
    gate.touch()
    assert task.result(PATIENCE_S) not in (None, job.id)


def test_a_requeued_job_is_the_same_one_and_its_task_runs_again(own, slurm, tmp_path):
    pilot = add(own)
    gate, log = tmp_path / "gate", tmp_path / "log"
    task = own.submit(wait_for, str(gate), str(log))
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


def test_a_workload_outlives_the_walltime_of_its_jobs(own, slurm, tmp_path):
    pilot = add(own, walltime=1)
    wait_until(lambda: pilot.status.ends_at is not None)
    assert 0 < pilot.status.ends_at - time.time() < 60
    done = tmp_path / "done"

    def work(at):
        import time

        time.sleep(2)
        with done.open("a") as file:
            file.write(f"{at}\n")
        return at * at

    tasks = [own.submit(work, at) for at in range(40)]  # 80 s on one worker
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
        wait_until(lambda: not slurm.jobs(), timeout_s=10)
        wait_until(lambda: not list(job_processes()))
        wait_until(lambda: not list(working.iterdir()), timeout_s=15)
    registry.prune()
    assert not entry.directory.exists()


def test_the_next_session_cancels_what_an_agent_without_undertaker_left(registry_home, slurm):
    with pilot_kernel.Session() as session:
        waiting = session.add_pilot("slurm://", queue="closed", **KEYS)
        noted(waiting, "PartitionDown")
        entry = session._link.entry
        agent = psutil.Process(entry.pid)
        for process in [*agent.children(recursive=True), agent]:
            process.kill()
        agent.wait(10)
        assert slurm.jobs()
    registry.prune()
    wait_until(lambda: not slurm.jobs(), timeout_s=10)


def test_a_session_that_is_closed_at_once_leaves_no_job(registry_home, slurm):
    for pause_s in (0, 0.1, 0.3):
        with pilot_kernel.Session() as session:
            session.add_pilot("slurm://", number_of_nodes=3, **KEYS)
            time.sleep(pause_s)
        wait_until(lambda: not slurm.jobs(), timeout_s=10)


def test_an_agent_killed_while_it_submits_leaves_no_job(registry_home, slurm):
    for pause_s in (0, 0.05, 0.1, 0.2):
        with pilot_kernel.Session() as session:
            session.add_pilot("slurm://", number_of_nodes=3, **KEYS)
            agent = psutil.Process(session._link.entry.pid)
            time.sleep(pause_s)
            agent.kill()
            wait_until(lambda agent=agent: not agent.is_running() or agent.status() == "zombie")
        wait_until(lambda: not slurm.jobs(), timeout_s=10)
    wait_until(lambda: not list(job_processes()))
    registry.prune()


def test_a_worker_that_loses_the_agent_comes_back_in_the_same_job(own, slurm, tmp_path):
    pilot = add(own)
    gate, log = tmp_path / "gate", tmp_path / "log"
    task = own.submit(wait_for, str(gate), str(log))
    wait_until(lambda: begun(log) == 1)
    [job] = slurm.jobs()

    def cut(dask_scheduler):
        for stream in dask_scheduler.stream_comms.values():
            stream.comm.abort()

    own._link.client.run_on_scheduler(cut)
    wait_until(lambda: begun(log) == 2, PATIENCE_S)
    gate.touch()
    assert task.result(PATIENCE_S) == job.id
    assert [each.id for each in slurm.jobs(over=True) if each.name == job.name] == [job.id]
    assert pilot.status.workers == 1


def test_a_working_directory_gets_its_own_copy_of_the_credentials(own, slurm, tmp_path):
    pilot = add(own, working_directory=str(tmp_path))
    [folder] = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "tls-key.pem").stat().st_mode) == 0o600
    assert str(folder) in pilot.job_script()
    assert own.submit(os.getcwd).result(PATIENCE_S)
    own.close()
    wait_until(lambda: not folder.exists())


def test_a_controller_that_is_away_for_a_while_is_waited_for(own, slurm):
    slurm.stop_controller()
    try:
        pilot = own.add_pilot("slurm://", **KEYS)
        wait_until(lambda: "trying again" in pilot.status.note, PATIENCE_S)
    finally:
        slurm.start_controller()
    up(pilot, 1)
    assert len(slurm.jobs()) == 1


def test_a_missing_interface_is_refused_before_anything_is_submitted(own, slurm):
    before = len(slurm.jobs(over=True))
    without = {key: value for key, value in KEYS.items() if key != "interface"}
    with pytest.raises(DescriptionError, match=r"^interface is missing: .*this machine has .*lo"):
        own.add_pilot("slurm://", **without)
    with pytest.raises(DescriptionError, match=r"^interface='ib7': .*it has .*lo"):
        own.add_pilot("slurm://", interface="ib7", **without)
    assert len(slurm.jobs(over=True)) == before


def test_circuits_and_cut_circuits_run_there_unchanged(own, slurm):
    import numpy as np
    from qiskit.circuit.library import efficient_su2
    from qiskit.quantum_info import SparsePauliOp

    from qdreamer_lab import CutEstimator

    circuit = efficient_su2(36, reps=2, entanglement="linear")
    circuit = circuit.assign_parameters(np.linspace(0.1, 2.9, circuit.num_parameters))
    wanted = [SparsePauliOp.from_sparse_list([("Z", [q], 1.0)], 36) for q in (0, 17, 35)]
    here = CutEstimator(12).run([(circuit, wanted)]).result()[0]
    add(own, workers=2, cores_per_node=2, memory_per_node_bytes=2 * 10**9)
    there = CutEstimator(12, session=own).run([(circuit, wanted)]).result()[0]
    np.testing.assert_allclose(there.data.evs, here.data.evs, atol=1e-10)

    bell = efficient_su2(10, reps=1)
    bell = bell.assign_parameters(np.linspace(0.1, 2.9, bell.num_parameters))
    bell.measure_all()
    counts = own.run(bell, shots=500, seed=1).result(PATIENCE_S)[0].data.meas.get_counts()
    assert sum(counts.values()) == 500


def test_descriptions_reach_slurm(own, slurm):
    add(
        own,
        queue="debug",
        scheduler_script_commands=("#SBATCH --comment=hello", "export MINE=1"),
    )
    [job] = slurm.jobs()
    told = slurm.call("scontrol", "show", "job", "-o", job.id)
    for part in ("Partition=debug", "TimeLimit=00:10:00", "NumCPUs=1", "Comment=hello"):
        assert part in told
    assert own.submit(os.getenv, "MINE").result(PATIENCE_S) == "1"


def test_gpus_and_qpus_are_asked_for(registry_home):
    from tests.real.slurm import missing, slurm_cluster

    if what := missing():
        pytest.skip(what)
    with slurm_cluster(1, gpus=2) as slurm, pilot_kernel.Session() as session:
        pilot = add(session, workers=3, gpus_per_node=2, qpu=("one",))
        assert pilot.status.offers == ("CPU", "GPU")
        [job] = slurm.jobs()
        told = slurm.call("scontrol", "show", "job", "-o", "-d", job.id)
        assert "gres:gpu:2" in told
        assert "gres:qpu:1" in told
        tasks = [session.submit(wait_for_both, on="gpu") for _ in range(2)]
        assert {task.result(PATIENCE_S) for task in tasks} == {"0", "1"}
        session.close()
        wait_until(lambda: not slurm.jobs(), timeout_s=10)


def wait_for_both():
    """A task: the GPU it has, held for long enough that no other worker takes both tasks."""
    import os
    import time

    time.sleep(1)
    return os.environ["CUDA_VISIBLE_DEVICES"]
