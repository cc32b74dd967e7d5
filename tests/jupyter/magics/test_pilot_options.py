"""Options of `%pilot add`: sizes and names as they are typed, and the script of a batch job."""

import argparse

import pytest

from pilot_kernel.jupyter.magics.pilot_options import memory_bytes, names, unquoted


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GB", 4 * 10**9),
        ("4G", 4 * 10**9),
        ("3.5 GiB", int(3.5 * 2**30)),
        ("500MiB", 500 * 2**20),
        ("'1TB'", 10**12),
        ("1000", 1000),
        ("10kB", 10_000),
    ],
)
def test_sizes_are_read(text, size):
    assert memory_bytes(text) == size


@pytest.mark.parametrize("text", ["", "many", "4GBs", "-1GB", "1e9", "4 4GB", "GB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="such as 4GB"):
        memory_bytes(text)


def test_words_lose_their_quotes():
    assert unquoted("'module load gcc'") == "module load gcc"
    assert unquoted("it's") == "it's"
    assert names("a,b") == names("'a,b'") == ("a", "b")


def test_the_script_of_a_batch_job_is_shown_and_nothing_is_submitted(run):
    pytest.importorskip("dask_jobqueue")
    run(
        "%pilot script slurm:// --nodes 2 --cores 4 --memory 4GB --queue debug --walltime 1:00:00 "
        "--interface lo --qpu ibm_one --tags fast,own --lines '#SBATCH --exclusive' "
        "--lines 'module load gcc'"
    )
    for line in ("#SBATCH -p debug", "#SBATCH --exclusive", "module load gcc", "tag:own=1"):
        assert line in run.output
    assert "slurm" not in repr(run("%pilot"))
    run("%pilot script slurm://")
    assert "cores_per_node is missing" in str(run.error)
    run("%pilot script local://")
    assert "has no batch script" in str(run.error)
