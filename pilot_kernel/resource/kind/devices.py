"""QPUs by name: which there are, and the function that makes the Qiskit backend of each.

A name is `fake_...` (a snapshot of a real device, from qiskit-ibm-runtime), `ibm_...` (a real one
of IBM's), `aer_simulator`, `qrmi` or `qrmi/NAME` (what a batch job was given), an entry point of
the group `pilot_kernel.backends`, `module:function`, or `/folder/file.py:function`.
"""

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.kind import vendors

__all__ = ["AER", "ENTRY_POINTS", "QRMI", "device_names", "factory_of", "is_snapshot"]

AER = "aer_simulator"
"""The name of an ideal device, simulated by Aer."""

QRMI = "qrmi"
"""What a batch job was given through QRMI."""

ENTRY_POINTS = "pilot_kernel.backends"
"""The group of entry points that name a function without arguments returning a `BackendV2`."""

_PROVIDER = "qiskit_ibm_runtime.fake_provider"
_LIST = "pilot_kernel.resource.kind.devices.device_names() lists them"


def is_snapshot(name: str) -> bool:
    """Whether a name is that of a snapshot of a real device."""
    return name.startswith("fake_")


def device_names() -> list[str]:
    """The devices that have a name of their own here."""
    try:
        snapshots = sorted(_snapshot_names())
    except DescriptionError:
        snapshots = []
    return [AER, *snapshots, *sorted(_plugged_in())]


def factory_of(name: str) -> Callable[[], Any]:
    """What makes a device's backend when it is called.

    Args:
        name: The device, as in `qpu://name`.

    Raises:
        DescriptionError: There is no such device, or what it needs is not installed.
    """
    if name == AER:
        return _aer
    if ":" in name:
        return _imported(name)
    if is_snapshot(name) and name in _snapshot_names():
        return lambda: _snapshots()[name]()
    plugged_in = _plugged_in()
    if name in plugged_in:
        return _loaded(name, plugged_in[name])
    if name.startswith("ibm_"):
        return _of_ibm(name)
    if name.partition("/")[0] == QRMI:
        return _of_qrmi(name)
    known = device_names()
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    meant = f"did you mean {' or '.join(close)}? There" if close else "there"
    raise DescriptionError(
        f"there is no QPU called {name!r}; {meant} are {AER}, snapshots such as "
        "fake_manila, IBM's such as ibm_torino, and module:function for a backend of your own; "
        f"{_LIST}"
    )


def _aer() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator()


def _of_ibm(name: str) -> Callable[[], Any]:
    if not vendors.has_runtime():
        raise DescriptionError(
            f"QPU {name!r} is reached through qiskit-ibm-runtime, which is not installed: pip "
            "install 'qdreamer-lab[ibm]'"
        )
    return lambda: vendors.open_ibm(name)


def _of_qrmi(name: str) -> Callable[[], Any]:
    if not vendors.has_qrmi():
        raise DescriptionError(
            "qpu://qrmi needs QRMI, which is not installed: pip install 'qdreamer-lab[qrmi]'"
        )
    return lambda: vendors.open_qrmi(name.partition("/")[2] or None)


def _snapshot_names() -> set[str]:
    """The names of the snapshots, read from folders: the package takes a second to import."""
    blocked = sys.modules.get(_PROVIDER, True) is None
    package = None if blocked else importlib.util.find_spec(_PROVIDER.partition(".")[0])
    if package is None or not package.submodule_search_locations:
        raise DescriptionError(
            "the fake_... devices are snapshots that come with qiskit-ibm-runtime, which is not "
            "installed: pip install 'qdreamer-lab[ibm]'"
        )
    folder = Path(package.submodule_search_locations[0], "fake_provider", "backends")
    return {f"fake_{found.parent.name}" for found in folder.glob("*/conf_*.json")}


def _snapshots() -> dict[str, Any]:
    """The classes of qiskit-ibm-runtime's snapshots by device name."""
    classes = inspect.getmembers(importlib.import_module(_PROVIDER), inspect.isclass)
    return {kind.backend_name: kind for _, kind in classes if hasattr(kind, "backend_name")}


def _plugged_in() -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _loaded(name: str, point: Any) -> Callable[[], Any]:
    try:
        found = point.load()
    except Exception as error:  # somebody's module may raise anything
        raise DescriptionError(
            f"QPU {name!r} is the entry point {point.value!r}, which cannot be loaded: {error}"
        ) from error
    return _callable(found, name)


def _imported(name: str) -> Callable[[], Any]:
    module, _, function = name.rpartition(":")
    load = _from_file if module.endswith(".py") else importlib.import_module
    try:
        found = getattr(load(module), function)
    except Exception as error:  # somebody's module may raise anything
        raise DescriptionError(
            f"QPU {name!r}: expected module:function, but it cannot be imported: {error}"
        ) from error
    return _callable(found, name)


def _from_file(path: str) -> ModuleType:
    """A file as a module, under a name that is no other module's."""
    place = hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:12]
    name = f"pilot_device_{Path(path).stem}_{place}"  # files in other folders may be called alike
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # it ends in .py
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _callable(found: Any, name: str) -> Callable[[], Any]:
    if not callable(found):
        raise DescriptionError(
            f"QPU {name!r} names {type(found).__name__}, not a function that returns a BackendV2"
        )
    return found  # type: ignore[no-any-return]
