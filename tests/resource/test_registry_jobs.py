"""Agents in batch jobs as the registry knows them: alive or not, found, pruned, reaped."""

import dataclasses
import os
import time

import pytest

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import registry

RUNS = "12|RUNNING|n1|N/A|None"
OVER = "12|CANCELLED|n1|N/A|None"


@pytest.fixture
def entry(home, slurm_programs):
    """An agent that runs in job 12 on node n1."""
    claimed, new = registry.claim("book", 60.0, "slurm")
    assert new
    open_one = dataclasses.replace(
        claimed, phase="open", host="n1", job="12", pid=1, address="tls://n1:1"
    )
    registry.write(open_one)
    return open_one


def test_an_agent_is_alive_as_long_as_its_job_is(entry, slurm_programs):
    slurm_programs.tell(RUNS)
    assert entry.alive()
    assert not entry.here
    assert registry.find("book") == registry.read(entry.directory) == entry
    assert registry.claim("book", 60.0) == (entry, False)
    slurm_programs.tell(OVER)
    assert not entry.alive()
    assert registry.find("book") is None
    slurm_programs.tell()
    assert not entry.alive()


def test_what_cannot_be_known_is_taken_to_be_alive(entry, slurm_programs):
    slurm_programs.script("squeue", "exit 1")
    assert entry.alive()
    registry.prune()
    assert entry.directory.exists()
    with pytest.raises(PilotError, match="squeue"):
        registry.reap(entry)
    assert entry.directory.exists()


def test_a_dead_agent_is_pruned(entry, slurm_programs):
    slurm_programs.tell(RUNS)
    registry.prune()
    assert entry.directory.exists()
    slurm_programs.tell(OVER)
    registry.prune()
    assert not entry.directory.exists()


def test_reaping_cancels_the_job_and_ends_no_process_of_that_number_here(entry, slurm_programs):
    mine = dataclasses.replace(entry, pid=os.getpid(), host=os.uname().nodename)
    registry.write(mine)
    slurm_programs.tell(RUNS)
    slurm_programs.script("scancel", f'echo "$@" > cancelled; echo "{OVER}" > told')
    registry.reap(mine)
    assert f"--name=pilot-{entry.id}-agent" in slurm_programs.read("cancelled")
    assert not entry.directory.exists()


def test_a_job_that_does_not_end_is_named(entry, slurm_programs):
    slurm_programs.tell(RUNS)
    with pytest.raises(PilotError, match="job 12 on n1 was canceled, but has not ended yet"):
        registry.reap(entry, patience_s=0.1)
    assert entry.directory.exists()


def test_an_agent_whose_job_is_just_being_submitted_is_alive(home, slurm_programs):
    entry, _ = registry.claim("book", 60.0, "slurm")
    assert entry.place == "a batch job"
    assert entry.alive()
    registry.prune()
    assert registry.find("book") == entry
    elsewhere = dataclasses.replace(entry, host="another-login-node", pid=1, started=0.0)
    assert elsewhere.alive()
    os.utime(entry.directory, (time.time() - 1000,) * 2)
    assert not elsewhere.alive()
    assert not entry.alive()


def test_whoever_was_about_to_submit_it_is_dead(home, slurm_programs):
    entry, _ = registry.claim("book", 60.0, "slurm")
    assert not dataclasses.replace(entry, started=1.0).alive()


def test_entries_of_before_can_be_read(home):
    entry, _ = registry.claim("", 60.0)
    told = dataclasses.asdict(entry)
    for new in ("batch", "job", "ends_at"):
        del told[new]
    assert registry.AgentEntry(**told) == entry
    registry.forget(entry)
