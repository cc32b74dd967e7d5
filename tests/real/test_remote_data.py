"""Results and shared values of workers in SLURM's jobs: what they returned outlives their nodes."""

import concurrent.futures
import pathlib

import numpy as np
import pytest

import pilot_kernel
from tests.conftest import wait_until

pytestmark = pytest.mark.real

KEYS = {
    "interface": "lo",
    "walltime": "10",
    "cores_per_node": 1,
    "memory_per_node_bytes": 10**9,
}
PATIENCE_S = 120
LARGE = 2_000_000


def _once(log, size):
    """A task: note that it ran, and return that many numbers."""
    with pathlib.Path(log).open("a") as file:
        file.write("x")
    return np.arange(size)


def test_results_outlive_their_nodes(registry_home, slurm, tmp_path):
    log = str(tmp_path / "runs")
    with pilot_kernel.Session() as session:
        pilot = session.add_pilot("slurm://", name="far", number_of_nodes=2, **KEYS)
        wait_until(lambda: pilot.status.workers == 2, PATIENCE_S)
        shared = session.share(np.arange(LARGE))
        tasks = [session.submit(_once, log, LARGE, on="far") for _ in range(6)]
        sums = [session.submit(np.sum, [task, shared], on="far") for task in tasks]
        assert {one.result(PATIENCE_S) for one in sums} == {LARGE * (LARGE - 1)}
        concurrent.futures.wait(tasks, PATIENCE_S)
        for job in slurm.jobs():
            slurm.call("scancel", job.id)
        session.add_pilot("local://", name="near", cores_per_node=1)
        for task in tasks:
            assert session.submit(len, task, on="near").result(PATIENCE_S) == LARGE
            assert np.array_equal(task.result(PATIENCE_S), np.arange(LARGE))
            assert task.deaths == 0
        assert session.submit(len, shared, on="near").result(PATIENCE_S) == LARGE
    assert pathlib.Path(log).read_text() == "xxxxxx", "each ran once"
    wait_until(lambda: not slurm.jobs())
