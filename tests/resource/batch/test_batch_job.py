"""One job in the agent's hands, with a batch system made of a few shell scripts."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed.core import Status

from pilot_kernel.resource import left_jobs
from pilot_kernel.resource.batch import batch_job, queue_watch
from pilot_kernel.resource.batch.batch_job import BatchJob, JobSite
from pilot_kernel.resource.batch.plan import JobPlan
from pilot_kernel.resource.batch.systems import SYSTEMS

pytest.importorskip("dask_jobqueue")

PATIENCE_S = 30.0


def _put(path, text):
    """Write a file at one stroke: a program may be reading it right now."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    os.replace(draft, path)


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Programs in a folder on the path; what each does is the text of a file beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = tmp_path / "calls"
    does = {}
    for name in ("sbatch", "squeue", "scancel"):
        does[name] = folder / f"{name}.sh"
        does[name].write_text("")
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $@" >> {calls}\n. {does[name]}\n')
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(batch_job, "_PAUSES_S", (0.01,))
    monkeypatch.setattr(queue_watch, "_PERIOD_S", 0.02)
    monkeypatch.setattr(batch_job, "QUEUE", queue_watch.QueueWatch())
    return SimpleNamespace(
        called=lambda name: (calls.read_text() if calls.exists() else "").count(f"{name} "),
        does=lambda name, text: _put(does[name], f"{text}\n"),
    )


@pytest.fixture
def site(tmp_path):
    directory = tmp_path / "agent-1"
    directory.mkdir(mode=0o700)
    yield JobSite(directory=directory, folder=directory, workers=1)
    keeper = batch_job._undertakers.pop(directory, None)
    if keeper is not None:
        keeper.kill()
        keeper.communicate()


def made(site, start="mine-0"):
    plan = JobPlan(
        system=SYSTEMS["slurm"],
        prefix="pilot-agent-1",
        cores=1,
        memory_bytes=10**9,
        logs=site.folder / "logs",
        command=("some.module",),
    )
    return BatchJob("tls://127.0.0.1:1", start, plan=plan, site=site)


def listed(state, reason="None", name="pilot-agent-1-mine-0", number=7):
    return f"echo '{name}|{number}|{state}|{reason}|n1'"


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def left(site):
    with left_jobs.open_book(site.directory) as book:
        return left_jobs.read(book)


def test_a_job_is_followed_to_its_end(system, site):
    async def lived():
        system.does("sbatch", "echo Submitted batch job 7")
        system.does("squeue", listed("PENDING", "Resources"))
        job = await made(site)
        await until(lambda: job.note == "job 7 waits: Resources")
        assert left(site).ids == {"pilot-agent-1-mine-0": "7"}
        system.does("squeue", listed("RUNNING"))
        await until(lambda: job.note == "job 7 is RUNNING on n1, no worker is up yet")
        system.does("squeue", listed("PENDING", "BeginTime"))
        await until(lambda: job.note == "job 7 waits to start again: BeginTime")
        assert job.status == Status.running
        system.does("squeue", listed("TIMEOUT", "TimeLimit"))
        await until(lambda: job.status == Status.closed)
        assert job.note == "job 7 ended: TIMEOUT (TimeLimit)"
        assert not left(site).jobs
        await job.close()
        assert system.called("scancel") == 0
        other = made(site)
        assert other._job_name == "pilot-agent-1-mine-0.2"
        system.does("squeue", listed("PENDING", "Priority", other._job_name))
        await other
        await until(lambda: "waits" in other.note)
        assert other.note == "job 7 waits: Priority (before: job 7 ended: TIMEOUT (TimeLimit))"
        await other.close()
        assert system.called("scancel") == 1

    asyncio.run(lived())


def test_a_refusal_is_told_and_final(system, site):
    async def lived():
        system.does("sbatch", "echo 'sbatch: error: invalid account' >&2; exit 1")
        job = await made(site)
        await until(lambda: job.status == Status.failed)
        assert job.gave_up
        assert job.note == "sbatch: error: invalid account"
        assert system.called("sbatch") == 1
        assert not left(site).jobs
        await job.close()

    asyncio.run(lived())


def test_a_submission_that_came_through_after_all_is_not_doubled(system, site):
    async def lived():
        system.does("sbatch", "echo 'Socket timed out on send/recv operation' >&2; exit 1")
        system.does("squeue", listed("PENDING", "Priority"))
        job = await made(site)
        await until(lambda: job.job_id == "7")
        assert system.called("sbatch") == 1
        await job.close()
        assert system.called("scancel") == 1

    asyncio.run(lived())


def test_a_batch_system_out_of_reach_is_tried_again(system, site):
    async def lived():
        system.does("sbatch", "echo 'Unable to contact slurm controller' >&2; exit 1")
        job = await made(site)
        await until(lambda: system.called("sbatch") > 2)
        assert "trying again" in job.note
        system.does("squeue", listed("RUNNING"))
        await until(lambda: job.job_id == "7")
        system.does("squeue", "echo 'slurm_load_jobs error' >&2; exit 1")
        await until(lambda: job.note == "job 7: squeue: slurm_load_jobs error")
        assert job.status == Status.running  # that says nothing of the job
        await job.close()

    asyncio.run(lived())


def test_a_job_that_nobody_knows_any_more_is_gone(system, site):
    async def lived():
        system.does("sbatch", "echo Submitted batch job 7")
        job = await made(site)
        await until(lambda: job.status == Status.closed)
        log = site.folder / "logs" / "mine-0.log"
        assert job.note == f"job 7 is gone: {log} tells nothing"

    asyncio.run(lived())


def test_a_script_that_keeps_failing_is_given_up(system, site):
    async def lived():
        system.does("sbatch", "echo Submitted batch job 7; echo no such module >&2")
        notes = []
        for nth in ("", ".2", ".3"):
            name = f"pilot-agent-1-mine-0{nth}"
            system.does("squeue", listed("FAILED", "NonZeroExitCode", name))
            job = await made(site)
            await until(lambda job=job: job.status in (Status.closed, Status.failed))
            notes.append((job.gave_up, "it failed 3 times" in job.note))
            await job.close()
        assert notes == [(False, False), (False, False), (True, True)]

    asyncio.run(lived())


def test_closing_waits_for_a_submission_under_way(system, site):
    async def lived():
        system.does("sbatch", "sleep 0.5; echo Submitted batch job 7")
        job = await made(site)
        await until(lambda: system.called("sbatch"))
        await job.close()
        assert job.status == Status.closed
        assert system.called("scancel") == 1
        assert not left(site).jobs

    asyncio.run(lived())


def test_a_job_that_cannot_be_cancelled_stays_in_the_book(system, site):
    async def lived():
        system.does("sbatch", "echo Submitted batch job 7")
        system.does("squeue", listed("PENDING"))
        system.does("scancel", "exit 1")
        job = await made(site)
        await until(lambda: job.job_id is not None)
        await job.close()
        assert left(site).ids == {"pilot-agent-1-mine-0": "7"}

    asyncio.run(lived())


def test_a_folder_of_its_own_gets_the_credentials(system, site, tmp_path):
    async def lived():
        system.does("sbatch", "echo Submitted batch job 7")
        system.does("squeue", listed("PENDING"))
        (site.directory / "tls-key.pem").write_text("secret")
        folder = tmp_path / "scratch"
        own = JobSite(directory=site.directory, folder=folder, workers=1)
        job = await made(own)
        await until(lambda: job.job_id is not None)
        assert (folder / "tls-key.pem").read_text() == "secret"
        assert (folder / "tls-key.pem").stat().st_mode & 0o777 == 0o600
        assert left(own).folders == [str(folder)]
        await job.close()

    asyncio.run(lived())


def test_a_folder_that_cannot_be_made_is_told(system, site):
    async def lived():
        own = JobSite(directory=site.directory, folder=Path("/proc/nowhere"), workers=1)
        job = await made(own)
        await until(lambda: job.status == Status.failed)
        assert job.gave_up
        assert "/proc/nowhere" in job.note
        await job.close()

    asyncio.run(lived())
