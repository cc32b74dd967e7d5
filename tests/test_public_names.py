"""What `qdreamer_lab` gives to whoever imports it, and that importing it costs nothing."""

import subprocess
import sys
from importlib import import_module

import pytest

import qdreamer_lab
from qdreamer_lab import errors


@pytest.mark.parametrize("name", qdreamer_lab.__all__)
def test_every_public_name_can_be_imported(name):
    assert getattr(qdreamer_lab, name) is getattr(import_module(qdreamer_lab._HOMES[name]), name)
    assert name in dir(qdreamer_lab)


def test_all_errors_that_users_can_meet_are_public():
    assert set(errors.__all__) <= set(qdreamer_lab.__all__)
    with pytest.raises(AttributeError, match="no attribute 'NoSuchThing'"):
        _ = qdreamer_lab.NoSuchThing


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, qdreamer_lab\n"
        "heavy = {'numpy', 'numba', 'qiskit', 'distributed', 'plotly', 'IPython'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
