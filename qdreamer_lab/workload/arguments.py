"""Checks of what users hand to the primitives that cut, and what follows from it for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import QDreamerError

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.execution.execution import Execution

__all__ = ["check_choice", "check_counts", "check_device_meant", "check_places", "device_of"]


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the choices.

    Raises:
        QDreamerError: It names them.
    """
    if value not in choices:
        raise QDreamerError(f"unknown {name} {value!r}; there is {', '.join(map(repr, choices))}")


def check_counts(**counts: object) -> None:
    """Refuse what is no whole number of at least 1.

    Raises:
        QDreamerError: It names the argument.
    """
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise QDreamerError(f"{name}={value!r}: a whole number of at least 1")


def check_places(backend: object, session: object) -> None:
    """Refuse two places to run at.

    Raises:
        QDreamerError: If there is both a backend and a session.
    """
    if backend is not None and session is not None:
        raise QDreamerError(
            "backend= runs in this process and session= on its pilots; give one of them (a "
            'session runs on a QPU with add_pilot("qpu://...") and on="qpu")'
        )


def check_device_meant(backend: BackendV2 | None) -> BackendV2:
    """Refuse a dry run without a device.

    Raises:
        QDreamerError: It says how to name one, and what to ask instead.
    """
    if backend is None:
        raise QDreamerError(
            "a dry run is of devices, and simulators are meant here: give on='qpu', the name of a "
            "QPU's pilot, or backend=; what simulators will take, QDreamer.predict says"
        )
    return backend


def device_of(execution: Execution) -> BackendV2 | None:
    """The device that runs circuits for an execution as users describe it, if one does."""
    if execution.session is None or execution.on is None:
        return execution.backend
    found: BackendV2 | None = execution.session.backend(execution.on)
    return found
