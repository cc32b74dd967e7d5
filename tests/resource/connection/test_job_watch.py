"""The eye on an agent's job: what is told of it, when its end is announced, how it ended."""

import threading
import time

import pytest

from pilot_kernel.resource import notices, registry
from pilot_kernel.resource.connection import job_watch
from pilot_kernel.resource.connection.job_watch import JobWatch
from pilot_kernel.resource.slurm_job import QueueError


def _runs(in_s, state="RUNNING"):
    ends = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + in_s))
    return f"12|{state}|n1|{ends}|None"


@pytest.fixture
def entry(home, slurm_programs):
    return registry.claim("book", 60.0, "slurm")[0]


@pytest.fixture
def watch(entry, monkeypatch):
    monkeypatch.setattr(job_watch, "_POLL_S", 0.01)
    monkeypatch.setattr(job_watch, "_ENDING_S", 0.1)
    return JobWatch(entry)


def _open(watch, entry, ends_in_s):
    import dataclasses

    ends = time.time() + ends_in_s
    watch.opened(dataclasses.replace(entry, phase="open", job="12", host="n1", ends_at=ends))


def _follow(watch, polls):
    """Follow the job for so many polls, then hang up."""
    left = iter([True] * polls)
    watch.follow(lambda: next(left, False))


def told(caplog):
    return [r.getMessage() for r in caplog.records if r.name == notices.LOGGER]


def test_what_it_says_before_the_agent_is_open(watch, slurm_programs):
    assert watch.note == "the agent's job is being submitted"
    assert watch.due()
    slurm_programs.tell("12|PENDING|n/a|N/A|Priority")
    watch.look()
    assert watch.note == "the agent's job 12 PENDING (Priority)"
    assert watch.ends_at is None
    assert not watch.due()
    slurm_programs.script("squeue", "exit 1")
    with pytest.raises(QueueError):
        watch.look()
    assert watch.seen.reason == "Priority"


def test_looks_become_rare_while_nothing_changes(watch, slurm_programs):
    slurm_programs.tell("12|PENDING|n/a|N/A|Priority")
    pauses = []
    for _ in range(20):
        watch.look()
        pauses.append(watch._pause_s)
    assert pauses == sorted(pauses)
    assert pauses[-1] == 15.0
    slurm_programs.tell(_runs(60))
    watch.look()
    assert watch._pause_s < 1


def test_the_end_is_announced_once_and_only_when_it_is_near(watch, entry, slurm_programs, caplog):
    slurm_programs.tell(_runs(1000))
    _open(watch, entry, 1000)
    _follow(watch, 5)
    assert watch.note == ""
    assert not any("the session ends at" in text for text in told(caplog))
    watch.over.clear()
    slurm_programs.tell(_runs(290))
    _open(watch, entry, 290)
    _follow(watch, 5)
    [text] = [text for text in told(caplog) if "the session ends at" in text]
    assert "in 5 min: that is the walltime of the agent's job 12 on n1" in text


def test_a_limit_that_was_raised_meanwhile_counts(watch, entry, slurm_programs, caplog):
    slurm_programs.tell(_runs(1000))
    _open(watch, entry, 100)
    _follow(watch, 5)
    assert not any("the session ends at" in text for text in told(caplog))
    assert watch.ends_at > time.time() + 900


def test_an_end_that_nobody_knows_is_not_announced(watch, entry, slurm_programs, caplog):
    slurm_programs.tell("12|RUNNING|n1|NONE|None")
    _open(watch, entry, 0)
    watch.ends_at = None
    _follow(watch, 3)
    assert watch.place == "agent in job 12 on n1"
    assert not any("the session ends at" in text for text in told(caplog))


def test_nobody_is_told_of_the_end_of_a_session_that_was_closed(watch, entry, caplog):
    _open(watch, entry, 1000)
    watch.over.set()
    watch.follow(lambda: True)
    assert told(caplog) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("12|TIMEOUT|n1|N/A|TimeLimit", "TIMEOUT: it reached its walltime; SLURM says TimeLimit"),
        ("12|CANCELLED|n1|N/A|None", "CANCELLED: it was canceled"),
        ("12|NODE_FAIL|n1|N/A|None", "NODE_FAIL: its node failed"),
        ("12|COMPLETED|n1|N/A|None", "COMPLETED"),
        ("12|FAILED|n1|N/A|NonZeroExitCode", "FAILED: SLURM says NonZeroExitCode"),
    ],
)
def test_how_it_ended_is_told(watch, entry, slurm_programs, caplog, line, words):
    slurm_programs.tell(line)
    _open(watch, entry, 1000)
    _follow(watch, 0)
    assert told(caplog) == [f"the session has ended: its job 12 on n1 is {words}"]
    slurm_programs.tell()  # SLURM forgets it after a while
    assert watch.ended() == f"its job 12 on n1 is {words}"


def test_a_job_that_slurm_has_forgotten(watch, entry, slurm_programs):
    _open(watch, entry, 1000)
    assert watch.ended() == "its job 12 on n1 is gone"


def test_a_job_that_is_ending_is_waited_for(watch, entry, slurm_programs, monkeypatch):
    monkeypatch.setattr(job_watch, "_ENDING_S", 0.0)
    slurm_programs.tell(_runs(100, "COMPLETING"))
    _open(watch, entry, 1000)
    threading.Timer(0.3, lambda: slurm_programs.tell("12|TIMEOUT|n1|N/A|None")).start()
    assert "TIMEOUT" in watch.ended()


def test_a_job_that_is_ending_for_ever_has_ended(watch, entry, slurm_programs, monkeypatch):
    monkeypatch.setattr(job_watch, "_COMPLETING_S", 0.1)
    slurm_programs.tell(_runs(100, "COMPLETING"))
    _open(watch, entry, 1000)
    assert watch.ended() == "its job 12 on n1 is COMPLETING"


def test_a_job_that_goes_on_has_not_ended(watch, entry, slurm_programs):
    slurm_programs.tell(_runs(100))
    _open(watch, entry, 1000)
    assert watch.ended() == ""
    slurm_programs.script("squeue", "exit 1")
    assert watch.ended() == ""
