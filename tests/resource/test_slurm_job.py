"""What SLURM tells of an agent's job, and how it is asked."""

import datetime
import os

import pytest

from pilot_kernel.resource import slurm_job
from pilot_kernel.resource.slurm_job import JobSeen, QueueError

WAITS = "12|PENDING|n/a|N/A|Resources"
ENDS = datetime.datetime.now().replace(microsecond=0) + datetime.timedelta(hours=1)
RUNS = f"12|RUNNING|n1|{ENDS.isoformat()}|None"


def test_a_job_is_asked_for_by_its_agent_and_read(slurm_programs):
    assert slurm_job.find("agent-1") is None
    slurm_programs.tell(WAITS)
    seen = slurm_job.find("agent-1")
    assert seen == JobSeen("12", "PENDING", "Resources")
    assert (seen.waits, seen.over, str(seen)) == (True, False, "job 12 PENDING (Resources)")
    slurm_programs.tell(RUNS)
    seen = slurm_job.find("agent-1")
    assert seen == JobSeen("12", "RUNNING", "", "n1", ENDS.timestamp())
    assert (seen.waits, seen.over, str(seen)) == (False, False, "job 12 RUNNING on n1")
    asked = slurm_programs.read("asked").splitlines()[-1]
    assert f"--user={os.getuid()}" in asked
    assert "--name=pilot-agent-1-agent" in asked


def test_the_year_of_a_job_without_a_limit_is_no_end(slurm_programs):
    ends = ENDS + datetime.timedelta(days=365, hours=-2)
    slurm_programs.tell(f"12|RUNNING|n1|{ends.isoformat()}|None")
    assert slurm_job.find("agent-1") == JobSeen("12", "RUNNING", "", "n1", None)


@pytest.mark.parametrize("state", ["TIMEOUT", "CANCELLED", "NODE_FAIL", "COMPLETED"])
def test_a_job_that_is_over(slurm_programs, state):
    slurm_programs.tell(f"7|{state}|n2|2031-02-03T04:05:06|NonZero|Exit")
    seen = slurm_job.find("agent-1")
    assert (seen.over, seen.waits, seen.reason) == (True, False, "NonZero|Exit")


def test_a_job_whose_processes_are_being_ended_is_not_over(slurm_programs):
    slurm_programs.tell("7|COMPLETING|n2|2031-02-03T04:05:06|None")
    seen = slurm_job.find("agent-1")
    assert not seen.over
    assert not seen.waits


def test_of_several_jobs_the_newest_counts(slurm_programs):
    slurm_programs.tell("9|CANCELLED|n1|N/A|None", "10|RUNNING|n1|N/A|None", "8|FAILED|n1|N/A|None")
    assert slurm_job.find("agent-1").id == "10"


def test_what_was_told_a_moment_ago_may_do(slurm_programs):
    slurm_programs.tell(WAITS)
    slurm_job.find("agent-1")
    (slurm_programs.folder / "told").write_text("")
    assert slurm_job.find("agent-1", fresh_s=60).id == "12"
    assert slurm_job.find("agent-2", fresh_s=60) is None
    assert slurm_job.find("agent-1") is None


def test_what_squeue_says_when_it_fails(slurm_programs):
    slurm_programs.script("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(QueueError, match="Unable to contact slurm controller"):
        slurm_job.find("agent-1")
    slurm_programs.script("squeue", "exit 3")
    with pytest.raises(QueueError, match="squeue ended with status 3"):
        slurm_job.find("agent-1")


def test_programs_that_are_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QueueError, match="no 'scancel' here"):
        slurm_job.cancel("agent-1")


def test_ending_a_job_waits_until_it_has_ended(slurm_programs):
    slurm_programs.tell(RUNS)
    slurm_programs.script(
        "scancel", 'echo "$@" > cancelled; echo "12|COMPLETING|n1|N/A|None" > told'
    )
    assert not slurm_job.end("agent-1", patience_s=0.5)
    assert "--name=pilot-agent-1-agent" in slurm_programs.read("cancelled")
    slurm_programs.script("scancel", 'echo "12|CANCELLED|n1|N/A|None" > told')
    slurm_programs.tell(RUNS)
    assert slurm_job.end("agent-1")


def test_a_job_that_has_ended_is_not_cancelled(slurm_programs):
    slurm_programs.tell("12|COMPLETED|n1|N/A|None")
    assert slurm_job.end("agent-1")
    assert slurm_programs.read("cancelled") == ""


def test_what_a_job_was_told_is_not_passed_on(monkeypatch):
    for name in ("SLURM_MEM_PER_NODE", "SQUEUE_PARTITION", "SBATCH_ACCOUNT", "SLURM_CONF"):
        monkeypatch.setenv(name, "here")
    passed = slurm_job.environment()
    assert not {"SLURM_MEM_PER_NODE", "SQUEUE_PARTITION"} & set(passed)
    assert passed["SLURM_CONF"] == "here"
    assert passed["PATH"] == os.environ["PATH"]
