"""Pilots that stand for a QPU: who gets there, and which devices there are."""

import inspect
import os
import pickle
import sys
import threading
from importlib.metadata import EntryPoint

import pytest
from qiskit.providers import BackendV2
from qiskit_ibm_runtime import fake_provider
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from pilot_kernel.errors import DescriptionError, PlacementError
from pilot_kernel.primitive.device import backend
from pilot_kernel.primitive.device.backend import backend_here, backend_named
from pilot_kernel.resource.kind import devices
from pilot_kernel.resource.kind.devices import ENTRY_POINTS, device_names
from pilot_kernel.task.notebook.placement import candidates


@pytest.fixture(scope="module")
def manila(session):
    pilot = session.add_pilot("qpu://fake_manila?slots=2")
    yield pilot
    pilot.stop()


def test_it_is_named_after_its_device_and_has_a_worker_for_every_slot(session, manila):
    status = manila.status
    assert (status.name, status.backend) == ("fake_manila", "fake_manila")
    assert (status.offers, status.wanted) == (("QPU",), 2)
    local = next(pilot.status for pilot in session.pilots if pilot.name == "local")
    assert local.backend is None
    again = session.add_pilot("qpu://fake_manila")
    assert again.name == "fake_manila2"
    again.stop()


def test_only_what_asks_for_a_qpu_gets_there(session, manila):
    plain = [session.submit(os.getpid) for _ in range(20)]
    assert {task.record.pilot for task in plain if task.result()} == {"local"}
    for on in ("qpu", "QPU", "fake_manila"):
        task = session.submit(lambda: backend_here().name, on=on)
        assert task.result() == "fake_manila"
        assert task.record.pilot == "fake_manila"
    assert session.submit(backend_here).result() is None
    assert backend_here() is None


def test_without_a_qpu_it_is_said_how_to_add_one(session):
    local = [pilot.status for pilot in session.pilots if pilot.name == "local"]
    with pytest.raises(
        PlacementError, match=r"there is: cpu, local.*add_pilot\('qpu://fake_manila"
    ):
        candidates("qpu", local)


def test_it_grows_and_shrinks(session):
    pilot = session.add_pilot("qpu://aer_simulator", name="ideal")
    try:
        pilot.scale(2)
        assert pilot.status.wanted == 2
        assert session.submit(lambda: backend_here().name, on="ideal").result() == "aer_simulator"
    finally:
        pilot.stop()


def test_the_notebook_gets_the_target_to_transpile_for(session, manila):
    backend = session.backend("fake_manila")
    assert isinstance(backend, BackendV2)
    assert (backend.num_qubits, sorted(backend.target.operation_names)[:2]) == (5, ["cx", "delay"])
    assert session.backend("qpu") is backend
    assert session.backend("local") is None
    assert backend_named("fake_manila") is backend


def test_circuits_are_made_for_one_device(session, manila):
    other = session.add_pilot("qpu://aer_simulator")
    try:
        with pytest.raises(
            PlacementError, match=r"'aer_simulator', 'fake_manila'.*name it with on="
        ):
            session.backend("qpu")
    finally:
        other.stop()
    assert session.backend("qpu").name == "fake_manila"


def test_devices_are_listed():
    names = device_names()
    assert names[0] == "aer_simulator"
    assert {"fake_manila", "fake_sherbrooke", "fake_torino"} <= set(names)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("qpu://fake_sherbroke", "no QPU called 'fake_sherbroke'; did you mean fake_sherbrooke"),
        ("qpu://manila", "did you mean fake_manila.*device_names"),
        ("qpu://", "names no QPU; write qpu://fake_manila"),
        ("qpu://fake_manila/x", "names no QPU"),
        ("qpu://fake_manila?slots=0", "slots='0'"),
        ("qpu://fake_manila?slots=many", "slots='many'"),
        ("qpu://fake_manila?slots=99999999999", "a whole number from 1 to 1024"),
        ("qpu://fake_manila?queue=a", "a QPU has no 'queue'"),
        ("qpu://nowhere:make", "expected module:function.*No module named 'nowhere'"),
        ("qpu://os:make", "expected module:function.*no attribute 'make'"),
        ("qpu://os:sep", "names str, not a function"),
        ("qpu:///nowhere/device.py:make", "cannot be imported:.*No such file"),
        ("qpu:///nowhere/device:make", "names no QPU.*file.py:function"),
    ],
)
def test_what_is_no_device_is_refused_at_once(session, url, complaint):
    before = len(session.pilots)
    with pytest.raises(DescriptionError, match=complaint):
        session.add_pilot(url)
    assert len(session.pilots) == before


def test_a_device_may_be_a_function_in_a_file_that_nothing_finds_else(session, tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    text = "from qiskit.providers.fake_provider import GenericBackendV2\n"
    (folder / "qiskit.py").write_text(f"{text}def three():\n    return GenericBackendV2(3)\n")
    pilot = session.add_pilot(f"qpu://{folder}/qiskit.py:three")
    try:
        assert pilot.name == "three"
        assert session.submit(lambda: backend_here().num_qubits, on="three").result() == 3
    finally:
        pilot.stop()


def test_files_of_the_same_name_are_devices_of_their_own(tmp_path):
    made = []
    for folder in ("a", "b"):
        file = tmp_path / folder / "device.py"
        file.parent.mkdir()
        file.write_text("class Mine:\n    pass\n")
        made.append(devices.factory_of(f"{file}:Mine")())
    assert [type(pickle.loads(pickle.dumps(each))) for each in made] == list(map(type, made))
    (tmp_path / "broken.py").write_text("1 / 0")
    before = set(sys.modules)
    with pytest.raises(DescriptionError, match="division by zero"):
        devices.factory_of(f"{tmp_path}/broken.py:make")
    assert set(sys.modules) == before


@pytest.mark.parametrize("key", ["cores_per_node", "number_of_nodes", "gpus_per_node"])
def test_a_qpu_has_slots_instead_of_nodes(session, key):
    with pytest.raises(DescriptionError, match=f"{key}: .*write qpu://fake_manila.slots=2"):
        session.add_pilot("qpu://fake_manila", **{key: 3})


def test_names_read_from_folders_are_those_of_the_package():
    classes = inspect.getmembers(fake_provider, inspect.isclass)
    theirs = {kind.backend_name for _, kind in classes if hasattr(kind, "backend_name")}
    assert {name for name in device_names() if name.startswith("fake_")} == theirs


def test_a_device_that_takes_long_to_load_is_named_meanwhile(monkeypatch, capsys):
    told = threading.Event()

    def make():
        assert told.wait(60)
        return FakeManilaV2()

    def say(name):
        printed(name)
        told.set()

    printed = backend._say
    monkeypatch.setattr(backend, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(backend, "_say", say)
    monkeypatch.setattr(backend, "factory_of", lambda name: make)
    backend_named.cache_clear()
    assert backend_named("slow:device").num_qubits == 5
    backend_named.cache_clear()
    assert "loading QPU slow:device" in capsys.readouterr().err


def test_snapshots_need_a_package_and_say_which(session, monkeypatch):
    monkeypatch.setitem(sys.modules, "qiskit_ibm_runtime.fake_provider", None)
    with pytest.raises(DescriptionError, match=r"pip install 'qdreamer-lab\[ibm\]'"):
        session.add_pilot("qpu://fake_manila")
    assert device_names() == ["aer_simulator"]


def test_a_function_that_makes_something_else_is_refused():
    with pytest.raises(DescriptionError, match="returned dict, not a BackendV2"):
        backend_named("builtins:dict")


def test_a_function_that_fails_is_named():
    with pytest.raises(DescriptionError, match="'operator:add': its function raised TypeError"):
        backend_named("operator:add")


def test_packages_plug_devices_in(monkeypatch):
    point = EntryPoint("lab_qpu", "qiskit_ibm_runtime.fake_provider:FakeManilaV2", ENTRY_POINTS)
    broken = EntryPoint("broken", "nowhere:make", ENTRY_POINTS)
    monkeypatch.setattr(devices, "entry_points", lambda group: [point, broken])
    assert device_names()[-2:] == ["broken", "lab_qpu"]
    assert devices.factory_of("lab_qpu")().num_qubits == 5
    with pytest.raises(DescriptionError, match="'nowhere:make', which cannot be loaded"):
        devices.factory_of("broken")
