"""What `pilot_kernel` gives to whoever imports it, and that importing it costs next to nothing."""

import subprocess
import sys
from importlib import import_module

import cloudpickle
import pytest

import pilot_kernel


@pytest.mark.parametrize("name", sorted(set(pilot_kernel.__all__) - {"to_frame"}))
def test_every_public_name_can_be_imported(name):
    home = import_module(pilot_kernel._HOMES[name])
    assert getattr(pilot_kernel, name) is getattr(home, name)
    assert name in dir(pilot_kernel)


def test_what_is_no_name_of_it_is_no_attribute():
    assert set(pilot_kernel._HOMES) | {"to_frame"} == set(pilot_kernel.__all__)
    with pytest.raises(AttributeError, match="no attribute 'NoSuchThing'"):
        _ = pilot_kernel.NoSuchThing


def test_a_function_that_names_the_current_session_can_be_sent():
    def function():
        return pilot_kernel.session

    assert cloudpickle.loads(cloudpickle.dumps(function))() is pilot_kernel.session


_PROGRAM = """
import sys
import pilot_kernel
heavy = {"asyncio", "numpy", "psutil", "qiskit", "distributed", "IPython"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from pilot_kernel.session import use  # as older programs do
import pilot_kernel.session
from pilot_kernel.sessions import current
assert use is current.use
assert pilot_kernel.session is current.session
"""

_ROOMS = """
import pilot_kernel
assert issubclass(pilot_kernel.errors.CellError, pilot_kernel.errors.PilotError)
assert pilot_kernel.resource.registry.root()
assert pilot_kernel.sessions.session.Session is pilot_kernel.Session
assert pilot_kernel.task.notebook.handle.Task is pilot_kernel.Task
assert pilot_kernel.primitive.__doc__
"""


@pytest.mark.parametrize("program", [_PROGRAM, _ROOMS], ids=["light", "rooms"])
def test_importing_the_package_imports_nothing_heavy(program):
    subprocess.run([sys.executable, "-c", program], check=True)
