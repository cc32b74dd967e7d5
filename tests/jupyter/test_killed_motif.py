"""A notebook that is killed amid a variational run: the next kernel goes on, and ends the same."""

import contextlib
import os
import signal

import psutil
import pytest

from pilot_kernel.resource import registry
from tests.conftest import runs, wait_until
from tests.workflow.variational.test_app import HELD, QUICK, in_process

PATIENCE_S = 120
LINE = (
    "report = %motif variational --set qubits=3 --set layers=2 --set starts=3 --set iterations=15"
    " --set review=4 --set checkpoint="
)


def _amid(kernel, path, more):
    """Have a kernel run the motif until its journal has so many lines more.

    It stands still before the run can have ended, however late this process looks.
    """
    before = path.read_bytes().count(b"\n") if path.exists() else 0
    kernel.run(HELD.format(2 * more))
    kernel.send(LINE + str(path))
    wait_until(
        lambda: path.exists() and path.read_bytes().count(b"\n") >= before + more, PATIENCE_S
    )


def _kill(kernel, *others):
    """End a kernel and other processes as the system does when memory runs out."""
    os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    for each in others:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended with another one
            each.kill()
    wait_until(lambda: not kernel.manager.is_alive())
    wait_until(lambda: not any(map(runs, others)))
    kernel.client.stop_channels()
    kernel.manager.cleanup_resources()


@pytest.fixture
def name(tmp_path):
    """A notebook's, whose agent is ended if the test does not come to do so."""
    yield str(tmp_path / "book.ipynb")
    if (left := registry.find(str(tmp_path / "book.ipynb"))) is not None:
        psutil.Process(left.pid).terminate()


def test_a_variational_run_survives_its_kernel_and_its_pilot(new_kernel, name, tmp_path):
    path = tmp_path / "journal"
    ways = in_process(QUICK)
    best = min(ways, key=lambda way: (way.best, way.start))
    all_evaluations = sum(len(way.values) for way in ways)

    first = new_kernel(name)
    _amid(first, path, more=7)
    agent = psutil.Process(registry.find(name).pid)
    _kill(first, *agent.children(recursive=True), agent)  # the pilot goes with it

    second = new_kernel(name)
    _amid(second, path, more=5)
    _kill(second)  # and here the pilot stays

    known = path.read_bytes().count(b"\n") - 1
    assert 11 <= known < all_evaluations
    third = new_kernel(name)
    answer = third.run(LINE + str(path))
    assert not answer.errors, answer.traceback
    told = third.run("report.data.x.tolist(), report.data.values, report.data.start").result
    assert eval(told) == (best.x.tolist(), best.values, best.start)  # to the last bit
    told = third.run("[report.values[k] for k in ('evaluations', 'of them from the journal')]")
    assert told.result == str([all_evaluations, known])
    third.end()
    wait_until(lambda: registry.find(name) is None)
