"""Batch jobs and hosts seen by another user: their ports, files, processes and batch scripts."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import psutil
import pytest

import pilot_kernel
from tests.conftest import wait_until
from tests.real import second_user, watched
from tests.real.second_user import Attempt, try_all

pytestmark = pytest.mark.real

LARGE = 1_000_000
KEYS = {"cores_per_node": 1, "memory_per_node_bytes": 10**9}


@pytest.fixture(scope="module")
def seen(slurm, hosts):
    """A session with a job and a host, its files below a folder in which everybody may walk."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-seen-"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOT_KERNEL_HOME", str(folder / "home"))
        for place in ("job", "host"):
            (folder / place).mkdir(mode=0o755)
        with pilot_kernel.Session() as session:
            session.add_pilot(
                "slurm://",
                name="job",
                interface="lo",
                walltime="20",
                working_directory=str(folder / "job"),
                **KEYS,
            )
            session.add_pilot(
                hosts.url(0, 1), name="far", working_directory=str(folder / "host"), **KEYS
            )
            wait_until(lambda: [p.workers for p in session.pilot_statuses()] == [1, 2], 90)
            kept = [session.submit(np.ones, LARGE, on=on) for on in ("job", "far")]
            assert [task.result(60).sum() for task in kept] == [LARGE, LARGE]
            yield session, folder
    wait_until(lambda: not slurm.jobs())
    shutil.rmtree(folder)


def elsewhere(slurm, hosts):
    """The processes of jobs and hosts."""
    found = watched.job_processes(slurm.conf)
    for number in (0, 1):
        found += hosts.processes(number)
    return found


def temporary(processes):
    """The folders that processes made for themselves, by what they have open there."""
    found = set()
    for process in processes:
        around = {}
        with contextlib.suppress(psutil.Error):  # it has just ended
            around = process.environ()
        for where in ("PILOT_NURSERY", "TMPDIR", "PILOT_RESULTS"):
            path = Path(around.get(where, "/nowhere"))
            found |= {each for each in (path, path.parent) if each.name.startswith("pilot-")}
    return found


def test_files_of_jobs_and_hosts_are_closed_to_another_user(seen, slurm, hosts):
    session, folder = seen
    places = temporary(elsewhere(slurm, hosts))
    paths = watched.files_of(session, folder / "job", folder / "host", *places)
    assert sum(path.endswith("tls-key.pem") for path in paths) >= 3  # here, the job's, the hosts'
    mine = {str(folder / "job"), str(folder / "host")}
    lines = [line.partition(":")[0].split(" ", 1) for line in try_all(Attempt(paths)).files]
    assert [line for line in lines if line[1] not in mine] == []
    assert {what for what, _ in lines} <= {"read", "list"}
    assert not watched.open_to_others(paths)


def test_ports_of_jobs_let_no_other_user_in(seen, slurm):
    session, _ = seen
    places = watched.listening(watched.job_processes(slurm.conf))
    assert len(places) == 2  # a worker and its nanny
    assert {host for host, _ in places} == {"127.0.0.1"}  # what `interface="lo"` means
    assert try_all(Attempt(ports=places)).ports == []
    attempt = Attempt(ports=places, credentials=str(session._link.entry.directory))
    assert len(try_all(attempt, uid=None).ports) == 2


def test_what_the_agent_forwards_lets_no_other_user_in(seen):
    session, _ = seen
    places = watched.listening(watched.processes_of(session))
    assert {host for host, _ in places} == {"127.0.0.1"}
    assert try_all(Attempt(ports=places)).ports == []


def test_ports_on_hosts_are_on_loopback_and_let_no_other_user_in(seen, hosts):
    session, _ = seen
    for number in (0, 1):
        lines = hosts.run(number, "ss", "-ltnH").splitlines()
        places = [line.split()[3].rsplit(":", 1) for line in lines]
        servers = [hosts.address(number), "22"]  # the host's own SSH server
        mine = [(host, int(port)) for host, port in places if [host, port] != servers]
        assert len(mine) < len(places)
        assert len(mine) >= 2
        assert {host for host, _ in mine} == {"127.0.0.1"}
        inside = ("nsenter", f"--net=/run/netns/{hosts.namespace(number)}")
        assert try_all(Attempt(ports=mine), second_user.NOBODY, *inside).ports == []
        attempt = Attempt(ports=mine, credentials=str(session._link.entry.directory))
        assert len(try_all(attempt, None, *inside).ports) >= 2


def test_the_key_is_nowhere_to_be_seen(seen, slurm, hosts):
    session, _ = seen
    entry = session._link.entry
    secrets = watched.secrets_of(entry.directory)
    processes = [*watched.processes_of(session), *elsewhere(slurm, hosts)]
    words = watched.words_of(processes)
    [job] = slurm.jobs()
    shown = {
        "batch script": slurm.call("scontrol", "write", "batch_script", job.id, "-"),
        "job": slurm.call("scontrol", "show", "job", "-d", job.id),
        "job_script()": session.pilots[0].job_script(),
        "logs": str(session.logs()),
        "event log": session.report().path.read_text(),
        "environment of a task": session.submit(_surroundings, on="far").result(60),
    }
    assert "SBATCH" in shown["batch script"]
    everything = {**words, **shown}.items()
    assert not [what for what, text in everything if watched.gives_away(text, secrets)]


def _surroundings():
    return repr(dict(os.environ))
