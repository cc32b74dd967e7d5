"""What the tests of SLURM pilots share: how a pilot is added and looked at, and a task to wait."""

import contextlib
import os

import psutil

from tests.conftest import wait_until

KEYS = {
    "interface": "lo",
    "walltime": "10",
    "cores_per_node": 1,
    "memory_per_node_bytes": 5 * 10**8,
}
PATIENCE_S = 60


def add(session, workers=1, **keys):
    """A pilot whose workers are up."""
    pilot = session.add_pilot("slurm://", **{**KEYS, **keys})
    up(pilot, workers)
    return pilot


def up(pilot, workers):
    wait_until(lambda: pilot.status.workers == workers, PATIENCE_S)


def noted(pilot, words):
    wait_until(lambda: words in pilot.status.note, PATIENCE_S)


def wait_for(gate, log=None):
    """A task: wait until there is a file; note that it began."""
    import os
    import time

    if log is not None:
        with open(log, "a") as file:
            file.write("begun\n")
    while not os.path.exists(gate):
        time.sleep(0.02)
    return os.environ["SLURM_JOB_ID"]


def begun(log):
    return log.read_text().count("begun") if log.exists() else 0


def job_processes():
    """What runs in SLURM's jobs on this machine."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            mine = environment.get("SLURM_CONF") == os.environ["SLURM_CONF"]
            if mine and "SLURM_JOB_ID" in environment:
                yield process
