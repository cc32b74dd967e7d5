"""Where a run would happen: its workers, and the profile that fits them best."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.device.terms import DeviceTerms
from qdreamer_lab.dreamer.machine.profile import MachineProfile, machine_name
from qdreamer_lab.dreamer.machine.store import load_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["Place", "place_of"]

_LOCAL = "local://"


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """Where a run would happen.

    Attributes:
        session: that runs tasks; None is this process.
        workers: that could share the work.
        cores: that each task may use.
        profile: what is known of the machine.
        notes: what to know about that.
        backend: the device that runs circuits, if one does.
        terms: its prices and waits.
        local: whether the workers are on this machine.
    """

    session: SessionLike | None
    workers: int
    cores: int
    profile: MachineProfile
    notes: tuple[str, ...]
    backend: Any = None
    terms: DeviceTerms = field(default_factory=DeviceTerms)
    local: bool = True

    def here(self) -> Place:
        """This process instead of the session, which is on the same machine."""
        return replace(self, session=None, workers=1, cores=os.cpu_count() or 1)


def place_of(
    session: SessionLike | None,
    on: str | None,
    given: MachineProfile | None,
    devices: Mapping[str, DeviceTerms] | None = None,
) -> Place:
    """Look at a session without changing it; a session without pilots gets none.

    Args:
        session: that would run tasks.
        on: a kind of worker or a pilot's name.
        given: the profile to use.
        devices: terms of devices, by the name of the device or by `on`.

    Raises:
        PilotError: if `on` names nothing that exists.
    """
    pilots = _pilots(session, on)
    notes = []
    resource = pilots[0].resource if pilots else "here"
    if session is not None and not pilots:
        notes.append("there is no pilot yet: the prediction is for this process")
    profile = given or load_profile(resource)
    if profile is None and resource.startswith(_LOCAL):
        profile = load_profile()
        if profile is not None:
            notes.append("the profile is of this process, not of the pilot: call calibrate()")
    if profile is None:
        profile = replace(MachineProfile.nominal(), resource=resource)
    if profile.source == "nominal":
        notes.append(
            "the profile is nominal, this machine was never measured: call calibrate()"
            if profile.belief.observations == 0
            else f"the profile rests on {profile.belief.observations} observations of runs alone"
        )
    elif _elsewhere(profile, resource):
        notes.append(
            f"the profile is of another machine, {profile.machine} ({profile.resource}): "
            "call calibrate()"
        )
    cores = pilots[0].cores_per_worker if pilots else os.cpu_count() or 1
    workers = sum(pilot.wanted for pilot in pilots) if pilots else 1
    used = session if pilots else None
    backend = None
    if session is not None and pilots and pilots[0].backend is not None:
        backend = session.backend(on)
    terms = DeviceTerms()
    if backend is not None:
        names = (str(getattr(backend, "name", "")), on or "")
        terms = next((devices[name] for name in names if devices and name in devices), terms)
    local = resource == "here" or resource.startswith(_LOCAL)
    return Place(used, max(1, workers), max(1, cores), profile, tuple(notes), backend, terms, local)


def _pilots(session: SessionLike | None, on: str | None) -> list[Any]:
    if session is None:
        return []
    statuses = getattr(session, "pilot_statuses", None)
    if statuses is not None and not statuses():
        return []  # asking for candidates would add a pilot
    return list(session.candidates(on))


def _elsewhere(profile: MachineProfile, resource: str) -> bool:
    local = resource == "here" or resource.startswith(_LOCAL)
    if local:
        return profile.machine != machine_name()
    return profile.resource != resource
