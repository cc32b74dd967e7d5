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
from pilot_kernel.resource import registry, start_nursery
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import PATIENCE_S, agents_of, wait_until, worker_pids


def _pid_then_wait(path, gate):
    import pathlib

    with pathlib.Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not pathlib.Path(gate).exists():
        time.sleep(0.01)
    return os.getpid()


def _started_twice(session, tmp_path, kill):
    """Run a task, kill something, and see the task run again in another process."""
    pids, gate = tmp_path / "pids", tmp_path / "gate"
    task = session.submit(_pid_then_wait, str(pids), str(gate))
    wait_until(lambda: pids.exists() and pids.read_text().endswith("\n"))
    wait_until(lambda: task.running() and task.record.state is TaskState.RUNNING)
    kill(task, int(pids.read_text()))
    wait_until(lambda: len(pids.read_text().splitlines()) == 2)
    gate.touch()
    assert str(task.result(30)) == pids.read_text().splitlines()[1]
    record = task.record
    assert (record.state, record.deaths) == (TaskState.DONE, 1)
    return task


def test_a_task_whose_worker_is_killed_runs_again_and_says_so(session, tmp_path):
    processes = []

    def kill(task, pid):
        processes.append(psutil.Process(pid))
        os.kill(worker_pids(session)[task.record.worker], signal.SIGKILL)

    task = _started_twice(session, tmp_path, kill)
    assert "died; the task waits for another" in task.output.text()
    assert not psutil.wait_procs(processes, timeout=10)[1], "the task outlived its worker"


def test_a_task_whose_process_is_killed_runs_again_and_says_why(session, tmp_path):
    task = _started_twice(session, tmp_path, lambda _, pid: os.kill(pid, signal.SIGKILL))
    assert "killed (SIGKILL), most often for lack of memory; it is tried" in task.output.text()


@pytest.mark.parametrize(("retries", "runs"), [(0, 1), (1, 2), (None, 2)])
def test_a_task_that_ends_its_process_is_given_up(session, tmp_path, retries, runs):
    def leave(path):
        with open(path, "a") as file:
            file.write("x")
        os._exit(3)

    task = session.submit(leave, str(tmp_path / "runs"), retries=retries, name="leaver")
    with pytest.raises(WorkerDiedError, match=r"'leaver'.*ended its process with exit code 3"):
        task.result(60)
    assert (tmp_path / "runs").read_text() == "x" * runs
    assert session.submit(lambda: "usable").result(30) == "usable"


def test_tasks_behind_a_deadly_one_are_not_blamed(session):
    behind = [session.submit(os._exit, 1, retries=4)]
    behind += [session.submit(pow, number, 2, retries=0) for number in range(8)]
    assert [task.result(60) for task in behind[1:]] == [number**2 for number in range(8)]
    with pytest.raises(WorkerDiedError):
        behind[0].result(60)


def test_a_killed_agent_is_noticed_and_there_is_a_way_on(registry_home, monkeypatch):
    session = pilot_kernel.session()
    waiting = session.submit(time.sleep, 60)
    wait_until(waiting.running)
    (agent,) = [a for a in agents_of(registry_home) if a.pid == session._link.entry.pid]
    family = agent.children(recursive=True)
    tried = []
    monkeypatch.setattr(session._link.client, "_ensure_connected", tried.append)
    agent.kill()
    with pytest.raises(AgentLostError, match=r"is gone.*pilot_kernel.session\(\)"):
        waiting.result(PATIENCE_S)
    with pytest.raises(AgentLostError):
        session.submit(pow, 2, 2)
    assert session.lost
    assert not tried, "nobody waits for it to come back"
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
        wait_until(lambda: "begun" in task.output.text())
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


@pytest.mark.parametrize("size", [10, 10**6])
def test_a_finished_task_does_not_run_again_when_its_worker_dies(session, tmp_path, size):
    runs = tmp_path / "runs"

    def count():
        with runs.open("a") as file:
            file.write("x")
        return os.urandom(size)

    task = session.submit(count)
    value = task.result()
    _kill_all_workers(session)
    assert session.submit(lambda value: value, task).result(30) == value
    assert task.result() == value
    assert runs.read_text() == "x"
    assert task.record.state is TaskState.DONE


def _kill_all_workers(session):
    wait_until(lambda: len(worker_pids(session)) == 2)
    old = [psutil.Process(pid) for pid in worker_pids(session).values()]
    for process in old:
        process.kill()
    wait_until(lambda: _others(session, {process.pid for process in old}))


def _others(session, old):
    """Whether there are two workers, and none of those."""
    now = worker_pids(session).values()
    return len(now) == 2 and old.isdisjoint(now)


def test_what_another_task_waits_for_does_not_run_again_either(session, tmp_path):
    """The first is done, the second waits for it and for one that runs, when all workers die."""
    runs, gate = tmp_path / "runs", tmp_path / "gate"

    def count(size):
        with runs.open("a") as file:
            file.write("x")
        return b"v" * size

    small, large = session.submit(count, 10), session.submit(count, 10**6)
    late = session.submit(_pid_then_wait, str(tmp_path / "pids"), str(gate))
    joined = session.submit(lambda *parts: [len(part) for part in parts[:2]], small, large, late)
    small.result(), large.result()
    wait_until(lambda: late.record.state is TaskState.RUNNING)
    _kill_all_workers(session)
    gate.touch()
    assert joined.result(60) == [10, 10**6]
    assert runs.read_text() == "xx"


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


def test_without_the_nursery_workers_start_one_of_their_own():
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        assert session.submit(pow, 2, 3).result() == 8
        agent = psutil.Process(session._link.entry.pid)
        nurseries = [
            p for p in agent.children() if "pilot_kernel.task.process.nursery" in p.cmdline()
        ]
        task = session.submit(os.getpid)
        child = psutil.Process(task.result())
        for nursery in nurseries:
            nursery.kill()
        assert not psutil.wait_procs([child], timeout=20)[1]
        assert session.submit(lambda: "usable").result(60) == "usable"
        family = agent.children(recursive=True)
    assert not psutil.wait_procs(family, timeout=20)[1]


def test_a_nursery_can_listen_however_long_the_path_is(tmp_path):
    import socket

    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    path = str(folder / "nursery")
    process = start_nursery.start(path)
    with socket.socket(socket.AF_UNIX) as sock, start_nursery.address_of(path) as address:
        sock.connect(address)
    process.communicate(timeout=60)
    assert process.returncode == 0


def _note_what_is_sent(path, dask_worker):
    """On a worker: leave a mark when it has sent the agent word of a task that has finished."""
    comm = dask_worker.batched_stream.comm
    write = comm.write

    async def noting(messages, **how):
        await write(messages, **how)
        if any(each["op"] == "task-finished" for each in messages):
            with open(path, "a") as file:
                file.write("x")

    comm.write = noting


@pytest.mark.parametrize("size", [10, 10**5])
def test_what_a_worker_said_before_it_was_killed_is_heard(session, tmp_path, size):
    """Its nanny sees it die at once, while the agent still has to hear what tasks it finished."""
    ran, gate = tmp_path / "ran", tmp_path / "gate"
    ran.mkdir()

    def count(number):
        while not gate.exists():
            time.sleep(0.01)
        with (ran / str(number)).open("a") as file:
            file.write("x")
        return os.urandom(size)

    tasks = [session.submit(count, number) for number in range(2)]  # as many as there are workers
    wait_until(lambda: sum(task.running() for task in tasks) == 2)
    pids = worker_pids(session).values()
    session._link.client.run(_note_what_is_sent, str(tmp_path / "sent"))

    def busy(path):  # the agent hears nothing meanwhile
        path.touch()
        sent = path.parent / "sent"
        while not sent.exists() or len(sent.read_text()) < 2:  # that both have finished
            time.sleep(0.01)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)

    session._link.client.run_on_scheduler(busy, gate)
    assert [len(task.result(60)) for task in tasks] == [size] * 2
    assert [path.name for path in ran.iterdir() if path.read_text() != "x"] == []
