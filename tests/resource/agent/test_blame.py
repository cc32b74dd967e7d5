"""Who is to blame when a worker is gone: workers that the agent itself does not watch over."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import WorkerDiedError
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import wait_until, worker_pids

_ELSEWHERE = textwrap.dedent("""
    import asyncio, json, os, sys
    import dask
    from distributed import Nanny
    from pilot_kernel.resource import credentials
    from pilot_kernel.resource.dask_settings import worker_settings
    from pilot_kernel.resource.no_web import NoWebWorker

    async def main(directory, address, folder):
        from pathlib import Path
        security = credentials.load(Path(directory))
        offered = {"CPU": 1, "pilot:far": 1, "tag:far": 1, "cores": 1, "memory": 10**9}
        async with Nanny(address, name="far-0", nthreads=1, security=security, host="127.0.0.1",
                         resources=offered, memory_limit=10**9, worker_class=NoWebWorker) as nanny:
            print("up", flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    if __name__ == "__main__":
        dask.config.set(worker_settings(sys.argv[3]))
        asyncio.run(main(*sys.argv[1:]))
""")


@pytest.fixture
def own(registry_home):
    with pilot_kernel.Session() as session:
        # Placement goes by pilots: this one has no workers, those from elsewhere offer its tag.
        session.add_pilot("local://", cores_per_node=1, name="near", tags=["far"])
        wait_until(lambda: session.pilots[0].status.workers == 1)
        yield session


def elsewhere(session, tmp_path):
    """Start what a host of its own would run: a nanny with a worker, in a process group."""
    program = tmp_path / "elsewhere.py"
    program.write_text(_ELSEWHERE)
    entry = session._link.entry
    environment = {name: value for name, value in os.environ.items() if "PILOT_" not in name}
    process = subprocess.Popen(
        [sys.executable, str(program), str(entry.directory), entry.address, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"up\n"
    return process


@pytest.fixture
def host(own, tmp_path):
    started = []

    def start():
        started.append(elsewhere(own, tmp_path))
        return started[-1]

    yield start
    for process in started:
        kill_all(process)


def kill_all(process):
    """What becomes of a host that loses its power: all its processes are gone at once."""
    if process.poll() is None:
        host = psutil.Process(process.pid)
        members = [host, *host.children(recursive=True)]
        for each in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()
        psutil.wait_procs(members, timeout=20)
    process.stdin.close()
    process.stdout.close()


def begin(path, gate):
    with Path(path).open("a") as file:
        file.write(json.dumps([os.getpid(), time.time()]) + "\n")
    while not Path(gate).exists():
        time.sleep(0.01)
    return len(Path(path).read_text().splitlines())


def busy_near(session, tmp_path):
    """See that what is submitted next runs on the worker elsewhere."""
    hold, gate = tmp_path / "hold", tmp_path / "gate"
    holder = session.submit(begin, str(tmp_path / "held"), str(hold))
    wait_until(lambda: holder.running() and holder.record.worker == "near-0")
    return holder, hold, gate


def test_a_task_whose_host_is_gone_runs_again_and_is_not_to_blame(own, host, tmp_path):
    holder, hold, gate = busy_near(own, tmp_path)
    process = host()
    path = tmp_path / "begun"
    task = own.submit(begin, str(path), str(gate), retries=0)
    wait_until(lambda: path.exists() and task.record.worker == "far-0")
    kill_all(process)
    hold.touch()
    holder.result(60)
    wait_until(lambda: len(path.read_text().splitlines()) == 2)
    gate.touch()
    assert task.result(60) == 2
    record = task.record
    assert (record.deaths, record.worker, record.state) == (0, "near-0", TaskState.DONE)
    assert "far-0 has gone" in task.output.text()


@pytest.mark.parametrize("retries", [0, 1])
def test_a_task_whose_worker_dies_while_its_host_lives_is_to_blame(own, host, tmp_path, retries):
    """That shows when the nanny there has brought up another worker; it runs again by then."""
    holder, hold, gate = busy_near(own, tmp_path)
    host()
    path = tmp_path / "begun"
    task = own.submit(begin, str(path), str(gate), retries=retries)
    wait_until(lambda: path.exists() and task.record.worker == "far-0")
    os.kill(worker_pids(own)["far-0"], signal.SIGKILL)
    if retries:
        wait_until(lambda: task.record.deaths == task.deaths == 1)
        gate.touch()
        assert task.result(60) == 2
        assert "ended its worker" not in task.output.text()
    else:
        with pytest.raises(WorkerDiedError, match=r"died 1 time\(s\)"):
            task.result(60)
        assert (task.record.deaths, task.record.state) == (1, TaskState.FAILED)
    hold.touch()
    holder.result(60)
    assert own.submit(lambda: "usable", tags=["far"]).result(60) == "usable"


def _runs_far(record):
    return record.state is TaskState.RUNNING and record.worker == "far-0"


def test_a_task_that_ends_every_job_it_runs_in_is_given_up(own, host, tmp_path):
    """Nobody is to blame for the end of a job, unless it happens again and again."""

    def few(dask_scheduler):
        from pilot_kernel.resource.agent import blame

        blame.LOSSES_ALLOWED = 1

    own._link.client.run_on_scheduler(few)
    holder, hold, gate = busy_near(own, tmp_path)
    task = own.submit(begin, str(tmp_path / "begun"), str(gate))
    for _ in range(2):
        process = host()
        wait_until(lambda: _runs_far(task.record))  # as the agent says, which knows it first
        kill_all(process)
    with pytest.raises(WorkerDiedError):
        task.result(60)
    hold.touch()
    holder.result(60)
