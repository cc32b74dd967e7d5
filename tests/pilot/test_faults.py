"""Things that die, with real processes: workers, agents, and the processes that hold sessions."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import AgentLostError, WorkerDiedError
from pilot_kernel.resource import registry
from pilot_kernel.task.record import TaskState
from tests.conftest import agents_of, wait_until


def _pid_then_wait(path, gate):
    import pathlib

    with pathlib.Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not pathlib.Path(gate).exists():
        time.sleep(0.01)
    return os.getpid()


def test_a_task_whose_worker_is_killed_runs_again_and_says_so(session, tmp_path):
    pids, gate = tmp_path / "pids", tmp_path / "gate"
    task = session.submit(_pid_then_wait, str(pids), str(gate))
    wait_until(lambda: pids.exists() and pids.read_text().endswith("\n"))
    wait_until(task.running)
    os.kill(int(pids.read_text()), signal.SIGKILL)
    wait_until(lambda: len(pids.read_text().splitlines()) == 2)
    gate.touch()
    assert str(task.result(30)) == pids.read_text().splitlines()[1]
    assert "died; the task waits for another" in task.output.text()
    record = task.record
    assert (record.state, record.deaths) == (TaskState.DONE, 1)


def test_a_task_that_ends_its_process_is_given_up(session):
    task = session.submit(os._exit, 1, retries=1)
    with pytest.raises(WorkerDiedError, match=r"worker died 2 time"):
        task.result(60)
    assert session.submit(lambda: "usable").result(30) == "usable"


def test_tasks_behind_a_deadly_one_are_not_blamed(session):
    behind = [session.submit(os._exit, 1, retries=4)]
    behind += [session.submit(pow, number, 2, retries=0) for number in range(8)]
    assert [task.result(60) for task in behind[1:]] == [number**2 for number in range(8)]
    with pytest.raises(WorkerDiedError):
        behind[0].result(60)


def test_a_killed_agent_is_noticed_and_there_is_a_way_on(registry_home):
    session = pilot_kernel.session()
    waiting = session.submit(time.sleep, 60)
    wait_until(waiting.running)
    (agent,) = [a for a in agents_of(registry_home) if a.pid == session._link.entry.pid]
    family = agent.children(recursive=True)
    agent.kill()
    with pytest.raises(AgentLostError, match=r"is gone.*pilot_kernel.session\(\)"):
        waiting.result(5)
    started = time.monotonic()
    with pytest.raises(AgentLostError):
        session.submit(pow, 2, 2)
    assert time.monotonic() - started < 5
    assert session.lost
    with pilot_kernel.session() as second:
        assert second is not session
        assert second.submit(pow, 2, 5).result() == 32
    session.close()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, "workers outlived their agent"


_HOLDER = textwrap.dedent("""
    import pathlib, sys, time
    import pilot_kernel
    gate = pathlib.Path(sys.argv[1])

    def work():
        print("begun", flush=True)
        while not gate.exists():
            time.sleep(0.01)
        return "found again"

    session = pilot_kernel.session("the notebook", idle_timeout_s=float(sys.argv[2]))
    task = session.submit(work, name="precious")
    while not task.running():
        time.sleep(0.01)
    print("running", flush=True)
    time.sleep(600)
""")


def _hold_and_die(gate, idle_timeout_s):
    """Run a process that submits a task, and kill it while the task runs."""
    command = [sys.executable, "-c", _HOLDER, str(gate), str(idle_timeout_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "running\n"
        holder.kill()


def test_a_new_process_takes_up_the_task_of_a_killed_one(tmp_path):
    gate = tmp_path / "gate"
    _hold_and_die(gate, 60)
    with pilot_kernel.Session("the notebook") as session:
        assert session.attached
        (task,) = session.tasks
        assert task.name == "precious"
        assert "begun" in task.output.text()
        assert not task.done()
        gate.touch()
        assert task.result(30) == "found again"
        assert session.submit(pow, 2, 3).result() == 8


def test_a_session_nobody_comes_back_to_ends_by_itself(registry_home, tmp_path):
    gate = tmp_path / "gate"
    _hold_and_die(gate, 1.0)
    entry = registry.find("the notebook")
    agent = psutil.Process(entry.pid)
    family = [agent, *agent.children(recursive=True)]
    time.sleep(2.5)
    assert agent.is_running(), "left although a task was running"
    gate.touch()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    assert not entry.directory.exists()
    assert not os.path.exists(entry.scratch)


def test_reap_ends_an_agent_and_prune_forgets_a_killed_one(tmp_path):
    gate = tmp_path / "gate"
    _hold_and_die(gate, 60)
    entry = registry.find("the notebook")
    family = psutil.Process(entry.pid).children(recursive=True)
    assert family
    registry.reap(entry)
    assert not entry.alive()
    assert not psutil.wait_procs(family, timeout=20)[1]
    assert registry.find("the notebook") is None

    _hold_and_die(gate, 60)
    entry = registry.find("the notebook")
    family = psutil.Process(entry.pid).children(recursive=True)
    os.kill(entry.pid, signal.SIGKILL)
    assert not psutil.wait_procs(family, timeout=20)[1]
    registry.prune()
    assert not entry.directory.exists()
    assert not os.path.exists(entry.scratch)


def test_the_registry_is_closed_to_others(session):
    directory = session._link.entry.directory
    assert directory.stat().st_mode & 0o077 == 0
    for name in ("agent.json", "tls-key.pem"):
        assert (directory / name).stat().st_mode & 0o077 == 0


def test_a_client_without_credentials_is_turned_away(session):
    from distributed import Client

    address = session._link.entry.address.replace("tls://", "tcp://")
    with pytest.raises(OSError, match=r"Timed out|closed|expect"):
        Client(address, timeout=2, set_as_default=False)


def test_a_finished_task_does_not_run_again_when_its_worker_dies(session, tmp_path):
    runs = tmp_path / "runs"

    def count():
        with runs.open("a") as file:
            file.write("x")
        return os.getpid()

    task = session.submit(count)
    os.kill(task.result(), signal.SIGKILL)
    gone = task.result()
    wait_until(lambda: all(status.workers == 2 for status in session.pilot_statuses()))
    assert session.submit(lambda pid: pid, task).result(30) == gone
    assert runs.read_text() == "x"
    assert task.record.state is TaskState.DONE


def test_a_new_process_finds_results_that_the_old_one_had():
    program = (
        "import pilot_kernel, os, signal; s = pilot_kernel.session('nb', idle_timeout_s=60);"
        "s.submit(pow, 2, 9, name='early').result(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    with pilot_kernel.Session("nb") as session:
        (task,) = session.tasks
        assert (task.name, task.result(), task.state) == ("early", 512, TaskState.DONE)
        assert session.submit(lambda x: x + 1, task).result() == 513


def test_a_session_knows_whether_others_use_its_agent():
    with pilot_kernel.Session("common", idle_timeout_s=60) as first:
        assert not first.shared
        second = pilot_kernel.Session("common")
        assert second.shared
        assert first.shared
        second.detach()
        wait_until(lambda: not first.shared)
