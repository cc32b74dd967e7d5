"""What a run on a device would take, before anything is sent: circuits, jobs, shots, time, price.

Circuits are planned, cut and written for the device as for a run, so what a run would refuse is
refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot_kernel.primitive.device.shot_time import pending_jobs
from qdreamer_lab.workload.execution.dispatch import divided
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.sampled.device.bill import Bill, bill
from qdreamer_lab.workload.sampled.device.jobs import device_pace
from qdreamer_lab.workload.sampled.rehearsal import rehearsed
from qdreamer_lab.workload.sampled.run import goal_of, routes_for
from qdreamer_lab.workload.sampled.shot_share import ShotShare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.workload.execution.device import Device
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import Request, RunSettings
    from qdreamer_lab.workload.sampled.device.routes import Routes
    from qdreamer_lab.workload.sampled.rounds import Rounds
    from qdreamer_lab.workload.sampled.shot_share import ShotPart
    from qdreamer_lab.workload.sampled.shots import ShotRequest

__all__ = ["CutDryRun", "DeviceWork", "Trial", "dry_run"]

_REHEARSAL_S = 10.0
"""Seconds of simulating that a dry run may take, about."""


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """A PUB made ready for a device.

    Attributes:
        request: What it asks for.
        settings: What is to be computed.
        execution: Where and how; it has the devices.
        rounds: Of shots, of each binding; none has been taken.
        guesses: Of each binding, the variance of its worst value times shots, if that is asked for.
        again: Whether this is the PUB of the trial before, at another level of noise.
    """

    request: Request
    settings: RunSettings
    execution: Execution
    rounds: Sequence[Rounds]
    guesses: Sequence[float]
    again: bool = False


@dataclass(frozen=True, slots=True)
class DeviceWork:
    """What one device would do.

    Attributes:
        device: Its name; "simulators" for what simulators would do in its place.
        fragments: Fragments that would run there, of all PUBs.
        variants: Different circuits that these come in, for all sets of parameter values.
        circuits: Circuits that would run, those of all rounds of shots together.
        jobs: Jobs that they would go in.
        shots: Shots of all circuits together.
        qpu_s: Seconds that the device would be at it: gates, readout, pauses between shots. None
            if its target does not tell how long gates take.
        pending_jobs: Jobs that wait there now, others' included; None if the device does not say.
        price: By the terms of its owner; None if they are not known.
        currency: Of the price.
    """

    device: str
    fragments: int
    variants: int
    circuits: int
    jobs: int
    shots: int
    qpu_s: float | None
    pending_jobs: int | None = None
    price: float | None = None
    currency: str = ""

    def __str__(self) -> str:
        seconds = "unknown seconds" if self.qpu_s is None else f"{self.qpu_s:.3g} s"
        parts = [
            f"on {self.device}: {self.fragments:,} fragments in {self.variants:,} variants, "
            f"{self.circuits:,} circuits in {self.jobs:,} jobs, {self.shots:,} shots, {seconds} of "
            "the QPU"
        ]
        if self.device == _SIMULATORS:
            parts = [
                f"on {self.device}: {self.fragments:,} fragments in {self.variants:,} variants, "
                f"{self.shots:,} shots"
            ]
        if self.price is not None:
            parts.append(f"{self.price:.2f} {self.currency}")
        if self.pending_jobs is not None:
            parts.append(f"{self.pending_jobs:,} jobs wait there now")
        return "; ".join(parts)


_SIMULATORS = "simulators"


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class CutDryRun:
    """What a run would take; nothing was sent.

    Attributes:
        devices: What each device would do, and simulators where they would step in.
        plans: The plan of each PUB; None where it has no set of parameter values.
        notes: What to know about these figures.
    """

    devices: tuple[DeviceWork, ...]
    plans: tuple[CutPlan | None, ...]
    notes: tuple[str, ...]

    @property
    def jobs(self) -> int:
        """Jobs on all devices."""
        return sum(work.jobs for work in self.devices)

    @property
    def shots(self) -> int:
        """Shots of all devices, those of simulators included."""
        return sum(work.shots for work in self.devices)

    @property
    def qpu_s(self) -> float | None:
        """Seconds of all QPUs together; None if one does not tell."""
        known = [work.qpu_s for work in self.devices if work.device != _SIMULATORS]
        return None if None in known else float(sum(each or 0.0 for each in known))

    def __repr__(self) -> str:
        return f"<CutDryRun {'; '.join(map(str, self.devices))}; nothing was sent>"

    def __str__(self) -> str:
        return "\n".join([*map(str, self.devices), *self.notes, "nothing was sent"])

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        """What a console and a notebook show."""
        printer.text(repr(self) if cycle else str(self))  # type: ignore[attr-defined]


def dry_run(trials: Sequence[Trial]) -> CutDryRun:
    """Find out what some PUBs would take on their devices, which are the same for all.

    Args:
        trials: The PUBs.

    Raises:
        DeviceError: If the device cannot run a fragment, and no simulator may step in.
        PrecisionError: If a precision takes more shots than are allowed; it says what they give.
    """
    shares: dict[str, _Share] = {}
    notes: list[str] = []
    plans: list[CutPlan | None] = []
    bindings = max(1, sum(len(trial.rounds) for trial in trials))
    for trial in trials:
        routes = routes_for(trial.request, trial.settings, trial.execution)
        programs = [each.program for each in trial.rounds]
        routes.prepare(programs, trial.request.source, trial.request.values)
        if not trial.again:
            plans.append(CutPlan.of(programs[0].plan) if programs else None)
        for number, reason in routes.rerouted.items():
            notes.append(f"fragment {number} would run on simulators instead: {reason}")
        notes += routes.costs
        asked, said = _asked(trial, _REHEARSAL_S / bindings)
        notes += said
        for requests in asked:
            _add_round(trial, routes, requests, shares)
        for share in shares.values():
            share.next_pub(again=trial.again)
    works = [share.work() for _, share in sorted(shares.items(), key=_last_simulators)]
    return CutDryRun(tuple(works), tuple(plans), tuple(dict.fromkeys(notes)))


@dataclass(eq=False, slots=True)
class _Share:
    """What is known so far of what one place would do: a device, or simulators."""

    device: Device | None
    fragments: int = 0
    variants: int = 0
    bill: Bill = field(default_factory=Bill)
    _met: dict[tuple[int, int], set[int]] = field(default_factory=dict)

    def meets(self, part: ShotPart) -> None:
        """Count the fragment and the variants of a part, if they are new."""
        mine = self._met.setdefault((part.share.binding, part.share.number), set())
        mine.update(part.request.variants.tolist())

    def next_pub(self, *, again: bool) -> None:
        """Fragments and variants to come are others, whatever their numbers.

        Args:
            again: The fragments that were met were counted before, with other variants.
        """
        self.fragments += 0 if again else len({number for _, number in self._met})
        self.variants += sum(map(len, self._met.values()))
        self._met = {}

    def work(self) -> DeviceWork:
        """In the end."""
        sent, device = self.bill, self.device
        price, terms = None, None if device is None else device.terms
        if terms is not None and device is not None and sent.seconds is not None:
            price = terms.cost(sent.seconds, sent.shots, sent.jobs)
        return DeviceWork(
            device=_SIMULATORS if device is None else device.name,
            fragments=self.fragments,
            variants=self.variants,
            circuits=sent.circuits,
            jobs=sent.jobs,
            shots=sent.shots,
            qpu_s=None if device is None else sent.seconds,
            pending_jobs=None if device is None else pending_jobs(device.backend),
            price=price,
            currency="" if price is None or terms is None else terms.currency,
        )


def _share_of(shares: dict[str, _Share], device: Device | None) -> _Share:
    name = _SIMULATORS if device is None else device.name
    return shares.setdefault(name, _Share(device))


def _last_simulators(item: tuple[str, _Share]) -> bool:
    return item[1].device is None


def _asked(
    trial: Trial, budget_s: float
) -> tuple[list[list[tuple[int, int, ShotRequest]]], list[str]]:
    """Per round, the requests of all bindings with the places of binding and fragment; notes."""
    settings = trial.settings
    goal = goal_of(trial.request.precision, settings, trial.execution)
    found: list[list[tuple[int, int, ShotRequest]]] = []
    notes = []
    for binding, (rounds, guess) in enumerate(zip(trial.rounds, trial.guesses, strict=True)):
        rehearsal = rehearsed(
            rounds,
            goal,
            guess=guess,
            limit_bytes=trial.execution.limit_bytes(),
            budget_s=budget_s,
        )
        if rehearsal.note:
            notes.append(rehearsal.note)
        for number, requests in enumerate(rehearsal.rounds):
            if number == len(found):
                found.append([])
            found[number] += [(binding, place, each) for place, each in enumerate(requests)]
    return found, notes


def _add_round(
    trial: Trial,
    routes: Routes,
    requests: Sequence[tuple[int, int, ShotRequest]],
    shares: dict[str, _Share],
) -> None:
    """Add what a round sends to each device, divided into tasks as a run would have them."""
    execution = trial.execution
    asked = []
    for binding, place, request in requests:
        fragment = trial.rounds[binding].program.fragments[place]
        asked.append((ShotShare(binding, fragment, request, ""), request))
    work, simulated = routes.dealt(asked)
    for part in simulated:
        where = _share_of(shares, None)
        where.meets(part)
        where.bill += Bill(shots=int(part.request.shots.sum()))
    for device, mine in work.items():
        for part in mine:
            _share_of(shares, device).meets(part)
        workers = execution.beside_others(device).workers
        pace = device_pace(device.backend, execution.device_options)
        for chunk in divided(mine, workers, pace):
            fragment, forms, _, request = chunk.args
            _share_of(shares, device).bill += bill(fragment, forms, request, device.backend)
