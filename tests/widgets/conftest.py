"""Explorers that tests may open, what they ask for, and how they use them."""

import contextlib
import io

import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutExplorer
from tests.circuits.plain import uneven_line
from tests.conftest import wait_until

N = 10
OBSERVABLE = SparsePauliOp.from_sparse_list([("ZZ", [k, k + 1], 1.0) for k in range(N - 1)], N)
ENDS = ["Z" + "I" * 10 + "Z", "I" * 11 + "X", "IIIIZZIIIIII"]


@pytest.fixture
def open_explorer(forgetful):
    """Explorers that are closed in the end; what their runs teach is forgotten."""
    opened = []

    def make(*args, **kwargs):
        opened.append(CutExplorer(*args, **kwargs))
        assert opened[-1].wait(60)
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def explorer(open_explorer):
    return open_explorer(uneven_line(N), OBSERVABLE, max_qubits=5)


@pytest.fixture(scope="module")
def seen():
    """Such an explorer for all tests of a module that only look, and leave it as it was."""
    opened = CutExplorer(uneven_line(N), OBSERVABLE, max_qubits=5)
    assert opened.wait(60)
    before = opened.view.controls
    yield opened
    assert opened.view.controls == before
    opened.close()


def exact(circuit, observable):
    return Statevector(circuit).expectation_value(observable).real


def press(explorer, name):
    getattr(explorer._panel, name).click()
    assert explorer.wait(60)


def hear(explorer, message):
    explorer._board._handle_custom_msg(message, [])
    assert explorer.wait(60)


def ended(explorer):
    wait_until(lambda: not explorer.view.run.active and explorer.view.run.status != "idle", 60)
    assert explorer.wait(60)


def done_by(code, **given):
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, given)
    return given
