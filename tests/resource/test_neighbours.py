"""Sessions that share a machine's cores and memory, in processes of their own, know of it."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pilot_kernel
from pilot_kernel.errors import PlacementError
from pilot_kernel.jupyter.show.pilot_rows import overview
from pilot_kernel.resource import allowance
from pilot_kernel.resource.neighbours import crowding, fair_share, neighbours
from pilot_kernel.resource.registry import AgentEntry
from qdreamer_lab.workload.execution.limits import task_limit_bytes
from qdreamer_lab.workload.execution.memory import available_bytes
from tests.conftest import wait_until

ME = AgentEntry(
    id="agent-1",
    name="/home/eva/first.ipynb",
    address="tls://127.0.0.1:1",
    host=socket.gethostname(),
    pid=os.getpid(),
    started=psutil.Process().create_time(),
    idle_timeout_s=60.0,
    scratch="/tmp/none",
    local_cores=2,
)
OTHERS = {
    "there": ME,
    "no workers here": dataclasses.replace(ME, local_cores=0),
    "of another machine": dataclasses.replace(ME, host="elsewhere"),
    "in a batch job": dataclasses.replace(ME, batch="slurm"),
    "dead": dataclasses.replace(ME, started=time.time() + 1e6),
}

SECOND = """
import json, pilot_kernel, sys
from qdreamer_lab.workload.execution.memory import available_bytes
with pilot_kernel.Session("second.ipynb") as session:
    pilot = session.add_pilot("local://", cores_per_node=int(sys.argv[1]))
    size = pilot.status.memory_per_worker_bytes
    print(json.dumps({"worker_bytes": size, "free_bytes": available_bytes()}), flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("which", OTHERS)
def test_neighbours_live_on_this_machine_and_have_workers_here(which):
    assert neighbours([OTHERS[which]], {"agent-2"}) == ([ME] if which == "there" else [])
    assert neighbours([OTHERS[which]], {ME.id}) == []


@pytest.mark.parametrize(
    ("own", "names", "cores", "told"),
    [
        (2, ["/a/b.ipynb"], 4, ""),
        (2, [], 1, ""),
        (0, ["b"], 1, ""),
        (2, ["/a/b.ipynb"], 3, "this machine's 3 cores with b.ipynb,"),
        (1, [""], 1, "this machine's core with a script,"),
        (1, ["a", "b", "c", "d", "e"], 4, "cores with a, b, c and 2 more,"),
    ],
)
def test_it_is_said_where_cores_are_too_few(own, names, cores, told):
    others = [dataclasses.replace(ME, name=name) for name in names]
    said = crowding(own, others, cores)
    assert bool(said) == bool(told)
    assert told in said


@given(st.lists(st.none() | st.integers(0, 200), min_size=1, max_size=6))
def test_no_byte_is_promised_twice_and_nobody_is_left_without(memory):
    sessions = [dataclasses.replace(ME, local_memory_bytes=each) for each in memory]
    shares = [
        fair_share([*sessions[:at], *sessions[at + 1 :]], total_bytes=100)
        for at, each in enumerate(memory)
        if each is None
    ]
    given = sum(each or 0 for each in memory)
    least = 25 / len(memory)
    assert all(100 * share >= least - 1e-9 for share in shares)
    assert len(set(shares)) <= 1
    if shares and 100 * shares[0] > least + 1e-9:  # all that is not given to others, and no more
        assert 100 * sum(shares) + given == pytest.approx(100)


def test_what_is_said_of_memory():
    others = [dataclasses.replace(ME, name="/a/b.ipynb")]
    alone = crowding(2, others, 4, promised_bytes=12 * 10**9)
    assert alone == "shares this machine's memory with b.ipynb: its tasks may count on 12 GB"
    both = crowding(2, others, 2, promised_bytes=12 * 10**9)
    assert both.count("b.ipynb") == 1
    assert both.endswith("; shares memory: its tasks may count on 12 GB")


def shares_of_workers(session):
    """What each worker of a session may count on, as it knows itself."""

    def share(dask_worker):
        return dask_worker.plugins["pilot-worker-edge"].memory._share

    return session._link.client.run(share).values()


def test_two_notebooks_that_share_a_machine_know_of_each_other(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path))  # other tests have sessions as well
    cores, memory = allowance.cores(), allowance.memory_bytes()
    whole = memory // cores
    command = [sys.executable, "-c", SECOND, str(cores)]
    with pilot_kernel.Session("first.ipynb") as session:
        pilot = session.add_pilot("local://")
        wait_until(lambda: pilot.status.workers == cores)
        assert pilot.status.memory_per_worker_bytes == whole
        assert available_bytes() > memory // 100
        with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as second:
            told = json.loads(second.stdout.readline())
            assert told["worker_bytes"] == whole // 2
            assert told["free_bytes"] <= memory // 2
            wait_until(lambda: dreamer_limit(session) <= whole // 2)  # though nobody has looked
            wait_until(lambda: "with second.ipynb" in pilot.status.note)
            assert pilot.status.memory_per_worker_bytes == whole // 2
            assert dreamer_limit(session) <= whole // 2
            wait_until(lambda: set(shares_of_workers(session)) == {whole // 2})
            with pytest.raises(PlacementError, match="memory"):
                session.submit(int, memory_bytes=whole)
            rows = overview(session.activity()).rows
            assert "takes turns on this machine's" in rows[0].doing
            second.communicate("\n")
        assert second.returncode == 0
        wait_until(lambda: dreamer_limit(session) > whole // 2)
        wait_until(lambda: "second.ipynb" not in pilot.status.note)
        assert pilot.status.memory_per_worker_bytes == whole
        wait_until(lambda: set(shares_of_workers(session)) == {whole})
        assert session.submit(int, memory_bytes=whole).result() == 0


def dreamer_limit(session):
    """What a plan for the session's workers may take."""
    return task_limit_bytes(None, session, None)
