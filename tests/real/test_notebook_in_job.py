"""A notebook whose agent runs in a batch job: started, waited for, warned, found again."""

import pytest

from pilot_kernel.__main__ import main
from tests.conftest import wait_until
from tests.jupyter.conftest import Kernel

pytestmark = pytest.mark.real

INSIDE = "--in slurm:// --interface lo --walltime 10 --cores 2 --memory 2GB"


@pytest.fixture
def kernel(job_home, tmp_path, monkeypatch):
    prefix = tmp_path / "prefix"
    assert main(["install", "--prefix", str(prefix)]) == 0
    monkeypatch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(prefix / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(prefix / "runtime"))
    made = Kernel(str(tmp_path / "book.ipynb"))
    yield made
    made.end()


def _restart(kernel):
    kernel.client.stop_channels()
    kernel.manager.restart_kernel()
    kernel.client = kernel.manager.client()
    kernel.client.start_channels()
    kernel.client.wait_for_ready(timeout=60)


def _shown(answer):
    return [data["text/plain"] for data in (*answer.shown, *answer.updates)]


def test_a_notebook_on_a_login_node(kernel, held, slurm):
    assert "#SBATCH --no-requeue" in kernel.run(f"%pilot script {INSIDE}").text()
    assert "PENDING" in kernel.run(f"%pilot start {INSIDE}").result
    assert "PENDING" in kernel.run("%pilot").result
    assert "PENDING" in kernel.run("%pilot list").result
    assert "such a session already" in kernel.run(f"%pilot start {INSIDE}").traceback

    sent = kernel.send("%%ctask\nimport os\nos.environ['SLURM_JOB_ID']")
    answer = kernel.read(sent, until=lambda told: any("waiting: the" in x for x in _shown(told)))
    held()
    answer = kernel.read(sent, answer=answer)
    [job] = slurm.jobs()
    assert answer.result == repr(job.id)
    assert any(f"here it is: agent in job {job.id}" in text for text in _shown(answer))
    assert f"agent in job {job.id} on {job.node}, ends at" in kernel.run("%pilot").result

    slurm.call("scontrol", "update", f"JobId={job.id}", "TimeLimit=4")
    _restart(kernel)  # as if the notebook had been away for a while
    sent = kernel.send("import time; time.sleep(60)")
    answer = kernel.read(
        sent, until=lambda told: any("the session ends at" in text for text in _shown(told))
    )
    kernel.manager.interrupt_kernel()
    kernel.read(sent, answer=answer)
    assert kernel.run("%%ctask\n7 * 6").result == "42"
    assert "ends at" in kernel.run("%pilot").result

    slurm.call("scancel", job.id)
    answer = kernel.run("%%ctask\nimport time\ntime.sleep(100)")
    assert f"its job {job.id} on {job.node} is CANCELLED" in answer.traceback
    assert "no session is open" in kernel.run("%pilot").result


def test_a_kernel_that_restarts_while_the_job_waits(kernel, held, slurm):
    assert "PENDING" in kernel.run(f"%pilot start {INSIDE}").result
    _restart(kernel)
    assert "attached to this notebook's session; the agent's job" in kernel.run("1").text()
    assert "PENDING" in kernel.run("%pilot").result
    assert "no tasks" in kernel.run("%tasks").result
    held()
    assert kernel.run("%%ctask\n6 * 7").result == "42"
    assert "is closed" in kernel.run("%pilot stop").text()
    wait_until(lambda: not slurm.jobs())


def test_a_notebook_that_is_shut_down_while_its_job_waits(kernel, held, slurm):
    assert "PENDING" in kernel.run(f"%pilot start {INSIDE}").result
    assert len(slurm.jobs()) == 1
    kernel.run("import os")
    kernel.client.shutdown()
    wait_until(lambda: not kernel.manager.is_alive())
    wait_until(lambda: not slurm.jobs())
