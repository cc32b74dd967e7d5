"""`-o` means one thing: variables of the cell by their names, and a further name for its result."""

import pytest

from pilot_kernel.errors import CellError
from pilot_kernel.jupyter.cell.kept_names import KeptNames, kept_names
from pilot_kernel.jupyter.cell.python_source import read_cell


def kept(source, *names, **how):
    return kept_names(read_cell(source, ""), names, **how)


@pytest.mark.parametrize("circuits", [False, True])
def test_both_magics_tell_variables_from_the_result(circuits):
    cell = "import math as m\nx = y\n(z := 1)\ndef f(): pass\nx"
    assert kept(cell, "r", circuits=circuits) == KeptNames((), "r")
    assert kept(cell, "x", "y", "r", "m", "z", "f", circuits=circuits) == KeptNames(
        ("x", "y", "m", "z", "f"), "r"
    )
    assert kept(cell, circuits=circuits) == KeptNames()


def test_a_cell_without_a_result_has_variables_only():
    assert kept("x = 1", "x") == KeptNames(("x",))
    with pytest.raises(CellError, match=r"-o y: the cell never defines y$"):
        kept("x = 1", "y")
    with pytest.raises(CellError, match="-o y,z: the cell never defines z, and it has one result"):
        kept("x = 1\nx", "x", "y", "z")


def test_where_any_name_may_be_there_the_worker_finds_out():
    assert kept("from math import *\ncos(0)", "pi") == KeptNames(("pi",))
    assert kept(
        "from qiskit import *\nqc = QuantumCircuit(1)\nqc", "r", circuits=True
    ) == KeptNames((), "r")


def test_the_result_of_circuits_is_not_given_up_for_a_variable():
    assert kept("bell = make()\nbell", "bell") == KeptNames(("bell",))
    with pytest.raises(CellError, match="such as -o bell_result; -o bell_result,bell keeps both"):
        kept("bell = make()\nbell", "bell", circuits=True)
