"""Which provider a backend belongs to, and what is not taken for one."""

from importlib.metadata import EntryPoint

import pytest
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.primitive.device.provider import ibm, registry
from pilot_kernel.primitive.device.provider.registry import (
    ENTRY_POINTS,
    Provider,
    held,
    provider_of,
)
from tests.primitive.device.provider import far_devices
from tests.primitive.device.provider.far_devices import FarBackend
from tests.primitive.vendor_devices import FORMATS, Terse, Vendor

HERE = far_devices.__name__


@pytest.fixture
def points(monkeypatch):
    """Have these entry points be installed: (name, value) each."""

    def install(*pairs):
        known = [EntryPoint(name, value, ENTRY_POINTS) for name, value in pairs]
        monkeypatch.setattr(registry, "entry_points", lambda group: known)
        registry._provider.cache_clear()

    # `far_devices.far` makes its backend known to the process that opens it.
    ours = {name: value for name, value in registry._OURS.items() if name != HERE}
    monkeypatch.setattr(registry, "_OURS", ours)
    yield install
    registry._provider.cache_clear()


def test_snapshots_and_fakes_are_ibms_and_others_have_no_provider():
    assert provider_of(backend_named("fake_manila")) is ibm.PROVIDER
    assert provider_of(FakeManilaV2()) is ibm.PROVIDER
    for backend in (AerSimulator(), GenericBackendV2(2, noise_info=False), Vendor(None)):
        assert provider_of(backend) is None


def test_an_entry_point_names_a_package_a_module_or_a_class(points):
    for name in ("tests", HERE, f"{HERE}.FarBackend"):
        points((name, f"{HERE}:PROVIDER"))
        assert provider_of(FarBackend()) is far_devices.PROVIDER
    points(("test", f"{HERE}:PROVIDER"), (f"{HERE}.Far", f"{HERE}:PROVIDER"))
    assert provider_of(FarBackend()) is None  # parts of words mean nothing


def test_the_narrowest_name_counts_and_subclasses_belong_to_it(points):
    points(("tests", f"{HERE}:PROVIDER"), ("tests.primitive.vendor_devices", f"{HERE}:GENERIC"))
    assert provider_of(FarBackend()) is far_devices.PROVIDER
    assert provider_of(Terse(FORMATS["bits"])) is far_devices.GENERIC

    class Mine(Vendor):
        pass

    Mine.__module__ = "elsewhere"
    assert provider_of(Mine(None)) is far_devices.GENERIC


def test_a_subclass_from_elsewhere_with_a_run_of_its_own_is_reached_by_it():
    class Mine(FakeManilaV2):
        def run(self, run_input, **options):
            raise NotImplementedError

    class Named(FakeManilaV2):
        pass

    assert provider_of(Mine()) is None
    assert provider_of(Named()) is ibm.PROVIDER


def test_an_entry_point_may_take_the_place_of_ours(points):
    points(("qiskit_ibm_runtime", f"{HERE}:GENERIC"))
    assert provider_of(FakeManilaV2()) is far_devices.GENERIC


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("nowhere:PROVIDER", "'nowhere:PROVIDER', which cannot be loaded: ModuleNotFoundError"),
        ("builtins:dict", "'builtins:dict' is a type, and pilot_kernel.samplers takes a Provider"),
    ],
)
def test_what_is_no_provider_is_said(points, value, complaint):
    points((HERE, value))
    with pytest.raises(QpuError, match=complaint):
        provider_of(FarBackend())


def test_a_backend_is_held_once_and_let_go_of_whatever_happens(monkeypatch):
    from contextlib import contextmanager

    told = []

    @contextmanager
    def hold(backend):
        told.append("held")
        try:
            yield
        finally:
            told.append("let go")

    provider = Provider(sampler=None, held=hold)
    monkeypatch.setattr(registry, "provider_of", lambda backend: provider)
    backend = FarBackend()
    with held(backend), held(backend):
        assert told == ["held"]
    assert told == ["held", "let go"]
    with pytest.raises(ValueError, match="amid"), held(backend):
        raise ValueError("amid")
    assert told == ["held", "let go"] * 2
