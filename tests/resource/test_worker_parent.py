"""The process that workers are forked from: a fork itself where that can be, and as good as new."""

import json
import subprocess
import sys

import psutil
import pytest

from tests.conftest import runs, wait_until


@pytest.mark.parametrize("threaded", [False, True])
def test_workers_come_from_a_fork_unless_there_are_threads(tmp_path, threaded):
    done = subprocess.run(
        [sys.executable, "-m", "tests.resource.starts_workers", str(tmp_path), str(threaded)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen.pop("forked") is not threaded
    server = seen.pop("server")
    assert seen == {
        "heard": "a worker's own",
        "dask": True,
        "pandas": False,
        "collects": True,
        "default": True,
        "ended": 0,
        "code": 0,
    }
    wait_until(lambda: _has_ended(server))


def _has_ended(pid):
    try:
        return not runs(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True
