"""Starting an agent in a job: submitted or refused, waited for, cancelled if nobody is left."""

import dataclasses
import subprocess
import sys
import threading

import pytest

from pilot_kernel.errors import AgentStartError
from pilot_kernel.resource import registry
from pilot_kernel.resource.connection import job_launch
from pilot_kernel.resource.connection.job_script import describe, log_of
from pilot_kernel.resource.connection.job_watch import JobWatch
from tests.conftest import wait_until

JOB = {"interface": "ib0", "cores_per_node": 4, "memory_per_node_bytes": 8_000_000_000}


@pytest.fixture
def entry(home, slurm_programs):
    return registry.claim("book", 60.0, "slurm")[0]


def test_a_job_is_submitted(entry, slurm_programs):
    assert job_launch.submit(entry, describe("slurm://", JOB), ["plug:In"]) == "12"
    assert f"#SBATCH -J pilot-{entry.id}-agent" in slurm_programs.read("submitted")
    assert log_of(entry.directory).stat().st_mode & 0o777 == 0o600


def test_a_job_that_is_refused_leaves_nothing(entry, slurm_programs):
    slurm_programs.script("sbatch", "echo 'sbatch: error: invalid partition' >&2; exit 1")
    with pytest.raises(AgentStartError, match="sbatch says: sbatch: error: invalid partition"):
        job_launch.submit(entry, describe("slurm://", JOB), [])
    assert not entry.directory.exists()


def test_an_agent_that_opens(entry, slurm_programs):
    slurm_programs.tell("12|PENDING|n/a|N/A|None")
    job = JobWatch(entry)
    came = dataclasses.replace(entry, phase="open", job="12", host="n1")

    def come():
        wait_until(lambda: "PENDING" in job.note)
        registry.write(came)

    thread = threading.Thread(target=come)
    thread.start()
    assert job_launch.wait(entry, job, own=True) == came
    thread.join()
    assert job.note == ""


@pytest.mark.parametrize(
    ("told", "log", "words"),
    [
        ("12|TIMEOUT|n1|N/A|None", "", "TIMEOUT: it reached its walltime; ask for a longer"),
        ("12|FAILED|n1|N/A|NonZero", "", "FAILED: SLURM says NonZero: perhaps the node does not"),
        ("12|FAILED|n1|N/A|None", "Traceback: no", r"(?s)FAILED; the end of its log:\nTraceback"),
        ("12|CANCELLED|n1|N/A|None", "", "CANCELLED: it was canceled"),
        ("12|COMPLETED|n1|N/A|None", "told to end", r"(?s)COMPLETED; the end of its log:\ntold to"),
    ],
)
def test_a_job_that_ends_before_the_agent_is_open(entry, slurm_programs, told, log, words):
    slurm_programs.tell(told)
    log_of(entry.directory).write_text(log)
    with pytest.raises(AgentStartError, match=words):
        job_launch.wait(entry, JobWatch(entry), own=True)
    assert not entry.directory.exists()


def test_a_job_that_slurm_does_not_know_any_more(entry, slurm_programs):
    gone = dataclasses.replace(entry, started=1.0)  # whoever was about to submit it is dead
    registry.write(gone)
    with pytest.raises(AgentStartError, match="its job is gone"):
        job_launch.wait(gone, JobWatch(gone), own=False)


def test_a_slurm_that_does_not_answer_is_waited_for(entry, slurm_programs):
    slurm_programs.script("squeue", "echo 'no controller' >&2; exit 1")
    job = JobWatch(entry)

    def come():
        wait_until(lambda: "squeue says: no controller" in job.note)
        registry.write(dataclasses.replace(entry, phase="open", job="12"))

    thread = threading.Thread(target=come)
    thread.start()
    assert job_launch.wait(entry, job, own=True).job == "12"
    thread.join()


def test_a_session_that_is_closed_waits_no_longer(entry, slurm_programs):
    slurm_programs.tell("12|PENDING|n/a|N/A|None")
    job = JobWatch(entry)
    job.over.set()
    with pytest.raises(AgentStartError, match="was closed before its agent's job began"):
        job_launch.wait(entry, job, own=True)


UNDERTAKER = """
import sys
from pilot_kernel.resource.connection.job_launch import Undertaker
undertaker = Undertaker("agent-7")
if sys.argv[1] == "dismiss":
    undertaker.dismiss()
print("up", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("dismiss", ["dismiss", "no"])
def test_the_undertaker_of_a_killed_process_cancels_its_job(slurm_programs, dismiss):
    slurm_programs.script("scancel", 'echo "$@" > called; mv called cancelled')
    command = [sys.executable, "-c", UNDERTAKER, dismiss]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as client:
        assert client.stdout.readline() == "up\n"
        assert slurm_programs.read("cancelled") == ""
        client.kill()
    if dismiss == "no":
        wait_until(lambda: "--name=pilot-agent-7-agent" in slurm_programs.read("cancelled"))
    else:
        assert slurm_programs.read("cancelled") == ""
