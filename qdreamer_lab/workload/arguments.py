"""Checks of what users hand to the primitives that cut, and what follows from it for a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.cut.partition import Partition
from qdreamer_lab.workload.execution.device import MITIGATION, Device, DeviceOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.execution.device import Terms
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = [
    "PREFERENCES",
    "Places",
    "check_above_zero",
    "check_advised",
    "check_choice",
    "check_counts",
    "check_counts_if_given",
    "check_devices_meant",
    "check_given",
    "check_here",
    "check_places",
    "check_session",
    "read_device_options",
]

_HERE = ("cpu", "gpu")
"""Places that every process may have."""

PREFERENCES = ("time", "fidelity", "cost")
"""What may decide between several devices that a fragment fits."""


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the choices.

    Raises:
        QDreamerError: It names them.
    """
    if value not in choices:
        raise QDreamerError(f"unknown {name} {value!r}; there is {', '.join(map(repr, choices))}")


def check_advised(adviser: object, devices: Sequence[int] | None) -> None:
    """Refuse an adviser where fragments go to devices of several widths.

    Args:
        adviser: Which is asked during runs; None for none.
        devices: The widths; None where fragments have one.

    Raises:
        QDreamerError: There are both.
    """
    if adviser is not None and devices is not None:
        raise QDreamerError(
            "an adviser plans anew for one width, and max_qubits names devices of "
            f"{', '.join(map(str, devices[:8]))}{', …' if len(devices) > 8 else ''} qubits; "
            "leave one of the two out"
        )


def check_counts_if_given(**counts: object) -> None:
    """`check_counts` of those that are not None."""
    check_counts(**{name: value for name, value in counts.items() if value is not None})


def check_counts(**counts: object) -> None:
    """Refuse what is no whole number of at least 1.

    Raises:
        QDreamerError: It names the argument.
    """
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise QDreamerError(f"{name}={value!r}: a whole number of at least 1")


def check_above_zero(**numbers: object) -> None:
    """Refuse what is no finite number above zero.

    Raises:
        QDreamerError: It names the argument.
    """
    for name, value in numbers.items():
        real = (int, float, np.integer, np.floating)
        if isinstance(value, bool) or not isinstance(value, real) or not 0 < value < np.inf:
            raise QDreamerError(f"{name}={value!r}: a number above zero")


def check_given(plan: object, memory_limit_bytes: object) -> None:
    """Refuse what is no plan, and what is no amount of memory; None is fine.

    Raises:
        QDreamerError: It says what to give.
    """
    if plan is not None and not isinstance(plan, Partition):
        raise QDreamerError(
            f"plan= takes a plan, as plan_cuts and CutPlan.load give it, or None to have one made; "
            f"got {type(plan).__name__} {plan!r:.60}"
        )
    if memory_limit_bytes is not None:
        check_above_zero(memory_limit_bytes=memory_limit_bytes)


def check_places(backend: object, session: object) -> None:
    """Refuse two places to run at.

    Raises:
        QDreamerError: If there is both a backend and a session, or the session is none.
    """
    if session is not None:
        check_session(session)
    if backend is not None and session is not None:
        raise QDreamerError(
            "backend= runs in this process and session= on its pilots; give one of them (a "
            'session runs on a QPU with add_pilot("qpu://...") and on="qpu")'
        )


def check_here(session: object, on: object) -> None:
    """Refuse places that a process without a session does not have: nothing else may take theirs.

    Args:
        session: As it was given; with one, it says itself which places there are.
        on: One place, a list of them, or None.

    Raises:
        QDreamerError: It names a place, and what to give.
    """
    for place in () if session is not None or on is None else _listed("on", on):
        if not isinstance(place, str) or place.lower() not in _HERE:
            raise QDreamerError(
                f"on={place!r} names workers or a pilot of a session, and there is none: give "
                "session=pilot_kernel.session(), or backend= for a Qiskit backend in this process"
            )


def check_session(session: object) -> None:
    """Refuse what is no session of pilots.

    Raises:
        QDreamerError: It says where to get one.
    """
    if not hasattr(session, "candidates"):  # which predictions need, too, and nothing else has
        raise QDreamerError(
            f"session= takes an open session, as pilot_kernel.session() gives it, or None to run "
            f"in this process; got {type(session).__name__} {session!r:.60}"
        )


def check_devices_meant(devices: tuple[Device, ...]) -> tuple[Device, ...]:
    """Refuse a dry run without a device.

    Raises:
        QDreamerError: It says how to name one, and what to ask instead.
    """
    if not devices:
        raise QDreamerError(
            "a dry run is for devices, and this would run on simulators: give on='qpu', the name "
            "of a QPU's pilot, or backend=; for simulators, QDreamer.predict predicts the run"
        )
    return devices


def read_device_options(mid_circuit: object, mitigation: Any) -> DeviceOptions:
    """Read what devices are to do, beside running circuits.

    Args:
        mid_circuit: Whether they measure in the middle of circuits, or None.
        mitigation: What is done about their errors: None, a name or a list of names.

    Raises:
        QDreamerError: If a value is none of the choices.
    """
    if mid_circuit is not None and not isinstance(mid_circuit, bool):
        raise QDreamerError(f"mid_circuit={mid_circuit!r}: True, False, or None to ask the device")
    listed = () if mitigation is None else _listed("mitigation", mitigation)
    for name in listed:
        check_choice("mitigation", name, MITIGATION)
    return DeviceOptions(mid_circuit, listed)


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """Where users want circuits to run.

    Attributes:
        session: As it was given.
        on: Kinds of workers and pilots; none for any worker.
        backends: Of this process.
        terms: What devices' owners ask: one for all, or by name.
    """

    session: SessionLike | None
    on: tuple[str, ...]
    backends: tuple[BackendV2, ...]
    terms: Terms | Mapping[str, Terms] | None = None

    @classmethod
    def of(
        cls,
        session: SessionLike | None,
        on: object,
        backend: object,
        terms: Terms | Mapping[str, Terms] | None = None,
    ) -> Places:
        """Read `on=` and `backend=`, each of which may be one or a list.

        Raises:
            QDreamerError: If a list is empty, or names one twice; if a backend is none, or a place
                is one of a session's and there is no session.
        """
        backends = () if backend is None else _listed("backend", backend)
        for each in backends:
            if not hasattr(each, "target"):
                raise QDreamerError(
                    f"backend= takes a Qiskit backend, got {type(each).__name__} {each!r:.60}"
                )
        check_here(session, on)
        return cls(session, () if on is None else _listed("on", on), backends, terms)

    @property
    def first(self) -> str | None:
        """The first of `on`."""
        return self.on[0] if self.on else None

    def devices(self, terms: Terms | Mapping[str, Terms] | None = None) -> tuple[Device, ...]:
        """The devices that run circuits; none where workers simulate.

        Args:
            terms: What their owners ask, instead of what was given at first.

        Raises:
            QDreamerError: If several places are named and one of them stands for simulators.
            PlacementError: If a place does not exist.
        """
        asked = self.terms if terms is None else terms
        return tuple(replace(each, terms=_terms_of(each, asked)) for each in self._found())

    def _found(self) -> tuple[Device, ...]:
        if self.session is None or not self.on:
            return tuple(
                Device(f"{each.name}-{k}" if self._twice(each) else str(each.name), each)
                for k, each in enumerate(self.backends)
            )
        pilots = {on: self.session.candidates(on) for on in self.on} if len(self.on) > 1 else {}
        found: dict[str, Device] = {}
        for on in self.on:
            mine = pilots.get(on) or self._several(on)
            if mine is None:  # one device, however many pilots stand for it
                backend = self.session.backend(on)
                return () if backend is None else (Device(str(backend.name), backend, on),)
            for pilot in mine:
                if pilot.backend is None and len(self.on) > 1:
                    raise QDreamerError(
                        f"on={list(self.on)!r}: {on!r} stands for simulators; name QPUs alone, and "
                        f"let simulators step in with fallback={on!r}"
                    )
                if pilot.backend is not None and pilot.name not in found:
                    backend = self.session.backend(pilot.name)
                    found[pilot.name] = Device(pilot.name, backend, pilot.name)
        return tuple(found.values())

    def _several(self, on: str) -> list[Any] | None:
        """The pilots of one place, if they stand for several devices."""
        assert self.session is not None
        pilots = self.session.candidates(on)
        names = {getattr(pilot, "backend", None) for pilot in pilots} - {None}
        return pilots if len(names) > 1 else None

    def _twice(self, backend: BackendV2) -> bool:
        return [each.name for each in self.backends].count(backend.name) > 1


def _terms_of(device: Device, terms: Terms | Mapping[str, Terms] | None) -> Terms | None:
    """What the owner of a device asks, by the name of its pilot or its own, or as of all."""
    if not isinstance(terms, Mapping):
        return terms
    return terms.get(device.name) or terms.get(str(device.backend.name))


def _listed(name: str, given: Any) -> tuple[Any, ...]:
    """One, or a list of them."""
    listed = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    if not listed:
        raise QDreamerError(f"{name}=[]: name one at least, or leave it out")
    twice = next((each for k, each in enumerate(listed) if each in listed[:k]), None)
    if twice is not None:
        raise QDreamerError(f"{name}= names {getattr(twice, 'name', twice)!r} twice")
    return listed
