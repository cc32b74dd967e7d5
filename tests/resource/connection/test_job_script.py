"""The batch job of an agent: what it may be, its script, its first pilot."""

import shutil
import subprocess

import pytest

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import slurm_job
from pilot_kernel.resource.batch.systems import SYSTEMS
from pilot_kernel.resource.connection.job_script import (
    describe,
    first_pilot,
    log_of,
    script,
    shown_script,
)
from pilot_kernel.resource.description import PilotDescription

JOB = {"interface": "ib0", "cores_per_node": 4, "memory_per_node_bytes": 8_000_000_000}


@pytest.mark.parametrize(
    ("inside", "keys", "words"),
    [
        (None, JOB, "interface, cores_per_node, memory_per_node_bytes: .*inside='slurm://'"),
        ("local://", {}, "inside='local://': an agent runs on this machine, or in a job of slurm"),
        ("pbs://", JOB, "inside='pbs://'"),
        ("slurm://", {**JOB, "interface": None}, "interface is missing"),
        ("slurm://", {**JOB, "number_of_nodes": 2}, "number_of_nodes=2: the agent's job has one"),
        ("slurm://", {**JOB, "name": "mine"}, "name='mine'"),
        ("slurm://", {**JOB, "cores_per_worker": 5}, "cores_per_worker=5"),
        ("slurm://", {**JOB, "wall_time": 5}, "did you mean 'walltime'"),
        ("slurm://login", JOB, "write slurm://"),
        (3, JOB, "resource=3"),
    ],
)
def test_what_an_agent_cannot_run_in(inside, keys, words):
    with pytest.raises(DescriptionError, match=words):
        describe(inside, keys)


def test_the_first_pilot_is_what_the_job_has_but_for_the_agent_s_share():
    job = describe("slurm://", {**JOB, "cores_per_worker": 2, "gpus_per_node": 1, "tags": ["big"]})
    assert first_pilot(job) == PilotDescription(
        cores_per_node=4,
        cores_per_worker=2,
        gpus_per_node=1,
        memory_per_node_bytes=7_600_000_000,
        tags=("big",),
    )
    small = describe("slurm://", {**JOB, "memory_per_node_bytes": 1_000_000_000})
    assert first_pilot(small).memory_per_node_bytes == 800_000_000
    assert first_pilot(None) == PilotDescription()


def test_the_script_asks_for_what_the_description_says(tmp_path):
    lines = ["#SBATCH --exclusive", "module load python"]
    keys = {**JOB, "queue": "long", "walltime": "2:00:00", "project": "p1"}
    job = describe("slurm://", {**keys, "scheduler_script_commands": lines})
    text = script(job, "agent-7", tmp_path / "a b" / "agent-7", ["plug:In"])
    directives = [line for line in text.splitlines() if line.startswith("#SBATCH ")]
    for wanted in ("-p long", "-A p1", "-t 02:00:00", "--cpus-per-task=4", "--mem=7630M"):
        assert f"#SBATCH {wanted}" in directives
    for wanted in ("--no-requeue", "--exclusive"):
        assert f"#SBATCH {wanted}" in directives
    assert f"#SBATCH -J {slurm_job.name_of('agent-7')}" in directives
    body = text.splitlines()
    assert body.index("umask 077") < body.index("module load python")
    assert f"export PILOT_KERNEL_HOME='{tmp_path}/a b'" in body
    command = next(line for line in body if line.startswith("exec "))
    assert f"--directory '{tmp_path}/a b/agent-7' --interface ib0 --plugin plug:In" in command
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n"], input=text, text=True, check=True)


def test_what_is_shown_is_the_script_with_an_id_made_up(home):
    job = describe("slurm://", JOB)
    shown = shown_script(job, ["plug:In"])
    same = script(job, "agent-7", home / "agent-7", ["plug:In"])
    assert shown.replace("agent-ID", "agent-7") == same
    assert not home.exists()


def test_the_log_is_where_the_script_says(tmp_path):
    text = script(describe("slurm://", JOB), "agent-7", tmp_path, [])
    assert f"#SBATCH -o {log_of(tmp_path)}" in text
    assert SYSTEMS["slurm"].submit == "sbatch"
