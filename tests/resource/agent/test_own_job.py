"""The agent's own job: what it takes over from whoever started it, and when nobody is left."""

import datetime
import os
import socket
import subprocess

import psutil
import pytest

from pilot_kernel.resource import registry
from pilot_kernel.resource.agent import own_job
from pilot_kernel.resource.agent.own_job import Deserted, taken_over


def test_an_agent_of_this_machine_is_this_process(home):
    claimed, _ = registry.claim("", 60.0)
    mine = taken_over(claimed)
    assert (mine.pid, mine.host) == (os.getpid(), socket.gethostname())
    assert (mine.batch, mine.job, mine.ends_at) == ("", "", None)
    assert mine.scratch == claimed.scratch


def test_an_agent_in_a_job_says_where_it_is_and_until_when(home, slurm_programs, monkeypatch):
    claimed, _ = registry.claim("", 60.0, "slurm")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("SLURMD_NODENAME", "n7")
    monkeypatch.setattr("tempfile.tempdir", "/var/tmp")
    ends = datetime.datetime.now().replace(microsecond=0) + datetime.timedelta(hours=1)
    slurm_programs.tell(f"12|RUNNING|n7|{ends.isoformat()}|None")
    mine = taken_over(claimed)
    assert (mine.host, mine.job, mine.place) == ("n7", "12", "job 12 on n7")
    assert mine.ends_at == ends.timestamp()
    assert mine.scratch == f"/var/tmp/pilot-{claimed.id}"


def test_a_node_without_slurm_s_programs(home, monkeypatch):
    claimed, _ = registry.claim("", 60.0, "slurm")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.delenv("SLURMD_NODENAME", raising=False)
    assert taken_over(claimed).ends_at is None
    assert taken_over(claimed).host == socket.gethostname()
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1927857906")
    assert taken_over(claimed).ends_at == 1927857906


@pytest.fixture
def ended_process():
    with subprocess.Popen(["sleep", "1000"]) as process:
        owner = (process.pid, psutil.Process(process.pid).create_time())
        process.kill()
    return owner


def _me():
    return os.getpid(), psutil.Process().create_time()


def test_who_is_here_is_missed_as_soon_as_the_process_has_ended(home, ended_process):
    nameless, _ = registry.claim("", 60.0)
    named, _ = registry.claim("book", 60.0)
    assert Deserted(nameless, ended_process).now([])
    assert not Deserted(nameless, ended_process).now(["somebody else"])
    assert not Deserted(nameless, _me()).now([])
    assert not Deserted(named, ended_process).now([])


def test_whoever_started_an_agent_is_expected_until_it_has_come_or_ended(home, ended_process):
    nameless, _ = registry.claim("", 60.0)
    deserted = Deserted(nameless, _me())
    assert deserted.expects()
    deserted.met()
    assert not deserted.expects()
    assert not Deserted(nameless, ended_process).expects()


def test_who_is_elsewhere_is_missed_when_the_line_has_been_cut_for_a_while(
    home, slurm_programs, ended_process, monkeypatch
):
    entry, _ = registry.claim("", 60.0, "slurm")
    deserted = Deserted(entry, ended_process)
    assert not deserted.now([])  # nobody has come yet
    deserted.met()
    assert not deserted.now([])
    monkeypatch.setattr(own_job, "_DESERTED_S", -1.0)
    assert not deserted.now(["client"])
    assert deserted.now([])
    named, _ = registry.claim("book", 60.0, "slurm")
    deserted = Deserted(named, ended_process)
    deserted.met()
    assert not deserted.now([])
