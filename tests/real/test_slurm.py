"""Pilots in SLURM's batch jobs, with real daemons: starting, scaling, scripts, what is refused."""

import contextlib
import os
import socket
import stat
import time

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import DescriptionError
from tests.conftest import wait_until
from tests.real.slurm_pilots import KEYS, PATIENCE_S, add, job_processes, up

pytestmark = pytest.mark.real


def test_a_pilot_grows_and_shrinks_and_leaves_nothing(slurm_session, slurm):
    pilot = add(slurm_session)
    for workers in (4, 2):
        pilot.scale(workers)
        up(pilot, workers)
        tasks = [slurm_session.submit(pow, 3, at) for at in range(40)]
        assert [task.result(PATIENCE_S) for task in tasks] == [3**at for at in range(40)]
    wait_until(lambda: len(slurm.jobs()) == 2)
    assert {status.name for status in slurm_session.pilot_statuses()} == {"slurm"}
    assert pilot.status.note == ""
    slurm_session.close()
    wait_until(lambda: not slurm.jobs())
    wait_until(lambda: not list(job_processes()))


def test_jobs_with_several_workers_know_their_sizes_and_their_end(slurm_session, slurm):
    add(slurm_session, workers=2, cores_per_node=4, cores_per_worker=2, tags=("mine",))

    def told():
        import os

        return {name: value for name, value in os.environ.items() if name.startswith("PILOT_")}

    environment = slurm_session.submit(told).result(PATIENCE_S)
    assert environment["PILOT_CORES_PER_WORKER"] == "2"
    assert environment["PILOT_MEMORY_PER_WORKER_BYTES"] == str(KEYS["memory_per_node_bytes"] // 2)
    assert 500 < float(environment["PILOT_ENDS_AT"]) - time.time() < 600
    assert "PILOT_RESULTS" not in environment
    workers = slurm_session._link.client.scheduler_info(n_workers=-1)["workers"].values()
    assert {worker["name"] for worker in workers} == {"slurm-0-0", "slurm-0-1"}
    assert all(worker["nthreads"] == 1 for worker in workers)
    assert all(worker["resources"]["tag:mine"] == 1 for worker in workers)


def test_a_job_without_a_limit_has_no_end(slurm_session, slurm):
    pilot = add(slurm_session, walltime=None)

    def told():
        import os

        return "PILOT_ENDS_AT" in os.environ

    assert slurm_session.submit(told).result(PATIENCE_S) is False
    wait_until(lambda: pilot.status.note == "")
    assert pilot.status.ends_at is None


def test_nothing_in_a_job_listens_in_the_clear_or_can_be_read_by_others(slurm_session, slurm):
    add(slurm_session)
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
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert b"HTTP" not in plain.recv(100)
    directory = slurm_session._link.entry.directory
    for folder in [*filter(None, folders), directory, directory / "logs"]:
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    for log in (directory / "logs").iterdir():
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
    key = (directory / "tls-key.pem").read_text().splitlines()[1]
    for process in job_processes():
        with contextlib.suppress(psutil.Error):
            assert key not in " ".join([*process.cmdline(), *process.environ().values()])


def test_the_script_that_is_shown_is_the_one_that_is_submitted(slurm_session, slurm):
    shown_before = slurm_session.job_script("slurm://", queue="debug", name="mine", **KEYS)
    assert not slurm.jobs(over=True) or all("mine" not in job.name for job in slurm.jobs())
    pilot = slurm_session.add_pilot("slurm://", queue="debug", name="mine", **KEYS)
    wait_until(lambda: any(job.name.endswith("mine-0") for job in slurm.jobs()))
    [job] = [job for job in slurm.jobs() if job.name.endswith("mine-0")]
    submitted = slurm.call("scontrol", "write", "batch_script", job.id, "-")
    assert pilot.job_script() == shown_before
    assert submitted.strip() == shown_before.strip()


def test_a_working_directory_gets_its_own_copy_of_the_credentials(slurm_session, slurm, tmp_path):
    pilot = add(slurm_session, working_directory=str(tmp_path))
    [folder] = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "tls-key.pem").stat().st_mode) == 0o600
    assert str(folder) in pilot.job_script()
    assert slurm_session.submit(os.getcwd).result(PATIENCE_S)
    slurm_session.close()
    wait_until(lambda: not folder.exists())


def test_a_missing_interface_is_refused_before_anything_is_submitted(slurm_session, slurm):
    before = len(slurm.jobs(over=True))
    without = {key: value for key, value in KEYS.items() if key != "interface"}
    with pytest.raises(DescriptionError, match=r"^interface is missing: .*this machine has .*lo"):
        slurm_session.add_pilot("slurm://", **without)
    with pytest.raises(DescriptionError, match=r"^interface='ib7': .*it has .*lo"):
        slurm_session.add_pilot("slurm://", interface="ib7", **without)
    assert len(slurm.jobs(over=True)) == before


def test_circuits_and_cut_circuits_run_there_unchanged(slurm_session, slurm):
    import numpy as np
    from qiskit.circuit.library import efficient_su2
    from qiskit.quantum_info import SparsePauliOp

    from qdreamer_lab import CutEstimator

    circuit = efficient_su2(36, reps=2, entanglement="linear")
    circuit = circuit.assign_parameters(np.linspace(0.1, 2.9, circuit.num_parameters))
    wanted = [SparsePauliOp.from_sparse_list([("Z", [q], 1.0)], 36) for q in (0, 17, 35)]
    here = CutEstimator(12).run([(circuit, wanted)]).result()[0]
    add(slurm_session, workers=2, cores_per_node=2, memory_per_node_bytes=2 * 10**9)
    there = CutEstimator(12, session=slurm_session).run([(circuit, wanted)]).result()[0]
    np.testing.assert_allclose(there.data.evs, here.data.evs, atol=1e-10)

    bell = efficient_su2(10, reps=1)
    bell = bell.assign_parameters(np.linspace(0.1, 2.9, bell.num_parameters))
    bell.measure_all()
    counts = slurm_session.run(bell, shots=500, seed=1).result(PATIENCE_S)[0].data.meas.get_counts()
    assert sum(counts.values()) == 500


def test_descriptions_reach_slurm(slurm_session, slurm):
    add(
        slurm_session,
        queue="debug",
        scheduler_script_commands=("#SBATCH --comment=hello", "export MINE=1"),
    )
    [job] = slurm.jobs()
    told = slurm.call("scontrol", "show", "job", "-o", job.id)
    for part in ("Partition=debug", "TimeLimit=00:10:00", "NumCPUs=1", "Comment=hello"):
        assert part in told
    assert slurm_session.submit(os.getenv, "MINE").result(PATIENCE_S) == "1"


def test_gpus_and_qpus_are_asked_for(registry_home, tmp_path):
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
        tasks = [session.submit(wait_for_both, str(tmp_path), on="gpu") for _ in range(2)]
        assert {task.result(PATIENCE_S) for task in tasks} == {"0", "1"}
        session.close()
        wait_until(lambda: not slurm.jobs())


def wait_for_both(folder):
    """A task: the GPU it has, held until another task has the other one."""
    import os
    import time

    which = os.environ["CUDA_VISIBLE_DEVICES"]
    open(os.path.join(folder, which), "w").close()
    while len(os.listdir(folder)) < 2:
        time.sleep(0.01)
    return which
