"""Descriptions of pilots in batch jobs: each mistake is named before anything is submitted."""

import pytest

from pilot_kernel import PilotDescription
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.kind import by_scheme
from tests.resource.kind.test_kind import SITE

pytest.importorskip("dask_jobqueue")

WHOLE = {"interface": "lo", "cores_per_node": 4, "memory_per_node_bytes": 10**9}


def described(scheme="slurm", **keys):
    return PilotDescription(resource=f"{scheme}://", **{**WHOLE, **keys})


def check(scheme="slurm", **keys):
    by_scheme.check_description(described(scheme, **keys))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"interface": None}, r"^interface is missing: .*this machine has .*lo"),
        ({"cores_per_node": None}, r"^cores_per_node is missing"),
        ({"memory_per_node_bytes": None}, r"^memory_per_node_bytes is missing"),
        ({"cores_per_worker": 5}, r"^cores_per_worker=5 is more than cores_per_node=4"),
        ({"number_of_nodes": 10_001}, r"^number_of_nodes=10001"),
        ({"walltime": "0:30"}, r"^walltime='0:30' is 30 s: .*60 s at least"),
        ({"working_directory": "scratch"}, r"^working_directory='scratch': a full path"),
        (
            {"scheduler_script_commands": ("#PBS -l a=1",)},
            r"'#PBS -l a=1' is no directive of slurm, its directives begin with #SBATCH",
        ),
        (
            {"scheduler_script_commands": ("#SBATCH --gres=gpu:1",), "gpus_per_node": 1},
            r"'#SBATCH --gres=gpu:1' would replace what gpus_per_node",
        ),
    ],
)
def test_a_mistake_is_named(keys, words):
    with pytest.raises(DescriptionError, match=words):
        check(**keys)


@pytest.mark.parametrize(
    ("scheme", "keys", "words"),
    [
        ("sge", {"gpus_per_node": 1}, r"^gpus_per_node=1: .*differs from site to site"),
        ("pbs", {"qpu": ("one",)}, r"^qpu=.*a pbs:// pilot has no use"),
        ("htcondor", {"queue": "short"}, r"^queue=.*a htcondor:// pilot has no use"),
        ("htcondor", {"scheduler_script_commands": ("# hello",)}, r"'# hello' is no directive"),
    ],
)
def test_what_a_batch_system_cannot_do_is_named(scheme, keys, words):
    check(scheme)
    with pytest.raises(DescriptionError, match=words):
        check(scheme, **keys)


def test_a_url_with_a_host_says_where_to_run_the_notebook():
    wrong = PilotDescription(resource="slurm://login.site", **WHOLE)
    with pytest.raises(DescriptionError, match=r"Run the notebook on login\.site.*slurm://"):
        by_scheme.check_description(wrong)
    for url in ("slurm:///debug", "slurm://?queue=debug"):
        with pytest.raises(DescriptionError, match="the rest as keys"):
            by_scheme.check_description(PilotDescription(resource=url, **WHOLE))


def test_a_machine_without_sbatch_is_told_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DescriptionError, match="there is no sbatch on this machine"):
        by_scheme.worker_specs(described(), SITE)


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    program = tmp_path / "sbatch"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_each_node_is_a_job_and_each_job_has_its_workers(sbatch):
    specs = by_scheme.worker_specs(
        described(number_of_nodes=3, cores_per_worker=2, gpus_per_node=1, tags=("fast",)), SITE
    )
    assert len(specs) == 3
    spec = specs[0]
    assert spec.suffixes == ("-0", "-1", "-2")
    assert spec.memory_bytes == 10**9 // 3
    assert {"CPU", "GPU", "pilot:mine", "tag:fast"} <= set(spec.offers)
    assert spec.offers["cores"] == 2


def test_a_single_worker_is_not_called_as_its_job_is(sbatch):
    [spec] = by_scheme.worker_specs(described(cores_per_node=1), SITE)
    assert spec.suffixes == ("-0",)


def test_a_working_directory_that_cannot_be_written_is_named(sbatch, tmp_path):
    missing = str(tmp_path / "missing")
    with pytest.raises(DescriptionError, match=r"^working_directory=.*no folder to write in"):
        by_scheme.worker_specs(described(working_directory=missing), SITE)
