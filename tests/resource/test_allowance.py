"""What control groups allow, read from folders made here as the kernel makes them."""

import os
import subprocess
import sys

import psutil
import pytest

from pilot_kernel.resource import allowance

GIB = 2**30


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Writes the files of groups, and what this process belongs to."""
    monkeypatch.setattr(allowance, "_ROOT", str(tmp_path / "cgroup"))
    monkeypatch.setattr(allowance, "_MEMBERSHIP", str(tmp_path / "membership"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(9)), raising=False)

    def write(membership, files):
        (tmp_path / "membership").write_text(membership)
        for name, text in files.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for cached in (allowance.cores, allowance._memory_limits):
            cached.cache_clear()

    yield write
    for cached in (allowance.cores, allowance._memory_limits):
        cached.cache_clear()


def test_without_control_groups_it_is_the_machine(groups):
    groups("", {})
    assert allowance.cores() == 9
    assert allowance.memory_bytes() <= psutil.virtual_memory().total
    assert allowance.memory_left_bytes() is None


@pytest.mark.parametrize(
    ("said", "cores"), [("max 100000", 9), ("150000 100000", 2), ("100 100000", 1), ("?", 9)]
)
def test_a_container_of_version_2(groups, said, cores):
    groups(
        "0::/\n",
        {
            "cpu.max": said,
            "memory.max": f"{GIB}\n",
            "memory.high": "max\n",
            "memory.current": f"{GIB // 2}\n",
            "memory.stat": f"anon 5\ninactive_file {GIB // 4}\nactive_file 7\n",
        },
    )
    assert allowance.cores() == cores
    assert allowance.memory_bytes() == GIB
    assert allowance.memory_left_bytes() == GIB // 2 + GIB // 4


def test_a_job_within_a_service_has_the_least_of_both(groups):
    groups(
        "0::/service/job\n",
        {
            "service/memory.max": f"{4 * GIB}",
            "service/memory.current": f"{4 * GIB - 100}",
            "service/memory.stat": "inactive_file 0",
            "service/cpu.max": "200000 100000",
            "service/job/memory.max": f"{GIB}",
            "service/job/memory.current": "0",
            "service/job/memory.stat": "inactive_file 0",
            "service/job/cpu.max": "max 100000",
        },
    )
    assert allowance.cores() == 2
    assert allowance.memory_bytes() == GIB
    assert allowance.memory_left_bytes() == 100


def test_version_1(groups):
    groups(
        "9:name=systemd:/job\n4:memory:/job\n3:cpu,cpuacct:/job\n0::/job\n",
        {
            "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/job/memory.limit_in_bytes": f"{GIB}",
            "memory/job/memory.usage_in_bytes": f"{GIB}",
            "memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 300\n",
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/job/cpu.cfs_quota_us": "250000",
            "cpu/job/cpu.cfs_period_us": "100000",
        },
    )
    assert allowance.cores() == 3
    assert allowance.memory_bytes() == GIB
    assert allowance.memory_left_bytes() == 300


def test_a_container_that_is_told_its_path_outside(groups):
    groups("4:memory:/docker/1234\n0::/../elsewhere\n", {"memory/memory.limit_in_bytes": f"{GIB}"})
    assert allowance.memory_bytes() == GIB
    assert allowance.memory_left_bytes() == GIB


def test_affinity_counts():
    code = (
        "import os; from pilot_kernel.resource import allowance\n"
        "os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]); print(allowance.cores())"
    )
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no affinities here")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
