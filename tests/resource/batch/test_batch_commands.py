"""Programs of batch systems: what they say reaches whoever ran them; QPUs are asked for."""

import asyncio
import os
import threading

import pytest

from pilot_kernel.resource.batch import qpu_option
from pilot_kernel.resource.batch.commands import CommandError, environment, run
from tests.conftest import PATIENCE_S


def test_what_a_program_writes_is_returned():
    assert asyncio.run(run(["echo", "12"])) == "12\n"
    assert asyncio.run(run(["echo $((3 + 4))"], shell=True)) == "7\n"


def test_what_a_failing_program_says_is_the_error():
    with pytest.raises(CommandError, match=r"^no such partition$"):
        asyncio.run(run(["sh", "-c", "echo no such partition >&2; exit 1"]))
    with pytest.raises(CommandError, match=r"^false ended with status 1$"):
        asyncio.run(run(["false"]))
    with pytest.raises(CommandError, match=r"^no-such-program: No such file"):
        asyncio.run(run(["no-such-program"]))


@pytest.mark.parametrize("turns", range(6))
def test_a_call_ends_with_its_loop_however_soon_that_is(turns):
    """A subprocess of asyncio does not in Python 3.11, if its pipes are not up yet."""

    async def lived():
        calls.append(asyncio.create_task(run(["sleep", "60"])))
        for _ in range(turns):
            await asyncio.sleep(0)

    calls = []
    thread = threading.Thread(target=lambda: asyncio.run(lived()), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert calls[0].cancelled()


def test_files_of_jobs_are_closed_to_others():
    assert asyncio.run(run(["umask"], shell=True)).strip() == "0077"


def test_a_job_learns_nothing_of_the_job_that_its_agent_runs_in(monkeypatch):
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "100")
    monkeypatch.setenv("PILOT_RESULTS", "/tmp/agent/results")
    monkeypatch.setenv("PILOT_NURSERY", "/tmp/agent/nursery")
    inherited = environment()
    assert inherited["SLURM_CONF"] == "/etc/slurm.conf"
    assert inherited["PATH"] == os.environ["PATH"]
    assert inherited.keys().isdisjoint({"SLURM_MEM_PER_NODE", "PILOT_RESULTS", "PILOT_NURSERY"})


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """Put a `sbatch` on the path whose help says something."""

    def make(told):
        program = tmp_path / "sbatch"
        program.write_text(f"#!/bin/sh\necho '{told}'\n")
        program.chmod(0o700)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        qpu_option._has_plugin.cache_clear()

    yield make
    qpu_option._has_plugin.cache_clear()


def test_qpus_are_asked_for_by_name_where_slurm_has_the_plugin(sbatch):
    sbatch("      --qpu=names   Comma separated list of QPU resources to use.")
    found = qpu_option.qpu_directives(["one", "two"], ["--gres=gpu:1"])
    assert found == ["--gres=gpu:1", "--qpu=one,two"]


def test_qpus_are_counted_elsewhere_and_there_is_one_gres_only(sbatch):
    sbatch("  --gres=list   required generic resources")
    found = qpu_option.qpu_directives(["one", "two"], ["--gres=gpu:1", "--exclusive"])
    assert found == ["--exclusive", "--gres=gpu:1,qpu:2"]
    assert qpu_option.qpu_directives(["one"], []) == ["--gres=qpu:1"]
