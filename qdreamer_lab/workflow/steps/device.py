"""What stands for a QPU in keys: its name, its calibration, and what it is set to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pilot_kernel.errors import PilotError
from qdreamer_lab.errors import StepError

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

__all__ = ["device_of"]


class HasBackends(Protocol):
    """A session."""

    def backend(self, on: str | None = None) -> BackendV2 | None:
        """The Qiskit backend of the QPU that `on` names; None where workers simulate."""


def device_of(session: HasBackends, on: str | None) -> Any:
    """Plain data that differ if a device would give other results; None where workers simulate.

    Options are among them, since a simulator has its noise there.

    Args:
        session: Knows the device.
        on: A kind of worker or a pilot's name.

    Raises:
        StepError: It cannot be said which device it is.
    """
    if on is None or on == "cpu":  # which never is a QPU, and asking might add a pilot
        return None
    try:
        backend = session.backend(on)
    except PilotError as error:
        raise StepError(f"on={on!r}: {error}") from error
    if backend is None:
        return None
    target = backend.target
    calibration = [
        (name, list(qubits or ()), properties.error, properties.duration)
        for name in sorted(target.operation_names)
        for qubits, properties in sorted(
            (target[name] or {}).items(), key=lambda each: tuple(each[0] or ())
        )
        if properties is not None
    ]
    qubits = [
        (each.t1, each.t2, each.frequency) if each is not None else None
        for each in target.qubit_properties or ()
    ]
    made = f"{type(backend).__module__}.{type(backend).__qualname__}"
    options = getattr(backend.options, "__dict__", {})
    settings = {name: _plain(options[name]) for name in sorted(options)}
    version = str(getattr(backend, "backend_version", ""))
    return [made, backend.name, version, target.dt, calibration, qubits, settings]


def _plain(value: Any) -> Any:
    """A noise model by what it says, without the names that its errors were given at random."""
    if not hasattr(value, "to_dict") or getattr(value, "_custom_noise_passes", None):
        return value
    return _without_ids(value.to_dict())


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ids(each) for key, each in value.items() if key != "id"}
    if isinstance(value, (list, tuple)):
        return [_without_ids(each) for each in value]
    return value
