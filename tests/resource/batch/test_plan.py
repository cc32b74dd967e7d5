"""The scripts of jobs: what each batch system is told, and what it is not."""

from pathlib import Path

import pytest

from pilot_kernel import PilotDescription, job_script
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.batch.systems import SYSTEMS
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.kind.kind import Site

pytest.importorskip("dask_jobqueue")

SITE = Site(
    agent="agent-1",
    pilot="mine",
    security=None,
    scheduler="tls://10.0.0.1:1234",
    host="10.0.0.1",
    directory=Path("/home/me/agent-1"),
)
SIZES = {
    "interface": "ib0",
    "cores_per_node": 4,
    "cores_per_worker": 2,
    "memory_per_node_bytes": 4 * 10**9,
}
TOLD = {
    "slurm": (
        *("#SBATCH -p short", "#SBATCH -A abc", "#SBATCH -t 01:30:00", "#SBATCH --mem=3815M"),
        *("#SBATCH -n 1", "#SBATCH --cpus-per-task=4", "#SBATCH -J pilot-agent-1-mine-0"),
        *("#SBATCH -o /home/me/agent-1/logs/mine-0.log", "#SBATCH --open-mode=append"),
    ),
    "pbs": (
        *("#PBS -q short", "#PBS -A abc", "#PBS -l walltime=01:30:00", "#PBS -j oe"),
        *("#PBS -l select=1:ncpus=4:mem=3815MB", "#PBS -o /home/me/agent-1/logs/mine-0.log"),
    ),
    "moab": ("#PBS -q short", "#PBS -A abc", "#PBS -l walltime=01:30:00"),
    "sge": ("#$ -q short", "#$ -P abc", "#$ -l h_rt=01:30:00", "#$ -j y"),
    "lsf": ("#BSUB -q short", '#BSUB -P "abc"', "#BSUB -W 01:30", "#BSUB -n 4"),
    "oar": ("#OAR -q short", "#OAR --project abc", "#OAR -l /nodes=1/core=4,walltime=01:30:00"),
}


def script(scheme="slurm", **keys):
    description = PilotDescription(resource=f"{scheme}://", **{**SIZES, **keys})
    by_scheme.check_description(description)
    return by_scheme.job_script(description, SITE)


@pytest.mark.parametrize("scheme", TOLD)
def test_every_batch_system_is_told_what_the_description_says(scheme):
    mark = SYSTEMS[scheme].mark
    lines = ("module load gcc", f"{mark} --mine=1")
    text = script(
        scheme,
        queue="short",
        project="abc",
        walltime="1:30:00",
        scheduler_script_commands=lines,
    )
    written = text.splitlines()
    assert written[0] == "#!/usr/bin/env bash"
    for line in (*TOLD[scheme], f"{mark} --mine=1"):
        assert line in written, line
    directives = [at for at, line in enumerate(written) if line.startswith(mark)]
    assert max(directives) < written.index("umask 077") < written.index("module load gcc")
    command = written[-1] or written[-2]
    assert command.startswith("exec ")
    assert " --workers 2 --cores 2 --memory 2000000000 --walltime 5400 " in command
    assert command.endswith("--name mine-0")


def test_condor_runs_the_lines_and_the_command_in_one_shell():
    text = script("htcondor", gpus_per_node=1, scheduler_script_commands=["module load gcc"])
    assert "\nrequest_gpus = 1\n" in text
    assert "Arguments = \"-c 'umask 077; module load gcc; exec " in text
    assert "MY.DaskWorkerCores = 4\n" in text


def test_what_is_not_said_is_left_to_the_batch_system():
    text = script()
    assert not any(f"#SBATCH {option}" in text for option in ("-p", "-A", "-t", "--gres", "--qpu"))
    assert "--walltime" not in text


def test_dask_jobqueues_own_settings_do_not_count():
    import dask

    theirs = {"jobqueue.slurm": {"queue": "theirs", "walltime": "9:99", "interface": "theirs"}}
    with dask.config.set(theirs):
        assert "theirs" not in script()


def test_the_command_offers_what_the_description_says():
    text = script(tags=("fast",), gpus_per_node=2)
    assert "--offers pilot:mine=1 tag:fast=1 cores=2 memory=1000000000 " in text
    assert " --workers 4 --gpus 2 " in text
    assert "#SBATCH --gres=gpu:2" in text


def test_a_script_names_folders_and_no_secret():
    text = script(working_directory="/scratch/me")
    assert "--credentials /scratch/me/pilot-agent-1 " in text
    assert "#SBATCH -o /scratch/me/pilot-agent-1/logs/mine-0.log" in text
    assert "PRIVATE" not in text


def test_a_path_with_a_space_stays_one():
    text = script(working_directory="/scratch/my work")
    assert "#SBATCH -o '/scratch/my work/pilot-agent-1/logs/mine-0.log'" in text
    assert "--credentials '/scratch/my work/pilot-agent-1' " in text


def test_a_script_can_be_had_without_a_session():
    text = job_script("slurm://", queue="short", **SIZES)
    assert "tls://ADDRESS:PORT" in text
    assert "#SBATCH -J pilot-agent-ID-slurm-0" in text
    with pytest.raises(DescriptionError, match="a local:// pilot has no batch script"):
        job_script("local://")
    with pytest.raises(DescriptionError, match="did you mean 'queue'"):
        job_script("slurm://", quue="short")
