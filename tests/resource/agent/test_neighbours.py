"""Sessions that share a machine's cores say so, in processes of their own, while they do."""

import dataclasses
import os
import socket
import subprocess
import sys
import time

import psutil
import pytest

import pilot_kernel
from pilot_kernel.jupyter.show.pilot_rows import overview
from pilot_kernel.resource import allowance
from pilot_kernel.resource.agent.neighbours import crowding, neighbours
from pilot_kernel.resource.registry import AgentEntry
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
import pilot_kernel, sys
with pilot_kernel.Session("second.ipynb") as session:
    session.add_pilot("local://", cores_per_node=int(sys.argv[1]))
    print("up", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("which", OTHERS)
def test_neighbours_live_on_this_machine_and_have_workers_here(which):
    assert neighbours([OTHERS[which]], "agent-2") == ([ME] if which == "there" else [])
    assert neighbours([OTHERS[which]], ME.id) == []


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


def test_two_notebooks_that_share_a_machine_know_of_each_other(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path))  # other tests have sessions as well
    cores = allowance.cores()
    command = [sys.executable, "-c", SECOND, str(cores)]
    with pilot_kernel.Session("first.ipynb") as session:
        pilot = session.add_pilot("local://")
        wait_until(lambda: pilot.status.workers == cores)
        with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as second:
            assert second.stdout.readline() == "up\n"
            wait_until(lambda: "with second.ipynb" in pilot.status.note)
            rows = overview(session.activity()).rows
            assert "takes turns on this machine's" in rows[0].doing
            second.communicate("\n")
        assert second.returncode == 0
        wait_until(lambda: "second.ipynb" not in pilot.status.note)
