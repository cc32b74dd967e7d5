"""What the tests of agents in batch jobs share: the job, a registry apart, nodes that wait."""

import os
from pathlib import Path

import pytest

from tests.conftest import wait_until

__all__ = ["JOB", "WORKER", "agents", "held", "job_home", "place", "scratch_of"]

JOB = {
    "interface": "lo",
    "walltime": "10",
    "cores_per_node": 2,
    "memory_per_node_bytes": 2_000_000_000,
}
WORKER = {"interface": "lo", "cores_per_node": 1, "memory_per_node_bytes": 600_000_000}


@pytest.fixture
def job_home(tmp_path, monkeypatch, slurm):
    """A registry of the test's own; no job and no file may be left of its agents."""
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path))
    yield tmp_path
    wait_until(lambda: not slurm.jobs())
    wait_until(lambda: not agents(tmp_path))
    _resume(slurm)
    wait_until(lambda: set(slurm.node_states().values()) == {"idle"}, 60)


def _resume(slurm):
    for node, state in slurm.node_states().items():
        if state.startswith(("down", "drain")):
            slurm.set_node(node, "RESUME")


def agents(home):
    """The agents that have a folder in a registry."""
    return [folder.name for folder in home.glob("agent-*")]


def scratch_of(session):
    """Where a session's agent keeps files, on its node."""
    return Path(session._link.entry.scratch)


def place(x=0):
    """A task that says where it ran: the node, and the job."""
    return x, os.environ.get("SLURMD_NODENAME"), os.environ.get("SLURM_JOB_ID")


@pytest.fixture
def held(job_home, slurm):
    """No node takes a job until `held()` is called."""
    for node in slurm.nodes:
        slurm.set_node(node, "DRAIN")

    return lambda: _resume(slurm)
