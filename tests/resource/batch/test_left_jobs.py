"""The book of an agent's jobs: what is left in it, and that it is cleared, with real processes."""

import os
import stat
import sys

import pytest

from pilot_kernel.resource import left_jobs
from pilot_kernel.resource.batch import undertaker
from tests.conftest import wait_until


@pytest.fixture
def canceller(tmp_path, monkeypatch):
    """A program that writes down whose jobs it was asked to cancel."""
    programs = tmp_path / "bin"
    programs.mkdir()
    told = tmp_path / "told"
    for name in ("scancel", "qdel"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $@" >> {told}\n')
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return lambda: told.read_text() if told.exists() else ""


@pytest.fixture
def directory(tmp_path):
    folder = tmp_path / "agent"
    folder.mkdir(mode=0o700)
    return folder


def left_in(directory):
    with left_jobs.open_book(directory) as book:
        return left_jobs.read(book)


def test_a_job_is_left_until_it_is_over(directory):
    left_jobs.note(directory, job="one", cancel="scancel")
    left_jobs.note(directory, job="two", cancel="scancel")
    left_jobs.note(directory, job="two", cancel="scancel", id="17")
    left_jobs.note(directory, over="one")
    left = left_in(directory)
    assert (left.jobs, left.ids) == ({"two": "scancel"}, {"two": "17"})
    left_jobs.note(directory, job="one", cancel="scancel", id="18")  # the next one of that name
    assert left_in(directory).ids == {"two": "17", "one": "18"}
    assert stat.S_IMODE((directory / "jobs.jsonl").stat().st_mode) == 0o600


def test_a_torn_line_is_skipped(directory):
    left_jobs.note(directory, job="one", cancel="scancel", id="1")
    with left_jobs.open_book(directory) as book:
        book.write('{"over": "on')
    assert left_in(directory).ids == {"one": "1"}


def test_clearing_cancels_by_number_and_by_name_and_removes_folders(directory, canceller, tmp_path):
    elsewhere = tmp_path / "scratch"
    (elsewhere / "logs").mkdir(parents=True)
    left_jobs.note(directory, folder=str(elsewhere))
    left_jobs.note(directory, job="one", cancel="scancel", id="1")
    left_jobs.note(directory, job="two", cancel="scancel")
    left_jobs.note(directory, job="three", cancel="qdel", id="3.server")
    left_jobs.clear(directory)
    told = canceller()
    assert "scancel 1\n" in told
    assert "--name=one,two\n" in told
    assert "qdel 3.server\n" in told
    assert not elsewhere.exists()


def test_an_agent_without_jobs_has_nothing_to_clear(directory, canceller):
    left_jobs.clear(directory)
    assert canceller() == ""
    assert list(directory.iterdir()) == []


def test_a_batch_system_that_is_gone_does_not_keep_anybody(directory, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    left_jobs.note(directory, job="one", cancel="scancel", id="1")
    left_jobs.clear(directory)


def test_the_undertaker_waits_for_the_end_of_whoever_started_it(directory, canceller):
    left_jobs.note(directory, job="one", cancel="scancel", id="1")
    process = undertaker.start(directory)
    try:
        left_jobs.note(directory, job="two", cancel="qdel", id="2")  # later than its start
        assert process.poll() is None
        assert canceller() == ""
        (directory / "jobs.jsonl").unlink()  # the next session was quicker
        process.stdin.close()
        wait_until(lambda: "scancel 1" in canceller() and "qdel 2" in canceller())
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert sys.executable in process.args


def test_the_undertaker_ends_at_once_if_nothing_is_left(directory, canceller):
    left_jobs.note(directory, job="one", cancel="scancel", id="1")
    left_jobs.note(directory, over="one")
    process = undertaker.start(directory)
    process.stdin.close()
    assert process.wait(30) == 0
    assert canceller() == ""
