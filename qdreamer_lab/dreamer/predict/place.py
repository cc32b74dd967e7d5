"""Where a run would happen: its workers, and what is believed of their speed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pilot_kernel.resource.worker_environment import usable_cores
from pilot_kernel.task.notebook.placement import on_gpu
from qdreamer_lab.dreamer.device.owner_terms import DeviceTerms
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.first_runs import has_run, names_of
from qdreamer_lab.workload.execution.wide_tasks import nodes_of
from qdreamer_lab.workload.sampled.device.choice import queue_s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qdreamer_lab.dreamer.model.belief import Belief
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.execution.wide_tasks import Node

__all__ = [
    "GPU",
    "HERE",
    "Place",
    "devices_named",
    "is_local",
    "pilots_of",
    "place_of",
    "waited_for",
]

GPU = "gpu"
"""What `on=` calls workers with a GPU."""

HERE = "here"
"""The resource of work in this process."""

_LOCAL = "local://"


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """Where a run would happen.

    Attributes:
        session: That runs tasks; None is this process.
        workers: That could share the work.
        cores: That each task may use.
        belief: The coefficients of the cost model there.
        contention: How much longer a task takes when all workers are busy.
        notes: What to know about all that.
        backend: The device that runs circuits, if one does.
        terms: Its prices and waits.
        local: Whether the workers are on this machine.
        gpu: Whether tasks are for the GPU that each worker has.
        nodes: Workers that lend each other their cores.
        pilots: Names of the pilots whose workers these are.
        warm_up_s: What the first run takes longer there, for loading code.
        warm_up_here_s: The same of this process.
    """

    session: SessionLike | None
    workers: int
    cores: int
    belief: Belief
    contention: float
    notes: tuple[str, ...] = ()
    backend: Any = None
    terms: DeviceTerms = field(default_factory=DeviceTerms)
    local: bool = True
    gpu: bool = False
    nodes: tuple[Node, ...] = ()
    pilots: tuple[str, ...] = ()
    warm_up_s: float = 0.0
    warm_up_here_s: float = 0.0

    @property
    def first_run_s(self) -> float:
        """What a run takes longer there now, for loading code; 0 once there was one."""
        if has_run(self.session, self.pilots):
            return 0.0
        return self.warm_up_here_s if self.session is None else self.warm_up_s

    def here(self) -> Place:
        """This process instead of the session, which is on the same machine."""
        return replace(self, session=None, workers=1, cores=usable_cores(), gpu=False, nodes=())

    def one_core(self) -> Place:
        """One of the workers, with one core."""
        return replace(self, workers=1, cores=1, nodes=())

    def with_gpu(self) -> Place:
        """One of the workers, as if it had a GPU, of which the same is believed."""
        return replace(self, workers=1, backend=None, gpu=True, nodes=())


def pilots_of(session: SessionLike | None, on: str | None) -> list[Any]:
    """The pilots that would run tasks; a session without pilots is not made to add one.

    Args:
        session: That would run tasks.
        on: A kind of worker or a pilot's name.

    Raises:
        PilotError: If `on` names nothing that exists.
    """
    if session is None:
        return []
    statuses = getattr(session, "pilot_statuses", None)
    if statuses is not None and not statuses():
        return []  # asking for candidates would add a pilot
    return list(session.candidates(on))


def devices_named(session: SessionLike | None, on: str | Sequence[str] | None) -> list[str | None]:
    """What to call each device, where several are named or a kind of worker stands for several.

    Args:
        session: That would run tasks.
        on: A kind of worker or a pilot's name, or several.

    Raises:
        PilotError: If one names nothing that exists.
        QDreamerError: If none is named, or one twice.
    """
    given = [on] if on is None or isinstance(on, str) else list(on)
    found: list[str | None] = []
    for name in given:
        pilots = {pilot.backend: pilot for pilot in pilots_of(session, name)}
        several = len(pilots) > 1 and None not in pilots
        found += [pilot.name for pilot in pilots.values()] if several else [name]
    if not found or len(set(found)) < len(found):
        raise QDreamerError(f"on={on!r}: name at least one device or kind of worker, none twice")
    return found


def waited_for(place: Place) -> Place:
    """The same with the wait that there is at its device now, if its owner has stated none."""
    if place.backend is None:
        return place
    terms = replace(place.terms, queue_s=queue_s(place.backend, place.terms))
    return replace(place, terms=terms)


def is_local(resource: str) -> bool:
    """Whether a pilot's resource is this machine."""
    return resource == HERE or resource.startswith(_LOCAL)


def place_of(
    session: SessionLike | None,
    pilots: list[Any],
    on: str | None,
    belief: Belief,
    contention: float,
    notes: tuple[str, ...] = (),
    warm_up_s: float = 0.0,
    warm_up_here_s: float = 0.0,
    devices: Mapping[str, DeviceTerms] | None = None,
) -> Place:
    """Describe some pilots of a session, or this process if there are none.

    Args:
        session: That would run tasks.
        pilots: As `pilots_of` finds them.
        on: A kind of worker or a pilot's name.
        belief: The coefficients there.
        contention: How much longer a task takes when all workers are busy.
        notes: What to know about these.
        warm_up_s: What the first run takes longer there.
        warm_up_here_s: What the first run takes longer in this process.
        devices: Terms of devices, by the name of the device or by `on`.
    """
    if session is None or not pilots:
        return Place(
            session=None,
            workers=1,
            cores=usable_cores(),
            belief=belief,
            contention=contention,
            notes=notes,
            gpu=on_gpu(on, ()),
            warm_up_s=warm_up_s,
            warm_up_here_s=warm_up_here_s,
        )
    backend = session.backend(on) if pilots[0].backend is not None else None
    terms = DeviceTerms()
    if backend is not None:
        names = (str(getattr(backend, "name", "")), on or "")
        terms = next((devices[name] for name in names if devices and name in devices), terms)
    return Place(
        session=session,
        workers=max(1, sum(_workers(pilot, on) for pilot in pilots)),
        cores=max(1, pilots[0].cores_per_worker),
        belief=belief,
        contention=contention,
        notes=(*notes, *_still_coming(pilots)),
        backend=backend,
        terms=terms,
        local=is_local(pilots[0].resource),
        gpu=on_gpu(on, pilots),
        nodes=_wanted_nodes(pilots),
        pilots=names_of(pilots),
        warm_up_s=warm_up_s,
        warm_up_here_s=warm_up_here_s,
    )


def _still_coming(pilots: list[Any]) -> list[str]:
    """What to know while workers come up: when batch jobs start, say, nobody can predict."""
    wanted = sum(pilot.wanted for pilot in pilots)
    up = sum(getattr(pilot, "workers", pilot.wanted) for pilot in pilots)
    if up >= wanted:
        return []
    return [f"{up} of {wanted} workers are up so far; the time counts from when all are"]


def _workers(pilot: Any, on: str | None) -> int:
    """Workers of a pilot that would take tasks; of one that has both kinds, one has a GPU."""
    both = {"CPU", "GPU"} <= set(getattr(pilot, "offers", ()))
    return 1 if both and (on or "").lower() == GPU else int(pilot.wanted)


def _wanted_nodes(pilots: list[Any]) -> tuple[Node, ...]:
    """The nodes of some pilots once all their workers are up."""
    return nodes_of(
        SimpleNamespace(
            workers=pilot.wanted,
            cores_per_worker=pilot.cores_per_worker,
            most_cores=getattr(pilot, "most_cores", 0),
        )
        for pilot in pilots
    )
