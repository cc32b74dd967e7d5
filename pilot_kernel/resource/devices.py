"""The QPUs there are, by name: what makes each one's Qiskit backend. Nothing is made here.

A name is `fake_...` (a snapshot of a real device, from qiskit-ibm-runtime), `aer_simulator`, an
entry point of the group `pilot_kernel.backends`, or `module:function`.
"""

import difflib
import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from pilot_kernel.errors import DescriptionError

__all__ = ["AER", "ENTRY_POINTS", "device_names", "factory_of", "is_snapshot"]

AER = "aer_simulator"
"""The name of an ideal device, simulated by Aer."""

ENTRY_POINTS = "pilot_kernel.backends"
"""The group of entry points that name a function without arguments returning a `BackendV2`."""

_LIST = "pilot_kernel.resource.devices.device_names() lists them"


def is_snapshot(name: str) -> bool:
    """Whether a name is that of a snapshot of a real device."""
    return name.startswith("fake_")


def device_names() -> list[str]:
    """The devices that have a name of their own here."""
    try:
        snapshots = sorted(_snapshots())
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
    found = _snapshots() if is_snapshot(name) else _plugged_in()
    if name in found:
        return found[name] if is_snapshot(name) else _loaded(name, found[name])
    known = device_names()
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.7)
    meant = f"did you mean {' or '.join(close)}? " if close else ""
    raise DescriptionError(
        f"there is no QPU called {name!r}; {meant}There are {AER}, snapshots such as "
        f"fake_manila, and module:function for a backend of your own; {_LIST}"
    )


def _aer() -> Any:
    from qiskit_aer import AerSimulator

    return AerSimulator()


def _snapshots() -> dict[str, Any]:
    """The classes of qiskit-ibm-runtime's snapshots by device name."""
    try:
        fake_provider = importlib.import_module("qiskit_ibm_runtime.fake_provider")
    except ImportError as error:
        raise DescriptionError(
            "the fake_... devices are snapshots that come with qiskit-ibm-runtime, which is not "
            "installed: pip install 'qdreamer-lab[ibm]'"
        ) from error
    classes = (kind for _, kind in inspect.getmembers(fake_provider, inspect.isclass))
    return {kind.backend_name: kind for kind in classes if hasattr(kind, "backend_name")}


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
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:  # somebody's module may raise anything
        raise DescriptionError(
            f"QPU {name!r}: expected module:function, but it cannot be imported: {error}"
        ) from error
    return _callable(found, name)


def _callable(found: Any, name: str) -> Callable[[], Any]:
    if not callable(found):
        raise DescriptionError(
            f"QPU {name!r} names {type(found).__name__}, not a function that returns a BackendV2"
        )
    return found  # type: ignore[no-any-return]
