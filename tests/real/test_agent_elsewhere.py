"""An agent's job on a node with a network and temporary files of its own, as clusters have them.

What is shared with the notebook's machine is the registry's folder, and one interface.
"""

import os
import time

import pytest

import pilot_kernel
from pilot_kernel.errors import AgentLostError
from tests.conftest import wait_until
from tests.real.agent_jobs import JOB, place, scratch_of

pytestmark = pytest.mark.real


@pytest.fixture
def far(job_home, hosts, tmp_path_factory, monkeypatch):
    """The keys of a job that runs in the network of a host, with a folder nobody else sees."""
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP", "11s")  # the least it takes
    node_tmp = tmp_path_factory.mktemp("node")
    apart = f"nsenter --net=/run/netns/{hosts.namespace(0)} unshare -m bash"
    lines = (
        f'[ -n "$APART" ] || APART=1 exec {apart} "$0"',
        f"mount -t tmpfs none {node_tmp}",
        f"export TMPDIR={node_tmp}",
    )
    interface = f"{hosts.tag}w0"
    return {**JOB, "interface": interface, "scheduler_script_commands": lines}


def _large(number, size):
    return [number] * size


def test_the_notebook_reaches_it_at_the_interface_that_was_named(far, hosts):
    with pilot_kernel.Session("far", inside="slurm://", **far) as session:
        assert session.submit(place, 1).result(60)[0] == 1
        assert session._link.entry.address.startswith(f"tls://{hosts.address(0)}:")
        assert not scratch_of(session).exists()
        tasks = [session.submit(_large, number, 300_000) for number in range(3)]
        sums = [session.submit(sum, task) for task in tasks]
        assert [task.result(60) for task in sums] == [300_000 * number for number in range(3)]
        assert [task.result(60) for task in tasks] == [[n] * 300_000 for n in range(3)]
        assert session.submit(os.path.exists, str(scratch_of(session) / "results")).result(30)
        session.detach()
    with pilot_kernel.Session("far") as again:
        [task] = [task for task in again.tasks if task.key == tasks[2].key]
        assert task.result(60) == [2] * 300_000


def test_a_line_that_is_cut_is_told_from_an_agent_that_is_gone(far, hosts):
    session = pilot_kernel.Session("cut", inside="slurm://", **far)
    assert session.submit(pow, 2, 3).result(60) == 8
    task = session.submit(time.sleep, 30, name="survivor")
    wait_until(lambda: task.state == "RUNNING")
    hosts.cut(0)
    try:
        with pytest.raises(AgentLostError, match=r"it runs on \(job \d+ on n\d\); attach"):
            task.result(120)
        other = pilot_kernel.Session("cut")
        with pytest.raises(AgentLostError, match="may not reach the node through the interface"):
            other.submit(pow, 2, 3)
        other.detach()
    finally:
        hosts.mend(0)
    session.detach()
    with pilot_kernel.Session("cut") as again:
        assert again.attached
        [found] = [task for task in again.tasks if task.name == "survivor"]
        assert found.result(90) is None
        assert again.submit(pow, 2, 4).result(60) == 16
